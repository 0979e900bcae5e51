"""Ranks of held-out pairs under a trained model: segments, and whole tracks."""

import warnings
from dataclasses import replace
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from antiphon.dual_encoder import DualEncoder
from antiphon.errors import ModelError
from antiphon.features.features import Features
from antiphon.metrics import retrieval
from antiphon.seeding import generator

TRACK_POOL = 2000
"""Tracks that are ranked at the most: the pool in which the field reports the retrieval of whole videos."""


class Embedder(Protocol):
    """What can be evaluated: a `DualEncoder`, or a `CCA`."""

    def embed(
        self, features: Features, per: Literal["segment", "track"] = "segment"
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Two (n, dim) float32 arrays of unit rows: of the rows of `features`, or of its tracks, sorted by video."""
        ...

    def seen_videos(self, features: Features) -> int | None:
        """How many videos of `features` it was trained or stopped on; None where that is not known."""
        ...


def evaluate(model: Embedder, features: Features, *, seed: int = 0) -> dict[str, Any]:
    """Rank the pairs of `features` both ways, with pool size, chance, 95% interval and permutation null.

    Parameters
    ----------
    model : a fitted model.
    features : held-out features; only rows with both sound and pictures count.
    seed : of the bootstrap and the permutations.

    Returns
    -------
    What `antiphon.metrics.retrieval` returns for the rows ("a2v", "v2a"), and, where videos have several rows, the
    same under "other_tracks" without the other rows of the true partner's video among the candidates, and under
    "tracks" for the model's embeddings of whole videos, of which `TRACK_POOL`, always the same, are drawn where there
    are more. Of a model that knows the rows' times, "tracks" holds under "times_alone" the median ranks both ways that
    the same videos reach when all features are their mean: what number and times of the rows give away. "seen" counts
    the videos that the model was trained or stopped on; where it is not 0, a warning says so. Of a published model they
    are not known: "seen" is None, and a warning says so. Where it also passes the sound as it is, "authors_dot_product"
    holds the same as for the rows with the scores of Veldkamp et al. (2023), whose code does not bring the sound to
    unit length.

    Raises
    ------
    ModelError
        There are fewer than two videos to rank, or the features are not the model's.
    """
    pairs = features.paired
    videos = len(np.unique(pairs.groups))
    if videos < 2:
        raise ModelError(
            f"Ranking needs at least two videos with both sound and pictures; here are {videos}. Rank another split, "
            "or add videos."
        )
    audio, video = model.embed(pairs)
    seen = _seen(model, pairs, videos)
    result: dict[str, Any] = {**retrieval(audio, video, groups=pairs.groups, seed=seed), "seen": seen}
    if videos < len(pairs):
        result["other_tracks"] = retrieval(audio, video, groups=pairs.groups, exclude_same_group=True, seed=seed)
        result["tracks"] = _tracks(model, track_pool(pairs), seed)
    if isinstance(model, DualEncoder) and model.published is not None and model.recipe.heads == "video":
        result["authors_dot_product"] = retrieval(pairs.audio, video, groups=pairs.groups, seed=seed)
    return result


def track_pool(pairs: Features) -> Features:
    """The rows of `TRACK_POOL` videos, or of all where there are no more."""
    videos = np.unique(pairs.groups)
    if len(videos) <= TRACK_POOL:
        return pairs
    return pairs.take(np.isin(pairs.groups, generator(0, "track pool").permutation(videos)[:TRACK_POOL]))


def _tracks(model: Embedder, pairs: Features, seed: int) -> dict[str, Any]:
    found: dict[str, Any] = retrieval(*model.embed(pairs, per="track"), seed=seed)
    track = model.recipe.track if isinstance(model, DualEncoder) else None
    if track is not None and track.aggregator == "transformer":
        sound, pictures = (np.broadcast_to(side.mean(axis=0), side.shape) for side in (pairs.audio, pairs.video))
        alike = model.embed(replace(pairs, audio=sound, video=pictures), per="track")
        found["times_alone"] = {way: ranks["median_rank"] for way, ranks in retrieval(*alike, seed=seed).items()}
    return found


def _seen(model: Embedder, pairs: Features, videos: int) -> int | None:
    """How many videos training or early stopping has seen, with a warning where it is not 0; None where unknown."""
    seen = model.seen_videos(pairs)
    message = ""
    if isinstance(model, DualEncoder) and model.published is not None:
        message = f"Which videos {model.published.file} was trained on is not published: these may be among them."
    elif seen:
        message = f"{seen} of the {videos} videos were seen in training or early stopping: these ranks are no test."
    if message:
        warnings.warn(message, stacklevel=3)
    return seen
