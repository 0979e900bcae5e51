"""Outlook of a learning curve: what more music videos of the same kind may bring, or why that cannot be told."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.metrics.groups import group_numbers, weight_blocks
from antiphon.seeding import generator

TARGETS = (20_000, 100_000)
_MIN_FACTOR, _MAX_FACTOR = 1.25, 16
"""Targets nearer than this are no outlook; those farther away are a guess."""
_MIN_VALIDATION = 30
_RESAMPLES = 1000

FloatArray = npt.NDArray[np.float64]


def outlook(
    videos: Sequence[int],
    log_ranks: Sequence[FloatArray],
    groups: npt.ArrayLike,
    seed: int = 0,
    targets: Sequence[int] = TARGETS,
) -> dict[str, Any]:
    """Extrapolate a learning curve.

    Two assumptions bound what to expect: that each further doubling of the videos lowers the mean log rank by as much
    as the last one did, and that each brings half of what the one before did. The interval reaches from the 2.5th
    percentile of the first to the 97.5th of the second, over resamples of the gains of the validation videos, which
    stay the pool. Nothing is told by fewer than 30 validation videos, where the last doubling brought no certain gain,
    and of more than 16 times the videos.

    Parameters
    ----------
    videos : sequence of int
        Numbers of training videos, the last about twice the one before.
    log_ranks : sequence of ndarray of float64, shape (n,)
        For each of these, log ranks of the validation pairs, both ways averaged.
    groups : array_like, shape (n,)
        Video of each pair.
    seed : int, default 0
        Seed of the resamples.
    targets : sequence of int
        Numbers of videos to look at.

    Returns
    -------
    dict
        "points": for each target its "videos", and either "geometric_mean_rank" with its "interval", or "refused", why
        not; "verdict" in words.
    """
    before, now = (np.asarray(row, dtype=np.float64) for row in log_ranks[-2:])
    numbers = group_numbers(groups, len(now))
    drawn = weight_blocks(numbers, _RESAMPLES, generator(seed, "outlook"))
    resampled = [weights @ (before - now) / weights.sum(axis=1) for weights in drawn]
    gains = np.concatenate([[(before - now).mean()], *resampled]) / np.log2(max(videos[-1] / videos[-2], 1 + 1e-9))
    doubt = ""
    if numbers.max(initial=-1) + 1 < _MIN_VALIDATION:
        doubt = f"there are fewer than {_MIN_VALIDATION} music videos to validate on"
    elif videos[-1] <= videos[-2] or np.percentile(gains[1:], 2.5) <= 0:
        doubt = "the last doubling brought no certain gain"
    points: list[dict[str, Any]] = []
    for target in targets:
        factor = target / videos[-1]
        far = f"that is more than {_MAX_FACTOR} times what there is" if factor > _MAX_FACTOR else ""
        if factor < _MIN_FACTOR:
            continue
        if reason := doubt or far:
            points.append({"videos": target, "refused": reason})
        else:
            points.append({"videos": target, **_expected(float(now.mean()), gains, float(np.log2(factor)))})
    return {"points": points, "verdict": _verdict(points)}


def _expected(measured: float, gains: FloatArray, doublings: float) -> dict[str, Any]:
    """Return the expected rank after some doublings, from the last gain: first as measured, then of resamples."""
    whole = int(doublings)
    halved = sum(0.5**step for step in range(1, whole + 1)) + (doublings - whole) * 0.5 ** (whole + 1)
    ranks = np.exp(np.maximum(measured - np.outer(np.maximum(gains, 0), [doublings, halved]), 0))
    low, high = np.percentile(ranks[1:, 0], 2.5), np.percentile(ranks[1:, 1], 97.5)
    middle = float(np.exp(np.log(ranks[0]).mean()))
    return {"geometric_mean_rank": middle, "interval": [float(low), float(high)]}


def _verdict(points: Sequence[dict[str, Any]]) -> str:
    if not points:
        return ""
    told = [
        f"with {point['videos']:,} music videos like these it would be between {point['interval'][0]:.1f} and "
        f"{point['interval'][1]:.1f}"
        for point in points
        if "interval" in point
    ]
    reasons: dict[str, list[str]] = {}
    for point in points:
        if "refused" in point:
            reasons.setdefault(point["refused"], []).append(f"{point['videos']:,}")
    refused = [f"what {' or '.join(names)} would bring cannot be told: {reason}" for reason, names in reasons.items()]
    sentence = "; ".join([*told, *refused])
    return sentence[0].upper() + sentence[1:] + "."
