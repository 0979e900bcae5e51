"""Files of a catalogue, looked at again: which were replaced, renamed or removed since."""

import os
import stat
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from antiphon.catalogue import sources
from antiphon.catalogue.copies import content_of
from antiphon.catalogue.validation import CatalogueRow
from antiphon.errors import AntiphonError, ConfigError
from antiphon.media.identity import FileIdentity, identify, is_identified, looks_same
from antiphon.media.names import local_path
from antiphon.media.probing import probe_media
from antiphon.workers.limits import LimitError, WorkerLimits
from antiphon.workers.worker import Worker

PROBED = (
    "start_s",
    "duration_s",
    "has_audio",
    "has_video",
    "audio_start_s",
    "audio_end_s",
    "video_start_s",
    "video_end_s",
)
"""Columns that probing a file fills in."""
OTHER_CONTENT = ""
"""Content hash of a row whose file is known to be another than before, whatever that was."""
MayBe: TypeAlias = Callable[[CatalogueRow, str], bool]
_THREADS = 4
_SAME_LENGTH_S = 0.05


@dataclass
class Examination:
    """What became of the files of a catalogue.

    Attributes
    ----------
    replaced : list of str
        Ids of the videos whose file has other content than before.
    gone : list of str
        Ids of the videos whose file is not there.
    unread : list of str
        Ids of the videos whose file should have been read and could not.
    moved : dict of str to (str, str)
        Former and new path of files that exchanged their names, by id.
    resplit : dict of str to (str, str)
        Former and new split of the videos whose file became a copy of another's, which is in another split, by id.
    """

    replaced: list[str] = field(default_factory=list[str])
    gone: list[str] = field(default_factory=list[str])
    unread: list[str] = field(default_factory=list[str])
    moved: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    resplit: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])


@dataclass(frozen=True)
class Place:
    """A file whose content is not that of the row with its path, or that no row has.

    Attributes
    ----------
    id : str
        Id that a video in this place has, or would get.
    identity : FileIdentity
        Its identity.
    """

    id: str
    identity: FileIdentity


def is_gone(path: str | None) -> bool:
    """Return whether a file of this machine is not there; what lies on others is never looked for."""
    local = None if path is None else local_path(path)
    return local is not None and _stat(local) is None


def examine(rows: Sequence[CatalogueRow], *, read_all: bool = False) -> Examination:
    """Compare files with the identities that rows have, and bring the rows up to date.

    A file whose size or time changed is read: with the same content it was merely touched. What was known of the former
    content of a replaced file is forgotten, so that it is probed again. Rows without an identity get one.

    Parameters
    ----------
    rows : sequence of CatalogueRow
        Rows of the catalogue; they are changed.
    read_all : bool, default False
        Read files too whose size and time are as they were.

    Returns
    -------
    Examination
        What became of them.
    """
    found = Examination()
    changed = look(rows, found, read_all=read_all)
    places = {row["path"]: Place(row["id"], changed[row["id"]]) for row in rows if row["id"] in changed}
    found.moved = find_again(rows, set(changed) | set(found.gone), places)
    found.gone = [name for name in found.gone if name not in found.moved]
    for row in rows:
        if row["id"] in changed and row["path"] is None:
            found.gone.append(row["id"])
        elif row["id"] in changed and row["id"] not in found.moved:
            found.replaced.append(row["id"])
            forget_content(row)
            row.update(vars(changed[row["id"]]))
    _join_originals(rows, found)
    return found


def _join_originals(rows: Sequence[CatalogueRow], found: Examination) -> None:
    """Give files that were replaced by a copy of another the split of that one."""
    replaced = set(found.replaced)
    splits = {content_of(row): row["split"] for row in rows if row.get("split") and row["id"] not in replaced}
    for row in rows:
        if row["id"] in replaced and content_of(row):
            former, split = row.get("split"), splits.get(content_of(row))
            if split and former and split != former:
                found.resplit[row["id"]] = (former, split)
            row["split"] = split or former


def look(rows: Sequence[CatalogueRow], found: Examination, *, read_all: bool = False) -> dict[str, FileIdentity]:
    """Look for the file of each row, and update the identities of those with the same content.

    Parameters
    ----------
    rows : sequence of CatalogueRow
        Rows of the catalogue; they are changed.
    found : Examination
        Gets the files that are gone, and those that cannot be read.
    read_all : bool, default False
        Read files too whose size and time are as they were.

    Returns
    -------
    dict of str to FileIdentity
        Identity of the files with other content than before, by id.
    """
    local = [row for row in rows if row.get("path") and local_path(row["path"]) is not None]
    found.gone += [row["id"] for row in rows if not row.get("path") and is_identified(row)]  # others took their names
    stats = [_stat(local_path(row["path"]) or "") for row in local]
    found.gone += [row["id"] for row, about in zip(local, stats, strict=True) if about is None and _was_there(row)]
    waiting = [
        row
        for row, about in zip(local, stats, strict=True)
        if about is not None and (read_all or not is_identified(row) or not looks_same(about, row))
    ]
    changed: dict[str, FileIdentity] = {}
    for row, identity in identified(waiting):
        if identity is None:
            found.unread.append(row["id"])
        elif is_identified(row) and identity.content_hash != row["content_hash"]:
            changed[row["id"]] = identity
        else:
            row.update(vars(identity))
    return changed


def _was_there(row: CatalogueRow) -> bool:
    return is_identified(row) or row.get("has_audio") is not None


def identified(
    rows: Sequence[CatalogueRow], progress: Callable[[int, int], None] | None = None
) -> Iterable[tuple[CatalogueRow, FileIdentity | None]]:
    """Identify the files of rows, several at a time; `progress` is called with files done and their total."""
    with ThreadPoolExecutor(max_workers=_THREADS) as threads:
        identities = threads.map(identify, [row["path"] for row in rows])
        for done, (row, identity) in enumerate(zip(rows, identities, strict=True), start=1):
            yield row, identity
            if progress is not None:
                progress(done, len(rows))


def find_again(
    rows: Iterable[CatalogueRow], homeless: set[str], places: Mapping[str, Place]
) -> dict[str, tuple[str, str]]:
    """Find content that is not in its place any more, and give its rows the path where it is now.

    Files may exchange names, or each take the next one's, also where the first or last of them is deleted: its row then
    has no path. A file that was merely replaced keeps its name, also where its former content lies elsewhere as a copy.

    Parameters
    ----------
    rows : iterable of CatalogueRow
        Rows of the catalogue; they are changed.
    homeless : set of str
        Ids of those whose content is not where they say.
    places : mapping of str to Place
        Where it may be, by path.

    Returns
    -------
    dict of str to (str, str)
        Former and new path of what was found, by id; the former one is empty where it had none.
    """
    unplaced = {row["id"]: row for row in rows if row["id"] in homeless}
    owners = {row["path"]: row["id"] for row in unplaced.values() if row["path"] in places}
    lost = {name: row for name, row in unplaced.items() if content_of(row)}
    homes = _matches(lost, places)
    former = {name: lost[name]["path"] for name in homes}
    _drop_replaced(homes, former, owners)
    for path in homes.values():
        if path in owners:
            unplaced[owners[path]]["path"] = None
    for name, path in homes.items():
        lost[name].update({"path": path, **vars(places[path].identity)})
    return {name: (former[name] or "", path) for name, path in homes.items()}


def _drop_replaced(homes: dict[str, str], former: Mapping[str, str | None], owners: Mapping[str, str]) -> None:
    """Drop the homes that are mere copies of files that were replaced, and those that mere replacements have.

    A home is a renamed file's if its owner was found elsewhere or it has none, and the file's own place is empty or
    taken by another that was found; between two others of a chain of renamed files, one of them is enough.
    """
    taken_by = {path: name for name, path in homes.items()}

    def is_renamed(name: str) -> bool:
        owner, own = owners.get(homes[name]), former[name]
        owner_moved, own_taken = owner in homes, own in taken_by
        return (owner is None or owner_moved or own_taken) and (own not in owners or own_taken or owner_moved)

    waiting = list(homes)
    while waiting:
        name = waiting.pop()
        if name not in homes or is_renamed(name):
            continue
        path = homes.pop(name)
        del taken_by[path]
        waiting += [other for other in (taken_by.get(former[name] or ""), owners.get(path)) if other is not None]


def _matches(lost: Mapping[str, CatalogueRow], places: Mapping[str, Place]) -> dict[str, str]:
    """Return a path with the content of each row: that of the same id, else of the same name, else any."""
    homes: dict[str, str] = {}
    taken: set[str] = set()
    for part in (_by_id, _by_name, _by_content):
        free: dict[tuple[str, str], list[str]] = {}
        for path, place in reversed(list(places.items())):
            if path not in taken:
                free.setdefault((place.identity.content_hash, part(place.id, path)), []).append(path)
        for name, row in lost.items():
            paths = free.get((row["content_hash"], part(name, row["path"] or "")))
            if name not in homes and paths:
                homes[name] = paths.pop()
                taken.add(homes[name])
    return homes


def _by_id(name: str, path: str) -> str:
    return name


def _by_name(name: str, path: str) -> str:
    return path.rsplit("/", 1)[-1]


def _by_content(name: str, path: str) -> str:
    return ""


@contextmanager
def comparing_lengths() -> Generator[MayBe]:
    """Yield a function that returns whether a file may be that of a row of an earlier version: it is as long.

    Such rows have no identity. The files are probed in a process of their own, which is started when it is needed.
    """
    with closing(Worker[str, float](_prepare_prober, limits=WorkerLimits())) as prober:

        def may_be(row: CatalogueRow, path: str) -> bool:
            if row.get("duration_s") is None:
                return True
            try:
                return abs(prober.run(path) - row["duration_s"]) < _SAME_LENGTH_S
            except ConfigError:
                raise
            except LimitError:
                return True  # slow storage tells nothing about the file
            except AntiphonError:
                return False

        yield may_be


def _prepare_prober() -> Callable[[str], float]:
    return _duration_s


def _duration_s(path: str) -> float:
    return probe_media(path).duration_s


def forget_content(row: CatalogueRow) -> None:
    """Remove from a row what was read from its file: what probing found, and the file's own tags."""
    row.update(dict.fromkeys(PROBED))
    sources.forget_file(row)


def _stat(path: str) -> os.stat_result | None:
    """Look a regular file up, following links."""
    try:
        about = os.stat(path)  # noqa: PTH116 - ninety thousand paths need no objects
    except (OSError, ValueError):
        return None
    return about if stat.S_ISREG(about.st_mode) else None
