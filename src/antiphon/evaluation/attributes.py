"""How far similarity of segments is explained by simple attributes: black and white, brightness, motion, cuts.

The question is from the qualitative analysis of Veldkamp et al. (2023).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.evaluation.agreement import middle_95
from antiphon.metrics.groups import bootstrap_weights, permuted_rows
from antiphon.seeding import generator

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.int64]

PAIRS = 20_000
_RESAMPLES, _PERMUTATIONS = 500, 200


def explain_similarity(
    spaces: Mapping[str, FloatArray],
    attributes: FloatArray,
    names: Sequence[str],
    groups: npt.NDArray[np.str_],
    *,
    seed: int = 0,
    pairs: int = PAIRS,
) -> dict[str, Any] | None:
    """Measure how far the cosine of two segments of different videos follows from how close their attributes are.

    Pairs are drawn at random. For each attribute the closeness of a pair is minus the absolute difference; for each
    space its correlation with the cosines is taken, and R² of the linear regression of the cosines on all closenesses
    together.

    Parameters
    ----------
    spaces : mapping of str to ndarray
        (n, dim) unit rows by name.
    attributes : ndarray
        (n, a) values; segments with a NaN are left out.
    names : sequence of str
        Names of the attributes.
    groups : ndarray
        (n,) video of each segment.
    seed : int, default 0
        Seed of pairs, bootstrap and permutations.
    pairs : int
        Number of pairs to draw.

    Returns
    -------
    dict or None
        {"pairs", "segments", "videos", "spaces": {name: {"r2": {"value", "ci95", "null95"}, "correlations":
        {attribute: {"value", "ci95"} or None}}}}. The intervals are a bootstrap over videos (a pair counts as often as
        both its videos are drawn), the null permutes the attributes among the videos. A correlation is None where the
        attribute is the same in all pairs. None altogether where fewer than three videos have attributes.

    Raises
    ------
    ValueError
        `attributes` that are not a row a segment and a column a name.
    """
    if attributes.shape != (len(groups), len(names)):
        raise ValueError(f"attributes has shape {attributes.shape}; there are {len(groups)} segments of {len(names)}.")
    rows = np.flatnonzero(~np.isnan(attributes).any(axis=1))
    numbers = np.unique(groups[rows], return_inverse=True)[1].astype(np.int64)
    videos = int(numbers.max(initial=-1)) + 1
    if videos < 3:
        return None
    first, second = _draw_pairs(numbers, pairs, seed)
    cosines = {
        name: np.einsum("pd,pd->p", units[rows[first]], units[rows[second]], dtype=np.float64)
        for name, units in spaces.items()
    }
    known = attributes[rows]
    close = _closeness(known, first, second)
    draws = bootstrap_weights(np.arange(videos), _RESAMPLES, generator(seed, "attributes", "bootstrap"))
    weights = [np.ones(len(first)), *((draw[numbers[first]] * draw[numbers[second]]).astype(float) for draw in draws)]
    found = np.stack([_solve(close, cosines, weight) for weight in weights])
    dealt = permuted_rows(numbers, _PERMUTATIONS, generator(seed, "attributes", "permutation"))
    even = np.ones(len(first))
    nulls = np.stack([_solve(_closeness(known[order], first, second), cosines, even)[:, 0] for order in dealt])
    return {
        "pairs": len(first),
        "segments": len(rows),
        "videos": videos,
        "spaces": {space: _summary(found[:, place], nulls[:, place], names) for place, space in enumerate(spaces)},
    }


def _summary(found: npt.NDArray[np.float64], nulls: npt.NDArray[np.float64], names: Sequence[str]) -> dict[str, Any]:
    """Describe one space, given (1 + resamples, 1 + attributes) values and the (permutations,) null of R²."""
    correlations = {
        name: None if np.isnan(found[0, column]) else _number(found[:, column])
        for column, name in enumerate(names, start=1)
    }
    return {"r2": _number(found[:, 0]) | {"null95": middle_95(nulls)}, "correlations": correlations}


def _draw_pairs(numbers: IntArray, pairs: int, seed: int) -> tuple[IntArray, IntArray]:
    """Draw pairs of rows of different videos, each pair once."""
    random = generator(seed, "attributes", "pairs")
    count = len(numbers)
    if count * (count - 1) // 2 <= 2 * pairs:
        one, other = np.triu_indices(count, 1)
        rows = np.flatnonzero(numbers[one] != numbers[other])
        rows = random.permutation(rows)[:pairs]
        return one[rows], other[rows]
    drawn = np.sort(random.integers(0, count, (2 * pairs, 2)), axis=1)
    drawn = np.unique(drawn[numbers[drawn[:, 0]] != numbers[drawn[:, 1]]], axis=0)
    drawn = random.permutation(drawn)[:pairs]
    return drawn[:, 0], drawn[:, 1]


def _closeness(attributes: FloatArray, first: IntArray, second: IntArray) -> npt.NDArray[np.float64]:
    return -np.abs(attributes[first] - attributes[second])


def _solve(
    close: npt.NDArray[np.float64], cosines: Mapping[str, FloatArray], weights: FloatArray
) -> npt.NDArray[np.float64]:
    """Return (spaces, 1 + attributes): R² and the correlation with each attribute, pairs weighted."""
    columns = np.concatenate([close, np.stack(list(cosines.values()), axis=1)], axis=1)
    share = weights / weights.sum()
    centred = columns - share @ columns
    moments = centred.T @ (share[:, None] * centred)
    count = close.shape[1]
    deviations = np.sqrt(np.diag(moments))
    varied = deviations[:count] > 1e-12
    result = np.full((len(cosines), 1 + count), np.nan)
    inner = moments[:count, :count][np.ix_(varied, varied)]
    for place in range(len(cosines)):
        cross, variance = moments[:count, count + place], moments[count + place, count + place]
        if variance <= 0:
            continue
        result[place, 1:][varied] = cross[varied] / (deviations[:count][varied] * np.sqrt(variance))
        # The smallest solution, where two attributes are the same.
        slopes = np.linalg.lstsq(inner, cross[varied], rcond=1e-10)[0] if varied.any() else np.zeros(0)
        result[place, 0] = float(slopes @ cross[varied]) / variance
    return result


def _number(values: npt.NDArray[np.float64]) -> dict[str, Any]:
    """Return the first value with the middle 95% of the others, which are resamples."""
    rest = values[1:][np.isfinite(values[1:])]
    return {"value": float(values[0]), "ci95": middle_95(rest)}
