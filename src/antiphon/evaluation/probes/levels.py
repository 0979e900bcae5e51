"""Levels that a probe is judged on: single segments, and whole tracks."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.evaluation.probes.targets import Targets
from antiphon.features.features import Features

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Level:
    """Items to judge, each the mean of some rows.

    Attributes
    ----------
    name : {"segments", "tracks"}
        Name of the level.
    ids, groups : ndarray
        (m,) names of the items, and the video of each.
    targets : Targets
        Labels of the m items.
    numbers : ndarray
        (n,) item that each row belongs to.
    """

    name: str
    ids: npt.NDArray[np.str_]
    groups: npt.NDArray[np.str_]
    targets: Targets
    numbers: npt.NDArray[np.intp]

    def items(self, rows: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
        """Return the items of some rows, in order."""
        return np.unique(self.numbers[rows])

    def means(self, values: FloatArray, items: npt.NDArray[np.intp]) -> FloatArray:
        """Return the (len(items), dim) mean of each item's rows of (n, dim) `values`."""
        wanted = np.isin(self.numbers, items)
        places = np.searchsorted(items, self.numbers[wanted])
        sums = np.zeros((len(items), values.shape[1]))
        np.add.at(sums, places, values[wanted])
        return (sums / np.bincount(places, minlength=len(items))[:, None]).astype(np.float32)


def levels(features: Features, targets: Targets) -> list[Level]:
    """Return the levels of some rows: segments and tracks, or only tracks, where each video has one row.

    A track is the mean of its segments' vectors: the classifier, trained on segments, is applied to that mean.
    """
    videos, numbers = np.unique(features.groups, return_inverse=True)
    tracks = Level("tracks", videos, videos, targets.by_track(numbers), numbers)
    if len(videos) == len(features):
        return [tracks]
    return [Level("segments", features.ids, features.groups, targets, np.arange(len(features))), tracks]
