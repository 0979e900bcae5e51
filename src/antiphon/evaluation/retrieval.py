"""Ranks of held-out pairs under a trained model: segments, and whole tracks."""

import warnings
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from antiphon.dual_encoder import DualEncoder, track_embeddings
from antiphon.errors import ModelError
from antiphon.features.features import Features
from antiphon.metrics import retrieval


class Embedder(Protocol):
    """What can be evaluated: a `DualEncoder`, or a `CCA`."""

    def embed(self, features: Features) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Two (n, dim) float32 arrays of unit rows."""
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
    same under "tracks" for one embedding a video, the normalised mean of its rows. "seen" counts the videos that the
    model was trained or stopped on; where it is not 0, a warning says so. Of a published model they are not known:
    "seen" is None, and a warning says so. Where it also passes the sound as it is, "authors_dot_product" holds the same
    as for the rows with the scores of Veldkamp et al. (2023), whose code does not bring the sound to unit length.

    Raises
    ------
    ModelError
        There are fewer than two videos to rank, or the features are not the model's.
    """
    pairs = features.paired
    videos = len(np.unique(pairs.groups))
    if videos < 2:
        raise ModelError(f"{videos} videos with both sound and pictures: ranking needs at least two.")
    audio, video = model.embed(pairs)
    seen = _seen(model, pairs, videos)
    result: dict[str, Any] = {**retrieval(audio, video, groups=pairs.groups, seed=seed), "seen": seen}
    if videos < len(pairs):
        sound, pictures = (track_embeddings(side, pairs.groups)[1] for side in (audio, video))
        result["tracks"] = retrieval(sound, pictures, seed=seed)
    if isinstance(model, DualEncoder) and model.published is not None and model.recipe.heads == "video":
        result["authors_dot_product"] = retrieval(pairs.audio, video, groups=pairs.groups, seed=seed)
    return result


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
