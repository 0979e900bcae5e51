"""Precision of neighbours: whether the nearest videos share genre and tags, against the pool and against chance."""

from typing import Any

import numpy as np

from antiphon.dual_encoder import DualEncoder
from antiphon.evaluation.agreement import artists_or_ids, precision, same_genre, shared_tags
from antiphon.evaluation.neighbours import find_neighbours, neighbour_spaces
from antiphon.features.features import Features

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
    tracks = neighbour_spaces(*model.embed(pool, per="track"))
    nearest = {way: find_neighbours(vectors, k, groups=artists).nearest for way, vectors in tracks.items()}
    targets = {"genre": same_genre(about.genres), "tags": shared_tags(about.labels)}
    found = {
        name: {way: precision(target, rows, artists, seed=seed) for way, rows in nearest.items()}
        for name, target in targets.items()
    }
    return {"k": int(nearest["audio"].shape[1]), "videos": len(names)} | found
