"""Two catalogues side by side, as the paper compares its data with the Million Song Dataset, with distances."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.catalogue.catalogue import Catalogue
from antiphon.catalogue.description import describe
from antiphon.seeding import generator
from antiphon.spelling import one_spelling

DRAWS = 500
"""Resamples of the bootstrap, and permutations of the null."""
_LEAST = 10
"""Videos with a value that either catalogue must have for a distance."""

Weights = npt.NDArray[np.float64]
Statistic = Callable[[Weights, Weights], float]


def compare_catalogues(catalogue: Catalogue, other: Catalogue, seed: int = 0, max_names: int = 20) -> dict[str, Any]:
    """Describe two catalogues, and measure how far apart they are.

    Durations differ by the mean distance of their sorted values, in seconds (Wasserstein's of order 1); decades, genres
    and tags by the total variation of their shares: half the sum of absolute differences, from 0 to 1.

    Parameters
    ----------
    catalogue, other : Catalogue
        Any catalogues.
    seed : int, default 0
        Seed of the bootstrap and of the permutations.
    max_names : int, default 20
        Maximum genres and tags of each to list.

    Returns
    -------
    dict
        "this" and "other" (see `describe`). "shares": for "genres" and "tags" the `videos` with any, and `counts`, the
        videos with each name that is frequent in either, this and the other. "distances": for "duration_s", "decade",
        "genre" and "tags" the `distance`; its `ci95`, as wide as a bootstrap over music videos is about its mean, since
        resampling alone brings catalogues apart; its `null95`, the distance when videos are dealt to both at random;
        and `videos` with a value in each. None where either has fewer than 10.
    """
    sides = (catalogue.records(), other.records())
    distances: dict[str, Any] = {"duration_s": _measured(*_durations(sides), seed, "duration_s")}
    spelling = one_spelling(name for rows in sides for row in rows for name in _names(row))
    values: dict[str, Callable[[Any], list[str]]] = {
        "decade": lambda row: [] if row["year"] is None else [f"{row['year'] // 10 * 10}s"],
        "genre": lambda row: [spelling[row["genre"]]] if row["genre"] else [],
        "tags": lambda row: list(dict.fromkeys(spelling[tag] for tag in row["tags"] or ())),
    }
    for name, of in values.items():
        distances[name] = _measured(*_categories(sides, of), seed, name)
    described = {"this": describe(catalogue, max_names), "other": describe(other, max_names)}
    shares = {"genres": _counted(sides, values["genre"], max_names), "tags": _counted(sides, values["tags"], max_names)}
    return described | {"shares": shares, "distances": distances}


def _counted(sides: Sequence[Sequence[Any]], of: Callable[[Any], list[str]], max_names: int) -> dict[str, Any]:
    """Count the videos of the most frequent names of either side, spelt alike on both."""
    known = [[names for row in rows if (names := of(row))] for rows in sides]
    counts = [Counter(name for names in of_side for name in names) for of_side in known]
    listed = dict.fromkeys(name for of_side in counts for name, _ in of_side.most_common(max_names))
    return {
        "videos": [len(of_side) for of_side in known],
        "counts": {name: [of_side[name] for of_side in counts] for name in listed},
    }


def _names(row: Any) -> list[str]:
    return [*([row["genre"]] if row["genre"] else []), *(row["tags"] or ())]


def _durations(sides: Sequence[Sequence[Any]]) -> tuple[Statistic, int, int]:
    known = [[row["duration_s"] for row in rows if row["duration_s"] is not None] for rows in sides]
    values = np.array([value for of_side in known for value in of_side])
    order = np.argsort(values, kind="stable")
    steps = np.diff(values[order])

    def distance(one: Weights, two: Weights) -> float:
        shares = [np.cumsum(weights[order]) / weights.sum() for weights in (one, two)]
        return float(np.abs(shares[0] - shares[1])[:-1] @ steps)

    return distance, len(known[0]), len(known[1])


def _categories(sides: Sequence[Sequence[Any]], of: Callable[[Any], list[str]]) -> tuple[Statistic, int, int]:
    known = [[found for row in rows if (found := of(row))] for rows in sides]
    listed = [*known[0], *known[1]]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(name for names in listed for name in names))}
    rows = np.repeat(np.arange(len(listed)), [len(names) for names in listed])
    columns = np.array([numbers[name] for names in listed for name in names], dtype=np.int64)

    def distance(one: Weights, two: Weights) -> float:
        counts = [np.bincount(columns, weights=weights[rows], minlength=len(numbers)) for weights in (one, two)]
        return float(np.abs(counts[0] / counts[0].sum() - counts[1] / counts[1].sum()).sum() / 2)

    return distance, len(known[0]), len(known[1])


def _measured(distance: Statistic, this: int, other: int, seed: int, name: str) -> dict[str, Any] | None:
    """Measure a distance of the first `this` rows from the others, its interval, and its null."""
    if min(this, other) < _LEAST:
        return None
    random, count = generator(seed, "catalogues", name), this + other
    first = np.arange(count) < this

    def resampled(chosen: npt.NDArray[np.bool_]) -> Weights:
        weights = np.zeros(count)
        weights[chosen] = random.multinomial(chosen.sum(), np.full(chosen.sum(), 1 / chosen.sum()))
        return weights

    drawn = [distance(resampled(first), resampled(~first)) for _ in range(DRAWS)]
    dealt = [random.permutation(first) for _ in range(DRAWS)]
    null = [distance(one.astype(np.float64), (~one).astype(np.float64)) for one in dealt]
    found = distance(first.astype(np.float64), (~first).astype(np.float64))
    return {
        "distance": found,
        "ci95": [max(0.0, found + float(edge - np.mean(drawn))) for edge in np.percentile(drawn, (2.5, 97.5))],
        "null95": [float(value) for value in np.percentile(null, (2.5, 97.5))],
        "videos": [this, other],
    }
