"""Kept segments of a workspace: their frames and audio, one small file each, for fine-tuning."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from antiphon.catalogue import Catalogue
from antiphon.cores import usable_cores
from antiphon.errors import AntiphonError
from antiphon.features.failing import file_failure
from antiphon.media.extents import EVERYWHERE, Extents
from antiphon.segments.kept import decode_segments, encode_segment
from antiphon.tables import SEGMENTS, atomic_path, read_table
from antiphon.workers.limits import WorkerLimits
from antiphon.workers.pool import run_in_processes
from antiphon.workspace import Workspace

STAGE = "keep"
TYPICAL_BYTES = 2_000_000
"""Size of a kept segment of 5 s at 768 × 432, to estimate the disk space needed."""

Progress = Callable[[int, int, int], None]
"""Takes the numbers of videos done, failed and to do."""


@dataclass(frozen=True)
class KeepingJob:
    """Segments of one video to keep.

    Attributes
    ----------
    video_id : str
        Id of the video.
    path : str
        Media file.
    stretches : tuple of (float, float)
        Start and end of each missing segment, in seconds on the track's time line.
    targets : tuple of Path
        File of each of these segments.
    has_video, has_audio : bool
        Streams of the media file.
    extents : Extents
        Where they lie; segments that reach out of one of them are kept without it.
    """

    video_id: str
    path: str
    stretches: tuple[tuple[float, float], ...]
    targets: tuple[Path, ...]
    has_video: bool
    has_audio: bool
    extents: Extents = EVERYWHERE


@dataclass(frozen=True)
class DiskUse:
    """Disk space of kept segments.

    Attributes
    ----------
    segments : int
        Number of kept segments.
    size_bytes : int
        Their total size.
    """

    segments: int
    size_bytes: int

    @property
    def bytes_per_segment(self) -> int:
        """Mean size, or a typical one where none are kept yet."""
        return self.size_bytes // self.segments if self.segments else TYPICAL_BYTES


def kept_folder(workspace: Workspace, video_id: str) -> Path:
    """Return the folder in which a video's segments are kept.

    Since ids of videos can contain characters that folder names cannot, the folder has a readable part and a hash.

    Parameters
    ----------
    workspace : Workspace
        Workspace of the video.
    video_id : str
        Id of the video.

    Returns
    -------
    Path
        The folder, which need not exist.
    """
    digest = hashlib.blake2b(video_id.encode(), digest_size=6).hexdigest()
    return workspace.kept / f"{digest}-{quote(video_id, safe='')[:80]}"


def kept_path(workspace: Workspace, segment: Mapping[str, Any]) -> Path:
    """Return the file in which a segment is kept.

    The file name contains the position on the track in milliseconds, so that a segment drawn again is another file.

    Parameters
    ----------
    workspace : Workspace
        Workspace of the segment.
    segment : mapping of str to object
        Row of `SEGMENTS`.

    Returns
    -------
    Path
        The file, which need not exist.
    """
    first, last = (round(1000 * segment[name]) for name in ("start_s", "end_s"))
    folder = kept_folder(workspace, str(segment["video_id"]))
    return folder / f"{segment['section']}-from-{first}-to-{last}-ms.mkv"


def keeping_jobs(workspace: Workspace, catalogue: Catalogue) -> list[KeepingJob]:
    """List the segments of a catalogue's videos that are not kept yet.

    Parameters
    ----------
    workspace : Workspace
        Workspace with `segments.parquet`.
    catalogue : Catalogue
        Videos and their files.

    Returns
    -------
    list of KeepingJob
        One job per video.
    """
    lacking: dict[str, list[dict[str, Any]]] = {}
    if workspace.segments.exists():
        for row in read_table(workspace.segments, SEGMENTS).to_pylist():
            if not kept_path(workspace, row).exists():
                lacking.setdefault(row["video_id"], []).append(row)
    rows = [row for row in catalogue.records() if row["id"] in lacking and row["path"] is not None]
    return [job for row in rows if (job := _job(workspace, row, lacking[row["id"]])).stretches]


def _job(workspace: Workspace, row: Mapping[str, Any], segments: Sequence[dict[str, Any]]) -> KeepingJob:
    extents = Extents.of(row)
    sides = [side for side in ("audio", "video") if row[f"has_{side}"]]
    found = [
        segment
        for segment in segments
        if any(extents.hold(side, segment["start_s"], segment["end_s"]) for side in sides)
    ]
    return KeepingJob(
        video_id=row["id"],
        path=row["path"],
        stretches=tuple((segment["start_s"], segment["end_s"]) for segment in found),
        targets=tuple(kept_path(workspace, segment) for segment in found),
        has_video="video" in sides,
        has_audio="audio" in sides,
        extents=extents,
    )


def keep_segments(
    workspace: Workspace,
    catalogue: Catalogue,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
    limits: WorkerLimits | None = None,
) -> None:
    """Keep all segments of a catalogue's videos that are not kept yet.

    Files are written atomically, so that the command can be stopped at any moment and resumed. Videos that cannot be
    read are listed in `failures.parquet` and tried again next time.

    Parameters
    ----------
    workspace : Workspace
        Workspace with `segments.parquet`; without it there is nothing to keep.
    catalogue : Catalogue
        Videos and their files.
    workers : int, optional
        Number of decoding processes. Default: one per core.
    progress : callable, optional
        Called after every video.
    limits : WorkerLimits, optional
        Limits of each segment. Default: 60 s and 2 GB.

    Raises
    ------
    ConfigError
        Another process writes to the workspace, or worker processes cannot be started.
    OSError
        The disk is full or not writable.
    """
    with workspace.lock():
        jobs = keeping_jobs(workspace, catalogue)
        tried = {job.video_id for job in jobs}
        failures = [item for item in workspace.read_failures() if item.stage != STAGE or item.video_id not in tried]
        failed = 0
        try:
            kept = run_in_processes(keep_video, jobs, workers or usable_cores(), limits or WorkerLimits())
            for done, (job, found) in enumerate(kept, 1):
                if isinstance(found, AntiphonError):
                    failures.append(file_failure(workspace, job.video_id, STAGE, job.path, found))
                    failed += 1
                if progress is not None:
                    progress(done, failed, len(jobs))
        finally:
            workspace.write_failures(failures)


def keep_video(job: KeepingJob) -> None:
    """Decode the missing segments of one video, and write each as soon as it is ready.

    Parameters
    ----------
    job : KeepingJob
        Segments to keep.

    Raises
    ------
    DecodeError
        The video cannot be read at a segment, or lacks a stream that the catalogue lists; earlier segments are kept.
    """
    segments = decode_segments(job.path, job.stretches, video=job.has_video, audio=job.has_audio, extents=job.extents)
    for target, segment in zip(job.targets, segments, strict=True):
        with atomic_path(target) as partial:
            partial.write_bytes(encode_segment(segment))


def disk_use(workspace: Workspace) -> DiskUse:
    """Measure the disk space of kept segments.

    Parameters
    ----------
    workspace : Workspace
        Workspace to measure.

    Returns
    -------
    DiskUse
        Number and total size.
    """
    sizes = [path.stat().st_size for path in workspace.kept.glob("*/*.mkv")]
    return DiskUse(len(sizes), sum(sizes))
