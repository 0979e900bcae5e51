"""Where sound and pictures lie on a track's time line, and the stretch in which its segments are drawn."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

Extent = tuple[float, float]
"""Start and end in seconds on the track's time line."""

ALIKE_S = 2.0
"""Sides that start (end) within so many seconds of each other are taken to start (end) together."""
_ROUNDING_S = 1e-3


@dataclass(frozen=True)
class Extents:
    """Extent of each side of a music video.

    Attributes
    ----------
    audio, video : (float, float) or None
        Start and end in seconds on the track's time line; None where it is unknown, and nothing is ruled out.
    """

    audio: Extent | None = None
    video: Extent | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Read the extents from a row of the catalogue.

        Parameters
        ----------
        row : mapping of str to object
            Row with the columns `audio_start_s`, `audio_end_s`, `video_start_s` and `video_end_s`, or without them.

        Returns
        -------
        Extents
            The extents.
        """
        return cls(_extent(row, "audio"), _extent(row, "video"))

    def hold(self, modality: str, start_s: float, end_s: float) -> bool:
        """Return whether a stretch lies within the extent of a side.

        Parameters
        ----------
        modality : {'audio', 'video'}
            The side.
        start_s, end_s : float
            The stretch, in seconds on the track's time line.

        Returns
        -------
        bool
            True also where the extent is unknown.

        Examples
        --------
        >>> Extents(video=(0.0, 60.0)).hold("video", 58.0, 61.0), Extents().hold("audio", 58.0, 61.0)
        (False, True)
        """
        extent = self.audio if modality == "audio" else self.video
        return extent is None or (start_s >= extent[0] - _ROUNDING_S and end_s <= extent[1] + _ROUNDING_S)


EVERYWHERE = Extents()
"""Extents that rule nothing out."""


def usable_stretch(audio: Extent | None, video: Extent | None) -> Extent:
    """Return the stretch of a track in which its segments are drawn.

    It starts where both sides have started, and ends where one ends: the moment or two by which they usually differ are
    left out. A side that starts later (ends earlier) by `ALIKE_S` or more limits itself and not the other.

    Parameters
    ----------
    audio, video : (float, float) or None
        Extent of each side; one may be missing.

    Returns
    -------
    start_s, end_s : float
        The stretch.

    Examples
    --------
    >>> usable_stretch((0.0, 180.2), (0.04, 180.0)), usable_stretch((0.0, 180.2), (0.04, 60.0))
    ((0.04, 180.0), (0.04, 180.2))
    """
    if audio is None or video is None:
        known = audio or video
        if known is None:
            raise ValueError("usable_stretch needs the extent of one side")
        return known
    starts, ends = (audio[0], video[0]), (audio[1], video[1])
    start_s = max(starts) if abs(starts[0] - starts[1]) < ALIKE_S else min(starts)
    end_s = min(ends) if abs(ends[0] - ends[1]) < ALIKE_S else max(ends)
    return start_s, end_s


def _extent(row: Mapping[str, Any], modality: str) -> Extent | None:
    start_s, end_s = row.get(f"{modality}_start_s"), row.get(f"{modality}_end_s")
    return None if start_s is None or end_s is None else (start_s, end_s)
