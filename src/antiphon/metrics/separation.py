"""Separation of one label's rows from the others by their scores: ROC-AUC and average precision, exact and weighted."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]
BoolArray = npt.NDArray[np.bool_]
Curves = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]


@dataclass(frozen=True)
class Separation:
    """One label's rows in order of score, sorted once and measured under any weights.

    Only scores that some positive row has matter: between two of them the weights of the negatives are summed.

    Attributes
    ----------
    positives, negatives : ndarray of intp
        Rows with and without the label, best score first.
    firsts : ndarray of intp, shape (k,)
        Start of each distinct score in `positives`.
    edges : ndarray of intp
        Positions at which the sorted negatives are cut, 0 first.
    above, not_below : ndarray of intp, shape (k,)
        For each distinct score, the edge after the negatives with higher scores, and after those with at least that
        score.
    """

    positives: npt.NDArray[np.intp]
    negatives: npt.NDArray[np.intp]
    firsts: npt.NDArray[np.intp]
    edges: npt.NDArray[np.intp]
    above: npt.NDArray[np.intp]
    not_below: npt.NDArray[np.intp]

    @classmethod
    def of(cls, scores: FloatArray, targets: BoolArray) -> Self:
        """Sort the scores of one label.

        Parameters
        ----------
        scores : ndarray of float, shape (n,)
            Scores of the label.
        targets : ndarray of bool, shape (n,)
            Rows with the label.

        Returns
        -------
        Separation
            The sorted rows.
        """
        order = np.argsort(-scores, kind="stable")
        positives, negatives = order[targets[order]], order[~targets[order]]
        distinct, firsts = np.unique(-scores[positives], return_index=True)
        above = np.searchsorted(-scores[negatives], distinct, side="left")
        not_below = np.searchsorted(-scores[negatives], distinct, side="right")
        edges = np.unique(np.concatenate([[0], above, not_below]))
        places = (np.searchsorted(edges, place) for place in (above, not_below))
        return cls(positives, negatives, firsts, edges, *places)

    def measure(self, weights: npt.NDArray[np.integer]) -> Curves:
        """Compute ROC-AUC and average precision under weights.

        They equal scikit-learn's `roc_auc_score` and `average_precision_score` with `sample_weight`: ties count half in
        the first and share one threshold in the second.

        Parameters
        ----------
        weights : ndarray of int, shape (n, b)
            Weights of the rows, one set per column.

        Returns
        -------
        roc_auc, average_precision : ndarray of float64, shape (b,)
            NaN where no positive or no negative row has weight.
        """
        columns = weights.shape[1]
        if not len(self.positives) or not len(self.negatives):
            return np.full(columns, np.nan), np.full(columns, np.nan)
        found = np.add.reduceat(weights[self.positives], self.firsts, axis=0, dtype=weights.dtype).astype(np.float64)
        cuts = self.edges[self.edges < len(self.negatives)]
        between = np.add.reduceat(weights[self.negatives], cuts, axis=0, dtype=weights.dtype).astype(np.float64)
        running = np.concatenate([np.zeros((1, columns)), np.cumsum(between, axis=0)])
        above, not_below = running[self.above], running[self.not_below]
        hits = np.cumsum(found, axis=0)
        total, others = hits[-1], running[-1]
        with np.errstate(invalid="ignore", divide="ignore"):
            area = (found * (others - (above + not_below) / 2)).sum(axis=0) / (total * others)
            precision = np.where(found > 0, hits / (hits + not_below), 0)
            average = (found * precision).sum(axis=0) / total
        return area, np.where(others > 0, average, np.nan)


def permuted_separation(scores: FloatArray, targets: BoolArray) -> Curves:
    """Compute ROC-AUC and average precision of the same scores for many targets, by a single sort.

    Parameters
    ----------
    scores : ndarray of float, shape (n,)
        Scores of a label.
    targets : ndarray of bool, shape (b, n)
        Targets.

    Returns
    -------
    roc_auc, average_precision : ndarray of float64, shape (b,)
        NaN where there is no positive or no negative row.
    """
    order = np.argsort(-scores, kind="stable")
    descending = -scores[order]
    starts = np.searchsorted(descending, descending, side="left")
    ends = np.searchsorted(descending, descending, side="right")
    areas, averages = np.full(len(targets), np.nan), np.full(len(targets), np.nan)
    for index, row in enumerate(targets):
        places = np.flatnonzero(row[order])
        total, others = len(places), len(order) - len(places)
        if not total or not others:
            continue
        first, last = starts[places], ends[places]
        hits_above, hits = np.searchsorted(places, first), np.searchsorted(places, last)
        beaten = others - ((first - hits_above) + (last - hits)) / 2
        areas[index] = beaten.mean() / others
        averages[index] = (hits / last).mean()
    return areas, averages
