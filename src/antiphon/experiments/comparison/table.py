"""Rows of a comparison: one for each pair of backbones and method."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from antiphon.experiments.cells import WAYS, Cell, Outcome
from antiphon.experiments.study import UNTRAINED, ResolvedStep
from antiphon.experiments.study_table import Trainings, compared, over_trainings, trainings_of
from antiphon.features.features import Features


def comparison_rows(
    features: Mapping[str, Features], steps: Sequence[ResolvedStep], outcomes: Mapping[str, Mapping[Cell, Outcome]]
) -> list[dict[str, Any]]:
    """Summarise the outcomes of all methods on all pairs of backbones.

    Parameters
    ----------
    features : mapping of str to Features
        Features by name of the pair of backbones.
    steps : sequence of ResolvedStep
        The methods.
    outcomes : mapping of str to mapping of Cell to Outcome
        Outcomes by name of the pair of backbones.

    Returns
    -------
    list of dict
        Rows as `antiphon.experiments.comparison.compare` describes them.
    """
    trained = {(name, step.name): trainings_of(outcomes[name], step.name, "all") for name in features for step in steps}
    draws = max((len(trainings) for trainings in trained.values()), default=0)
    untrained = [
        key for key, trainings in trained.items() if key[1] in UNTRAINED and trainings and len(trainings) == draws
    ]
    reference = min(untrained, key=lambda key: typical_rank(trained[key]), default=None)
    rows: list[dict[str, Any]] = []
    for name, each in features.items():
        for step in steps:
            ours = trained[name, step.name]
            row = _row(name, each, step, ours, outcomes[name])
            if ours and reference is not None:
                found = compared(ours, trained[reference])
                over = {"backbones": reference[0], "method": reference[1]}
                row["gain"] = None if found is None or reference == (name, step.name) else over | found["both"]
            rows.append(row)
    return rows


def typical_rank(trainings: Trainings) -> float:
    """Return the geometric mean of all ranks, in both directions."""
    every = [np.log(outcome.ranks[way]) for several in trainings.values() for outcome in several for way in WAYS]
    return float(np.exp(np.concatenate(every).mean()))


def _row(
    name: str, features: Features, step: ResolvedStep, ours: Trainings, outcomes: Mapping[Cell, Outcome]
) -> dict[str, Any]:
    reasons = {outcome.reason for cell, outcome in outcomes.items() if cell.step.name == step.name and outcome.reason}
    several = [outcome for trainings in ours.values() for outcome in trainings]
    row: dict[str, Any] = {
        "backbones": name,
        "audio": features.audio_name,
        "video": features.video_name,
        "dims": [features.audio.shape[1], features.video.shape[1]],
        "method": step.name,
        "trained": step.name not in UNTRAINED,
        "trainings": len(several),
        "failed": sorted(reasons),
    }
    if not several:
        return row
    pool = float(np.mean([len(trainings[0].queries) for trainings in ours.values()]))
    row |= {"n": pool, "chance": (pool + 1) / 2, "typical_rank": typical_rank(ours), "gain": None}
    row["train_pairs"] = float(np.mean([outcome.about["train_pairs"] for outcome in several]))
    row["train_s"] = float(np.median([outcome.about["processor_s"] for outcome in several]))
    return row | {way: over_trainings(ours, way) for way in WAYS}
