"""Decoded windows in batches of one video, and batches of several videos in groups."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from antiphon.errors import AntiphonError
from antiphon.features.computing import BATCH_WINDOWS
from antiphon.media.windows import DecodedWindow, DecodedWindows, WindowBatches, WindowsJob
from antiphon.workers.pool import Part


@dataclass(frozen=True)
class Batch:
    """Consecutive windows of one video.

    Attributes
    ----------
    number : int
        Number of the video.
    job : WindowsJob
        What was asked for.
    decoded : DecodedWindows or None
        The windows; None where there are none left, or the video failed.
    is_last : bool
        Whether they are the last ones of the video.
    error : AntiphonError or None
        Why the video failed.
    """

    number: int
    job: WindowsJob
    decoded: DecodedWindows | None
    is_last: bool
    error: AntiphonError | None = None


def batches_of(parts: Iterable[Part[WindowsJob, DecodedWindow]]) -> Iterator[Batch]:
    """Gather the windows of each video, which arrive in turn with those of others.

    Parameters
    ----------
    parts : iterable of Part
        Windows of several videos.

    Yields
    ------
    Batch
        Batches, cut at the same places whenever a video is decoded.
    """
    waiting: dict[int, WindowBatches] = {}
    for part in parts:
        windows = waiting.setdefault(part.number, WindowBatches(BATCH_WINDOWS))
        if part.value is not None:
            batch = windows.add(part.value)
            if batch is not None:
                yield Batch(part.number, part.job, batch, is_last=False)
        if part.is_last:
            rest = waiting.pop(part.number).rest()
            yield Batch(part.number, part.job, None if part.error else rest, is_last=True, error=part.error)


def groups_of(batches: Iterable[Batch], min_windows: int) -> Iterator[list[Batch]]:
    """Put batches together, in order, until a group has enough windows.

    Parameters
    ----------
    batches : iterable of Batch
        Batches of several videos.
    min_windows : int
        Least number of windows of a group; the last one has the rest.

    Yields
    ------
    list of Batch
        Groups of at least one batch.
    """
    group: list[Batch] = []
    windows = 0
    for batch in batches:
        group.append(batch)
        windows += _windows(batch)
        if windows >= min_windows:
            yield group
            group, windows = [], 0
    if group:
        yield group


def _windows(batch: Batch) -> int:
    """Count the windows of a batch; one without any counts as one, so that groups end."""
    decoded = batch.decoded
    sides = () if decoded is None else (decoded.waveforms, *decoded.frames.values())
    return max((len(side) for side in sides if side is not None), default=1)
