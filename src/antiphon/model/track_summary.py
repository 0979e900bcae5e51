"""Summary of a track: statistics of its segments' features, in one row."""

import torch
from torch import Tensor, nn

_QUANTILES = (0.1, 0.5, 0.9)
_LAGS = (1, 2, 4)
"""Lags of the autocorrelations, in segments."""
_PER_AXIS = 4 + len(_QUANTILES) + len(_LAGS)
_LEAST_VARIANCE = 0.05
"""Added to the variance that an autocorrelation is divided by, in units of the axis's: what hardly varies has none."""


def summary_dim(dim: int, num_axes: int) -> int:
    """Return the size of a summary.

    Parameters
    ----------
    dim : int
        Size of the features.
    num_axes : int
        Maximum principal axes.

    Returns
    -------
    int
        A mean, and ten values per axis.
    """
    return dim + _PER_AXIS * min(dim, num_axes)


class TrackSummary(nn.Module):
    """Map a track's segments to one row: their mean, and statistics along the leading principal axes.

    The statistics are the deviation, the 10%, 50% and 90% quantiles, the mean absolute change from one segment to the
    next, the autocorrelations at 1, 2 and 4 segments, and the projections onto a line and a parabola over the track.
    All but the mean are of a few axes only, so that the row stays short whatever the backbone.

    Parameters
    ----------
    dim : int
        Size of the features.
    num_axes : int
        Maximum principal axes whose statistics are taken; at most `dim` are.
    """

    mean: Tensor
    scale: Tensor
    axes: Tensor

    def __init__(self, dim: int, num_axes: int) -> None:
        super().__init__()
        self.num_axes = min(dim, num_axes)
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("scale", torch.ones(dim))
        self.register_buffer("axes", torch.zeros(dim, self.num_axes))

    def fit(self, features: Tensor) -> None:
        """Standardise the features, and find their principal axes, along which they then have a variance of 1.

        Parameters
        ----------
        features : Tensor, shape (n, dim)
            Features of training segments.
        """
        deviation = features.std(dim=0, correction=0)
        self.mean.copy_(features.mean(dim=0))
        self.scale.copy_(torch.where(deviation > 1e-6, deviation, torch.ones_like(deviation)))
        known = ((features - self.mean) / self.scale).double()
        variances, axes = torch.linalg.eigh(known.T @ known / len(known))
        leading = variances.flip(0)[: self.num_axes]
        varies = leading > 1e-6 * leading[0].clamp(min=1e-12)
        scaled = axes.flip(1)[:, : self.num_axes] / leading.clamp(min=1e-12).sqrt()
        self.axes.copy_(torch.where(varies, scaled, torch.zeros_like(scaled)))

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        """Summarise tracks.

        Parameters
        ----------
        features : Tensor, shape (t, length, dim)
            Features of each track's segments in order of time, padded at the end.
        mask : Tensor, shape (t, length)
            True where there is a segment; at least one per track.

        Returns
        -------
        Tensor, shape (t, summary_dim)
            One row per track. Padding has no influence.
        """
        there = mask[..., None]
        known = ((features - self.mean) / self.scale).masked_fill(~there, 0.0)
        count = mask.sum(dim=1)[:, None].to(known.dtype)
        mean = known.sum(dim=1) / count
        along = known @ self.axes
        middle = along.sum(dim=1) / count
        centred = (along - middle[:, None]).masked_fill(~there, 0.0)
        variance = centred.square().sum(dim=1) / count
        return torch.cat(
            [
                mean,
                variance.sqrt(),
                *_quantiles(along, mask),
                _mean_change(along, mask),
                *(_autocorrelation(centred, count, variance, lag) for lag in _LAGS),
                *_trends(centred, mask, count),
            ],
            dim=1,
        )


def _quantiles(along: Tensor, mask: Tensor) -> list[Tensor]:
    """Return the quantiles of each track, interpolated as numpy does by default."""
    ordered = along.masked_fill(~mask[..., None], torch.inf).sort(dim=1).values
    last = mask.sum(dim=1) - 1
    found: list[Tensor] = []
    for share in _QUANTILES:
        place = share * last
        below = place.floor().long()
        low, high = (
            ordered.gather(1, at[:, None, None].expand(-1, 1, along.shape[2])).squeeze(1)
            for at in (below, torch.minimum(below + 1, last))
        )
        found.append(torch.lerp(low, high, (place - below).to(along)[:, None]))
    return found


def _mean_change(along: Tensor, mask: Tensor) -> Tensor:
    """Return the mean absolute difference of neighbouring segments; 0 for a single one."""
    changes = (along[:, 1:] - along[:, :-1]).abs().masked_fill(~mask[:, 1:, None], 0.0)
    return changes.sum(dim=1) / mask[:, 1:].sum(dim=1).clamp(min=1)[:, None]


def _autocorrelation(centred: Tensor, count: Tensor, variance: Tensor, lag: int) -> Tensor:
    return (centred[:, lag:] * centred[:, :-lag]).sum(dim=1) / count / (variance + _LEAST_VARIANCE)


def _trends(centred: Tensor, mask: Tensor, count: Tensor) -> list[Tensor]:
    """Return the projections onto the Legendre polynomials of degrees 1 and 2 over the track from -1 to 1."""
    steps = torch.arange(mask.shape[1], device=mask.device, dtype=centred.dtype)
    time = (2 * steps / (count - 1).clamp(min=1) - 1)[..., None]
    return [
        (2 * degree + 1) * (centred * values).sum(dim=1) / count
        for degree, values in ((1, time), (2, 1.5 * time.square() - 0.5))
    ]
