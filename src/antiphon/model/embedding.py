"""Rows of features through trained heads, and whole tracks through a track model, some at a time."""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from antiphon.features.tracks import Tracks
from antiphon.model.towers import Towers

FloatArray = npt.NDArray[np.float32]
Side = Literal["audio", "video"]

_ROWS = 8192
"""At a time; of tracks those whose segments, padded to the longest, are as many."""


def embed_rows(
    towers: Towers, side: Side, features: FloatArray, device: torch.device, *, labels: bool = False
) -> FloatArray:
    """Embeddings of (n, features) rows, or the labels predicted from them: (n, dim) float32 unit rows."""
    made = towers.predicted_labels if labels else towers.embed
    result = np.empty((len(features), towers.label_dim if labels else towers.embedding_dim), dtype=np.float32)
    with torch.inference_mode():
        for first in range(0, len(features), _ROWS):
            part = slice(first, first + _ROWS)
            result[part] = made(side, torch.from_numpy(features[part]).to(device)).cpu().numpy()
    return result


def embed_tracks(
    towers: Towers,
    side: Side,
    features: FloatArray,
    groups: npt.NDArray[Any],
    starts_s: npt.NDArray[np.float64],
    device: torch.device,
) -> tuple[npt.NDArray[Any], FloatArray]:
    """What a track model makes of the rows of each group.

    Returns
    -------
    The sorted unique groups, and their (groups, dim) float32 unit rows.
    """
    tracks = Tracks.of(groups, starts_s)
    with torch.inference_mode():
        given = torch.from_numpy(features).to(device)
        return tracks.names, whole_tracks(partial(towers.embed_tracks, side), given, tracks).cpu().numpy()


def whole_tracks(embed: Callable[[Tensor, Tensor, Tensor], Tensor], features: Tensor, tracks: Tracks) -> Tensor:
    """What `embed` makes of the tracks of (n, feature_dim) features, a row each; for use without gradients."""
    parts: list[Tensor] = []
    at_a_time = max(1, _ROWS // max(map(len, tracks.rows)))
    for first in range(0, len(tracks.names), at_a_time):
        chosen, mask = tracks.stacked(range(first, min(first + at_a_time, len(tracks.names))))
        parts.append(embed(*track_batch(features, tracks, chosen, mask)))
    return torch.cat(parts)


def track_batch(
    features: Tensor, tracks: Tracks, rows: npt.NDArray[np.int64], mask: npt.NDArray[np.bool_]
) -> tuple[Tensor, Tensor, Tensor]:
    """The features, masks and start times of some tracks, which `Tracks.stacked` has laid out: (t, s) rows."""
    starts_s = torch.from_numpy(tracks.starts_s[rows]).to(features.device)
    return features[torch.from_numpy(rows).to(features.device)], torch.from_numpy(mask).to(features.device), starts_s
