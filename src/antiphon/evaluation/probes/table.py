"""Table of all classifiers and representations, with intervals and the difference of heads to the best backbone."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from antiphon.evaluation.probes.fusion import FUSIONS
from antiphon.evaluation.probes.scoring import Scored
from antiphon.evaluation.representations import BASELINES
from antiphon.evaluation.results import ProbeScores
from antiphon.metrics.classification_metrics import METRICS, Measured, classification, measured


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
