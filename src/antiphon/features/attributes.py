"""Visual attributes of every segment and the tempo of its track, measured once and kept in one table."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.catalogue import Catalogue
from antiphon.cores import usable_cores
from antiphon.errors import DecodeError
from antiphon.features.computed_videos import VideoAttributes, computed_videos
from antiphon.features.failing import file_failure
from antiphon.features.planning import read_segments
from antiphon.media.appearance import ATTRIBUTE_NAMES
from antiphon.media.extents import Extents
from antiphon.media.opening import CataloguedFile
from antiphon.media.windows import WindowsJob
from antiphon.tables import ATTRIBUTES, read_schema, read_table, write_table
from antiphon.workers.limits import WorkerLimits
from antiphon.workspace import Failure, Workspace

STAGE = "attributes"
_MADE_BY = {b"measured": b"96 px, 10 frames per second, tempo, 3"}
"""Metadata of the table. The last number changes with the definitions; rows measured otherwise are measured again."""
_FLUSH_S = 10.0
_TOO_SHORT = "its windows have fewer than two pictures, and motion cannot be measured."
_GROWTH = 0.1
"""The table is written whole, so rows wait until they are a tenth of it; those that a kill loses, `measure_attributes`
measures in a pass of its own."""

_WINDOW = ("segment_id", "video_id", "window_start_s", "window_end_s")
_Window = tuple[str, float, float]
Row = dict[str, Any]


class AttributesTable:
    """The table `attributes.parquet` of a workspace, as it grows.

    Parameters
    ----------
    workspace : Workspace
        Workspace, locked by this process.
    segments : mapping of str to sequence of dict
        Rows of `SEGMENTS` by video; what was measured on other windows is left out.

    Attributes
    ----------
    videos : set of str
        Ids of the videos that have attributes.
    """

    def __init__(self, workspace: Workspace, segments: Mapping[str, Sequence[Row]]) -> None:
        self._workspace, self._segments = workspace, segments
        self._table = _stored(workspace, segments)
        self._waiting: list[Row] = []
        self._flushed_s = time.monotonic()
        self.videos: set[str] = set(self._table["video_id"].to_pylist())

    def add(self, video_id: str, found: VideoAttributes) -> None:
        """Add the attributes of a video that has none yet.

        Parameters
        ----------
        video_id : str
            Id of the video.
        found : VideoAttributes
            Its attributes, at least of one window.
        """
        own = self._segments[video_id]
        self._waiting += [_row(own[number], values, found.tempo_bpm) for number, values in found.windows.items()]
        self.videos.add(video_id)

    def flush(self, *, at_once: bool = False) -> None:
        """Write the table if much has been added, or at once if anything has."""
        waits = self._waiting and time.monotonic() - self._flushed_s > _FLUSH_S
        if (self._waiting and at_once) or (waits and len(self._waiting) > _GROWTH * len(self._table)):
            added = pa.Table.from_pylist(self._waiting, self._table.schema)
            grown = pa.concat_tables([self._table, added])
            write_table(grown, self._workspace.attributes)
            self._table, self._waiting = grown, []
            self._flushed_s = time.monotonic()


def measure_attributes(
    workspace: Workspace,
    catalogue: Catalogue,
    videos: Iterable[str] | None = None,
    *,
    workers: int | None = None,
    progress: Callable[[int, int, str], None] | None = None,
    limits: WorkerLimits | None = None,
) -> None:
    """Measure the windows of all segments that `attributes.parquet` lacks, and add them to it.

    Videos whose segments were drawn again are measured again, even if the segments have the same ids. Results are
    written as they become many and at the end, also of an interrupted command, which can be resumed. Files that cannot
    be read are listed in `failures.parquet` and tried again next time.

    Parameters
    ----------
    workspace : Workspace
        Workspace with `segments.parquet`; without it there is nothing to measure.
    catalogue : Catalogue
        Videos and their files.
    videos : iterable of str, optional
        Ids of the videos to measure. Default: all of the catalogue.
    workers : int, optional
        Number of decoding processes. Default: one per core.
    progress : callable, optional
        Called with videos done, their total, and a note.
    limits : WorkerLimits, optional
        Limits of each window and segment. Default: 60 s and 2 GB.

    Raises
    ------
    ConfigError
        Another process writes to the workspace, or worker processes cannot be started.
    """
    with workspace.lock():
        segments = read_segments(workspace).by_video
        table = AttributesTable(workspace, segments)
        jobs = _jobs(catalogue, segments, table.videos, videos)
        if not jobs:
            return
        failures = _other_failures(workspace, {job.video_id for job in jobs})
        count, failed = workers or usable_cores(), 0
        measured = computed_videos(jobs, lambda _: (), count, limits or WorkerLimits())
        try:
            with closing(measured):
                for done, video in enumerate(measured, start=1):
                    if video.attributes.windows:
                        table.add(video.job.video_id, video.attributes)
                    else:
                        problem = video.problem or DecodeError(f"{video.job.path}: {_TOO_SHORT}")
                        failures.append(
                            file_failure(workspace, video.job.video_id, STAGE, str(video.job.path), problem)
                        )
                        failed += 1
                    if progress is not None:
                        progress(done, len(jobs), f"{failed} failed" if failed else "")
                    table.flush()
        finally:
            table.flush(at_once=True)
            workspace.write_failures(failures)


def read_attributes(workspace: Workspace, segment_ids: Sequence[str] | npt.NDArray[np.str_]) -> npt.NDArray[np.float64]:
    """Look up the attributes of segments.

    Values measured on other windows than those of `segments.parquet` are ignored.

    Parameters
    ----------
    workspace : Workspace
        Workspace with `attributes.parquet`.
    segment_ids : sequence of str or ndarray of str, shape (n,)
        Segments to look up.

    Returns
    -------
    ndarray of float64, shape (n, attributes)
        Values in the order of `ATTRIBUTE_NAMES`; NaN where none are stored.
    """
    stored = _stored(workspace, read_segments(workspace).by_video)
    known = {row["segment_id"]: row for row in stored.to_pylist()}
    empty = dict.fromkeys(ATTRIBUTE_NAMES, float("nan"))
    found = [known.get(str(name), empty) for name in segment_ids]
    return np.array([[float(row[name]) for name in ATTRIBUTE_NAMES] for row in found]).reshape(-1, len(ATTRIBUTE_NAMES))


def _jobs(
    catalogue: Catalogue, segments: Mapping[str, Sequence[Row]], done: set[str], videos: Iterable[str] | None
) -> list[WindowsJob]:
    wanted = set(catalogue.ids if videos is None else videos) - done
    jobs: list[WindowsJob] = []
    for row in catalogue.records():
        if row["id"] in wanted and row["path"] is not None and row["has_video"] and row["id"] in segments:
            own = segments[row["id"]]
            windows = tuple((segment["window_start_s"], segment["window_end_s"]) for segment in own)
            job = WindowsJob(
                row["id"], CataloguedFile.of(row), windows, (), None, 0, Extents.of(row), measured_segments(own)
            )
            jobs += [job] if job.windows_of("video") else []
    return jobs


def measured_segments(rows: Sequence[Row]) -> tuple[tuple[float, float], ...]:
    """Return start and end in seconds of segments, as a `WindowsJob` takes them to measure attributes.

    Parameters
    ----------
    rows : sequence of dict
        Rows of `SEGMENTS` of one video, in order.

    Returns
    -------
    tuple of (float, float)
        One for each row.
    """
    return tuple((row["start_s"], row["end_s"]) for row in rows)


def _stored(workspace: Workspace, segments: Mapping[str, Sequence[Row]]) -> pa.Table:
    """Return the rows of videos whose windows are still those of `segments`."""
    empty = ATTRIBUTES.empty_table().replace_schema_metadata(_MADE_BY)
    if not workspace.attributes.exists():
        return empty
    schema = read_schema(workspace.attributes)
    alike = (schema.metadata or {}).get(b"measured") == _MADE_BY[b"measured"]
    if not alike or not set(ATTRIBUTES.names) <= set(schema.names):
        return empty
    table = read_table(workspace.attributes, ATTRIBUTES).replace_schema_metadata(_MADE_BY)
    found: dict[str, set[_Window]] = {}
    for segment, video, *window in zip(*(table[name].to_pylist() for name in _WINDOW), strict=True):
        found.setdefault(video, set()).add((segment, *window))
    # A subset: windows without pictures are not measured.
    current = {video for video, own in found.items() if own <= _windows(segments.get(video, ()))}
    if len(current) == len(found):
        return table
    return table.filter(pa.array([video in current for video in table["video_id"].to_pylist()], pa.bool_()))


def _windows(rows: Iterable[Row]) -> set[_Window]:
    return {(row["segment_id"], row["window_start_s"], row["window_end_s"]) for row in rows}


def _other_failures(workspace: Workspace, tried: set[str]) -> list[Failure]:
    return [item for item in workspace.read_failures() if item.stage != STAGE or item.video_id not in tried]


def _row(segment: Row, values: Sequence[float], tempo_bpm: float | None) -> Row:
    found: Row = dict(zip(ATTRIBUTE_NAMES, values, strict=True))
    about = {name: segment[name] for name in _WINDOW}
    return about | found | {"black_and_white": bool(found["black_and_white"]), "tempo_bpm": tempo_bpm}
