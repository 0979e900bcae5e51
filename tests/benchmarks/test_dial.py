"""What the dial reads off a study."""

import pytest

from dial_criteria import fewest_pairs, is_found, weakest_coupling


def row(coupling, high, size="all", pairs=700.0, other=None, trainings=1):
    ways = {"a2v": high, "v2a": high if other is None else other}
    found = {
        way: {"median_rank": {"value": edge - 5, "ci95": [edge - 10, edge]}, "null95": [80.0, 120.0]}
        for way, edge in ways.items()
    }
    about = {"step": "base", "coupling": coupling, "size": size, "train_pairs": pairs, "trainings": trainings}
    return about | found if trainings else about


def test_found_is_below_the_null_both_ways_with_the_whole_interval():
    assert is_found(row(1, 79))
    assert not is_found(row(1, 81)) and not is_found(row(1, 79, other=81)) and not is_found(row(1, 0, trainings=0))


@pytest.mark.parametrize(
    ("highs", "weakest"),
    [
        ({0: 100, 0.5: 70, 1: 40}, 0.5),
        ({0: 70, 0.5: 100, 1: 40}, 1),  # By accident below, and not from there on.
        ({0: 100, 0.5: 70, 1: 90}, None),
    ],
)
def test_the_weakest_coupling_is_where_it_begins_to_last(highs, weakest):
    rows = [row(coupling, high) for coupling, high in highs.items()] + [row(0, 10, size=90)]
    assert weakest_coupling(rows, "base", "all") == weakest
    assert weakest_coupling(rows, "other", "all") is None


def test_the_fewest_pairs_are_of_the_coupling_asked_for():
    rows = [row(1, 100, 30, 60.0), row(1, 70, 90, 200.0), row(1, 40), row(0.5, 10, 30, 60.0)]
    assert fewest_pairs(rows, "base", 1) == 200
    assert fewest_pairs([row(1, 0, trainings=0)], "base", 1) is None
