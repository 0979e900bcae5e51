"""Summary of a track: statistics of its segments' features, in one row."""

import torch
from torch import Tensor, nn

_QUANTILES = (0.1, 0.5, 0.9)
_POWERS = 3
_LAGS = (1, 2, 4)
"""Lags of the autocorrelations, in segments."""
_PER_AXIS = 4 + len(_QUANTILES) + len(_LAGS)
_NUM_BLOCKS = 1 + _PER_AXIS
_LEAST_SIZE = 1e-3
"""Smallest size that a kind of statistic is divided by."""
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
    counts: Tensor
    by_count: Tensor
    size_by_count: Tensor

    def __init__(self, dim: int, num_axes: int) -> None:
        super().__init__()
        self.num_axes = min(dim, num_axes)
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("scale", torch.ones(dim))
        self.register_buffer("axes", torch.zeros(dim, self.num_axes))
        self.register_buffer("counts", torch.ones(2))
        self.register_buffer("by_count", torch.zeros(_POWERS, summary_dim(dim, num_axes)))
        self.register_buffer("size_by_count", torch.zeros(_POWERS, _NUM_BLOCKS))

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

    def fit_length(self, features: Tensor, counts: Tensor) -> None:
        """Find what the number of a track's segments tells of its statistics; `forward` takes it away.

        Parameters
        ----------
        features : Tensor, shape (t, summary_dim)
            Output of `statistics` for training tracks.
        counts : Tensor, shape (t,)
            Number of segments of each.
        """
        self.counts.copy_(torch.stack([counts.min(), counts.max()]))
        basis = self._basis(counts).double()
        solve = torch.linalg.pinv(basis, rtol=1e-6)
        self.by_count.copy_(solve @ features.double())
        sizes = self._sizes(features - self._basis(counts) @ self.by_count)
        # What training tracks hardly have keeps its size: it must not be blown up in tracks that do.
        logs = torch.where(sizes.mean(dim=0) > _LEAST_SIZE, sizes.clamp(min=1e-6).log(), 0.0)
        self.size_by_count.copy_(solve @ logs.double())

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        """Summarise tracks, without what their number of segments tells of the statistics.

        Sound and pictures of a track are equally long, and deviations, quantiles and autocorrelations of few segments
        are others than those of many, whatever is heard and seen. So of each value its regression on the logarithm of
        the number is subtracted, and each kind of statistic is divided by the size that the number lets expect.

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
        basis = self._basis(mask.sum(dim=1))
        found = self.statistics(features, mask) - basis @ self.by_count
        sizes = (basis @ self.size_by_count).exp().clamp(_LEAST_SIZE, 1 / _LEAST_SIZE)
        return found / sizes.repeat_interleave(self._block_sizes(found), dim=1)

    def _basis(self, counts: Tensor) -> Tensor:
        """Return the powers of the logarithm of numbers of segments, kept to those of training tracks."""
        numbers = counts.to(self.counts).clamp(self.counts[0], self.counts[1]).log()
        return torch.stack([numbers**power for power in range(_POWERS)], dim=1)

    def _block_sizes(self, found: Tensor) -> Tensor:
        dims = [found.shape[1] - _PER_AXIS * self.num_axes, *[self.num_axes] * _PER_AXIS]
        return torch.tensor(dims, device=found.device)

    def _sizes(self, found: Tensor) -> Tensor:
        """Return the (t, blocks) root mean squares of each kind of statistic."""
        blocks = found.split(self._block_sizes(found).tolist(), dim=1)
        return torch.stack([block.square().mean(dim=1).sqrt() for block in blocks], dim=1)

    def statistics(self, features: Tensor, mask: Tensor) -> Tensor:
        """Compute the statistics of tracks.

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
