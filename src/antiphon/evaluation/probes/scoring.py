"""Fit the classifiers of one deal, and keep what they say of unseen rows."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.evaluation.probes.classifiers import Kind, Labelled, Probe, fit_probe
from antiphon.evaluation.probes.dealing import Deal
from antiphon.evaluation.probes.fusion import FUSIONS
from antiphon.evaluation.probes.levels import Level
from antiphon.evaluation.probes.targets import Targets
from antiphon.evaluation.representations import BASELINES, Representation
from antiphon.evaluation.results import ProbeScores
from antiphon.metrics.classification_metrics import METRICS, Measured, classification, macro, measured
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


def table(scored: Sequence[Scored], seed: int, report: Callable[[str], None]) -> list[dict[str, Any]]:
    """Return a row for each of `scored`: what `antiphon.metrics.classification` finds, and the gap to the baseline.

    The baseline of a row with embeddings is, for each metric, whichever of the three backbone rows (same classifier,
    same level) did best on the validation rows; that of a fusion is chosen among the perceptron's. By split the test
    rows have no say in it; out of fold the validation rows of one fold are judged in another.
    """
    found: dict[int, Measured] = {}
    rows: list[dict[str, Any]] = []
    for place, one in enumerate(scored):
        report(f"{one.representation}, {one.kind}")
        scores, targets, groups = _judged(one)
        found[place] = measured(scores, targets, groups, seed=seed)
        names = one.level.targets.names
        numbers = classification(scores, targets, groups, names=names, seed=seed, found=found[place])
        about = {"representation": one.representation, "of": one.of, "dim": one.dim, "kind": one.kind}
        rows.append(about | {"level": one.level.name} | numbers)
    for place, one in enumerate(scored):
        rivals = _rivals(one, scored)
        for metric in METRICS:
            rows[place][metric]["validation"] = _finite(one.on_validation(metric))
            if rivals:
                best = max(rivals, key=lambda rival: scored[rival].on_validation(metric))
                gap = found[place].difference(found[best], metric)
                rows[place][metric]["difference"] = {"baseline": scored[best].representation, **gap}
    return rows


def _rivals(one: Scored, scored: Sequence[Scored]) -> list[int]:
    """Return the places of the backbone rows that a row is compared with; none for a backbone row itself."""
    if one.representation in BASELINES and one.kind not in FUSIONS:
        return []
    judge = "perceptron" if one.kind in FUSIONS else one.kind
    return [
        place
        for place, it in enumerate(scored)
        if it.representation in BASELINES and (it.kind, it.level.name) == (judge, one.level.name)
    ]


def score_table(scored: Sequence[Scored]) -> pa.Table:
    """Return all scores: a row for each item, classifier and training.

    Columns: `representation`, `kind`, `level`, `seed` (number of the training), `id`, `video_id`, `target` (labels that
    the item has, of those that were judged) and `scores` (float32, one for each of the labels, in the order of the
    result's "labels").
    """
    return pa.concat_tables([_part(one, number) for one in scored for number in range(len(one.by_seed))])


def kept_scores(one: Scored) -> ProbeScores:
    """Return what a classifier says of the items that it was judged on.

    Parameters
    ----------
    one : Scored
        Scores of one classifier, on one representation and level.
    """
    scores, targets, groups = _judged(one)
    return ProbeScores(scores, targets, groups, one.level.ids[one.judged])


def _part(one: Scored, number: int) -> pa.Table:
    items, names = one.judged, np.array(one.level.targets.names)
    targets = [names[row].tolist() for row in one.level.targets.matrix[items]]
    scores = pa.FixedSizeListArray.from_arrays(pa.array(one.by_seed[number][items].ravel()), len(names))
    return pa.table(
        {
            "representation": _repeated(one.representation, len(items)),
            "kind": _repeated(one.kind, len(items)),
            "level": _repeated(one.level.name, len(items)),
            "seed": pa.array(np.full(len(items), number, dtype=np.int32)),
            "id": pa.array(one.level.ids[items].tolist(), pa.string()),
            "video_id": pa.array(one.level.groups[items].tolist(), pa.string()),
            "target": pa.array(targets, pa.list_(pa.string())),
            "scores": scores,
        }
    )


def _repeated(text: str, count: int) -> pa.Array:
    return pa.array([text] * count, pa.string())


def _judged(one: Scored) -> tuple[list[Any], Any, Any]:
    items = one.judged
    scores = [scores[items] for scores in one.by_seed]
    return scores, one.level.targets.take(items).for_metrics(), one.level.groups[items]


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
