"""Names of files as tables write them, and the files that they mean."""

import os
import posixpath
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from difflib import SequenceMatcher
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote

from antiphon.media.names import local_path
from antiphon.spelling import PLAIN_SIGNS, TURKISH_I

Key = TypeVar("Key")
_MIN_ALIKE = 0.5
_MAX_COMPARED = 50


def local_name(written: str) -> str:
    """Return the path behind a `file:` address or below `~`, with slashes, without `./`; other addresses as they are.

    Examples
    --------
    >>> local_name("file:///songs/one%20two.mp4"), local_name(r".\\songs\\one.mp4")
    ('/songs/one two.mp4', 'songs/one.mp4')
    """
    path = local_path(written)
    if path is None:
        return written
    return posixpath.normpath(str(Path(path).expanduser() if path.startswith("~/") else path).replace("\\", "/"))


def composed(name: str) -> str:
    """Return the name of a file with its letters composed and with slashes, so that one name has one form."""
    return unicodedata.normalize("NFC", local_name(name))


def _caseless(name: str) -> str:
    return unicodedata.normalize("NFC", composed(name).casefold())


def _loosely(name: str) -> str:
    """Return a name as people may have typed or copied it: escapes undone, plain signs, one width, Turkish i as i."""
    text = unicodedata.normalize("NFKC", unquote(composed(name)).translate(PLAIN_SIGNS))
    return unicodedata.normalize("NFKC", text.translate(TURKISH_I).casefold())


_FORMS: tuple[Callable[[str], str], ...] = (_caseless, _loosely)
"""Forms in which names are compared where none is the same, the stricter first."""


class FileNames:
    """Names by which a table may refer to the files of a folder.

    A file is named by its path, inside the folder, absolute, or from the folder of the table; else by its name, with
    its ending or without. Unicode's several ways of writing a letter, `./` and backslashes make no difference; case
    makes none where no file is written like the name, and width, curly signs and escapes such as %20 make none where
    no file is written like that either.

    Parameters
    ----------
    files : mapping of str to str
        Absolute path of each file, by its path inside the folder.
    beside : Path
        Folder of the table.
    """

    def __init__(self, files: Mapping[str, str], beside: Path) -> None:
        self._files, self._beside = files, str(beside.absolute())
        self._tables: dict[Callable[[str], str], tuple[dict[str, list[str]], dict[str, list[str]]]] = {}
        self._alike: NearestNames | None = None

    def _table(self, form: Callable[[str], str]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        """Return the files by their paths and by their names, each in a form; made when it is first asked for."""
        if form not in self._tables:
            paths: dict[str, list[str]] = {}
            loose: dict[str, list[str]] = {}
            for name, path in self._files.items():
                base = posixpath.basename(name)
                _enter(paths, {form(name), form(path)}, name)
                _enter(loose, {form(name.rsplit(".", 1)[0]), form(base), form(posixpath.splitext(base)[0])}, name)
            self._tables[form] = paths, loose
        return self._tables[form]

    def fitting(self, written: str) -> list[str]:
        """Return the file that is meant: one by its path; else all files of that name, which may be several or none."""
        name = local_name(written)
        absolute = posixpath.join(self._beside, name)
        absolute = absolute if "\0" in absolute else os.path.realpath(absolute)
        for form in (composed, *_FORMS):
            paths, loose = self._table(form)
            found = paths.get(form(name)) or paths.get(form(absolute)) or loose.get(form(name))
            if found:
                exact = [each for each in found if written in {each, posixpath.basename(each)}]
                return exact if len(exact) == 1 else found
        return []

    def nearest(self, written: str) -> str | None:
        """Return the file whose name is most like this one; None if none is."""
        if self._alike is None:
            self._alike = NearestNames(self._files)
        return self._alike.nearest(written)


class NearestNames:
    """Names among which the most similar ones are found without comparing all.

    Parameters
    ----------
    names : iterable of str
        Known names.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._by_part: dict[str, list[str]] = {}
        for name in names:
            _enter(self._by_part, _parts(name), name)

    def nearest(self, written: str) -> str | None:
        """Return the name that is most like this one; None if none is.

        Examples
        --------
        >>> NearestNames(["songs/frog.mp4", "songs/pig.mp4"]).nearest("Songs/forg.mp4")
        'songs/frog.mp4'
        """
        shared: Counter[str] = Counter()
        for part in _parts(written):
            shared.update(self._by_part.get(part, ()))
        one = _caseless(written)
        scored = [(_likeness(one, _caseless(name)), name) for name, _ in shared.most_common(_MAX_COMPARED)]
        best, name = min(((-score, name) for score, name in scored), default=(0.0, ""))
        return name if -best >= _MIN_ALIKE else None


def _likeness(one: str, other: str) -> float:
    """Return how alike two paths are, whole or by their last parts, from 0 to 1."""
    pairs = ((one, other), (posixpath.basename(one), posixpath.basename(other)))
    return max(SequenceMatcher(None, *pair, autojunk=False).ratio() for pair in pairs)


def _enter(table: dict[Key, list[str]], keys: Iterable[Key], name: str) -> None:
    for key in keys:
        table.setdefault(key, []).append(name)


def _parts(name: str) -> set[str]:
    """Return the three-letter parts of a file's name, by which similar names are found without comparing all."""
    base = posixpath.basename(_caseless(name))
    return {base[place : place + 3] for place in range(max(1, len(base) - 2))}


class FilesBeside:
    """Files that a table names by paths from its own folder.

    Parameters
    ----------
    folder : Path
        Folder of the table.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        self._listed: dict[Path, dict[tuple[Callable[[str], str], str], list[str]]] = {}
        self._meant: dict[Path, Path] = {}

    def place(self, written: str) -> str:
        """Return the absolute path of a file, links resolved; addresses stay as they are.

        Where no file is written like that, one is taken whose path differs in Unicode's ways of writing a letter, in
        slashes, or in case alone, else in width, curly signs or escapes.
        """
        name = local_name(written)
        if "://" in name:
            return name
        given = self._folder / written
        path = given if given.exists() else self._folder / name
        if not path.exists():
            path = self._folder_meant(path.parent) / self._entry(self._folder_meant(path.parent), path.name)
        return os.path.realpath(path)

    def _folder_meant(self, folder: Path) -> Path:
        if folder not in self._meant:
            there = folder.exists() or folder == folder.parent
            above = folder if there else self._folder_meant(folder.parent)
            self._meant[folder] = folder if there else above / self._entry(above, folder.name)
        return self._meant[folder]

    def _entry(self, folder: Path, part: str) -> str:
        """Return the entry of a folder that is meant by a part of a path; the part itself where none or several are."""
        if folder not in self._listed:
            self._listed[folder] = {}
            for name in _entries(folder):
                for form in _FORMS:
                    _enter(self._listed[folder], {(form, form(name))}, name)
        by_form = (self._listed[folder].get((form, form(part)), []) for form in _FORMS)
        found = next(filter(None, by_form), [])
        return found[0] if part not in found and len(found) == 1 else part


def _entries(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()] if folder.is_dir() and os.access(folder, os.R_OK) else []


def with_nearest_files(reasons: Mapping[str, str]) -> list[str]:
    """Add to the reasons why files cannot be read the nearest names in the folders of those that are not there.

    Parameters
    ----------
    reasons : mapping of str to str
        Reasons by path; each folder is listed once, so give only those that are shown.

    Returns
    -------
    list of str
        The reasons, each with perhaps a sentence more.
    """
    folders: dict[Path, NearestNames] = {}
    found: list[str] = []
    for path, reason in reasons.items():
        file = Path(path)
        nearest = None
        if "://" not in path and not (file.exists() or file.is_symlink()):
            if file.parent not in folders:
                folders[file.parent] = NearestNames(_entries(file.parent))
            nearest = folders[file.parent].nearest(file.name)
        found.append(f"{reason} The nearest name in that folder is '{nearest}'." if nearest else reason)
    return found
