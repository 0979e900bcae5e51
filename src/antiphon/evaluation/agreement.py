"""Agreement of neighbours in genre, tags or one tag, against the base rate of the pool."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.features.artists import named_parties
from antiphon.features.features import Features
from antiphon.metrics.groups import blocks, bootstrap_weights
from antiphon.seeding import generator

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.integer]

MAX_TAGS = 1024
_TAILS = (2.5, 97.5)


@dataclass(frozen=True)
class SharedProperty:
    """Something that two videos can have in common.

    Attributes
    ----------
    known : ndarray of bool, shape (n,)
        Whether the video can be a query, because it has a value.
    match : callable
        Takes two arrays of rows that broadcast; returns how far the videos of each pair agree, from 0 to 1.
    """

    known: npt.NDArray[np.bool_]
    match: Callable[[IntArray, IntArray], npt.NDArray[Any]]


def same_genre(genres: npt.NDArray[np.str_]) -> SharedProperty:
    """Return the property of having the same genre. Videos without one are not queries, and agree with none.

    Parameters
    ----------
    genres : ndarray of str, shape (n,)
        Genre of each video, "" if unknown.

    Returns
    -------
    SharedProperty
        The property.

    Examples
    --------
    >>> target = same_genre(np.array(["rock", "pop", "rock", ""]))
    >>> target.match(np.array([0]), np.arange(4)).tolist()
    [True, False, True, False]
    """
    numbers = np.unique(genres, return_inverse=True)[1]
    return SharedProperty(
        np.array([bool(genre) for genre in genres]), lambda one, other: numbers[one] == numbers[other]
    )


def shared_tags(labels: Sequence[Sequence[str]]) -> SharedProperty:
    """Return the property of shared tags: tags of both as a fraction of tags of either (Jaccard).

    Videos without tags are not queries. Only the `MAX_TAGS` most frequent tags count.

    Parameters
    ----------
    labels : sequence of sequence of str
        Tags of each of the n videos.

    Returns
    -------
    SharedProperty
        The property.

    Examples
    --------
    >>> target = shared_tags([["calm", "piano"], ["piano"], ["loud"]])
    >>> target.match(np.array([0]), np.arange(3)).tolist()
    [1.0, 0.5, 0.0]
    """
    names, counts = np.unique([tag for tags in labels for tag in set(tags)] or np.array([], str), return_counts=True)
    kept = names[np.argsort(-counts, kind="stable")[:MAX_TAGS]]
    places = {str(name): place for place, name in enumerate(kept)}
    has = np.zeros((len(labels), -(-max(len(kept), 1) // 64) * 64), dtype=bool)
    for row, tags in enumerate(labels):
        has[row, [places[tag] for tag in tags if tag in places]] = True
    words = np.packbits(has, axis=1).view(np.uint64)

    def match(one: IntArray, other: IntArray) -> npt.NDArray[np.float64]:
        both = np.bitwise_count(words[one] & words[other]).sum(axis=-1, dtype=np.int64)
        either = np.bitwise_count(words[one] | words[other]).sum(axis=-1, dtype=np.int64)
        return both / np.maximum(either, 1)

    return SharedProperty(np.asarray(has.any(axis=1), dtype=bool), match)


def has_tag(labels: Sequence[Sequence[str]], tag: str) -> SharedProperty:
    """Return the property of having a tag; only videos with it are queries.

    Parameters
    ----------
    labels : sequence of sequence of str
        Tags of each of the n videos.
    tag : str
        The tag.

    Returns
    -------
    SharedProperty
        The property.

    Examples
    --------
    >>> has_tag([["live"], ["live", "loud"], []], "live").known.tolist()
    [True, True, False]
    """
    carries = np.array([tag in tags for tags in labels], dtype=bool)
    return SharedProperty(carries, lambda one, other: carries[one] & carries[other])


def per_video(target: SharedProperty, nearest: IntArray) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Measure how far each video agrees with its neighbours, and how far with all others of the pool.

    Parameters
    ----------
    target : SharedProperty
        What they may have in common.
    nearest : ndarray
        (n, k) rows of each video's neighbours.

    Returns
    -------
    found : ndarray
        (n,) means over the neighbours; NaN where the video is no query.
    usual : ndarray
        (n,) means over all other videos; NaN likewise.
    """
    count = len(nearest)
    found, usual = np.full(count, np.nan), np.full(count, np.nan)
    asking = np.flatnonzero(target.known)
    everyone = np.arange(count)
    found[asking] = target.match(asking[:, None], nearest[asking]).mean(axis=1)
    itself = target.match(asking, asking)
    for block in blocks(len(asking), count):
        rows = asking[block]
        total = target.match(rows[:, None], everyone).sum(axis=1) - itself[block]
        usual[rows] = total / max(count - 1, 1)
    return found, usual


def artists_or_ids(about: Features) -> npt.NDArray[np.str_]:
    """Return the artist of each video, shape (n,), one for artists with works in common; unknown ones are unique."""
    return named_parties(about.ids, about.artists)


def precision(
    target: SharedProperty,
    nearest: IntArray,
    groups: Sequence[str] | npt.NDArray[Any] | None = None,
    *,
    seed: int = 0,
    resamples: int = 1000,
    permutations: int = 500,
) -> dict[str, Any] | None:
    """Measure how far neighbours agree, against the base rate of the pool and against chance.

    Parameters
    ----------
    target : SharedProperty
        What they may have in common.
    nearest : ndarray
        (n, k) rows of each video's neighbours.
    groups : array_like, optional
        (n,) artist of each video: videos of one artist have much in common, so whole artists are resampled. Default:
        every video by itself.
    seed : int, default 0
        Seed of bootstrap and permutations.
    resamples, permutations : int
        Number of each.

    Returns
    -------
    dict or None
        None where no video is a query. Otherwise "value", the mean agreement of the queries with their neighbours;
        "base_rate", the mean with all other videos, which neighbours drawn at random would reach; "lift", their ratio
        (None where the base rate is 0); "ci95", bootstrap over the queries' groups, pool and neighbours kept; "null95"
        and "p" from permutations of who has which genre or tags, neighbours kept ("p": the share of permutations at
        least as good); "queries" and "n", the number of queries and of videos in the pool.

    Examples
    --------
    >>> pairs = np.array([[1], [0], [3], [2]])
    >>> found = precision(same_genre(np.array(["rock", "rock", "pop", "pop"])), pairs)
    >>> found["value"], round(found["base_rate"], 3)
    (1.0, 0.333)
    """
    found, usual = per_video(target, nearest)
    asking = np.flatnonzero(target.known)
    if not len(asking):
        return None
    value, base_rate = float(found[asking].mean()), float(usual[asking].mean())
    names = np.arange(len(nearest)) if groups is None else np.asarray(groups)
    numbers = np.unique(names[asking], return_inverse=True)[1]
    weights = bootstrap_weights(numbers, resamples, generator(seed, "precision", "bootstrap"))
    nulls = _nulls(target, nearest, permutations, generator(seed, "precision", "permutation"))
    return {
        "value": value,
        "base_rate": base_rate,
        "lift": value / base_rate if base_rate else None,
        "ci95": middle_95(weights @ found[asking] / weights.sum(axis=1)),
        "null95": middle_95(nulls),
        "p": float((1 + (nulls >= value - 1e-12).sum()) / (1 + permutations)),
        "queries": len(asking),
        "n": len(nearest),
    }


def _nulls(
    target: SharedProperty, nearest: IntArray, permutations: int, random: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Return the (permutations,) mean agreement when values are permuted among the videos."""
    asking = np.flatnonzero(target.known)
    values = np.empty(permutations)
    for number in range(permutations):
        dealt = random.permutation(len(nearest))  # video i gets what was known of video dealt[i]
        place = np.empty_like(dealt)
        place[dealt] = np.arange(len(dealt))
        values[number] = target.match(asking[:, None], dealt[nearest[place[asking]]]).mean()
    return values


def middle_95(values: FloatArray) -> list[float]:
    """Return the middle 95% of values.

    Parameters
    ----------
    values : ndarray
        The values.

    Returns
    -------
    list of float
        [low, high].
    """
    return [float(edge) for edge in np.percentile(values, _TAILS)]
