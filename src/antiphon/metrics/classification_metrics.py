"""Classification metrics: how well scores predict labels, as macro means over the labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.metrics.groups import group_numbers, permuted_rows, weight_blocks
from antiphon.metrics.results import ClassificationResult
from antiphon.metrics.separation import Separation, permuted_separation
from antiphon.seeding import generator

METRICS = ("roc_auc", "pr_auc", "f1")
_THRESHOLD = 0.5
_TAILS = (2.5, 97.5)

FloatArray = npt.NDArray[np.floating]
BoolArray = npt.NDArray[np.bool_]
ByMetric = dict[str, npt.NDArray[np.float64]]


@dataclass(frozen=True)
class Measured:
    """Metrics of the scores of several trainings on the same rows.

    Attributes
    ----------
    by_label : dict of str to ndarray of float64
        Mean over the trainings of each metric, shape (labels,); NaN for a label without positives or without negatives.
    resampled : dict of str to ndarray of float64
        Macro mean of each metric in each resample of the groups, averaged over the trainings, shape (resamples,).
    short : float
        Mean number of labels that a resample leaves out beyond those left out of `by_label`.
    """

    by_label: ByMetric
    resampled: ByMetric
    short: float

    def macro(self, metric: str) -> float:
        """Average a metric over the labels with positives and negatives.

        Parameters
        ----------
        metric : str
            One of `METRICS`.

        Returns
        -------
        float
            Macro mean.
        """
        return float(_macro(self.by_label[metric][:, None])[0])

    def interval(self, metric: str) -> list[float]:
        """Return the middle 95% of the resamples of a metric.

        Parameters
        ----------
        metric : str
            One of `METRICS`.

        Returns
        -------
        list of float
            Lower and upper bound.
        """
        return interval(self.resampled[metric])

    def difference(self, other: "Measured", metric: str) -> dict[str, Any]:
        """Compare with other scores, resample by resample.

        Parameters
        ----------
        other : Measured
            Metrics on the same rows, with the same groups and seed.
        metric : str
            One of `METRICS`.

        Returns
        -------
        dict of str to object
            {"value", "ci95"} of these minus those.
        """
        gaps = self.resampled[metric] - other.resampled[metric]
        return {"value": self.macro(metric) - other.macro(metric), "ci95": interval(gaps)}


def classification(
    scores: npt.ArrayLike,
    targets: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
    *,
    names: Sequence[str] | None = None,
    seed: int = 0,
    resamples: int = 1000,
    permutations: int = 200,
    found: Measured | None = None,
) -> ClassificationResult:
    """Compute macro ROC-AUC, macro PR-AUC (average precision) and macro F1, as scikit-learn defines them.

    Every label counts alike. Labels that no row or every row has cannot be judged: they are left out of the three means
    and listed. Each number comes with its chance level; a 95% bootstrap interval over the groups (videos), in whose
    resamples the same rule leaves labels out; and the null of these very scores, the middle 95% of the same number when
    the groups' targets are permuted at random.

    Parameters
    ----------
    scores : array_like, shape (n, labels) or (trainings, n, labels)
        Scores, of one or several training seeds. With several, values and resamples are means over the seeds: the
        interval covers other videos, for these trainings.
    targets : array_like, shape (n, labels) or (n,)
        0 and 1 per label, each label judged for itself (F1 of scores of at least 0.5); or integers, one class per row
        (one-vs-rest; F1 of the class with the highest score).
    groups : array_like, shape (n,), optional
        Video of each row, the unit that is resampled and permuted. Default: every row is its own.
    names : sequence of str, optional
        Names of the labels. Default: "0", "1", …
    seed : int, default 0
        Seed of the bootstrap and the permutations.
    resamples, permutations : int, default 1000
        Number of each, at least 1.
    found : Measured, optional
        Result of `measured` for the same arguments, if available.

    Returns
    -------
    ClassificationResult
        A mapping with "roc_auc", "pr_auc", "f1": each {"value", "chance", "ci95", "null95", "worst": {"label",
        "value"}}; chance is 0.5 for ROC-AUC and for the others the mean prevalence, which is what random scores, and
        guesses as frequent as the label, are expected to give. "n" rows, "groups", "seeds"; "labels" that were judged;
        "left_out" [{"label", "reason"}]; "left_out_per_resample", the mean number that resamples leave out beyond
        these; "by_label" {label: {"positives", "roc_auc", "pr_auc", "f1"}}.

    Raises
    ------
    ValueError
        Scores and targets do not fit each other, have values that are not finite, or no label can be judged.
    """
    several, wanted, labels = _checked(scores, targets, names)
    numbers = group_numbers(groups, len(wanted))
    one_class = np.ndim(targets) == 1
    found = found or measured(several, targets, groups, seed=seed, resamples=resamples)
    nulls = _nulls(several, wanted, one_class, numbers, permutations, seed)
    judged = np.flatnonzero(np.isfinite(found.by_label["roc_auc"]))
    prevalence = float(wanted[:, judged].mean())
    result: dict[str, Any] = {"n": len(wanted), "groups": int(numbers.max()) + 1, "seeds": len(several)}
    for metric in METRICS:
        worst = judged[np.argmin(found.by_label[metric][judged])]
        result[metric] = {
            "value": found.macro(metric),
            "chance": 0.5 if metric == "roc_auc" else prevalence,
            "ci95": found.interval(metric),
            "null95": interval(nulls[metric]),
            "worst": {"label": labels[worst], "value": float(found.by_label[metric][worst])},
        }
    positives = wanted.sum(axis=0)
    return ClassificationResult(
        result
        | {
            "labels": [labels[label] for label in judged],
            "left_out": [
                {"label": name, "reason": "no row has it" if count == 0 else "every row has it"}
                for name, count in zip(labels, positives, strict=True)
                if count in {0, len(wanted)}
            ],
            "left_out_per_resample": found.short,
            "by_label": {
                labels[label]: {"positives": int(positives[label])}
                | {metric: float(found.by_label[metric][label]) for metric in METRICS}
                for label in judged
            },
        }
    )


def paired_difference(
    scores_a: npt.ArrayLike,
    scores_b: npt.ArrayLike,
    targets: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
    *,
    seed: int = 0,
    resamples: int = 1000,
) -> dict[str, dict[str, Any]]:
    """Compare two sets of scores on the same rows, in the same resamples of the groups.

    What is hard for both cancels out.

    Parameters
    ----------
    scores_a, scores_b : array_like
        Scores to compare; see `classification`.
    targets : array_like
        Targets; see `classification`.
    groups : array_like, optional
        Video of each row.
    seed : int, default 0
        Seed of the bootstrap.
    resamples : int, default 1000
        Number of resamples.

    Returns
    -------
    dict of str to dict of str to object
        {"value", "ci95"} of `scores_a` minus `scores_b`, by metric.

    Raises
    ------
    ValueError
        As in `classification`.
    """
    a, b = (measured(scores, targets, groups, seed=seed, resamples=resamples) for scores in (scores_a, scores_b))
    return {metric: a.difference(b, metric) for metric in METRICS}


def measured(
    scores: npt.ArrayLike,
    targets: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
    *,
    seed: int = 0,
    resamples: int = 1000,
) -> Measured:
    """Compute the values and resamples behind `classification` and `paired_difference`.

    Parameters
    ----------
    scores : array_like
        Scores; see `classification`.
    targets : array_like
        Targets; see `classification`.
    groups : array_like, optional
        Video of each row.
    seed : int, default 0
        Seed of the bootstrap.
    resamples : int, default 1000
        Number of resamples.

    Returns
    -------
    Measured
        Values by label, and resampled macro means.

    Raises
    ------
    ValueError
        As in `classification`.
    """
    several, wanted, _ = _checked(scores, targets, None)
    _refuse_less_than_one(resamples=resamples)
    plans = [_Plan.of(one, wanted, np.ndim(targets) == 1) for one in several]
    whole = _mean_over_seeds(plans, np.ones((len(wanted), 1), dtype=np.int32))
    if np.isnan(whole["roc_auc"]).all():
        raise ValueError("No label has both rows with it and rows without: there is nothing to judge.")
    numbers = group_numbers(groups, len(wanted))
    parts: list[ByMetric] = []
    for weights in weight_blocks(numbers, resamples, generator(seed, "classification", "bootstrap")):
        parts.append(_mean_over_seeds(plans, np.ascontiguousarray(weights.T)))
    drawn = {metric: np.concatenate([part[metric] for part in parts], axis=1) for metric in METRICS}
    by_label = {metric: values[:, 0] for metric, values in whole.items()}
    short = np.isnan(drawn["roc_auc"]).sum(axis=0).mean() - np.isnan(by_label["roc_auc"]).sum()
    return Measured(by_label, {metric: _macro(values) for metric, values in drawn.items()}, float(short))


def macro(scores: npt.ArrayLike, targets: npt.ArrayLike) -> dict[str, float]:
    """Compute only the three macro means of one training's scores.

    Parameters
    ----------
    scores : array_like
        Scores; see `classification`.
    targets : array_like
        Targets; see `classification`.

    Returns
    -------
    dict of str to float
        Macro mean by metric.

    Raises
    ------
    ValueError
        As in `classification`.
    """
    several, wanted, _ = _checked(scores, targets, None)
    found = _Plan.of(several[0], wanted, np.ndim(targets) == 1).measure(np.ones((len(wanted), 1), dtype=np.int32))
    return {metric: float(_macro(values)[0]) for metric, values in found.items()}


def interval(values: FloatArray) -> list[float]:
    """Return the middle 95% of values, ignoring NaN, which marks resamples where nothing could be judged.

    Parameters
    ----------
    values : ndarray of float, shape (resamples,)
        Resampled values.

    Returns
    -------
    list of float
        Lower and upper bound.
    """
    return [float(edge) for edge in np.nanpercentile(values, _TAILS)]


@dataclass(frozen=True)
class _Plan:
    """One training's scores, sorted once: (n, labels) targets and predictions, and the order of each label."""

    targets: BoolArray
    predicted: BoolArray
    labels: list[Separation]

    @classmethod
    def of(cls, scores: FloatArray, targets: BoolArray, one_class: bool) -> "_Plan":
        separations = [Separation.of(scores[:, label], targets[:, label]) for label in range(targets.shape[1])]
        return cls(targets, _predicted(scores, one_class), separations)

    def measure(self, weights: npt.NDArray[np.integer]) -> ByMetric:
        """Return each metric under (n, b) weights, shape (labels, b); NaN where a label cannot be judged."""
        curves = [label.measure(weights) for label in self.labels]
        areas, averages = (np.stack([curve[which] for curve in curves]) for which in (0, 1))
        counted = weights.astype(np.float64)
        hits = (self.targets & self.predicted).T.astype(np.float64) @ counted
        either = (self.targets.astype(np.float64) + self.predicted).T @ counted
        return {"roc_auc": areas, "pr_auc": averages, "f1": np.where(np.isnan(areas), np.nan, _f1(hits, either))}


def _predicted(scores: FloatArray, one_class: bool) -> BoolArray:
    if one_class:
        return np.arange(scores.shape[1]) == scores.argmax(axis=1)[:, None]
    return scores >= _THRESHOLD


def _f1(hits: FloatArray, either: FloatArray) -> npt.NDArray[np.float64]:
    """Compute 2 TP / (rows with the label + rows predicted to have it); 0 where there are none of both."""
    return 2 * hits / np.where(either > 0, either, 1)


def _mean_over_seeds(plans: Sequence[_Plan], weights: npt.NDArray[np.integer]) -> ByMetric:
    found = [plan.measure(weights) for plan in plans]
    return {metric: np.mean([one[metric] for one in found], axis=0) for metric in METRICS}


def _macro(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the (b,) means over labels of (labels, b) values, ignoring NaN; NaN where all are."""
    there = ~np.isnan(values)
    counts = there.sum(axis=0)
    return np.where(counts > 0, np.where(there, values, 0).sum(axis=0) / np.maximum(counts, 1), np.nan)


def _nulls(
    several: Sequence[FloatArray],
    targets: BoolArray,
    one_class: bool,
    numbers: npt.NDArray[np.int64],
    permutations: int,
    seed: int,
) -> ByMetric:
    """Return the (permutations,) macro means when the groups' targets are permuted at random."""
    _refuse_less_than_one(permutations=permutations)
    permuted = permuted_rows(numbers, permutations, generator(seed, "classification", "null"))
    predicted = [_predicted(scores, one_class) for scores in several]
    found: dict[str, list[npt.NDArray[np.float64]]] = {metric: [] for metric in METRICS}
    for label in range(targets.shape[1]):
        others = targets[:, label][permuted]
        curves = [permuted_separation(scores[:, label], others) for scores in several]
        counts = others.sum(axis=1)
        marked = [prediction[:, label] for prediction in predicted]
        scored = [_f1((others & mark).sum(axis=1), counts + mark.sum()) for mark in marked]
        area, average = (np.mean([curve[which] for curve in curves], axis=0) for which in (0, 1))
        found["roc_auc"].append(area)
        found["pr_auc"].append(average)
        found["f1"].append(np.where(np.isnan(area), np.nan, np.mean(scored, axis=0)))
    return {metric: _macro(np.stack(values)) for metric, values in found.items()}


def _checked(
    scores: npt.ArrayLike, targets: npt.ArrayLike, names: Sequence[str] | None
) -> tuple[list[npt.NDArray[np.float64]], BoolArray, list[str]]:
    stacked = np.asarray(scores, dtype=np.float64)
    several = list(stacked if stacked.ndim == 3 else stacked[None])
    shape = stacked.shape[-2:]
    if stacked.ndim not in {2, 3} or 0 in stacked.shape:
        raise ValueError(f"scores: has shape {stacked.shape}; give (n, labels), or a list of such, one a training.")
    if not all(np.isfinite(one).all() for one in several):
        raise ValueError("scores: hold values that are not finite.")
    given = np.asarray(targets)
    if given.ndim == 1 and len(given) == shape[0] and np.issubdtype(given.dtype, np.integer):
        if given.min() < 0 or given.max() >= shape[1]:
            raise ValueError(f"targets: hold classes from {given.min()} to {given.max()}; scores have {shape[1]}.")
        wanted = np.arange(shape[1]) == given[:, None]
    elif given.shape == shape and np.isin(given, (0, 1)).all():
        wanted = given.astype(bool)
    else:
        raise ValueError(
            f"targets: {given.dtype} {given.shape} fits no scores of shape {shape}; give (n, labels) of 0 and 1, "
            "or (n,) integers."
        )
    labels = [str(label) for label in range(shape[1])] if names is None else list(names)
    if len(labels) != shape[1]:
        raise ValueError(f"names: {len(labels)} names for {shape[1]} labels.")
    return several, wanted, labels


def _refuse_less_than_one(**counts: int) -> None:
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{name}: {count} is less than 1.")
