"""Find the moment of a song for a stretch of pictures, and the reverse, with a trained model."""

from typing import Any

import numpy as np

from antiphon.dual_encoder import DualEncoder
from antiphon.evaluation.embedder import Embedder
from antiphon.features.features import Features
from antiphon.features.tracks import Tracks
from antiphon.metrics.moments import MIN_ROWS, moments

EMBEDDINGS, CURVES = "embeddings", "curves"
"""What moments are found by: embeddings of segments, and the curves of a time course."""


def found_moments(model: Embedder, pairs: Features, seed: int = 0) -> dict[str, Any]:
    """Look for stretches of each track in its other side, by the model's embeddings of segments and by its curves.

    Parameters
    ----------
    model : DualEncoder or CCA
        Fitted model.
    pairs : Features
        Held-out rows with both sides.
    seed : int, default 0
        Seed of the bootstrap and of the null.

    Returns
    -------
    dict
        What `antiphon.metrics.moments.moments` returns, under "embeddings", and under "curves" where the model has a
        time course; empty where fewer than two tracks have four segments.
    """
    rows = np.concatenate(
        [rows for rows in Tracks.of(pairs.groups, pairs.starts_s).rows if len(rows) >= MIN_ROWS] or [[]]
    )
    timed = pairs.take(rows.astype(np.int64))
    if len(np.unique(timed.groups)) < 2:
        return {}
    sides = {EMBEDDINGS: model.embed(timed), CURVES: model.curves(timed) if isinstance(model, DualEncoder) else None}
    return {name: moments(*both, timed.groups, seed=seed) for name, both in sides.items() if both is not None}
