"""Keeps the pictures and sound of a workspace's segments, one small file each, for fine-tuning."""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from antiphon.catalogue import Catalogue
from antiphon.errors import AntiphonError
from antiphon.features.executors import run_in_processes
from antiphon.segments.kept import decode_segments, encode_segment
from antiphon.tables import SEGMENTS, atomic_path, read_table
from antiphon.workspace import Failure, Workspace

STAGE = "keep"
TYPICAL_BYTES = 2_000_000
"""Of a kept segment of 5 s at 768 × 432, to say beforehand how much disk will be used."""

Progress = Callable[[int, int, int], None]
"""Takes videos done, failed, and how many there are to do."""


@dataclass(frozen=True)
class KeepingJob:
    """What is to be kept of one video.

    Attributes
    ----------
    stretches : start and end of each missing segment in seconds on the track's time line.
    targets : the file that each of them goes to.
    pictures, sound : what the video has.
    """

    video_id: str
    path: str
    stretches: tuple[tuple[float, float], ...]
    targets: tuple[Path, ...]
    pictures: bool
    sound: bool


@dataclass(frozen=True)
class DiskUse:
    """How many kept segments there are, and how many bytes they take."""

    segments: int
    size_bytes: int

    @property
    def bytes_per_segment(self) -> int:
        """Measured, or what is typical where there are none yet."""
        return self.size_bytes // self.segments if self.segments else TYPICAL_BYTES


def kept_path(workspace: Workspace, segment: Mapping[str, Any]) -> Path:
    """Where a segment, a row of `SEGMENTS`, is kept.

    The name says which stretch of the track it is, in milliseconds: a segment that is drawn anew is another file.
    Ids of videos may hold what a folder's name cannot, so the folder has a readable part and a hash.
    """
    video = str(segment["video_id"])
    digest = hashlib.blake2b(video.encode(), digest_size=6).hexdigest()
    folder = f"{digest}-{quote(video, safe='')[:80]}"
    first, last = (round(1000 * segment[name]) for name in ("start_s", "end_s"))
    return workspace.kept / folder / f"{segment['section']}-from-{first}-to-{last}-ms.mkv"


def keeping_jobs(workspace: Workspace, catalogue: Catalogue) -> list[KeepingJob]:
    """What is not kept yet of the segments of `catalogue`'s videos, a job a video."""
    lacking: dict[str, list[dict[str, Any]]] = {}
    if workspace.segments.exists():
        for row in read_table(workspace.segments, SEGMENTS).to_pylist():
            if not kept_path(workspace, row).exists():
                lacking.setdefault(row["video_id"], []).append(row)
    return [
        KeepingJob(
            video_id=row["id"],
            path=row["path"],
            stretches=tuple((segment["start_s"], segment["end_s"]) for segment in lacking[row["id"]]),
            targets=tuple(kept_path(workspace, segment) for segment in lacking[row["id"]]),
            pictures=bool(row["has_video"]),
            sound=bool(row["has_audio"]),
        )
        for row in catalogue.records()
        if row["id"] in lacking and row["path"] is not None and (row["has_video"] or row["has_audio"])
    ]


def keep_segments(
    workspace: Workspace, catalogue: Catalogue, *, workers: int | None = None, progress: Progress | None = None
) -> None:
    """Keep all segments of `catalogue`'s videos that are not kept yet.

    Every file is written whole or not at all, so it can be stopped at any moment and started again. A video that cannot
    be used becomes a row of `failures.parquet` and is tried again next time.

    Parameters
    ----------
    workspace : must hold `segments.parquet`; without it there is nothing to keep.
    workers : decoding processes. Default: one a core.
    progress : called after every video.

    Raises
    ------
    ConfigError
        Another process writes to the workspace, or worker processes cannot be started.
    OSError
        The disk is full, or cannot be written to.
    """
    with workspace.lock():
        jobs = keeping_jobs(workspace, catalogue)
        tried = {job.video_id for job in jobs}
        failures = [item for item in workspace.read_failures() if item.stage != STAGE or item.video_id not in tried]
        failed = 0
        try:
            for done, (job, found) in enumerate(run_in_processes(keep_video, jobs, workers or os.cpu_count() or 1), 1):
                if isinstance(found, AntiphonError):
                    failures.append(Failure(job.video_id, STAGE, type(found).__name__, str(found)))
                    failed += 1
                if progress is not None:
                    progress(done, failed, len(jobs))
        finally:
            workspace.write_failures(failures)


def keep_video(job: KeepingJob) -> None:
    """Decode the missing segments of one video, and write each to its file as soon as it is ready.

    Raises
    ------
    DecodeError
        The video cannot be read there, or lacks what the catalogue says it has; segments before that are kept.
    """
    segments = decode_segments(job.path, job.stretches, pictures=job.pictures, sound=job.sound)
    for target, segment in zip(job.targets, segments, strict=True):
        with atomic_path(target) as partial:
            partial.write_bytes(encode_segment(segment))


def disk_use(workspace: Workspace) -> DiskUse:
    """What kept segments take on disk now."""
    sizes = [path.stat().st_size for path in workspace.kept.glob("*/*.mkv")]
    return DiskUse(len(sizes), sum(sizes))
