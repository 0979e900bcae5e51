"""Which files of a folder are music videos, and what is left out: hidden files, trash, thumbnails, workspaces."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from antiphon.catalogue.outward_links import leads_out
from antiphon.media.names import MEDIA_SUFFIXES
from antiphon.places import Address
from antiphon.plurals import counted

_SYSTEM_FOLDERS = re.compile(
    r"\$recycle\.bin|recycler|recycled|system volume information|found\.\d{3}|lost\+found"
    r"|\.trash(es)?|\.trash-.*|\.appledouble|__macosx|\.thumbnails|\.@__thumb"
    r"|@eadir|#recycle|@recycle|@recently-snapshot|#snapshot|@tmp",
    re.IGNORECASE,
)
"""Trash, thumbnails and the like of Windows, macOS, Linux and network storage."""
_UNFINISHED = frozenset(
    {".part", ".partial", ".crdownload", ".opdownload", ".download", ".filepart", ".tmp", ".!ut", ".!qb", ".bc!"}
)
"""Endings that programs put behind a file's own while they download it."""
_CATALOGUE = "catalogue.parquet"
_OWN_FOLDERS = frozenset({"segments", "features", "runs", "page", "index", "paper"})
_OUTWARD = ("link that leads out of the folder", "links that lead out of the folder")
_BESIDE_CATALOGUE = (*_OWN_FOLDERS, ".lock", "segments.parquet", "failures.parquet")


@dataclass
class Listing:
    """Media files of a folder and below.

    Attributes
    ----------
    files : list of Path
        The files, sorted; dangling links of such names are among them.
    hidden : int
        Media files whose name or folder starts with a dot.
    links : list of Path
        Links to folders, which are not followed.
    system : list of Path
        Folders of trash, thumbnails and the like.
    workspaces : list of Path
        Folders of Antiphon's own.
    unfinished : list of Path
        Files that are being downloaded.
    unreadable : list of Path
        Folders that cannot be listed.
    special : list of Path
        What is named like a media file and is a pipe, a socket or a device.
    outward : list of Path
        Links to files outside the folder, where those are not followed.
    """

    files: list[Path] = field(default_factory=list[Path])
    hidden: int = 0
    links: list[Path] = field(default_factory=list[Path])
    system: list[Path] = field(default_factory=list[Path])
    workspaces: list[Path] = field(default_factory=list[Path])
    unfinished: list[Path] = field(default_factory=list[Path])
    unreadable: list[Path] = field(default_factory=list[Path])
    special: list[Path] = field(default_factory=list[Path])
    outward: list[Path] = field(default_factory=list[Path])

    def sentences(self) -> list[str]:
        """Say what was left out, one sentence for each reason."""
        groups: list[tuple[list[Path], str, str, str]] = [
            (self.links, "link to a folder", "links to folders", ". Add such folders separately."),
            (self.system, *_of("of trash, thumbnails and the like"), "."),
            (self.workspaces, *_of("of Antiphon's own"), "."),
            (self.unfinished, "unfinished download", "unfinished downloads", "."),
            (self.unreadable, *_of("that cannot be listed"), "."),
            (self.special, "pipe, socket or device", "pipes, sockets or devices", "."),
            (self.outward, *_OUTWARD, ". antiphon catalogue add follows them."),
        ]
        found = [f"{counted(len(paths), *what)}: {_first(paths)}{end}" for paths, *what, end in groups if paths]
        hidden = f"{counted(self.hidden, 'hidden media file')}, whose name or folder starts with a dot."
        return [hidden, *found] if self.hidden else found


def _of(what: str) -> tuple[str, str]:
    return f"folder {what}", f"folders {what}"


def _first(paths: Sequence[Path]) -> str:
    return f"{min(paths)}{', …' * (len(paths) > 1)}"


def list_media(folder: Path, *, follow: bool = True) -> Listing:
    """List the media files of a folder and below, by their endings.

    Parameters
    ----------
    folder : Path
        Folder to search.
    follow : bool, default True
        Follow links to files out of the folder.

    Returns
    -------
    Listing
        The files, and what was left out.
    """
    found = Listing()
    waiting = [(folder, False)]
    own, root = is_workspace(folder), None if follow else os.path.realpath(folder)
    while waiting:
        place, hidden = waiting.pop()
        try:
            entries = list(os.scandir(place))
        except OSError:
            found.unreadable.append(place)
            continue
        for entry in entries:
            is_own = own and place == folder and entry.name in _OWN_FOLDERS
            if _descends(entry, found, is_own=is_own):
                waiting.append((Path(entry.path), hidden or entry.name.startswith(".")))
            elif not _is_folder(entry):
                _enter(entry, found, root, hidden=hidden or entry.name.startswith("."))
    found.files.sort()
    return found


def list_store(folder: Address) -> dict[str, str]:
    """List the media files of a folder in a store and below, by their endings, without hidden ones, trash and the like.

    Parameters
    ----------
    folder : Address
        Folder to search.

    Returns
    -------
    dict of str to str
        Address of each file, by its path inside the folder, sorted.

    Raises
    ------
    StorageError
        The store fails.
    """
    found: dict[str, str] = {}
    for name in folder.below():
        *folders, last = name.split("/")
        hidden = any(part.startswith(".") or _SYSTEM_FOLDERS.fullmatch(part) for part in folders)
        if PurePosixPath(last).suffix.lower() in MEDIA_SUFFIXES and not (hidden or last.startswith(".")):
            found[name] = f"{folder.text}/{name}"
    return found


def is_workspace(folder: Path) -> bool:
    """Return whether a folder is a workspace of Antiphon."""
    return (folder / _CATALOGUE).is_file() and any((folder / name).exists() for name in _BESIDE_CATALOGUE)


def workspace_above(folder: Path) -> Path | None:
    """Return the workspace in whose own folders a folder lies, such as that of the kept segments; None if in none."""
    place = folder.resolve()
    for above in place.parents:
        if place.relative_to(above).parts[0] in _OWN_FOLDERS and is_workspace(above):
            return above
    return None


def _descends(entry: os.DirEntry[str], found: Listing, *, is_own: bool) -> bool:
    """Return whether an entry is a folder to search, and note it if it is one that is not."""
    if not _is_folder(entry):
        return False
    if entry.is_symlink():
        found.links.append(Path(entry.path))
    elif _SYSTEM_FOLDERS.fullmatch(entry.name):
        found.system.append(Path(entry.path))
    elif is_own or is_workspace(Path(entry.path)):
        found.workspaces.append(Path(entry.path))
    else:
        return True
    return False


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _enter(entry: os.DirEntry[str], found: Listing, root: str | None, *, hidden: bool) -> None:
    stem, ending = os.path.splitext(entry.name.lower())  # noqa: PTH122 - a path for each entry would take long
    if ending in _UNFINISHED and os.path.splitext(stem)[1] in MEDIA_SUFFIXES and not hidden:  # noqa: PTH122
        found.unfinished.append(Path(entry.path))
    elif ending in MEDIA_SUFFIXES:
        if hidden:
            found.hidden += 1
        elif root is not None and entry.is_symlink() and leads_out(entry.path, root):
            found.outward.append(Path(entry.path))
        elif entry.is_symlink() or entry.is_file():
            found.files.append(Path(entry.path))
        else:
            found.special.append(Path(entry.path))
