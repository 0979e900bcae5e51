"""Judges' sheets: which questions in which order on which side, random and balanced."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from antiphon.judging.questions import ASPECTS, Aspect

_MIN_GAP = 4
"""Minimum number of questions between one and its repetition; fewer, but at least one, in a short block."""


@dataclass(frozen=True)
class QuestionState:
    """State of a question in its round.

    Attributes
    ----------
    question : int
        Its number.
    aspect : Aspect
        What to compare by.
    answers : int
        Judges who have answered it.
    open : int
        Judges who have it on their sheet, unanswered.
    first_left : int
        How many more times the first candidate was shown on the left than on the right.
    """

    question: int
    aspect: Aspect
    answers: int = 0
    open: int = 0
    first_left: int = 0


@dataclass(frozen=True)
class SheetLine:
    """One line of a judge's sheet.

    Attributes
    ----------
    question : int
        Number of the question.
    first_left : bool
        Whether its first candidate is shown on the left.
    repeats : int, optional
        Place (from 0) of the line that it repeats with sides swapped.
    """

    question: int
    first_left: bool
    repeats: int | None = None


def draw_sheet(
    asked: Sequence[QuestionState], count: int, repeat_share: float, random: np.random.Generator
) -> list[SheetLine]:
    """Draw a judge's sheet: the questions with the fewest answers, in one block per aspect, some of them repeated.

    Parameters
    ----------
    asked : sequence of QuestionState
        Questions of the round.
    count : int
        Number of questions, spread over the aspects in proportion to the round.
    repeat_share : float
        Fraction of a block that is repeated later in it, with sides swapped; never immediately, so none in a block of
        one.
    random : Generator
        Random numbers: order of aspects, questions and sides.

    Returns
    -------
    list of SheetLine
        Lines in order. Without repetitions, each question occurs once, and each block shows the first candidate on the
        left as often as on the right, or once more or less.
    """
    sheet: list[SheetLine] = []
    by_aspect: dict[Aspect, list[QuestionState]] = {
        aspect: [item for item in asked if item.aspect == aspect] for aspect in ASPECTS
    }
    shares = _shares(by_aspect, count)
    for place in random.permutation(len(ASPECTS)).tolist():
        chosen = _least_asked(by_aspect[ASPECTS[place]], shares[ASPECTS[place]], random)
        block = _with_repeats(_with_sides(chosen, random), repeat_share, random)
        start = len(sheet)
        sheet += [
            SheetLine(item.question, item.first_left, None if item.repeats is None else item.repeats + start)
            for item in block
        ]
    return sheet


def sheet_length(aspects: Sequence[Aspect], count: int, repeat_share: float) -> int:
    """Count the lines of a sheet as `draw_sheet` draws it, repetitions included.

    Parameters
    ----------
    aspects : sequence of Aspect
        Aspect of each question of the round.
    count : int
        Number of questions of the sheet.
    repeat_share : float
        Fraction that is repeated.

    Returns
    -------
    int
        Number of lines.
    """
    by_aspect: dict[Aspect, list[QuestionState]] = {
        aspect: [QuestionState(number, own) for number, own in enumerate(aspects) if own == aspect]
        for aspect in ASPECTS
    }
    blocks = _shares(by_aspect, count).values()
    return sum(block + _repeats(block, repeat_share) for block in blocks)


def _repeats(block: int, share: float) -> int:
    """Return how many questions of a block are asked again, all of them of its first half."""
    return 0 if block < 2 or not share else min((block + 1) // 2, max(1, round(share * block)))


def _shares(by_aspect: Mapping[Aspect, Sequence[QuestionState]], count: int) -> dict[Aspect, int]:
    """Distribute `count` over the aspects in proportion to their questions, by largest remainders."""
    total = sum(map(len, by_aspect.values()))
    share = min(count / total, 1) if total else 0.0
    shares: dict[Aspect, int] = {}
    remainders: list[tuple[float, Aspect]] = []
    for aspect, items in by_aspect.items():
        shares[aspect] = int(share * len(items) + 1e-9)
        remainders.append((shares[aspect] - share * len(items), aspect))
    for _, aspect in sorted(remainders)[: min(count, total) - sum(shares.values())]:
        shares[aspect] += 1
    return shares


def _least_asked(asked: Sequence[QuestionState], count: int, random: np.random.Generator) -> list[QuestionState]:
    """Return those with the fewest answers, then the fewest open sheets, in random order."""
    mixed = [asked[place] for place in random.permutation(len(asked)).tolist()]
    chosen = sorted(mixed, key=lambda item: (item.answers, item.open))[:count]
    return [chosen[place] for place in random.permutation(len(chosen)).tolist()]


def _with_sides(chosen: Sequence[QuestionState], random: np.random.Generator) -> list[SheetLine]:
    """Half of the questions with the first candidate on the left: those that had it there least so far."""
    half = (len(chosen) + int(random.integers(2))) // 2
    mixed = [chosen[place] for place in random.permutation(len(chosen)).tolist()]
    left = {item.question for item in sorted(mixed, key=lambda item: item.first_left)[:half]}
    return [SheetLine(item.question, item.question in left) for item in chosen]


def _with_repeats(block: Sequence[SheetLine], share: float, random: np.random.Generator) -> list[SheetLine]:
    """The block with some of its first half asked again, sides swapped, several questions later.

    A block of one question has no other in between, so it is not repeated.
    """
    repeats = _repeats(len(block), share)
    if not repeats:
        return list(block)
    originals = random.permutation((len(block) + 1) // 2)[:repeats].tolist()
    owners: dict[int, list[int]] = {}
    for original in originals:
        earliest = min(original + _MIN_GAP, len(block) - 1)
        place = int(random.integers(earliest, len(block)))
        owners.setdefault(place, []).append(original)
    lines: list[SheetLine] = []
    places: dict[int, int] = {}
    for number, item in enumerate(block):
        places[number] = len(lines)
        lines.append(item)
        for original in owners.get(number, []):
            twin = block[original]
            lines.append(SheetLine(twin.question, not twin.first_left, places[original]))
    return lines
