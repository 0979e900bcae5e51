"""Visual attributes of every segment and the tempo of its track, measured once and kept in one table."""

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.catalogue import Catalogue
from antiphon.errors import AntiphonError, DecodeError
from antiphon.features.failing import file_failure
from antiphon.media.appearance import ATTRIBUTE_NAMES, attribute_row, frame_attributes
from antiphon.media.decoding import decode_stretches
from antiphon.media.extents import Extents
from antiphon.media.layout import FrameLayout
from antiphon.media.opening import CataloguedFile
from antiphon.media.tempo import RATE_HZ, estimate_tempo
from antiphon.tables import ATTRIBUTES, SEGMENTS, read_schema, read_table, write_table
from antiphon.workers.limits import WorkerLimits
from antiphon.workers.pool import run_in_processes
from antiphon.workspace import Failure, Workspace

STAGE = "attributes"
LAYOUT = FrameLayout(size_px=96)
_MADE_BY = {b"measured": b"96 px, 10 frames per second, tempo, 3"}
"""Metadata of the table. The last number changes with the definitions; rows measured otherwise are measured again."""
_FLUSH_S = 10.0

Row = dict[str, Any]


@dataclass(frozen=True)
class AttributesJob:
    """Windows of one video to measure.

    Attributes
    ----------
    video_id : str
        Id of the video.
    file : CataloguedFile
        Media file.
    windows : tuple of (float, float)
        Start and end of each window, in seconds on the track's time line.
    segments : tuple of (float, float)
        Start and end of each segment, to estimate the tempo from; empty to skip the tempo.
    """

    video_id: str
    file: CataloguedFile
    windows: tuple[tuple[float, float], ...]
    segments: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class VideoAttributes:
    """Measurements of one video.

    Attributes
    ----------
    windows : list of list of float
        Values of each window, in the order of `ATTRIBUTE_NAMES`.
    tempo_bpm : float or None
        Tempo of the track in beats per minute; None without a clear beat.
    """

    windows: list[list[float]]
    tempo_bpm: float | None


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
    written every few seconds, so that the command can be stopped at any moment and resumed. Files that cannot be read
    are listed in `failures.parquet` and tried again next time.

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
        segments = _segments(workspace)
        rows = _stored(workspace, segments)
        jobs = _jobs(catalogue, segments, {row["video_id"] for row in rows}, videos)
        if not jobs:
            return
        failures = _other_failures(workspace, {job.video_id for job in jobs})
        flushed, failed = time.monotonic(), 0
        try:
            measured = run_in_processes(measure_video, jobs, workers or os.cpu_count() or 1, limits or WorkerLimits())
            for done, (job, found) in enumerate(measured, start=1):
                if isinstance(found, AntiphonError):
                    failures.append(file_failure(workspace, job.video_id, STAGE, job.file.path, found))
                    failed += 1
                else:
                    measured_ones = [one for one in segments[job.video_id] if _window(one) in job.windows]
                    pairs = zip(measured_ones, found.windows, strict=True)
                    rows += [_row(*pair, found.tempo_bpm) for pair in pairs]
                if progress is not None:
                    progress(done, len(jobs), f"{failed} failed" if failed else "")
                if time.monotonic() - flushed > _FLUSH_S:
                    _write(workspace, rows, failures)
                    flushed = time.monotonic()
        finally:
            _write(workspace, rows, failures)


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
    known = {row["segment_id"]: row for row in _stored(workspace, _segments(workspace))}
    empty = dict.fromkeys(ATTRIBUTE_NAMES, float("nan"))
    found = [known.get(str(name), empty) for name in segment_ids]
    return np.array([[float(row[name]) for name in ATTRIBUTE_NAMES] for row in found]).reshape(-1, len(ATTRIBUTE_NAMES))


def measure_video(job: AttributesJob) -> VideoAttributes:
    """Measure the windows of one video, and its tempo.

    Parameters
    ----------
    job : AttributesJob
        What to measure.

    Returns
    -------
    VideoAttributes
        The measurements.

    Raises
    ------
    DecodeError
        The file cannot be read at these times, or has no video.
    """
    found: list[list[float]] = []
    for window in decode_stretches(job.file, job.windows, [LAYOUT], rate_hz=None):
        if LAYOUT not in window.frames:
            raise DecodeError(f"{job.file}: has no video that can be decoded.")
        found.append(attribute_row(frame_attributes(window.frames[LAYOUT])))
    return VideoAttributes(found, _tempo_bpm(job))


def _tempo_bpm(job: AttributesJob) -> float | None:
    """Estimate the tempo from the segments' audio; None if there is none that can be decoded."""
    try:
        decoded = decode_stretches(job.file, job.segments, rate_hz=RATE_HZ)
        tempo = estimate_tempo(stretch.waveform for stretch in decoded if stretch.waveform is not None)
    except DecodeError:
        return None
    return tempo.bpm if tempo is not None and tempo.is_clear else None


def _jobs(
    catalogue: Catalogue, segments: dict[str, list[Row]], done: set[str], videos: Iterable[str] | None
) -> list[AttributesJob]:
    wanted = set(catalogue.ids if videos is None else videos) - done
    jobs: list[AttributesJob] = []
    for row in catalogue.records():
        if row["id"] in wanted and row["path"] is not None and row["has_video"] and row["id"] in segments:
            extents, own = Extents.of(row), segments[row["id"]]
            windows = tuple(_window(segment) for segment in own if extents.hold("video", *_window(segment)))
            stretches = [(segment["start_s"], segment["end_s"]) for segment in own if row["has_audio"]]
            heard = tuple(stretch for stretch in stretches if extents.hold("audio", *stretch))
            if windows:
                jobs.append(AttributesJob(row["id"], CataloguedFile.of(row), windows, heard))
    return jobs


def _window(segment: Row) -> tuple[float, float]:
    return segment["window_start_s"], segment["window_end_s"]


def _segments(workspace: Workspace) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    if workspace.segments.exists():
        for row in read_table(workspace.segments, SEGMENTS).to_pylist():
            found.setdefault(row["video_id"], []).append(row)
    return found


def _stored(workspace: Workspace, segments: Mapping[str, Sequence[Row]]) -> list[Row]:
    """Return the rows of videos whose windows are still those of `segments`."""
    if not workspace.attributes.exists():
        return []
    schema = read_schema(workspace.attributes)
    alike = (schema.metadata or {}).get(b"measured") == _MADE_BY[b"measured"]
    if not alike or not set(ATTRIBUTES.names) <= set(schema.names):
        return []
    rows: list[Row] = read_table(workspace.attributes, ATTRIBUTES).to_pylist()
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["video_id"], []).append(row)
    # A subset: windows without pictures are not measured.
    current = {video for video, own in found.items() if _windows(own) <= _windows(segments.get(video, ()))}
    return [row for row in rows if row["video_id"] in current]


def _windows(rows: Iterable[Row]) -> set[tuple[str, float, float]]:
    return {(row["segment_id"], row["window_start_s"], row["window_end_s"]) for row in rows}


def _other_failures(workspace: Workspace, tried: set[str]) -> list[Failure]:
    return [item for item in workspace.read_failures() if item.stage != STAGE or item.video_id not in tried]


def _row(segment: Row, values: Sequence[float], tempo_bpm: float | None) -> Row:
    found: Row = dict(zip(ATTRIBUTE_NAMES, values, strict=True))
    about = {name: segment[name] for name in ("segment_id", "video_id", "window_start_s", "window_end_s")}
    return about | found | {"black_and_white": bool(found["black_and_white"]), "tempo_bpm": tempo_bpm}


def _write(workspace: Workspace, rows: Sequence[Row], failures: Sequence[Failure]) -> None:
    table = pa.Table.from_pylist(list(rows), ATTRIBUTES)
    write_table(table.replace_schema_metadata(_MADE_BY), workspace.attributes)
    workspace.write_failures(failures)
