"""Joining of rows to a catalogue: files that are known are found again, whatever they are called now."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from antiphon.catalogue import sources
from antiphon.catalogue.identity import (
    OTHER_CONTENT,
    PROBED,
    Examination,
    MayBe,
    Place,
    comparing_lengths,
    find_again,
    identified,
    is_gone,
    look,
)
from antiphon.catalogue.validation import CatalogueRow
from antiphon.media.identity import FileIdentity, is_identified
from antiphon.media.names import local_path

_IDENTITY = ("size_bytes", "modified_ns", "content_hash")
_NEVER_TAKEN = {"id", "path", "value_sources", *_IDENTITY}


@dataclass
class Joined:
    """Rows of a catalogue after others were joined to them.

    Attributes
    ----------
    rows : list of CatalogueRow
        All rows.
    names : dict of str to str
        Id of each joined row in the catalogue, by the id that it came with.
    moved : dict of str to (str, str)
        Former and new path of files that were found again elsewhere, by id.
    prefixed : list of str
        Ids that were given a prefix, since another file has the id that they came with.
    again : dict of str to str
        Id in the catalogue of files that came with another id, by that.
    unfound : list of str
        Paths without a file that came with ids of files that are there, and were not taken.
    """

    rows: list[CatalogueRow] = field(default_factory=list[CatalogueRow])
    names: dict[str, str] = field(default_factory=dict[str, str])
    moved: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    prefixed: list[str] = field(default_factory=list[str])
    again: dict[str, str] = field(default_factory=dict[str, str])
    unfound: list[str] = field(default_factory=list[str])


def join(
    known: Sequence[CatalogueRow], others: Sequence[CatalogueRow], progress: Callable[[int, int], None] | None = None
) -> Joined:
    """Join rows to those of a catalogue.

    A row is that of a known video if it has the same file, by whatever name; or content that a known file had, which
    was moved; or the same id and no other file. Values that it has take precedence, except over a split, and those of a
    file's own tags over a table's. Every other row is a new video; if its id is taken, folders of its path are put
    before it.

    Parameters
    ----------
    known : sequence of CatalogueRow
        Rows of the catalogue.
    others : sequence of CatalogueRow
        Rows to join; ids occur once.
    progress : callable, optional
        Called with new files identified and their total.

    Returns
    -------
    Joined
        Copies of the rows, joined.
    """
    before, rows = ([_plainly(row) for row in some] for some in (known, others))
    with comparing_lengths() as may_be:
        joined = Joined(moved=_moved(before, rows, may_be, progress))
        _enter(joined, _Files(before, may_be), before, rows)
    return joined


def _enter(joined: Joined, files: "_Files", before: Sequence[CatalogueRow], rows: Sequence[CatalogueRow]) -> None:
    """Join each row to that of the same video, or add it."""
    taken = {row["id"] for row in (*before, *rows)}
    for row in rows:
        came_with = row["id"]
        own = files.same_file(row) or files.same_id(row)
        if own is None:
            if came_with in files.by_id:
                row["id"] = _free_id(row, taken)
                taken.add(row["id"])
                joined.prefixed.append(row["id"])
            files.add(row)
        else:
            files.take(own, row)
            if row.get("path") and own["path"] != row["path"] and is_gone(row["path"]):
                joined.unfound.append(row["path"])
            if own["id"] != came_with and own["id"] not in joined.moved:
                joined.again[came_with] = own["id"]
        joined.names[came_with] = row["id"] if own is None else own["id"]
    joined.rows = list(files.by_id.values())


def _plainly(row: CatalogueRow) -> CatalogueRow:
    """Copy a row, with the path of a file of this machine as a path; an address may be written without escapes."""
    path = row.get("path")
    local = local_path(path) if path else None
    if path is None or local is None or local == path:
        return dict(row)
    unescaped = path[path.index("/") :].lstrip("/")
    literal = f"/{unescaped.removeprefix('localhost/')}"
    return row | {"path": literal if is_gone(local) and not is_gone(literal) else local}


def _moved(
    before: Sequence[CatalogueRow],
    rows: Sequence[CatalogueRow],
    may_be: MayBe,
    progress: Callable[[int, int], None] | None,
) -> dict[str, tuple[str, str]]:
    """Identify files that have new paths, and give them to the rows whose content they hold."""
    known = {row["path"] for row in before if row.get("path")}
    new = [row for row in rows if row.get("path") and row["path"] not in known]
    for row, identity in identified([row for row in new if not is_identified(row)], progress):
        row.update({} if identity is None else vars(identity))
    found = Examination()
    changed = look(before, found)
    lost = set(changed) | set(found.gone)
    if not lost:
        return {}
    files = _Files([row for row in before if row["id"] not in lost], may_be)
    places = {row["path"]: Place(row["id"], changed[row["id"]]) for row in before if row["id"] in changed}
    for row in new:
        if is_identified(row) and files.same_file(row) is None:
            places[row["path"]] = Place(row["id"], _identity(row))
    return find_again(before, lost, places)


def _identity(row: CatalogueRow) -> FileIdentity:
    return FileIdentity(*(row[name] for name in _IDENTITY))


class _Files:
    """Rows of a catalogue by id, by file and by content."""

    def __init__(self, rows: Sequence[CatalogueRow], may_be: MayBe) -> None:
        self._may_be = may_be
        self.by_id: dict[str, CatalogueRow] = {}
        self._by_path: dict[str, CatalogueRow] = {}
        self._by_content: dict[str, list[CatalogueRow]] = {}  # those whose numbers on the disk were not asked for yet
        self._by_number: dict[tuple[int, int], CatalogueRow] = {}
        for row in rows:
            self.add(row)

    def add(self, row: CatalogueRow) -> None:
        """Enter a row."""
        self.by_id[row["id"]] = row
        path = row.get("path")
        if not path:
            return
        self._by_path[path] = row
        if is_identified(row):
            self._by_content.setdefault(row["content_hash"], []).append(row)
        elif "://" not in path:  # a link that led nowhere when it was catalogued may lead to a file now
            self._by_path.setdefault(os.path.realpath(path), row)

    def same_file(self, row: CatalogueRow) -> CatalogueRow | None:
        """Return the row of the same file: by its path, or by another name of it, such as a link."""
        path = row.get("path")
        if not path:
            return None
        found = self._by_path.get(path)
        if found is None and "://" not in path:
            found = self._by_path.get(os.path.realpath(path))
        return found or self._linked(path, row.get("content_hash") or "")

    def _linked(self, path: str, content_hash: str) -> CatalogueRow | None:
        """Return the row of the same content whose file is this one by another name."""
        if content_hash not in self._by_content:
            return None
        waiting = self._by_content[content_hash]
        for one in waiting:
            number = _number_on_disk(one["path"])
            if number is not None:
                self._by_number.setdefault(number, one)
        waiting.clear()
        number = _number_on_disk(path)
        return None if number is None else self._by_number.get(number)

    def same_id(self, row: CatalogueRow) -> CatalogueRow | None:
        """Return the row of the same id, unless it is that of another file."""
        own = self.by_id.get(row["id"])
        if own is None or not row.get("path") or not own.get("path"):
            return own
        # A table may say where a video is now; a folder merely has a file of that name.
        corrected = not _is_named_by_its_place(row)
        if not is_gone(own["path"]):
            return own if corrected and is_gone(row["path"]) else None
        if is_gone(row["path"]):
            return own
        return own if corrected or (not is_identified(own) and self._may_be(own, row["path"])) else None

    def take(self, own: CatalogueRow, row: CatalogueRow) -> None:
        """Bring what a joined row says into the row of the video."""
        path = row.get("path")
        if path and path != own.get("path") and (not own.get("path") or not _is_there(own["path"])):
            if own.get("path") and not is_identified(own) and not self._may_be(own, row["path"]):
                own["content_hash"] = OTHER_CONTENT
            own["path"] = path
            self._by_path[path] = own
            if is_identified(own):
                self._by_content.setdefault(own["content_hash"], []).append(own)
        _take_values(own, row)


def _take_values(own: CatalogueRow, row: CatalogueRow) -> None:
    of_file, follows = sources.from_file(row), sources.from_file(own)
    is_of_other_content = row.get("content_hash") not in (None, own.get("content_hash"))
    for column, value in row.items():
        if value is None or column in _NEVER_TAKEN or (column == "split" and own.get("split")):
            continue
        if is_of_other_content and (column in PROBED or column in of_file):
            continue
        if column in of_file and own.get(column) is not None and column not in follows:
            continue
        own[column] = value
        follows = follows | {column} if column in of_file else follows - {column}
    if follows != sources.from_file(own):
        sources.set_from_file(own, follows)


def _is_there(path: str) -> bool:
    """Return whether a path is that of a file itself, not of a link to one."""
    return "://" in path or not (is_gone(path) or os.path.islink(path))  # noqa: PTH114


def _number_on_disk(path: str) -> tuple[int, int] | None:
    """Return the numbers of a disk and of a file on it, which all names of the file share."""
    try:
        about = None if "://" in path else os.stat(path)  # noqa: PTH116
    except (OSError, ValueError):
        return None
    return None if about is None else (about.st_dev, about.st_ino)


def _is_named_by_its_place(row: CatalogueRow) -> bool:
    """Return whether the id is the path in a folder, or in the folder of a table; else a person chose it."""
    return f"/{row['path']}".endswith(f"/{row['id']}")


def _free_id(row: CatalogueRow, taken: set[str]) -> str:
    """Put as many folders of the file's path before an id as make it one that is free."""
    inside = len(Path(row["id"]).parts) if _is_named_by_its_place(row) else 1
    folders = [part for part in Path(row["path"]).parts[:-inside] if part != "/" and not part.endswith(":")]
    for count in range(1, len(folders) + 1):
        found = "/".join([*folders[-count:], row["id"]])
        if found not in taken:
            return found
    return next(found for number in range(2, len(taken) + 3) if (found := f"{row['id']} ({number})") not in taken)
