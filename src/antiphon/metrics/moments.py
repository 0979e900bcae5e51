"""Moments: at which offset of a track a stretch of its other side belongs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.metrics.groups import group_numbers, weight_blocks
from antiphon.metrics.results import WAYS
from antiphon.seeding import generator

FloatArray = npt.NDArray[np.float64]

MAX_LENGTH = 6
"""Most rows of a stretch: half a minute of segments of five seconds."""
MIN_ROWS = 4
"""Rows that a track must have."""
OVERLAPS = (0.5, 0.7)
_METRICS = ("mean_normalised_rank", *(f"recall@overlap{overlap}" for overlap in OVERLAPS), "mean_overlap")
_TAILS = (2.5, 97.5)
_TIE = 1e-9
"""Scores closer than this, relative to the largest, are a tie."""


@dataclass(frozen=True, eq=False)
class Question:
    """One stretch that is looked for in one track.

    Attributes
    ----------
    group : int
        Track of the stretch.
    offset : int
        Where it belongs.
    length : int
        Rows of the stretch.
    scores : ndarray of float64, shape (offsets,)
        Scores of all offsets.
    """

    group: int
    offset: int
    length: int
    scores: FloatArray

    def values(self) -> FloatArray:
        """Return each measure for each offset as if it were the true one, shape (measures, offsets)."""
        tie = _TIE * max(float(np.abs(self.scores).max()), np.finfo(np.float64).tiny)
        ascending, count = np.sort(self.scores), len(self.scores)
        above = count - np.searchsorted(ascending, self.scores + tie, side="right")
        not_below = count - np.searchsorted(ascending, self.scores - tie, side="left")
        best = np.flatnonzero(self.scores >= ascending[-1] - tie)
        away = np.abs(best[:, None] - np.arange(count))
        return np.stack([(above + not_below) / (2 * count), *_overlaps(away, self.length)])

    def chance(self) -> FloatArray:
        """Return each measure's mean over all scores that are equally likely at each offset."""
        away = np.abs(np.arange(len(self.scores)) - self.offset)
        return np.array([0.5, *_overlaps(away, self.length)])


def moments(
    audio: npt.ArrayLike,
    video: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    length: int | None = None,
    seed: int = 0,
    resamples: int = 1000,
    permutations: int = 500,
) -> dict[str, Any]:
    """Look for stretches of one side among all offsets of the right track's other side, and of a wrong one's.

    A track is cut into stretches that do not overlap. The score of an offset is the mean dot product of the rows of the
    stretch with the rows from there on. A quarter of a track is the longest stretch, and `MAX_LENGTH` rows.

    Parameters
    ----------
    audio, video : array_like, shape (n, dim)
        Embeddings of segments, row i of one at the time of row i of the other; the rows of each track in order of time.
    groups : array_like, shape (n,)
        Track of each row, the unit that is resampled. Tracks of fewer than four rows are left out.
    length : int, optional
        Rows of a stretch; tracks of fewer than four times as many are left out.
    seed : int, default 0
        Seed of the bootstrap, the null and the choice of wrong tracks.
    resamples, permutations : int
        Number of each, at least 1.

    Returns
    -------
    dict
        "a2v" looks for stretches of sound in the pictures, "v2a" for stretches of pictures in the song. Each has "n"
        stretches, "groups" tracks, "offsets" the median number of offsets, "length" the median rows of a stretch; and
        under "by_metric" the mean normalised rank of the true offset, (rank − 1/2) / offsets, with ties counting half,
        so that chance is 1/2; the recall at an overlap (the share of stretches of which the best offset's rows and the
        true ones have at least .5 or .7 of their union in common); and the mean of these overlaps. Each has "value",
        "chance", "ci95" (bootstrap over tracks) and "null95" (the middle 95% when the true offsets of each track are
        moved in a circle by a random number of rows). "other_track" has the same "value" with "ci95" in a random other
        track, whose true offset is taken to be at the same share of it: what is not chance there is known from the
        place in a track alone, such as a quiet beginning. Its "difference" is the value in the right track minus that,
        with "difference_ci95".

    Raises
    ------
    ValueError
        The arrays are not two matrices of the same shape with finite values, or no two tracks are long enough.

    Examples
    --------
    >>> found = moments(np.eye(16), np.eye(16), ["a"] * 8 + ["b"] * 8)["v2a"]
    >>> found["n"], found["offsets"], found["by_metric"]["recall@overlap0.5"]["value"]
    (8, 7, 1.0)
    """
    sound, pictures = _matrix(audio, "audio"), _matrix(video, "video")
    if sound.shape != pictures.shape:
        raise ValueError("audio and video have different shapes; row i of both is one segment.")
    sides = {"a2v": (sound, pictures), "v2a": (pictures, sound)}
    numbers = group_numbers(groups, len(sound))
    return {way: summary(*questions(*sides[way], numbers, length, seed), seed, resamples, permutations) for way in WAYS}


def _overlaps(away: npt.NDArray[np.integer], length: int) -> list[FloatArray]:
    """Return the shares of stretches that overlap enough, and the mean overlap, by their distances along axis 0."""
    found = overlap_of(away, length)
    return [*((found >= overlap - _TIE).mean(axis=0) for overlap in OVERLAPS), found.mean(axis=0)]


def overlap_of(away: npt.NDArray[np.integer], length: int) -> FloatArray:
    """Return the share of their union that two stretches have in common, by how far they are apart.

    Parameters
    ----------
    away : ndarray of int
        Distances of their starts in rows.
    length : int
        Rows of each.

    Examples
    --------
    >>> overlap_of(np.array([0, 1, 2, 6]), 6).round(2).tolist()
    [1.0, 0.71, 0.5, 0.0]
    """
    return np.maximum(length - away, 0) / (length + away)


def offset_scores(stretch: FloatArray, track: FloatArray) -> FloatArray:
    """Return the mean dot product of a stretch with the rows from each offset of a track on.

    Parameters
    ----------
    stretch : ndarray of float64, shape (length, dim)
    track : ndarray of float64, shape (rows, dim)

    Returns
    -------
    ndarray of float64, shape (rows − length + 1,)
        Scores of the offsets.
    """
    products, offsets = stretch @ track.T, len(track) - len(stretch) + 1
    return np.mean([products[row, row : row + offsets] for row in range(len(stretch))], axis=0)


def questions(
    queries: FloatArray,
    candidates: FloatArray,
    numbers: npt.NDArray[np.int64],
    length: int | None = None,
    seed: int = 0,
) -> tuple[list[Question], list[Question]]:
    """Ask with all stretches of all tracks, in their own track and in another one; see `moments`.

    Parameters
    ----------
    queries, candidates : ndarray of float64, shape (n, dim)
        Rows of the side that stretches are of, and of the side that they are looked for in.
    numbers : ndarray of int64, shape (n,)
        Track of each row.
    length, seed : int
        As in `moments`.

    Returns
    -------
    right, wrong : list of Question
        The same stretches in their own track and in another one.

    Raises
    ------
    ValueError
        No two tracks are long enough.
    """
    least = MIN_ROWS if length is None else MIN_ROWS * length
    tracks = {int(numbers[rows[0]]): rows for rows in _rows_of(numbers) if len(rows) >= least}
    if len(tracks) < 2:
        raise ValueError(f"Moments need two tracks of at least {least} rows.")
    names = list(tracks)
    turns = np.arange(len(names)) + generator(seed, "moments", "other tracks").integers(1, len(names), len(names))
    others = {name: names[turn % len(names)] for name, turn in zip(names, turns, strict=True)}
    right = [each for name in names for each in _asked(tracks, name, name, queries, candidates, length)]
    wrong = [each for name in names for each in _asked(tracks, name, others[name], queries, candidates, length)]
    return right, wrong


def _asked(
    tracks: Mapping[int, npt.NDArray[np.int64]],
    name: int,
    other: int,
    queries: FloatArray,
    candidates: FloatArray,
    length: int | None,
) -> Iterator[Question]:
    """Ask with each stretch of a track for its offset in a track, at the same share of it."""
    rows, there = tracks[name], tracks[other]
    size = length or min(MAX_LENGTH, len(rows) // MIN_ROWS)
    compared = min(size, len(there) // 2)  # a shorter track has room for a part of the stretch
    last, last_there = len(rows) - size, len(there) - compared
    for start in range(0, last + 1, size):
        scores = offset_scores(queries[rows[start : start + compared]], candidates[there])
        yield Question(name, start if name == other else round(start * last_there / last), compared, scores)


def summary(
    right: Sequence[Question], wrong: Sequence[Question], seed: int = 0, resamples: int = 1000, permutations: int = 500
) -> dict[str, Any]:
    """Sum up the answers to questions; see `moments`.

    Parameters
    ----------
    right, wrong : sequence of Question
        What `questions` returned, of one model or of several with other tracks.
    seed, resamples, permutations : int
        As in `moments`.

    Returns
    -------
    dict
        Numbers of one direction.
    """
    by_offset = [each.values() for each in right]
    true = np.stack([values[:, each.offset] for values, each in zip(by_offset, right, strict=True)])
    elsewhere = np.stack([each.values()[:, each.offset] for each in wrong])
    groups = group_numbers([each.group for each in right], len(right))
    tracks = int(groups.max()) + 1
    moved = generator(seed, "moments", "null").random((permutations, tracks))
    null = np.zeros((len(_METRICS), permutations))
    for values, each, group in zip(by_offset, right, groups, strict=True):
        offsets = values.shape[1]
        null += values[:, (each.offset + 1 + (moved[:, group] * (offsets - 1)).astype(int)) % offsets]
    chance = np.mean([each.chance() for each in right], axis=0)
    ends = _ends(true, groups, seed, resamples)
    ends_elsewhere, ends_apart = (_ends(rows, groups, seed, resamples) for rows in (elsewhere, true - elsewhere))
    by_metric = {
        name: {
            "value": float(true[:, place].mean()),
            "chance": float(chance[place]),
            "ci95": ends[place],
            "null95": np.percentile(null[place] / len(right), _TAILS).tolist(),
            "other_track": {
                "value": float(elsewhere[:, place].mean()),
                "ci95": ends_elsewhere[place],
                "difference": float((true - elsewhere)[:, place].mean()),
                "difference_ci95": ends_apart[place],
            },
        }
        for place, name in enumerate(_METRICS)
    }
    sizes = {"offsets": [len(each.scores) for each in right], "length": [each.length for each in right]}
    medians = {name: round(float(np.median(counts))) for name, counts in sizes.items()}
    return {"n": len(right), "groups": tracks, **medians, "by_metric": by_metric}


def _ends(values: FloatArray, groups: npt.NDArray[np.int64], seed: int, resamples: int) -> list[list[float]]:
    """Return the 95% interval of the mean of each column, tracks resampled."""
    drawn = weight_blocks(groups, resamples, generator(seed, "moments", "bootstrap"))
    means = np.concatenate([weights @ values / weights.sum(axis=1, keepdims=True) for weights in drawn])
    return np.percentile(means, _TAILS, axis=0).T.tolist()


def _rows_of(numbers: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    order = np.argsort(numbers, kind="stable")
    counts = np.unique(numbers, return_counts=True)[1]
    return np.split(order, np.cumsum(counts)[:-1])


def _matrix(rows: npt.ArrayLike, name: str) -> FloatArray:
    matrix = np.asarray(rows, dtype=np.float64)
    if matrix.ndim != 2 or 0 in matrix.shape or not np.isfinite(matrix).all():
        raise ValueError(
            f"{name} must be a matrix of finite values with at least one row, not of shape {matrix.shape}."
        )
    return matrix
