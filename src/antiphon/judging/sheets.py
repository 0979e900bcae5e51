"""Who is asked what, in which order, and on which side: drawn at random and kept in balance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from antiphon.judging.questions import ASPECTS, Aspect

_MIN_GAP = 4
"""Questions that stand between one and its repetition, where its block is long enough; at least one does always."""


@dataclass(frozen=True)
class Asked:
    """A question as the round has asked it so far.

    Attributes
    ----------
    question : int
        Its number.
    answers : int
        Judges who have answered it.
    open : int
        Judges who have it on their sheets, unanswered.
    first_left : int
        Judges who were shown the first candidate on the left, less those who were shown it on the right.
    """

    question: int
    aspect: Aspect
    answers: int = 0
    open: int = 0
    first_left: int = 0


@dataclass(frozen=True)
class Item:
    """One line of a judge's sheet.

    Attributes
    ----------
    question : int
        Its number.
    first_left : bool
        Whether its first candidate is shown on the left.
    repeats : int, optional
        The place on the sheet (from 0) of the line that it repeats, sides swapped; None for a line of its own.
    """

    question: int
    first_left: bool
    repeats: int | None = None


def draw_sheet(asked: Sequence[Asked], count: int, repeat_share: float, random: np.random.Generator) -> list[Item]:
    """A judge's sheet: the questions answered least so far, each aspect in a block, some of them asked again.

    Parameters
    ----------
    asked : sequence of Asked
        The round's questions.
    count : int
        How many of them this judge is asked, spread over the aspects as the round is.
    repeat_share : float
        How many of a block are asked again later in the block, sides swapped; never at once, thus none of a block of
        one.
    random : Generator
        Orders aspects, questions and sides; with the same `asked` the same generator draws the same sheet.

    Returns
    -------
    list of Item
        The lines in order. Each question is once on the sheet, apart from its repetition; each block shows the first
        candidate on the left as often as on the right, but for one, repetitions apart.
    """
    sheet: list[Item] = []
    by_aspect: dict[Aspect, list[Asked]] = {
        aspect: [item for item in asked if item.aspect == aspect] for aspect in ASPECTS
    }
    shares = _shares(by_aspect, count)
    for place in random.permutation(len(ASPECTS)).tolist():
        chosen = _least_asked(by_aspect[ASPECTS[place]], shares[ASPECTS[place]], random)
        block = _with_repeats(_with_sides(chosen, random), repeat_share, random)
        start = len(sheet)
        sheet += [
            Item(item.question, item.first_left, None if item.repeats is None else item.repeats + start)
            for item in block
        ]
    return sheet


def _shares(by_aspect: Mapping[Aspect, Sequence[Asked]], count: int) -> dict[Aspect, int]:
    """`count` dealt to the aspects in proportion to their questions, the largest remainders first."""
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


def _least_asked(asked: Sequence[Asked], count: int, random: np.random.Generator) -> list[Asked]:
    """Those with the fewest answers, then the fewest open sheets; chance decides among equals. In random order."""
    mixed = [asked[place] for place in random.permutation(len(asked)).tolist()]
    chosen = sorted(mixed, key=lambda item: (item.answers, item.open))[:count]
    return [chosen[place] for place in random.permutation(len(chosen)).tolist()]


def _with_sides(chosen: Sequence[Asked], random: np.random.Generator) -> list[Item]:
    """Half of the questions with the first candidate on the left: those that had it there least so far."""
    half = (len(chosen) + int(random.integers(2))) // 2
    mixed = [chosen[place] for place in random.permutation(len(chosen)).tolist()]
    left = {item.question for item in sorted(mixed, key=lambda item: item.first_left)[:half]}
    return [Item(item.question, item.question in left) for item in chosen]


def _with_repeats(block: Sequence[Item], share: float, random: np.random.Generator) -> list[Item]:
    """The block with some of its first half asked again, sides swapped, several questions later.

    A block of one question has none to stand between, so it is not asked again.
    """
    if len(block) < 2 or not share:
        return list(block)
    originals = random.permutation((len(block) + 1) // 2)[: max(1, round(share * len(block)))].tolist()
    owners: dict[int, list[int]] = {}
    for original in originals:
        earliest = min(original + _MIN_GAP, len(block) - 1)
        place = int(random.integers(earliest, len(block)))
        owners.setdefault(place, []).append(original)
    lines: list[Item] = []
    places: dict[int, int] = {}
    for number, item in enumerate(block):
        places[number] = len(lines)
        lines.append(item)
        for original in owners.get(number, []):
            twin = block[original]
            lines.append(Item(twin.question, not twin.first_left, places[original]))
    return lines
