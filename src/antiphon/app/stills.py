"""Stills of music videos: decoded by a process of its own, kept in the workspace."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from antiphon.app.library import Video
from antiphon.app.worker import Worker, WorkerLimits
from antiphon.errors import DecodeError
from antiphon.media.container import media_errors, open_container, video_stream
from antiphon.media.frames import nearest_frames
from antiphon.media.stream_reader import StreamReader
from antiphon.presentation.previews import jpeg, shrunk
from antiphon.tables import atomic_path

LONGER_SIDE_PX = 320
MOST = 20_000
"""Of about 7 kB each in the synthetic catalogue, so 140 MB."""
_LIMITS = WorkerLimits(job_s=20.0, memory_bytes=2 << 30)


class StillJob(NamedTuple):
    """Which moment of which file."""

    uri: str
    time_s: float


class Stills:
    """Makes and keeps stills.

    Parameters
    ----------
    folder : Path
        Where they are kept.
    most : int
        Stills that are kept; beyond it those that were not asked for longest are removed, a tenth at a time.
    """

    def __init__(self, folder: Path, most: int = MOST) -> None:
        self._folder, self._most = folder, most
        self._worker = Worker[StillJob, bytes](prepare_stills, limits=_LIMITS)

    def kept(self, video: Video, time_s: float) -> bytes | None:
        """The still of a moment if it was made before."""
        place = self._place(video, time_s)
        try:
            os.utime(place)
            return place.read_bytes()
        except FileNotFoundError:
            return None

    def make(self, video: Video, time_s: float) -> bytes:
        """A JPEG of the moment, its longer side 320 px; blocks while it is made.

        Raises
        ------
        DecodeError
            The file is missing or cannot be read there, or has no pictures.
        """
        if video.path is None or not video.has_video:
            raise DecodeError(f"{video.id}: has no pictures.")
        made = self._worker.run(StillJob(video.path, time_s))
        with atomic_path(self._place(video, time_s)) as partial:
            partial.write_bytes(made)
        self._remove_oldest()
        return made

    def close(self) -> None:
        """End the process that makes them."""
        self._worker.close()

    def _remove_oldest(self) -> None:
        kept = list(self._folder.glob("*.jpg"))
        if len(kept) <= self._most:
            return
        aged = sorted((path.stat().st_mtime_ns, path) for path in kept if path.exists())
        for _, path in aged[: len(kept) - self._most + self._most // 10]:
            path.unlink(missing_ok=True)

    def _place(self, video: Video, time_s: float) -> Path:
        """Where it is kept; a file that has changed gets other stills."""
        local = Path(video.path or "")
        changed = local.stat().st_mtime_ns if local.is_file() else 0
        key = hashlib.sha256(f"{video.path}\0{changed}\0{time_s:.1f}".encode()).hexdigest()
        return self._folder / f"{key}.jpg"


def prepare_stills() -> Callable[[StillJob], bytes]:
    """What the process does with its jobs."""
    return _make


def _make(job: StillJob) -> bytes:
    with open_container(job.uri) as container, media_errors(job.uri):
        stream = video_stream(container)
        if stream is None:
            raise DecodeError(f"{job.uri}: has no pictures.")
        track = StreamReader.of(job.uri, container, stream)
        aspect = float(stream.sample_aspect_ratio or 1)
        for _, frame in nearest_frames(track, [job.time_s]):
            return jpeg(shrunk(frame, aspect, LONGER_SIDE_PX))
    raise DecodeError(f"{job.uri}: no picture at {job.time_s:.1f} s.")
