"""Who is asked what: balance, repetitions, order."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.judging.questions import ASPECTS
from antiphon.judging.sheets import QuestionState, draw_sheet, sheet_length


def questions(count: int) -> list[QuestionState]:
    return [QuestionState(number, ASPECTS[number % 3]) for number in range(count)]


@settings(max_examples=60)
@given(st.integers(1, 60), st.integers(1, 70), st.sampled_from([0.0, 0.1, 0.3]), st.integers(0, 99))
def test_a_sheet_is_balanced_and_repeats_come_later_with_sides_swapped(total, count, share, seed):
    asked = questions(total)
    sheet = draw_sheet(asked, count, share, np.random.default_rng(seed))
    own = [item for item in sheet if item.repeats is None]
    assert len({item.question for item in own}) == len(own) == min(count, total)
    aspects = [asked[item.question].aspect for item in sheet]
    assert sum(one != other for one, other in pairwise(aspects)) == len(set(aspects)) - 1
    for aspect in ASPECTS:
        block = [item for item in own if asked[item.question].aspect == aspect]
        of_all = sum(item.aspect == aspect for item in asked)
        assert abs(len(block) - min(count, total) * of_all / total) < 1
        assert abs(sum(2 * item.first_left - 1 for item in block)) <= 1
    for place, item in enumerate(sheet):
        if item.repeats is not None:
            original = sheet[item.repeats]
            assert (original.question, original.first_left) == (item.question, not item.first_left)
            assert original.repeats is None
            assert item.repeats < place
    if not share:
        assert len(own) == len(sheet)


def test_a_tenth_is_repeated_and_never_at_once():
    for seed in range(50):
        sheet = draw_sheet(questions(60), 60, 0.1, np.random.default_rng(seed))
        repeated = [(place, item.repeats) for place, item in enumerate(sheet) if item.repeats is not None]
        assert len(repeated) == 6
        assert len({original for _, original in repeated}) == 6
        assert min(place - original for place, original in repeated) > 4


def test_those_asked_least_come_next():
    asked = [QuestionState(number, "overall", answers=number % 2, open=number % 4 // 2) for number in range(40)]
    sheet = draw_sheet(asked, 10, 0, np.random.default_rng(0))
    assert {item.question % 4 for item in sheet} == {0}


def test_sides_make_up_for_earlier_judges():
    asked = [QuestionState(number, "sound", first_left=1 if number < 10 else -1) for number in range(20)]
    sheet = draw_sheet(asked, 20, 0, np.random.default_rng(0))
    assert all(item.first_left == (item.question >= 10) for item in sheet)


def test_orders_differ_and_every_place_is_as_likely():
    places = np.zeros(12)
    for seed in range(400):
        sheet = draw_sheet([QuestionState(number, "sound") for number in range(12)], 12, 0, np.random.default_rng(seed))
        places[[item.question for item in sheet].index(0)] += 1
    assert places.min() > 12
    assert places.max() < 60


def test_shares_follow_the_round():
    asked = [QuestionState(number, "sound" if number < 20 else "overall") for number in range(30)]
    sheet = draw_sheet(asked, 15, 0, np.random.default_rng(0))
    assert Counter(asked[item.question].aspect for item in sheet) == {"sound": 10, "overall": 5}


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_short_sheet_can_repeat_too(count):
    sheet = draw_sheet(
        [QuestionState(number, "sound") for number in range(count)], count, 0.5, np.random.default_rng(0)
    )
    repeated = [place - item.repeats for place, item in enumerate(sheet) if item.repeats is not None]
    assert len(repeated) == {1: 0, 2: 1, 3: 2}[count]
    assert all(distance > 1 for distance in repeated)


@pytest.mark.parametrize("total", [1, 2, 5, 20, 60])
@pytest.mark.parametrize("count", [1, 4, 20, 100])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
def test_the_length_of_a_sheet_is_known_before_it_is_drawn(total: int, count: int, share: float) -> None:
    states = questions(total)
    drawn = draw_sheet(states, count, share, np.random.default_rng(count))
    assert sheet_length([item.aspect for item in states], count, share) == len(drawn)
