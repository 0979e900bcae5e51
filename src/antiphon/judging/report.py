"""Does similarity agree with people? The second question of Veldkamp et al. (2023), in numbers."""

from dataclasses import asdict
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.judging.agreement import FloatArray, agreeing, crossed_mean, decided, majority_of_others
from antiphon.judging.answers import Answers, Opinion, read_answers
from antiphon.judging.questions import ASPECTS, KINDS
from antiphon.judging.records import Round
from antiphon.judging.similarities import NATURAL
from antiphon.judging.store import Judgements
from antiphon.metrics.krippendorff import krippendorff_alpha

CHANCE = 0.5
MATCHING = "matching"
"""The opinion of a run that compares by what the judge was asked to compare by."""

BoolArray = npt.NDArray[np.bool_]


def judging_report(judgements: Judgements, round_: Round, *, simulated: bool = False, seed: int = 0) -> dict[str, Any]:
    """Agreement of each similarity with the judges of a round, beside the judges' agreement with each other.

    Answers that could not tell are left out and counted; every number says how many answers it rests on. A similarity
    that holds both candidates equally near is half right.

    Parameters
    ----------
    simulated : bool
        Report on simulated judges, and on these alone.
    seed : int
        Of the bootstraps.

    Returns
    -------
    dict
        Plain values: "similarities" (each run by "both", "sound", "pictures" and "matching", with its accuracy by
        aspect and by kind of question), "differences" (paired), "majority" (one judge and each run against the
        majority of the other judges), "alpha", "consistency", "left", "judges".
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
        "resampled": "judges and, apart from them, seeds with all their questions; for alpha seeds alone",
        "similarities": [_similarity(answers, opinion, seed) for opinion in opinions],
        "differences": _differences(answers, matching, seed),
        "majority": _majority(answers, matching, seed),
        "alpha": {name: _alpha(answers, asked, seed) for name, asked in _parts(answers).items()},
        "consistency": crossed_mean(_consistent(answers), answers.seeds, seed).as_dict(),
        "left": crossed_mean(answers.left, answers.seeds, seed).as_dict(),
        "judges": [_judge(answers, number) for number in range(len(answers.judges))],
    }


def own_consistency(judgements: Judgements, round_: Round, name: str) -> tuple[int, int]:
    """Of the questions that a judge was asked twice and decided both times: (answered alike, how many there were)."""
    answers = read_answers(judgements.path, round_.number)
    if name not in answers.judges:
        return 0, 0
    cells = _consistent(answers)[answers.judges.index(name)]
    return int(np.nansum(cells)), int(np.isfinite(cells).sum())


def _parts(answers: Answers) -> dict[str, BoolArray]:
    """Which questions each aspect has; "all" has all."""
    return {aspect: answers.aspects == aspect for aspect in ASPECTS} | {
        "all": np.ones(len(answers.aspects), dtype=bool)
    }


def _matching(answers: Answers) -> list[Opinion]:
    found: list[Opinion] = []
    for run in dict.fromkeys(opinion.run for opinion in answers.opinions):
        by = {opinion.by: opinion.first for opinion in answers.opinions if opinion.run == run}
        asked = [answers.aspects == aspect for aspect in ASPECTS]
        first = np.select(asked, [by[NATURAL[aspect]] for aspect in ASPECTS], np.nan)
        found.append(Opinion(run, MATCHING, first))
    return found


def _similarity(answers: Answers, opinion: Opinion, seed: int) -> dict[str, Any]:
    """Its accuracy on the questions of each aspect; that of "matching" is read off the others, but for all together."""
    parts = _parts(answers)
    names = ["all"] if opinion.by == MATCHING else list(ASPECTS)
    return {
        "run": opinion.run,
        "by": opinion.by,
        "aspects": {name: _accuracy(answers, opinion, parts[name], seed) for name in names},
    }


def _accuracy(answers: Answers, opinion: Opinion, asked: BoolArray, seed: int) -> dict[str, Any]:
    sure = decided(_only(answers.first, asked))
    cells = agreeing(opinion.first, sure)
    whole = crossed_mean(agreeing(opinion.first, _only(answers.first, asked)), answers.seeds, seed)
    kinds = {kind: crossed_mean(_only(cells, answers.kinds == kind), answers.seeds, seed) for kind in KINDS}
    return crossed_mean(cells, answers.seeds, seed).as_dict() | {
        "ties": int(((opinion.first == 0.5) & asked).sum()),
        "unsure_as_half": whole.as_dict(),
        "kinds": {kind: estimate.as_dict() for kind, estimate in kinds.items()},
    }


def _differences(answers: Answers, matching: list[Opinion], seed: int) -> list[dict[str, Any]]:
    """Between runs, each by what was asked for; and between the sides of one run, on what was asked overall."""
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
    answers: Answers, aspect: str, one: Opinion, other: Opinion, asked: BoolArray, seed: int
) -> dict[str, Any]:
    """How much more often the one agrees with the judges than the other, on the same answers."""
    sure = decided(_only(answers.first, asked))
    gaps = agreeing(one.first, sure) - agreeing(other.first, sure)
    apart = asked & (np.abs(one.first - other.first) == 1)
    return {
        "aspect": aspect,
        "one": {"run": one.run, "by": one.by},
        "other": {"run": other.run, "by": other.by},
        **crossed_mean(gaps, answers.seeds, seed).as_dict(),
        "opposed": crossed_mean(_only(agreeing(one.first, sure), apart), answers.seeds, seed).as_dict(),
    }


def _majority(answers: Answers, matching: list[Opinion], seed: int) -> dict[str, Any]:
    """How often one judge agrees with the majority of the others, and how often each run does, on the same cells.

    An even number of others can be split, which counts half whatever the judge or the run says; so the numbers of
    rounds with different numbers of judges do not compare, but a judge and a run do. It is no bound: a run that knows
    what most people say is ahead of a single judge.
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


def _alpha(answers: Answers, asked: BoolArray, seed: int) -> dict[str, Any]:
    """Alpha of the choices, and with "can't tell" as a third category.

    Which candidate is the first was drawn at random, so neither category is the more frequent by its meaning, and
    judges who all follow one model do not look as if they agreed by chance.
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


def _consistent(answers: Answers) -> FloatArray:
    return agreeing(decided(answers.first), decided(answers.again))


def _unsure(answers: Answers) -> float | None:
    given = np.isfinite(answers.first)
    return float((answers.first[given] == 0.5).mean()) if given.any() else None


def _judge(answers: Answers, number: int) -> dict[str, Any]:
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
