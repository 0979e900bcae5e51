"""Musicnn's 50 tags from features that were stored: the layers after the pooling, in numpy."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.backbones.musicnn_tags import Corpus
from antiphon.backbones.weights import cache_dir, read_tensors
from antiphon.errors import WeightsError

FloatArray = npt.NDArray[np.float32]

_EPS = 1e-3
_WITH_NOTES = "-basic-pitch"
_ROWS = 8192


def tag_probabilities(backbone: str, features: npt.NDArray[np.floating]) -> tuple[Corpus, FloatArray] | None:
    """Return what a musicnn network was trained on, and its tags' probabilities for each row of its features.

    Parameters
    ----------
    backbone : str
        Name of the backbone that made the features.
    features : ndarray of float, shape (n, 1506), (n, 1682) or (n, 200)
        Pooled values, alone or before those of basic-pitch, or penultimate ones; rows of NaN stay NaN.

    Returns
    -------
    tuple of (str, ndarray of float32 of shape (n, 50)), or None
        None if another backbone made them, or its weights are not in the cache: nothing is downloaded.
    """
    corpus = _corpus(backbone)
    path = cache_dir() / f"musicnn-{corpus}.safetensors"
    if corpus is None or features.ndim != 2 or not path.exists():
        return None
    try:
        tensors, _ = read_tensors(path)
    except WeightsError:  # damaged: whoever extracts is told
        return None
    penultimate = backbone.endswith("-penultimate")
    size = tensors["tags.weight"].shape[1] if penultimate else tensors["hidden.weight"].shape[1]
    if backbone.endswith(_WITH_NOTES):
        features = features[:, :size]
    if features.shape[1] != size:
        return None
    parts = [
        _probabilities(features[first : first + _ROWS].astype(np.float32), tensors, penultimate)
        for first in range(0, len(features), _ROWS)
    ]
    return corpus, np.concatenate(parts) if parts else np.zeros((0, len(tensors["tags.bias"])), np.float32)


def _corpus(backbone: str) -> Corpus | None:
    names: Mapping[str, Corpus] = {"musicnn-mtt": "mtt", "musicnn-msd": "msd"}
    return names.get(backbone.removesuffix("-penultimate").removesuffix(_WITH_NOTES))


def _probabilities(rows: FloatArray, tensors: Mapping[str, npt.NDArray[Any]], penultimate: bool) -> FloatArray:
    if not penultimate:
        hidden = _normed(rows, tensors, "pool_norm") @ tensors["hidden.weight"].T + tensors["hidden.bias"]
        rows = _normed(np.maximum(hidden, 0), tensors, "hidden_norm")
    logits = rows @ tensors["tags.weight"].T + tensors["tags.bias"]
    return (1 / (1 + np.exp(-logits))).astype(np.float32)


def _normed(rows: FloatArray, tensors: Mapping[str, npt.NDArray[Any]], layer: str) -> FloatArray:
    scale = tensors[f"{layer}.weight"] / np.sqrt(tensors[f"{layer}.running_var"] + _EPS)
    normed = (rows - tensors[f"{layer}.running_mean"]) * scale + tensors[f"{layer}.bias"]
    return normed.astype(np.float32)
