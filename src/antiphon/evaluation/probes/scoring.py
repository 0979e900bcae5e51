"""Fit the classifiers of one deal, and keep what they say of unseen rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from antiphon.evaluation.probes.classifiers import Kind, Labelled, Probe, fit_probe
from antiphon.evaluation.probes.dealing import Deal
from antiphon.evaluation.probes.fusion import FUSIONS
from antiphon.evaluation.probes.levels import Level
from antiphon.evaluation.probes.targets import Targets
from antiphon.evaluation.representations import Representation
from antiphon.metrics.classification_metrics import macro
from antiphon.seeding import derived_seed

FloatArray = npt.NDArray[np.float32]


@dataclass(eq=False)
class Scored:
    """What the trainings of one kind of classifier on one representation say of the items of one level.

    Attributes
    ----------
    by_seed : list of ndarray
        One (m, labels) array a training, NaN for items that no deal has judged.
    validation : list of dict
        For each training of each deal, the three macro means on the rows that stopped it.
    """

    representation: str
    of: str
    dim: int
    kind: Kind
    level: Level
    by_seed: list[FloatArray]
    validation: list[dict[str, float]] = field(default_factory=list[dict[str, float]])

    @property
    def judged(self) -> npt.NDArray[np.intp]:
        """The items that have scores."""
        return np.flatnonzero(~np.isnan(self.by_seed[0][:, 0]))

    def on_validation(self, metric: str) -> float:
        """Return the mean of the metric over trainings and deals; minus infinity where nothing could be judged."""
        found = [one[metric] for one in self.validation if not np.isnan(one[metric])]
        return float(np.mean(found)) if found else float("-inf")


def trainings(kind: Kind, seeds: int) -> int:
    """Return how often a classifier is trained: the linear one is deterministic."""
    return 1 if kind == "linear" else seeds


def score(
    representation: Representation,
    kind: Kind,
    deal: Deal,
    targets: Targets,
    into: Sequence[Scored],
    seed: int,
) -> None:
    """Fit a classifier for each seed on the rows of `deal`, and fill in the scores of each level."""
    values, exclusive = representation.values, targets.target == "genre"
    train, validation = (Labelled(values[rows], targets.matrix[rows]) for rows in (deal.train, deal.validation))
    for number in range(len(into[0].by_seed)):
        training = derived_seed(seed, "probes", number)
        fitted = fit_probe(kind, train, validation, exclusive=exclusive, seed=training, widths=representation.widths)
        for scored in into:
            items = scored.level.items(deal.test)
            scored.by_seed[number][items] = fitted.scores(scored.level.means(values, items))
            scored.validation.append(_on_validation(fitted, scored.level, values, deal))


def empty(
    representations: Iterable[Representation], kinds: Sequence[Kind], levels: Sequence[Level], seeds: int
) -> dict[tuple[str, Kind], list[Scored]]:
    """Return empty places for all scores: (representation, kind) → one for each level."""
    return {
        (one.name, kind): [
            Scored(one.name, one.of, one.values.shape[1], kind, level, _blank(level, trainings(kind, seeds)))
            for level in levels
        ]
        for one in representations
        for kind in kinds
        if takes(kind, one.name)
    }


def takes(kind: Kind, representation: str) -> bool:
    """Return whether a classifier takes a representation: fusions need both backbones, the others take any."""
    return kind not in FUSIONS or representation == "both backbones"


def _blank(level: Level, count: int) -> list[FloatArray]:
    return [np.full(level.targets.matrix.shape, np.nan, dtype=np.float32) for _ in range(count)]


def _on_validation(fitted: Probe, level: Level, values: FloatArray, deal: Deal) -> dict[str, float]:
    items = level.items(deal.validation)
    scores, targets = fitted.scores(level.means(values, items)), level.targets.take(items).for_metrics()
    return macro(scores, targets)
