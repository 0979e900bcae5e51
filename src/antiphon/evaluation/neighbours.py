"""Nearest neighbours within a pool, by audio, by video and by both together."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.dual_encoder import DualEncoder
from antiphon.embeddings import within_side
from antiphon.errors import ModelError
from antiphon.evaluation.agreement import artists_or_ids, precision, same_genre, shared_tags
from antiphon.features.features import Features
from antiphon.ordering import rounded

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.intp]

REPRESENTATIONS = ("aggregated", "audio", "video")


@dataclass(frozen=True)
class Neighbours:
    """The nearest rows of some rows.

    Attributes
    ----------
    rows : ndarray
        (q,) rows of the queries.
    nearest : ndarray
        (q, k) rows of their neighbours, the nearest first.
    cosines : ndarray
        (q, k) cosines with them; the cosine distance is 1 minus that.
    """

    rows: IntArray
    nearest: IntArray
    cosines: npt.NDArray[np.float64]


def neighbour_spaces(audio: FloatArray, video: FloatArray) -> dict[str, FloatArray]:
    """Return unit vectors of each item in the ways that Veldkamp et al. 2023 look for neighbours.

    "aggregated" is both embeddings one after the other, at unit length: its cosine is the mean of the two cosines.

    Parameters
    ----------
    audio, video : ndarray
        (n, dim) unit rows, row i of both one item.
    """
    both = np.concatenate([audio, video], axis=1) / np.sqrt(2)
    return dict(zip(REPRESENTATIONS, (both, audio, video), strict=True))


def find_neighbours(
    vectors: FloatArray,
    k: int = 3,
    *,
    groups: npt.NDArray[np.str_] | None = None,
    rows: IntArray | None = None,
    chunk_rows: int = 512,
) -> Neighbours:
    """Find the `k` nearest rows by cosine, exactly; of equally near ones the earlier row comes first.

    Parameters
    ----------
    vectors : ndarray
        (n, dim) unit rows.
    k : int, default 3
        Number of neighbours; fewer where the pool has no more.
    groups : ndarray, optional
        (n,) video of each row. Rows of the same video are never neighbours. Default: each row its own.
    rows : ndarray, optional
        Rows to find neighbours of. Default: all.
    chunk_rows : int, default 512
        Rows compared with the pool at a time; memory is 2 × `chunk_rows` × n float64.

    Raises
    ------
    ModelError
        A pool of fewer than two videos.

    Examples
    --------
    >>> points = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
    >>> find_neighbours(points, k=1).nearest.tolist()
    [[1], [0], [1]]
    """
    count = len(vectors)
    numbers = np.arange(count) if groups is None else np.unique(groups, return_inverse=True)[1]
    if len(np.unique(numbers)) < 2:
        raise ModelError("Neighbours need at least two videos to choose from; the pool holds fewer.")
    depth = min(k, count - int(np.bincount(numbers).max()))
    asked = np.arange(count) if rows is None else np.asarray(rows, dtype=np.intp)
    pool = np.asarray(vectors, dtype=np.float64)
    nearest = np.empty((len(asked), depth), dtype=np.intp)
    cosines = np.empty((len(asked), depth))
    for first in range(0, len(asked), chunk_rows):
        part = slice(first, min(first + chunk_rows, len(asked)))
        scores = pool[asked[part]] @ pool.T
        compared = rounded(scores)
        compared[numbers[asked[part]][:, None] == numbers] = -np.inf
        lines = np.arange(len(scores))
        for place in range(depth):
            best = compared.argmax(axis=1)
            nearest[part, place], cosines[part, place] = best, scores[lines, best]
            compared[lines, best] = -np.inf
    return Neighbours(asked, nearest, np.clip(cosines, -1, 1))


K = 5


def neighbour_precision(model: DualEncoder, features: Features, k: int = K, seed: int = 0) -> dict[str, Any] | None:
    """Measure precision at k of neighbours by audio, by video and by both, for genre and for tags.

    A video's neighbours are of other artists: songs of one artist are alike anyway. The base rate counts them, so it
    flatters chance if anything.

    Parameters
    ----------
    model : DualEncoder
        Fitted model.
    features : Features
        The pool, held out from training.
    k : int, default 5
        Number of neighbours.
    seed : int, default 0
        Seed of bootstrap and permutations.

    Returns
    -------
    dict or None
        "k" and "videos"; and for "genre" (share of neighbours of the same one) and "tags" (those shared, as a share of
        all that either has) by representation what `agreement.precision` returns. None where the pool has fewer than
        two artists.
    """
    pool = features.paired
    names, first = np.unique(pool.groups, return_index=True)
    about = pool.take(first)
    artists = artists_or_ids(about)
    if len(np.unique(artists)) < 2:
        return None
    sides = (within_side(rows, model.correction_dim) for rows in model.embed(pool, per="track"))
    tracks = neighbour_spaces(*sides)
    nearest = {way: find_neighbours(vectors, k, groups=artists).nearest for way, vectors in tracks.items()}
    targets = {"genre": same_genre(about.genres), "tags": shared_tags(about.labels)}
    found = {
        name: {way: precision(target, rows, artists, seed=seed) for way, rows in nearest.items()}
        for name, target in targets.items()
    }
    return {"k": int(nearest["audio"].shape[1]), "videos": len(names)} | found
