"""The exact interval covers, and is that of the textbook."""

import math

import pytest

from antiphon.metrics.exact_interval import exact_interval


@pytest.mark.parametrize(
    ("successes", "count", "expected"),
    [
        (0, 10, (0.0, 0.3085)),
        (1, 20, (0.0013, 0.2487)),
        (5, 10, (0.1871, 0.8129)),
        (10, 10, (0.6915, 1.0)),
        (2, 3, (0.0943, 0.9916)),
        (2.5, 3, (0.0943, 1.0)),
        (3000, 3000, (0.99877, 1.0)),
    ],
)
def test_known_intervals(successes: float, count: int, expected: tuple[float, float]) -> None:
    assert exact_interval(successes, count) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("share", [0.03, 0.4, 0.5, 0.97])
@pytest.mark.parametrize("count", [1, 5, 17])
def test_it_covers_the_share_at_least_as_often_as_promised(share: float, count: int) -> None:
    covered = 0.0
    for successes in range(count + 1):
        low, high = exact_interval(successes, count)
        if low <= share <= high:
            covered += math.comb(count, successes) * share**successes * (1 - share) ** (count - successes)
    assert covered >= 0.95
