"""Agreement of similarities with people: the second question of Veldkamp et al. (2023)."""

from dataclasses import asdict
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.judging.agreement import FloatArray, agreeing, crossed_mean, decided, majority_of_others
from antiphon.judging.answers import Opinion, RoundAnswers, read_answers
from antiphon.judging.questions import ASPECTS, KINDS
from antiphon.judging.records import Round
from antiphon.judging.similarities import NATURAL
from antiphon.judging.store import Judgements
from antiphon.metrics.krippendorff import krippendorff_alpha

CHANCE = 0.5
MATCHING = "matching"
"""Opinions of a run that compares by what the judge was asked about."""

BoolArray = npt.NDArray[np.bool_]


def judging_report(judgements: Judgements, round_: Round, *, simulated: bool = False, seed: int = 0) -> dict[str, Any]:
    """Measure how often each similarity agrees with the judges of a round, and the judges with each other.

    Answers "cannot tell" are excluded and counted; every number comes with the number of its answers. A tie counts
    half.

    Parameters
    ----------
    judgements : Judgements
        The judgements.
    round_ : Round
        The round.
    simulated : bool
        Report on simulated judges instead of people.
    seed : int
        Seed of the bootstraps.

    Returns
    -------
    dict
        Plain values: "similarities" (each run by "both", "sound", "pictures" and "matching", with its accuracy by
        aspect and by kind of question), "differences" (paired), "majority" (one judge and each run against the majority
        of the other judges), "alpha", "consistency", "left", "judges".
    """
    answers = read_answers(judgements.path, round_.number, simulated=simulated)
    matching = _matching(answers)
    opinions = [*answers.opinions, *matching]
    return {
        "round": round_.number,
        "simulated": simulated,
        "pool": round_.pool,
        "questions": round_.questions,
        "answered_questions": int(np.isfinite(answers.first).any(axis=0).sum()),
        "answers": int(np.isfinite(answers.first).sum()),
        "repeats": int(np.isfinite(answers.again).sum()),
        "unsure": _unsure(answers),
        "chance": CHANCE,
        "resampled": "judges and, independently, seeds with all their questions (alpha: seeds only)",
        "similarities": [_similarity(answers, opinion, seed) for opinion in opinions],
        "differences": _differences(answers, matching, seed),
        "majority": _majority(answers, matching, seed),
        "alpha": {name: _alpha(answers, asked, seed) for name, asked in _parts(answers).items()},
        "consistency": crossed_mean(_consistent(answers), answers.seeds, seed).as_dict(),
        "left": crossed_mean(answers.left, answers.seeds, seed).as_dict(),
        "judges": [_judge(answers, number) for number in range(len(answers.judges))],
    }


def own_consistency(judgements: Judgements, round_: Round, name: str) -> tuple[int, int]:
    """Count a judge's consistent answers.

    Parameters
    ----------
    judgements : Judgements
        The judgements.
    round_ : Round
        The round.
    name : str
        The judge.

    Returns
    -------
    alike : int
        Questions answered the same both times.
    pairs : int
        Questions decided both times.
    """
    answers = read_answers(judgements.path, round_.number)
    if name not in answers.judges:
        return 0, 0
    cells = _consistent(answers)[answers.judges.index(name)]
    return int(np.nansum(cells)), int(np.isfinite(cells).sum())


def _parts(answers: RoundAnswers) -> dict[str, BoolArray]:
    """Return which questions each aspect has, and "all"."""
    return {aspect: answers.aspects == aspect for aspect in ASPECTS} | {
        "all": np.ones(len(answers.aspects), dtype=bool)
    }


def _matching(answers: RoundAnswers) -> list[Opinion]:
    found: list[Opinion] = []
    for run in dict.fromkeys(opinion.run for opinion in answers.opinions):
        by = {opinion.by: opinion.first for opinion in answers.opinions if opinion.run == run}
        asked = [answers.aspects == aspect for aspect in ASPECTS]
        first = np.select(asked, [by[NATURAL[aspect]] for aspect in ASPECTS], np.nan)
        found.append(Opinion(run, MATCHING, first))
    return found


def _similarity(answers: RoundAnswers, opinion: Opinion, seed: int) -> dict[str, Any]:
    """Return the accuracy by aspect; for "matching" only over all, since the rest equals other similarities."""
    parts = _parts(answers)
    names = ["all"] if opinion.by == MATCHING else list(ASPECTS)
    return {
        "run": opinion.run,
        "by": opinion.by,
        "aspects": {name: _accuracy(answers, opinion, parts[name], seed) for name in names},
    }


def _accuracy(answers: RoundAnswers, opinion: Opinion, asked: BoolArray, seed: int) -> dict[str, Any]:
    sure = decided(_only(answers.first, asked))
    cells = agreeing(opinion.first, sure)
    whole = crossed_mean(agreeing(opinion.first, _only(answers.first, asked)), answers.seeds, seed)
    kinds = {kind: crossed_mean(_only(cells, answers.kinds == kind), answers.seeds, seed) for kind in KINDS}
    return crossed_mean(cells, answers.seeds, seed).as_dict() | {
        "ties": int(((opinion.first == 0.5) & asked).sum()),
        "unsure_as_half": whole.as_dict(),
        "kinds": {kind: estimate.as_dict() for kind, estimate in kinds.items()},
    }


def _differences(answers: RoundAnswers, matching: list[Opinion], seed: int) -> list[dict[str, Any]]:
    """Compare runs, each by what was asked about, and the modalities of one run, where asked overall."""
    found: list[dict[str, Any]] = []
    for one, other in combinations(matching, 2):
        for name, asked in _parts(answers).items():
            found.append(_difference(answers, name, one, other, asked, seed))
    by = {(opinion.run, opinion.by): opinion for opinion in answers.opinions}
    overall = answers.aspects == "overall"
    for run in dict.fromkeys(opinion.run for opinion in answers.opinions):
        found.append(_difference(answers, "overall", by[run, "sound"], by[run, "pictures"], overall, seed))
    return found


def _difference(
    answers: RoundAnswers, aspect: str, one: Opinion, other: Opinion, asked: BoolArray, seed: int
) -> dict[str, Any]:
    """Return how much more often one similarity agrees with the judges than another, on the same answers."""
    sure = decided(_only(answers.first, asked))
    gaps = agreeing(one.first, sure) - agreeing(other.first, sure)
    apart = asked & (np.abs(one.first - other.first) == 1)
    return {
        "aspect": aspect,
        "one": {"run": one.run, "by": one.by},
        "other": {"run": other.run, "by": other.by},
        **crossed_mean(gaps, answers.seeds, seed, bounds=(-1.0, 1.0)).as_dict(),
        "opposed": crossed_mean(_only(agreeing(one.first, sure), apart), answers.seeds, seed).as_dict(),
    }


def _majority(answers: RoundAnswers, matching: list[Opinion], seed: int) -> dict[str, Any]:
    """Return how often a judge, and how often each run, agrees with the majority of the other judges.

    A split of an even number of others counts half, so rounds with different numbers of judges cannot be compared, but
    a judge and a run of one round can. This is not an upper bound: a run may predict the majority better than a judge.
    """
    sure = decided(answers.first)
    others = majority_of_others(sure)

    def by_part(cells: FloatArray) -> dict[str, Any]:
        return {
            name: crossed_mean(_only(cells, asked), answers.seeds, seed).as_dict()
            for name, asked in _parts(answers).items()
        }

    return {
        "judge": by_part(agreeing(others, sure)),
        "runs": {opinion.run: by_part(agreeing(opinion.first, others)) for opinion in matching},
    }


def _alpha(answers: RoundAnswers, asked: BoolArray, seed: int) -> dict[str, Any]:
    """Return alpha of the choices, without and with "cannot tell" as a category.

    The first candidate is drawn at random, so categories are balanced, and judges who follow one model do not seem to
    agree by chance.
    """
    found: dict[str, Any] = {}
    for name, choices in {"decided": decided(answers.first), "with_unsure": answers.first}.items():
        alpha = asdict(krippendorff_alpha(choices[:, asked], answers.seeds[asked], seed))
        known = not alpha["reason"]
        found[name] = alpha | {
            "value": alpha["value"] if known else None,
            "ci95": list(alpha["ci95"]) if known and np.isfinite(alpha["ci95"]).all() else None,
        }
    return found


def _consistent(answers: RoundAnswers) -> FloatArray:
    return agreeing(decided(answers.first), decided(answers.again))


def _unsure(answers: RoundAnswers) -> float | None:
    given = np.isfinite(answers.first)
    return float((answers.first[given] == 0.5).mean()) if given.any() else None


def _judge(answers: RoundAnswers, number: int) -> dict[str, Any]:
    first, seconds = answers.first[number], answers.seconds[number]
    consistent, left = _consistent(answers)[number], answers.left[number]
    return {
        "name": answers.judges[number],
        "answers": int(np.isfinite(first).sum()),
        "unsure": int((first == 0.5).sum()),
        "repeats": int(np.isfinite(consistent).sum()),
        "consistent": int(np.nansum(consistent)),
        "left": float(np.nanmean(left)) if np.isfinite(left).any() else None,
        "median_seconds": float(np.nanmedian(seconds)) if np.isfinite(seconds).any() else None,
    }


def _only(cells: FloatArray, asked: BoolArray) -> FloatArray:
    return np.where(asked, cells, np.nan)
