"""Short previews of music videos for files that are taken along, made in a process of their own."""

from collections.abc import Callable
from typing import NamedTuple

from antiphon.app.library import Video
from antiphon.errors import DecodeError
from antiphon.media.opening import CataloguedFile
from antiphon.presentation.previews import Preview, make_preview
from antiphon.workers.limits import JobError, WorkerLimits
from antiphon.workers.worker import Worker

LENGTH_S = 10.0
MAX_BYTES = 300_000
_LIMITS = WorkerLimits(job_s=30.0, memory_bytes=1_500_000_000)


class PreviewJob(NamedTuple):
    """A stretch of a file, in seconds on its time line."""

    file: CataloguedFile
    start_s: float
    end_s: float


class Previews:
    """Previews of the catalogue's files."""

    def __init__(self) -> None:
        self._worker = Worker[PreviewJob, Preview](prepare_previews, limits=_LIMITS)

    def make(self, video: Video) -> Preview | None:
        """Make a preview of the middle of a music video; blocks until it is done.

        Parameters
        ----------
        video : Video
            The music video.

        Returns
        -------
        Preview, optional
            Ten seconds of it; None where there is no file, or none that can be read.
        """
        if video.file is None:
            return None
        start_s = max(video.start_s, min(video.middle_s - LENGTH_S / 2, video.length_s - LENGTH_S))
        try:
            return self._worker.run(PreviewJob(video.file, start_s, min(start_s + LENGTH_S, video.length_s)))
        except (DecodeError, JobError):
            return None

    def close(self) -> None:
        """End the worker process."""
        self._worker.close()


def prepare_previews() -> Callable[[PreviewJob], Preview]:
    """Prepare the worker process.

    Returns
    -------
    callable
        Makes the preview of a job.
    """
    return _make


def _make(job: PreviewJob) -> Preview:
    return make_preview(job.file, job.start_s, job.end_s, MAX_BYTES)
