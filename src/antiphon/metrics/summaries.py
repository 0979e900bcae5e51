"""Summaries of a list of ranks, plain or weighted, and their chance levels."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]
Summary = dict[str, npt.NDArray[np.float64]]


def summarise(ranks: FloatArray, ks: Sequence[int]) -> Summary:
    """Compute median and mean rank, MRR and recall@k over the last axis.

    Parameters
    ----------
    ranks : ndarray of float, shape (..., n)
        Ranks from 1, the best.
    ks : sequence of int
        Cut-offs of recall@k; ranks of at most k count.

    Returns
    -------
    dict of str to ndarray of float64
        "median_rank", "mean_rank", "mrr" and "recall@k", each of shape (...).

    Examples
    --------
    >>> {key: float(value) for key, value in summarise(np.array([1.0, 2.0, 4.0]), ks=(1,)).items()}
    {'median_rank': 2.0, 'mean_rank': 2.3333333333333335, 'mrr': 0.5833333333333334, 'recall@1': 0.3333333333333333}
    """
    result: Summary = {
        "median_rank": np.median(ranks, axis=-1).astype(np.float64),
        "mean_rank": ranks.mean(axis=-1, dtype=np.float64),
        "mrr": (1 / ranks).mean(axis=-1, dtype=np.float64),
    }
    return result | {f"recall@{k}": (ranks <= k).mean(axis=-1) for k in ks}


def summarise_weighted(ranks: FloatArray, weights: npt.NDArray[np.integer], ks: Sequence[int]) -> Summary:
    """Summarise ranks under weights, as `summarise` does without.

    Parameters
    ----------
    ranks : ndarray of float, shape (n,)
        Ranks from 1, the best.
    weights : ndarray of int, shape (b, n)
        How often each row counts.
    ks : sequence of int
        Cut-offs of recall@k.

    Returns
    -------
    dict of str to ndarray of float64
        Values of shape (b,) by key.
    """
    order = np.argsort(ranks, kind="stable")
    sorted_ranks, sorted_weights = ranks[order], weights[:, order]
    running = np.cumsum(sorted_weights, axis=1, dtype=np.int64)
    total = running[:, -1]
    low = sorted_ranks[_first_reaching(running, (total - 1) // 2 + 1)]
    high = sorted_ranks[_first_reaching(running, total // 2 + 1)]
    result: Summary = {
        "median_rank": (low + high) / 2,
        "mean_rank": weights @ ranks / total,
        "mrr": weights @ (1 / ranks) / total,
    }
    return result | {f"recall@{k}": weights @ (ranks <= k) / total for k in ks}


def _first_reaching(running: npt.NDArray[np.integer], wanted: npt.NDArray[np.integer]) -> npt.NDArray[np.intp]:
    return np.argmax(running >= wanted[:, None], axis=1)


def chance(pool: int, ks: Sequence[int]) -> dict[str, float]:
    """Compute the expected values of random scores, whose ranks are uniform from 1 to `pool`.

    Parameters
    ----------
    pool : int
        Number of candidates.
    ks : sequence of int
        Cut-offs of recall@k.

    Returns
    -------
    dict of str to float
        Values by key of `summarise`.

    Examples
    --------
    >>> chance(1000, ks=(10,))["median_rank"], chance(1000, ks=(10,))["recall@10"]
    (500.5, 0.01)
    """
    middle = (pool + 1) / 2
    harmonic = float((1 / np.arange(1, pool + 1)).sum())
    result = {"median_rank": middle, "mean_rank": middle, "mrr": harmonic / pool}
    return result | {f"recall@{k}": min(k / pool, 1.0) for k in ks}
