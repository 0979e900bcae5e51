"""Targets of a probe: the genre of a music video, or its tags."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from antiphon.errors import ConfigError, FeatureStoreError
from antiphon.features.features import Features

Target = Literal["genre", "tags"]


@dataclass(frozen=True, eq=False)
class Targets:
    """Labels, and which rows have them.

    Attributes
    ----------
    target : {"genre", "tags"}
        Genre, one a row, or tags, any number.
    names : tuple of str
        The labels, most frequent first.
    matrix : ndarray
        (n, labels) bool, whether the row has the label.
    """

    target: Target
    names: tuple[str, ...]
    matrix: npt.NDArray[np.bool_]

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """The (n,) rows that can be learned from and judged: for genre those with one of them, for tags all."""
        return self.matrix.sum(axis=1) > 0 if self.target == "genre" else np.ones(len(self.matrix), dtype=bool)

    def take(self, rows: npt.NDArray[np.integer]) -> "Targets":
        """Return the given rows."""
        return Targets(self.target, self.names, self.matrix[rows])

    def by_track(self, numbers: npt.NDArray[np.integer]) -> "Targets":
        """Return a row a track: the tags of any of its segments; the genre that most of them have."""
        counts = np.zeros((int(numbers.max()) + 1, len(self.names)))
        np.add.at(counts, numbers, self.matrix)
        matrix = counts > 0
        if self.target == "genre":
            matrix &= np.arange(len(self.names)) == counts.argmax(axis=1)[:, None]
        return Targets(self.target, self.names, matrix)

    def for_metrics(self) -> npt.NDArray[np.int64]:
        """Return what `antiphon.metrics.classification` takes: (n,) classes or (n, labels) of 0 and 1."""
        return self.matrix.argmax(axis=1) if self.target == "genre" else self.matrix.astype(np.int64)


def choose_targets(
    features: Features,
    choose_from: npt.NDArray[np.bool_],
    target: Target,
    *,
    most_frequent: int | None = 10,
    min_positives: int | None = None,
) -> Targets:
    """Choose the labels by some of the rows, and mark which of all rows have them.

    Parameters
    ----------
    features : Features
        All rows.
    choose_from : ndarray
        (n,) mask of the rows to choose by: those that are trained on.
    target : {"genre", "tags"}
        Kind of label.
    most_frequent : int, optional
        Number of tags, those of the most videos first; of equally frequent ones the first in the alphabet. Genres are
        not limited by it. None takes all.
    min_positives : int, optional
        Take instead every label (of either kind) that at least this many videos have.

    Raises
    ------
    ConfigError
        Another target, or a number less than 1.
    FeatureStoreError
        No genres or tags, or too few to tell apart.
    """
    if target not in {"genre", "tags"}:
        raise ConfigError(f"target must be 'genre' or 'tags', not {target!r}.")
    for name, number in (("most_frequent", most_frequent), ("min_positives", min_positives)):
        if number is not None and number < 1:
            raise ConfigError(f"{name} must be at least 1, not {number}.")
    has = features.labels if target == "tags" else [(genre,) if genre else () for genre in features.genres.tolist()]
    counts = _videos_of_each(has, features.groups, np.flatnonzero(choose_from))
    names = sorted(counts, key=lambda name: (-counts[name], name))
    if min_positives is not None:
        names = [name for name in names if counts[name] >= min_positives]
    elif target == "tags":
        names = names[:most_frequent]
    _refuse_too_few(target, names, len(counts), min_positives)
    column = {name: place for place, name in enumerate(names)}
    matrix = np.zeros((len(features), len(names)), dtype=bool)
    for row, labels in enumerate(has):
        matrix[row, [column[label] for label in labels if label in column]] = True
    return Targets(target, tuple(names), matrix)


def _videos_of_each(
    has: Iterable[tuple[str, ...]], groups: npt.NDArray[np.str_], rows: npt.NDArray[np.integer]
) -> dict[str, int]:
    listed, videos = list(has), groups.tolist()
    pairs = {(label, videos[row]) for row in rows.tolist() for label in listed[row]}
    counts: dict[str, int] = {}
    for label, _ in pairs:
        counts[label] = counts.get(label, 0) + 1
    return counts


def _refuse_too_few(target: Target, names: list[str], there: int, min_positives: int | None) -> None:
    if not there:
        column = "genre" if target == "genre" else "tags"
        raise FeatureStoreError(
            f"No video to train on has a {target.removesuffix('s')}. Add a column '{column}' to the catalogue's "
            f"table, or give {'genres' if target == 'genre' else 'labels'}= to Features.from_arrays."
        )
    if len(names) < (2 if target == "genre" else 1):
        rare = "" if min_positives is None else f" with at least {min_positives} videos"
        raise FeatureStoreError(
            f"{len(names)} {'genres' if target == 'genre' else 'tags'}{rare} among the videos to train on: there is "
            "nothing to tell apart. Lower min_positives, or label more videos."
        )
