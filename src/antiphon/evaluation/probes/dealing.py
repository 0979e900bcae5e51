"""Deals of rows to training, stopping and judging: by split, or by folds in which every row is judged once."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.errors import ConfigError, ModelError
from antiphon.features.artists import artist_parties
from antiphon.features.features import Features
from antiphon.seeding import generator

_SET_ASIDE = 8
"""One in this many artists among those not judged stops the training."""

RowMask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Deal:
    """(n,) masks of the rows that are trained on, that stop the training, and that are judged."""

    train: RowMask
    validation: RowMask
    test: RowMask


def by_split(features: Features) -> Deal:
    """Deal rows by the splits of `features`.

    Raises
    ------
    ModelError
        An empty split.
    """
    masks = [features.splits == name for name in ("train", "validation", "test")]
    for name, mask in zip(("train", "validation", "test"), masks, strict=True):
        if not mask.any():
            raise ModelError(
                f"The {name} split has no music video with both audio and video. Split again "
                "(features.split(), antiphon catalogue add), or use folds."
            )
    return Deal(*masks)


def by_folds(features: Features, folds: int, seed: int) -> Iterator[Deal]:
    """Deal the artists (the videos, where the artist is unknown) into `folds` parts at random; each is judged once.

    Of the others about one in eight is set aside to stop the training. The videos of one artist, and of artists with
    works in common, and the segments of one video always stay together.

    Parameters
    ----------
    features : Features
        Rows to deal.
    folds : int
        Number of folds, at least 2.
    seed : int
        Seed of the deal.

    Raises
    ------
    ConfigError
        Fewer than two folds.
    ModelError
        Fewer than three artists (videos) a fold.
    """
    if folds < 2:
        raise ConfigError(f"folds: {folds}; at least 2 are needed, so that others remain to train on.")
    names, keys = np.unique(artist_parties(features.groups, features.artists), return_inverse=True)
    if len(names) < 3 * folds:
        raise ModelError(
            f"{len(names)} artists (videos of unknown artists count each) cannot be dealt into {folds} folds: at least "
            f"{3 * folds} are needed. Use fewer folds, or add videos."
        )
    order = generator(seed, "folds").permutation(len(names))
    for fold in range(folds):
        judged = np.zeros(len(names), dtype=bool)
        judged[order[fold::folds]] = True
        others = generator(seed, "folds", fold).permutation(np.flatnonzero(~judged))
        stopping = np.zeros(len(names), dtype=bool)
        stopping[others[: max(2, len(others) // _SET_ASIDE)]] = True
        yield Deal(~(judged | stopping)[keys], stopping[keys], judged[keys])
