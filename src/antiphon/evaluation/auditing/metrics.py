"""Checks of a metric on embeddings whose ranks are known without computing them."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from antiphon.evaluation.auditing.check import Check
from antiphon.metrics.published_formula import published_median_rank
from antiphon.metrics.ranks import ranks
from antiphon.seeding import generator

FloatArray = npt.NDArray[np.floating]

Metric = Callable[[FloatArray, FloatArray], tuple[float, float]]
"""Function of (n, dim) audio and (n, dim) video, row i of both one pair, that returns the median ranks from audio to
video and from video to audio."""

_N = 400
_TOLERANCE = 6.0
"""Standard errors of the median of n uniform ranks that random embeddings may be away from chance. Hubs make ranks
depend on each other, which widens it somewhat."""


def median_ranks(audio: FloatArray, video: FloatArray) -> tuple[float, float]:
    """Return the medians of exact mid-ranks, each direction from its own scores: Antiphon's metric."""
    return float(np.median(ranks(audio, video)[0])), float(np.median(ranks(video, audio)[0]))


def published(audio: FloatArray, video: FloatArray) -> tuple[float, float]:
    """Apply the published formula of Veldkamp et al. (2023), which uses one direction's numbers for both."""
    value = published_median_rank(audio, video)
    return value, value


def metric_checks(metric: Metric, seed: int = 0) -> list[Check]:
    """Check a metric: oracle → 1, reversed → n, constant → (n + 1)/2, random → chance, each direction on its own."""
    random = generator(seed, "audit", "metric")
    chance = (_N + 1) / 2
    unrelated = random.normal(size=(2, _N, 32))
    slack = _TOLERANCE * _N / (2 * np.sqrt(_N))
    unit = np.eye(_N)
    # Row i scores every picture i, and its own one half more: sound i finds its own picture first, but picture i is
    # scored higher by every later sound.
    one_way = np.repeat(np.arange(_N, dtype=np.float64)[:, None], _N, axis=1) + 0.5 * unit
    cases = [
        ("oracle", "perfect embeddings", unit, unit, (1.0, 1.0), 0.0),
        ("reversed", "embeddings that put the true partner last", -unit, unit, (float(_N), float(_N)), 0.0),
        ("constant", "one embedding for all", np.ones((_N, 4)), np.ones((_N, 4)), (chance, chance), 0.0),
        ("random", "random embeddings", unrelated[0], unrelated[1], (chance, chance), slack),
        ("directions", "embeddings that are perfect one way only", one_way, unit, (1.0, chance), 1.0),
    ]
    return [_check(metric, *case) for case in cases]


def _check(
    metric: Metric,
    name: str,
    words: str,
    audio: FloatArray,
    video: FloatArray,
    expected: tuple[float, float],
    slack: float,
) -> Check:
    found = metric(audio, video)
    right = all(abs(value - wanted) <= slack for value, wanted in zip(found, expected, strict=True))
    wanted = " and ".join(f"{value:g}" for value in expected)
    about = f" (give or take {slack:.0f})" if slack >= 2 else ""
    given = f"the metric gives {found[0]:g} and {found[1]:g}"
    finding = f"Of {_N} pairs, {words} must have median ranks {wanted}{about}; {given}."
    numbers = {"n": _N, "expected": list(expected), "found": list(found), "tolerance": slack}
    return Check(f"Metric: {name}", "metric", "pass" if right else "fail", finding, numbers)
