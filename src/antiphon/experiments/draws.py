"""Draws of a study: disjoint sets of test videos, each with nested training sets."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from antiphon.errors import ConfigError
from antiphon.experiments.study import DrawSettings, Size
from antiphon.features.artists import named_parties
from antiphon.features.features import Features
from antiphon.seeding import generator


def drawn(features: Features, settings: DrawSettings, draw: int, size: Size) -> Features:
    """Return the paired features of one draw, with splits.

    Artists are kept together, with those of joint works (videos, if the artist is unknown). The test set depends only
    on names and seed; training sets of a draw are nested, and their last videos are the validation set.

    Parameters
    ----------
    features : Features
        All features.
    settings : DrawSettings
        How to draw.
    draw : int
        Number of the draw, from 0.
    size : int or {"all"}
        Number of training and validation videos.

    Returns
    -------
    Features
        Rows in their original order, with the splits "train", "validation" and "test".

    Raises
    ------
    ConfigError
        There are too few videos for the draws or the training set, or fewer than two test videos have the label.
    """
    pairs = features.paired
    _, first, group_of = np.unique(pairs.groups, return_index=True, return_inverse=True)
    names, party_of = np.unique(named_parties(pairs.groups, pairs.artists)[first], return_inverse=True)
    videos, numbers = np.bincount(party_of), party_of[group_of]
    order = generator(settings.seed, "study test").permutation(len(names))
    # A draw ends with the artist that fills it.
    tested = _blocks(videos[order], settings.test, settings.count)
    chosen = order[tested == draw]
    rest = generator(settings.seed, "study training", draw).permutation(np.setdiff1d(np.arange(len(names)), chosen))
    there = int(videos[rest].sum())
    wanted = there if size == "all" else size
    if wanted > there:
        raise ConfigError(
            f"The study needs {size} training videos, but a draw leaves only {there}. Lower `videos`, or `test` "
            "under [draws], in the study."
        )
    before = np.cumsum(videos[rest]) - videos[rest]
    kept = rest[before < wanted]
    behind = np.cumsum(videos[kept][::-1])[::-1] - videos[kept]
    validating = behind < max(2, round(wanted * settings.validation_share))
    validating[0] = False
    splits = np.full(len(names), "", dtype="<U10")
    splits[chosen], splits[kept] = "test", np.where(validating, "validation", "train")
    dealt = replace(pairs, splits=splits[numbers]).take(splits[numbers] != "")
    return dealt if settings.label is None else _labelled(dealt, settings.label)


def _labelled(dealt: Features, label: str) -> Features:
    """Drop the test rows that lack the label."""
    tested = dealt.splits == "test"
    wanted = np.array([label in labels for labels in dealt.labels])
    if len(np.unique(dealt.groups[tested & wanted])) < 2:
        raise ConfigError(f"Fewer than two test videos of a draw have the label {label}; choose another, or none.")
    return dealt.take(~tested | wanted)


def _blocks(videos: npt.NDArray[np.integer], size: int, count: int) -> npt.NDArray[np.int64]:
    """Return the draw whose test set each artist is in; `count` or more for none."""
    block, filled = 0, 0
    blocks = np.empty(len(videos), dtype=np.int64)
    for place, more in enumerate(videos):
        blocks[place] = block
        filled += int(more)
        if filled >= size:
            block, filled = block + 1, 0
    if block < count:
        raise ConfigError(
            f"{int(videos.sum())} videos are too few for {count} draws of {size} test videos. Lower `count` or `test` "
            "under [draws] in the study."
        )
    return blocks
