"""Time course of a track: when its sound and its pictures change, as curves that both can be compared by."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from antiphon.model.closed_form import SIDES, Side, leading_directions

_LEAST_SEGMENTS = 4
_EDGES_S = (10.0, 20.0)
"""Start and end that are left out: most fade in and out, alike in sound and pictures, and so tell a track's length."""
_LEAST_WITHIN_EDGES = 8
_LEAST_DEVIATION = 0.1
"""Added to the deviation that a curve is divided by, in units of the typical one: what hardly varies stays small."""
_LEAST_SHARE = 0.5
"""Least span of a track, in units of that of the median training track."""
_ROUNDING = 1e-5
_RIDGE = 0.05
"""Ridge per value of a feature and per 1 / √tracks, in units of the mean variance."""


class TimeCourse(nn.Module):
    """Map the segments of a track to curves over equal parts of it, without their means.

    A track is divided into equal parts, whatever its length, and the features of each part are averaged. What remains
    after subtracting the track's mean is projected onto the directions in which sound and pictures of training tracks
    vary together from moment to moment (canonical correlation analysis). So the dot product of two tracks is the
    correlation of their curves, and a track's length tells nothing: one that is padded, or compared as far as the
    shorter one goes, is told by its length alone.

    Parameters
    ----------
    dims : dict of {'audio', 'video'} to int
        Sizes of the features.
    num_parts : int
        Parts of a track.
    num_curves : int
        Maximum curves; at most the size of the smaller feature.

    Attributes
    ----------
    course_dim : int
        Size of the output, parts × curves.
    """

    least_s: Tensor

    def __init__(self, dims: dict[Side, int], num_parts: int, num_curves: int) -> None:
        super().__init__()
        self.num_parts = num_parts
        curves = min(num_curves, *dims.values())
        self.course_dim = num_parts * curves
        self.register_buffer("least_s", torch.zeros(()))
        for side, dim in dims.items():
            self.register_buffer(f"{side}_deviation", torch.ones(dim))
            self.register_buffer(f"{side}_weights", torch.zeros(dim, curves))

    def fit(self, parts: dict[Side, Tensor], spans_s: Tensor, drawn: np.random.Generator) -> "TimeCourse":
        """Find the directions in which both modalities vary together.

        Parameters
        ----------
        parts : dict of {'audio', 'video'} to Tensor, shape (t, num_parts, dim)
            Parts of training tracks; see `parts`.
        spans_s : Tensor, shape (t,)
            Seconds from the first segment of each track to its last.
        drawn : numpy.random.Generator
            Draws the start of the decomposition.

        Returns
        -------
        TimeCourse
            This object. Where one modality never changes, the weights are 0: no track has a time course.
        """
        self.least_s.copy_(_LEAST_SHARE * spans_s.median())
        for side, values in parts.items():
            self.get_buffer(f"{side}_deviation").copy_(values.square().mean(dim=(0, 1)).sqrt())
            self.get_buffer(f"{side}_weights").zero_()
        audio, video = (self._scaled(side, parts[side]).flatten(0, 1) for side in SIDES)
        if not (audio.any() and video.any()):
            return self
        ridges = (_ridge(audio, len(spans_s)), _ridge(video, len(spans_s)))
        found = leading_directions(audio, video, ridges, self.get_buffer("audio_weights").shape[1], drawn)
        for side, weights in zip(SIDES, found, strict=True):
            self.get_buffer(f"{side}_weights").copy_(weights)
        return self

    def parts(self, features: Tensor, mask: Tensor, starts_s: Tensor) -> Tensor:
        """Average the features of equal parts of each track, and subtract the mean of the track.

        Parameters
        ----------
        features : Tensor, shape (t, length, dim)
            Features of each track's segments in order of time, padded at the end.
        mask : Tensor, shape (t, length)
            True where there is a segment; at least one per track.
        starts_s : Tensor, shape (t, length)
            Start of each segment in seconds.

        Returns
        -------
        Tensor, shape (t, num_parts, dim)
            Centred means; 0 where a track has fewer than four segments.
        """
        known = features.masked_fill(~mask[..., None], 0.0)
        parts = _shares(mask, starts_s, self.num_parts).to(features.dtype) @ known
        centred = parts - parts.mean(dim=1, keepdim=True)
        # What is smaller is rounding, which dividing by a track's deviation would make as large as anything.
        changes = centred.abs() > _ROUNDING * parts.abs()
        return centred * (changes & (mask.sum(dim=1) >= _LEAST_SEGMENTS)[:, None, None])

    def curves(self, side: Side, parts: Tensor) -> Tensor:
        """Project parts of tracks onto the curves.

        Parameters
        ----------
        side : {'audio', 'video'}
            Modality of the features.
        parts : Tensor, shape (t, num_parts, dim)
            Output of `parts`.

        Returns
        -------
        Tensor, shape (t, course_dim)
            Unit rows, or 0.
        """
        return functional.normalize((self._scaled(side, parts) @ self.get_buffer(f"{side}_weights")).flatten(1), dim=-1)

    def of_segments(self, side: Side, features: Tensor) -> Tensor:
        """Project the segments of one track onto the curves, one by one.

        Parameters
        ----------
        side : {'audio', 'video'}
            Modality of the features.
        features : Tensor, shape (length, dim)
            Features of the segments.

        Returns
        -------
        Tensor, shape (length, curves)
            Values of the curves at each segment, without their mean over the track.
        """
        centred = features - features.mean(dim=0)
        changes = centred.abs() > _ROUNDING * features.abs()
        return self._scaled(side, (centred * changes)[None])[0] @ self.get_buffer(f"{side}_weights")

    def forward(self, side: Side, features: Tensor, mask: Tensor, starts_s: Tensor) -> Tensor:
        """Compute the time courses of tracks.

        Parameters
        ----------
        side : {'audio', 'video'}
            Modality of the features.
        features, mask, starts_s : Tensor
            As in `parts`.

        Returns
        -------
        Tensor, shape (t, course_dim)
            Unit rows; 0 where a track has fewer than four segments, never changes, or spans less than half of the
            median training track: a part of a track would be stretched to the whole.
        """
        curves = self.curves(side, self.parts(features, mask, starts_s))
        return curves * (spans_s(mask, starts_s) >= self.least_s)[:, None]

    def _scaled(self, side: Side, parts: Tensor) -> Tensor:
        """Divide by the deviation of each track: quiet and busy ones count alike."""
        own = parts.square().mean(dim=1, keepdim=True).sqrt()
        return parts / (own + _LEAST_DEVIATION * self.get_buffer(f"{side}_deviation")).clamp(min=1e-9)


def spans_s(mask: Tensor, starts_s: Tensor) -> Tensor:
    """Return the (t,) seconds from the first start to the last of each track; see `TimeCourse.parts`."""
    last = starts_s.masked_fill(~mask, -torch.inf).amax(dim=1)
    return last - starts_s.masked_fill(~mask, torch.inf).amin(dim=1)


def _shares(mask: Tensor, starts_s: Tensor, num_parts: int) -> Tensor:
    """Return the (t, parts, length) shares of the segments in equal parts of each track, without its edges."""
    first = starts_s.masked_fill(~mask, torch.inf).amin(dim=1, keepdim=True)
    last = starts_s.masked_fill(~mask, -torch.inf).amax(dim=1, keepdim=True)
    within = mask & (starts_s >= first + _EDGES_S[0]) & (starts_s <= last - _EDGES_S[1])
    kept = torch.where(within.sum(dim=1, keepdim=True) >= _LEAST_WITHIN_EDGES, within, mask)
    place = (kept.cumsum(dim=1) - 1)[:, None]
    width = kept.sum(dim=1)[:, None, None] / num_parts
    start = torch.arange(num_parts, device=mask.device)[:, None] * width
    overlap = torch.minimum(start + width, place + 1) - torch.maximum(start, place.to(start.dtype))
    return overlap.clamp(min=0) * kept[:, None] / width


def _ridge(rows: Tensor, tracks: int) -> float:
    return _RIDGE * rows.shape[1] / tracks**0.5
