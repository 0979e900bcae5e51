"""Batched inference: rows of features through trained heads, and whole tracks through a track model."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from antiphon.features.tracks import Tracks
from antiphon.model.closed_form import Side
from antiphon.model.time_course import TimeCourse
from antiphon.model.towers import Towers

FloatArray = npt.NDArray[np.float32]

_LEAST_ROWS = 32
"""Rows that a track counts as at least, since its time course has as many parts."""
_ROWS = 8192
"""Rows per forward pass; for tracks, segments after padding."""


def embed_rows(
    towers: Towers, side: Side, features: FloatArray, device: torch.device, *, labels: bool = False
) -> FloatArray:
    """Embed rows of features, or predict their labels.

    Parameters
    ----------
    towers : Towers
        Trained towers.
    side : {'audio', 'video'}
        Modality of the features.
    features : ndarray of float32, shape (n, feature_dim)
        Features without NaN.
    device : torch.device
        Device of the towers.
    labels : bool, default False
        Return the predicted labels instead of the embeddings.

    Returns
    -------
    ndarray of float32, shape (n, dim)
        Unit rows.
    """
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
    """Embed the rows of each group as one track, by a track model.

    Parameters
    ----------
    towers : Towers
        Trained towers with a track model.
    side : {'audio', 'video'}
        Modality of the features.
    features : ndarray of float32, shape (n, feature_dim)
        Features without NaN.
    groups : ndarray, shape (n,)
        Track of each row.
    starts_s : ndarray of float64, shape (n,)
        Start of each window in seconds; NaN where unknown.
    device : torch.device
        Device of the towers.

    Returns
    -------
    groups : ndarray, shape (t,)
        Sorted unique groups.
    embeddings : ndarray of float32, shape (t, dim)
        Unit rows.
    """
    tracks = Tracks.of(groups, starts_s)
    with torch.inference_mode():
        given = torch.from_numpy(features).to(device)
        return tracks.names, whole_tracks(partial(towers.embed_tracks, side), given, tracks).cpu().numpy()


def segment_curves(
    course: TimeCourse,
    side: Side,
    features: FloatArray,
    groups: npt.NDArray[Any],
    starts_s: npt.NDArray[np.float64],
    device: torch.device,
) -> FloatArray:
    """Project the segments of tracks onto the curves of their time course.

    Parameters
    ----------
    course : TimeCourse
        Fitted time course.
    side, features, groups, starts_s, device
        As in `embed_tracks`.

    Returns
    -------
    ndarray of float32, shape (n, curves)
        Values of the curves at each segment, without their mean over the track.
    """
    tracks = Tracks.of(groups, starts_s)
    with torch.inference_mode():
        given = torch.from_numpy(features).to(device)
        found = [course.of_segments(side, given[torch.from_numpy(rows)]) for rows in tracks.rows]
    result = np.empty((len(features), found[0].shape[1]), dtype=np.float32)
    result[np.concatenate(tracks.rows)] = torch.cat(found).cpu().numpy()
    return result


def whole_tracks(embed: Callable[[Tensor, Tensor, Tensor], Tensor], features: Tensor, tracks: Tracks) -> Tensor:
    """Apply a function to all tracks, a few at a time; use it without gradients.

    Parameters
    ----------
    embed : callable
        Maps (t, length, dim) features, their mask and their start times to one row per track.
    features : Tensor, shape (n, feature_dim)
        Features of the segments.
    tracks : Tracks
        Rows and times of each track.

    Returns
    -------
    Tensor, shape (t, dim)
        One row per track.
    """
    parts: list[Tensor] = []
    at_a_time = max(1, _ROWS // max(_LEAST_ROWS, *map(len, tracks.rows)))
    for first in range(0, len(tracks.names), at_a_time):
        chosen, mask = tracks.stacked(range(first, min(first + at_a_time, len(tracks.names))))
        parts.append(embed(*track_batch(features, tracks, chosen, mask)))
    return torch.cat(parts)


def track_batch(
    features: Tensor, tracks: Tracks, rows: npt.NDArray[np.int64], mask: npt.NDArray[np.bool_]
) -> tuple[Tensor, Tensor, Tensor]:
    """Gather the features, masks and start times of some tracks.

    Parameters
    ----------
    features : Tensor, shape (n, feature_dim)
        Features of the segments.
    tracks : Tracks
        Rows and times of each track.
    rows : ndarray of int64, shape (t, length)
        Rows of each track, padded; see `Tracks.stacked`.
    mask : ndarray of bool, shape (t, length)
        True where a row is not padding.

    Returns
    -------
    features : Tensor, shape (t, length, feature_dim)
        Features of the segments.
    mask : Tensor, shape (t, length)
        The mask on the device of the features.
    starts_s : Tensor, shape (t, length)
        Start of each window in seconds.
    """
    starts_s = torch.from_numpy(tracks.starts_s[rows]).to(features.device)
    return features[torch.from_numpy(rows).to(features.device)], torch.from_numpy(mask).to(features.device), starts_s
