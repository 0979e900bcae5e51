"""Learning curves that are known are extrapolated to where they go, and unknown ones are not."""

import numpy as np
import pytest

from antiphon.evaluation.outlook import outlook

VIDEOS = (1000, 2000, 4000, 8000)


def curve(means, noise=0.3, count=400, seed=0):
    """Log ranks of the same pairs after each part, with the given means; what pairs have in common is large."""
    random = np.random.default_rng(seed)
    common = random.normal(size=count)
    common -= common.mean()
    found = []
    for mean in means:
        own = noise * random.normal(size=count)
        found.append(mean + common + own - own.mean())
    return found, np.arange(count).astype(str)


@pytest.mark.parametrize(("doublings", "most", "fewest"), [(1, 0.2, 0.1), (1.5, 0.3, 0.125), (2, 0.4, 0.15)])
def test_further_doublings_bring_at_most_what_the_last_one_did_and_at_least_half_of_it_each_time(
    doublings, most, fewest
):
    """The last doubling brought 0.2, whatever those before did."""
    point = outlook(VIDEOS, *curve((4.0, 3.8, 3.6, 3.4), 1e-9), targets=[round(8000 * 2**doublings)])["points"][0]
    assert point["interval"] == pytest.approx(np.exp([3.4 - most, 3.4 - fewest]), rel=1e-4)
    assert point["geometric_mean_rank"] == pytest.approx(np.exp(3.4 - (most + fewest) / 2), rel=1e-4)


def test_noisy_curves_have_wider_intervals_than_quiet_ones_and_farther_ones_than_near_ones():
    widths = {}
    for noise in (0.1, 1.0):
        points = outlook(VIDEOS, *curve((4.0, 3.7, 3.45, 3.25), noise), targets=[16_000, 64_000])["points"]
        widths[noise] = [np.log(high / low) for low, high in (point["interval"] for point in points)]
    assert widths[0.1][0] < widths[0.1][1] < widths[1.0][1]
    assert widths[0.1][0] < widths[1.0][0]


@pytest.mark.parametrize(
    ("means", "target", "reason"),
    [
        ((4.0, 3.8, 3.6, 3.59), 20_000, "the last doubling brought no certain gain"),
        ((4.0, 3.8, 3.6, 3.9), 20_000, "the last doubling brought no certain gain"),
        ((4.0, 3.8, 3.6, 3.4), 200_000, "more than 16 times"),
    ],
)
def test_what_cannot_be_told_is_refused(means, target, reason):
    found = outlook(VIDEOS, *curve(means), targets=[target])
    assert reason in found["points"][0]["refused"]
    assert "interval" not in found["points"][0]
    assert found["verdict"] == f"What {target:,} would bring cannot be told: {found['points'][0]['refused']}."


def test_few_validation_videos_and_parts_of_one_size_tell_nothing():
    found = outlook(VIDEOS, *curve((4.0, 3.8, 3.6, 3.4), 1e-9, count=29), targets=[16_000, 64_000])
    why = "there are fewer than 30 music videos to validate on"
    assert found["verdict"] == f"What 16,000 or 64,000 would bring cannot be told: {why}."
    found = outlook((2, 2, 2), *curve((4.0, 3.8, 3.6), 1e-9), targets=[4])
    assert "no certain gain" in found["verdict"]


def test_no_rank_is_below_one_and_what_is_there_already_is_no_outlook():
    found = outlook(VIDEOS, *curve((2.0, 1.4, 0.8, 0.2), noise=1e-9), targets=[8_000, 9_000, 100_000])
    assert [point["videos"] for point in found["points"]] == [100_000]
    assert found["points"][0]["interval"][0] == 1
    assert outlook(VIDEOS, *curve((2.0, 1.4, 0.8, 0.2)), targets=[8_000]) == {"points": [], "verdict": ""}
