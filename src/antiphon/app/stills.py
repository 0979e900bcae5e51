"""Stills of music videos: decoded in a process of their own, cached in the workspace."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from antiphon.app.kept_files import KeptFiles, file_version
from antiphon.app.library import Video
from antiphon.errors import DecodeError
from antiphon.media.container import media_errors, open_container, video_stream
from antiphon.media.frames import nearest_frames
from antiphon.media.opening import CataloguedFile
from antiphon.media.stream_reader import StreamReader
from antiphon.presentation.previews import jpeg, shrunk
from antiphon.workers.limits import WorkerLimits
from antiphon.workers.worker import Worker

LONGER_SIDE_PX = 320
MAX_STILLS = 20_000
"""About 140 MB, at 7 kB each in the synthetic catalogue."""
_JPEG_START, _JPEG_END = b"\xff\xd8", b"\xff\xd9"
_MAX_BYTES = 1 << 20
_LIMITS = WorkerLimits(job_s=20.0)


class StillJob(NamedTuple):
    """A time in a file."""

    file: CataloguedFile
    time_s: float


class Stills:
    """Cache of stills.

    Parameters
    ----------
    folder : Path
        Folder of the cache.
    max_stills : int
        Maximum number of cached stills; beyond it, the tenth that was used longest ago is removed.
    """

    def __init__(self, folder: Path, max_stills: int = MAX_STILLS) -> None:
        self._files = KeptFiles(folder, ".jpg", max_stills)
        self._worker = Worker[StillJob, bytes](prepare_stills, limits=_LIMITS)

    def kept(self, video: Video, time_s: float) -> bytes | None:
        """Return a cached still.

        Parameters
        ----------
        video : Video
            The video.
        time_s : float
            Time on its timeline.

        Returns
        -------
        bytes, optional
            JPEG; None if it is not cached.
        """
        still = self._files.read(_name(video, time_s), _MAX_BYTES)
        whole = still is not None and still.startswith(_JPEG_START) and still.endswith(_JPEG_END)
        return still if whole else None

    def make(self, video: Video, time_s: float) -> bytes:
        """Render a still and cache it; blocks until it is done.

        Parameters
        ----------
        video : Video
            The video.
        time_s : float
            Time on its timeline.

        Returns
        -------
        bytes
            JPEG whose longer side is 320 px.

        Raises
        ------
        DecodeError
            The file is missing, cannot be decoded there, or has no video.
        """
        made = self.render(video, time_s)
        self._files.write(_name(video, time_s), made)
        return made

    def render(self, video: Video, time_s: float) -> bytes:
        """Render a still as `make` does, without caching it."""
        if video.file is None or not video.has_video:
            raise DecodeError(f"{video.id}: no video stream.")
        return self._worker.run(StillJob(video.file, time_s))

    def close(self) -> None:
        """End the worker process."""
        self._worker.close()


def _name(video: Video, time_s: float) -> str:
    """Return the name of a still, which changes with the file."""
    return hashlib.sha256(f"{file_version(video)}\0{time_s:.1f}".encode()).hexdigest()


def prepare_stills() -> Callable[[StillJob], bytes]:
    """Prepare the worker process.

    Returns
    -------
    callable
        Renders the still of a job.
    """
    return _make


def _make(job: StillJob) -> bytes:
    with open_container(job.file) as container, media_errors(job.file):
        stream = video_stream(container)
        if stream is None:
            raise DecodeError(f"{job.file}: no video stream.")
        track = StreamReader.of(job.file, container, stream)
        aspect = float(stream.sample_aspect_ratio or 1)
        for _, frame in nearest_frames(track, [job.time_s]):
            return jpeg(shrunk(frame, aspect, LONGER_SIDE_PX))
    raise DecodeError(f"{job.file}: no frame at {job.time_s:.1f} s.")
