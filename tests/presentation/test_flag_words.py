"""Each flag has words and a criterion, in one list."""

from typing import get_args

import pytest

from antiphon.media.quality import CRITERIA, Flag
from antiphon.presentation.flag_words import FLAG_WORDS, flag_criterion, flag_list, flag_words


def test_every_flag_has_words_and_a_criterion() -> None:
    assert set(FLAG_WORDS) == set(CRITERIA) == set(get_args(Flag))
    assert len(set(FLAG_WORDS.values())) == len(FLAG_WORDS)


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        ("silent", "Silent sound"),
        ("audio clipped", "Clipped sound"),
        ("video black", "Black pictures"),
        ("video duplicated", "Repeated pictures"),
        ("concealed", "Damaged, filled in by the decoder"),
        ("audio concealed", "Damaged, filled in by the decoder (sound)"),
        ("too noisy", "too noisy"),
        ("very silent", "very silent"),
    ],
)
def test_a_flag_is_named_in_words(flag: str, words: str) -> None:
    assert flag_words(flag) == words


def test_criteria_say_the_numbers_that_are_used() -> None:
    assert flag_criterion("audio clipped") == "At least 5% of samples are within 1% of full scale or beyond."
    assert flag_criterion("video black") == "At least 99% of all values of the pictures are at most 32 of 255."
    assert flag_criterion("too noisy") == ""


def test_flags_within_a_sentence() -> None:
    assert flag_list(["clipped", "concealed"]) == "clipped sound; damaged, filled in by the decoder"
