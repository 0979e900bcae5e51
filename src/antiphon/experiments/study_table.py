"""Tables of a study: one row per step and size, with intervals and paired differences."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.experiments.cells import WAYS, Cell, Outcome
from antiphon.experiments.study import CCA, ResolvedStep, Size, Study
from antiphon.metrics.draws import over_draws
from antiphon.metrics.paired import rank_ratio

METRICS = ("median_rank", "recall@10", "mrr")

_BOTH = "both"

Trainings = Mapping[int, list[Outcome]]
"""Successful trainings of one step and size, by draw."""


def study_table(study: Study, steps: Sequence[ResolvedStep], outcomes: Mapping[Cell, Outcome]) -> dict[str, Any]:
    """Summarise the cells of a study.

    Parameters
    ----------
    study : Study
        The study.
    steps : sequence of ResolvedStep
        Its steps.
    outcomes : mapping of Cell to Outcome
        Outcomes of all cells.

    Returns
    -------
    dict
        "rows": for each step and size "step", "label", "size", "trainings", "failed" (reasons), and, after a successful
        training, "train_pairs", "n" (the pool, averaged over draws), "chance" of the median rank, "a2v" and "v2a": each
        metric averaged over draws and trainings with its 95% interval, "null95" (the widest of all trainings' middle
        95%) and "by_training"; under "against" the "previous" step, the "reference" and "cca", if there are such: the
        factor by which partners rank higher than with theirs, in "both" directions together and each, with 95%
        interval, paired by query over all draws. "cells": result of each cell.
    """
    rows = [_row(study, steps, step, size, outcomes) for size in study.videos for step in steps]
    return {"rows": rows, "cells": [_cell(cell, outcome) for cell, outcome in outcomes.items()]}


def trainings_of(outcomes: Mapping[Cell, Outcome], step: str, size: Size) -> Trainings:
    """Return the successful trainings of one step and size, by draw."""
    found: dict[int, list[Outcome]] = {}
    for cell, outcome in outcomes.items():
        if (cell.step.name, cell.size) == (step, size) and not outcome.reason:
            found.setdefault(cell.draw, []).append(outcome)
    return found


def _row(
    study: Study, steps: Sequence[ResolvedStep], step: ResolvedStep, size: Size, outcomes: Mapping[Cell, Outcome]
) -> dict[str, Any]:
    ours = trainings_of(outcomes, step.name, size)
    all_of_it = [outcome for several in ours.values() for outcome in several]
    reasons = [
        outcome.reason
        for cell, outcome in outcomes.items()
        if (cell.step.name, cell.size) == (step.name, size) and outcome.reason
    ]
    row: dict[str, Any] = {"step": step.name, "label": step.label, "size": size, "trainings": len(all_of_it)}
    row |= {"failures": len(reasons), "failed": sorted(set(reasons))}
    if not ours:
        return row
    pool = float(np.mean([len(several[0].queries) for several in ours.values()]))
    row |= {"n": pool, "chance": (pool + 1) / 2}
    row["train_pairs"] = float(np.mean([outcome.about["train_pairs"] for outcome in all_of_it]))
    row |= {way: over_trainings(ours, way) for way in WAYS} | {"against": {}}
    for role, other in _others(study, [each.name for each in steps], step.name).items():
        gain = compared(ours, trainings_of(outcomes, other, size))
        if gain is not None:
            row["against"][role] = {"step": other} | gain
    return row


def _others(study: Study, names: Sequence[str], name: str) -> dict[str, str]:
    """Return the steps that a step is compared with, by role."""
    before = [other for other in names[: names.index(name)] if other != CCA]
    found = {"previous": before[-1]} if before and name != CCA else {}
    found["reference"] = study.reference or names[-1]
    if CCA in names:
        found["cca"] = CCA
    return {role: other for role, other in found.items() if other != name}


def over_trainings(ours: Trainings, way: str) -> dict[str, Any]:
    """Average one direction's rank metrics over draws and trainings.

    Parameters
    ----------
    ours : mapping of int to list of Outcome
        Successful trainings, by draw.
    way : {'a2v', 'v2a'}
        Direction.

    Returns
    -------
    dict
        "median_rank", "recall@10" and "mrr", each with "value" and "ci95"; "null95", the widest of all trainings'
        middle 95% of the median rank under permutation; "by_training", their median ranks.
    """
    ranks = [np.stack([outcome.ranks[way] for outcome in several]) for several in ours.values()]
    found = over_draws(ranks, [several[0].groups for several in ours.values()])
    all_of_it = [outcome for several in ours.values() for outcome in several]
    edges = np.array([np.percentile(outcome.null[way], [2.5, 97.5]) for outcome in all_of_it])
    return {name: found[name] for name in METRICS} | {
        "null95": [float(edges[:, 0].min()), float(edges[:, 1].max())],
        "by_training": [float(np.median(outcome.ranks[way])) for outcome in all_of_it],
    }


def compared(ours: Trainings, theirs: Trainings) -> dict[str, Any] | None:
    """Return the factor by which partners rank higher than with another, paired by query.

    Parameters
    ----------
    ours, theirs : mapping of int to list of Outcome
        Successful trainings of two steps, by draw.

    Returns
    -------
    dict, optional
        "ratio" and "ci95" of "both" directions together, "a2v" and "v2a", over the draws that both have; None without
        such draws.
    """
    shared = [draw for draw in ours if draw in theirs]
    if not shared:
        return None
    groups = np.concatenate([ours[draw][0].groups for draw in shared])
    found: dict[str, Any] = {}
    for label, ways in ((_BOTH, WAYS), *((way, (way,)) for way in WAYS)):
        sides = [
            np.concatenate([_typical(trainings[draw], way) for way in ways for draw in shared])
            for trainings in (ours, theirs)
        ]
        ratio, ci95 = rank_ratio(sides[0], sides[1], np.tile(groups, len(ways)))
        found[label] = {"ratio": ratio, "ci95": ci95}
    return found


def _typical(trainings: Sequence[Outcome], way: str) -> npt.NDArray[np.float64]:
    """Return the (n,) geometric means of each query's ranks over trainings."""
    return np.exp(np.log(np.stack([outcome.ranks[way] for outcome in trainings])).mean(axis=0))


def _cell(cell: Cell, outcome: Outcome) -> dict[str, Any]:
    medians = {way: float(np.median(outcome.ranks[way])) if len(outcome.queries) else None for way in WAYS}
    about = {"step": cell.step.name, "size": cell.size, "draw": cell.draw, "seed": cell.seed}
    return about | medians | {name: outcome.about.get(name) for name in ("train_pairs", "epochs", "reason")}
