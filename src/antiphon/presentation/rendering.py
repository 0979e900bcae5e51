"""Stills and previews of several media files, each rendered in a worker process with limits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from antiphon.media.opening import CataloguedFile
from antiphon.presentation.previews import LONGER_SIDE_PX, Preview, make_preview, make_strip
from antiphon.workers.limits import WorkerLimits
from antiphon.workers.pool import run_in_processes
from antiphon.workers.reasons import reason

_WORKERS = 2


@dataclass(frozen=True)
class RenderJob:
    """What to show of a file.

    Attributes
    ----------
    number : int
        Key of the item that it is for.
    file : CataloguedFile
        Media file.
    stretch_s : (float, float) or None
        Start and end of the preview, in seconds on the track's time line; None for no preview.
    max_bytes : int
        Approximate maximum size of the preview.
    longer_side_px : int
        Longer side of the preview.
    stills_s : tuple of float
        Times of the stills; empty for none.
    """

    number: int
    file: CataloguedFile
    stretch_s: tuple[float, float] | None
    max_bytes: int
    longer_side_px: int = LONGER_SIDE_PX
    stills_s: tuple[float, ...] = ()


@dataclass(frozen=True)
class Rendered:
    """What is shown of a file.

    Attributes
    ----------
    preview : Preview or None
        The preview.
    strip : bytes or None
        JPEG of the stills.
    reason : str or None
        Why there is neither.
    """

    preview: Preview | None = None
    strip: bytes | None = None
    reason: str | None = None


def render(job: RenderJob) -> Rendered:
    """Render the stills and the preview of a file.

    Parameters
    ----------
    job : RenderJob
        What to show.

    Returns
    -------
    Rendered
        What is shown.

    Raises
    ------
    DecodeError
        The file cannot be decoded there.
    """
    strip = make_strip(job.file, job.stills_s) if job.stills_s else None
    if job.stretch_s is None:
        return Rendered(strip=strip)
    return Rendered(make_preview(job.file, *job.stretch_s, job.max_bytes, job.longer_side_px), strip)


def render_all(jobs: Sequence[RenderJob]) -> Iterator[tuple[RenderJob, Rendered]]:
    """Render several files; what one does to the decoder is its reason.

    Parameters
    ----------
    jobs : sequence of RenderJob
        What to show.

    Yields
    ------
    job : RenderJob
        A job, in order of completion.
    rendered : Rendered
        What is shown, or why nothing is.
    """
    for job, found in run_in_processes(render, jobs, _WORKERS, WorkerLimits()):
        yield job, found if isinstance(found, Rendered) else Rendered(reason=reason(job.file.path, found))
