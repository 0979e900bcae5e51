"""The heads that Veldkamp et al. (2023) published, read from their checkpoint without executing anything in it.

The file is a zip written by torch. Its entry `model` is a list of two state dicts, for video and then audio: dense1 →
bn1 → ReLU → dense2 → sigmoid → normalisation each. Where one head was trained alone, the audio state is empty, audio
passes unchanged, and the video state has an empty layer `dense3` that the authors' code never calls.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from antiphon.backbones.weights import refuse_damaged_archive
from antiphon.errors import ModelError
from antiphon.model.recipe import Recipe, load_recipe
from antiphon.model.towers import Towers

AUDIO_NAME, VIDEO_NAME = "musicnn-won-mtat", "r2plus1d_18-unscaled"
"""Features that the authors trained on; their video features were computed from frames that were not rescaled."""
_AUDIO_DIM, _VIDEO_DIM = 1506, 512
_MAX_BYTES = 1 << 28
_HEAD = {
    "dense1.weight": "layers.0.weight",
    "dense1.bias": "layers.0.bias",
    "bn1.weight": "layers.1.weight",
    "bn1.bias": "layers.1.bias",
    "bn1.running_mean": "layers.1.running_mean",
    "bn1.running_var": "layers.1.running_var",
    "bn1.num_batches_tracked": "layers.1.num_batches_tracked",
    "dense2.weight": "layers.4.weight",
    "dense2.bias": "layers.4.bias",
}
"""Names of their parameters and ours."""


@dataclass(frozen=True)
class Published:
    """Origin of a published model.

    Attributes
    ----------
    file : str
        Name of the file.
    sha256 : str
        SHA-256 of the file, hexadecimal.
    """

    file: str
    sha256: str


def read_published(path: Path) -> tuple[Recipe, Towers, tuple[int, int], Published]:
    """Read a published checkpoint.

    Only tensors and plain values are unpickled (`weights_only=True`); of these only the two state dicts are used.

    Parameters
    ----------
    path : Path
        The checkpoint, such as `Single_proj_head.tar`.

    Returns
    -------
    recipe : Recipe
        Recipe that describes the heads.
    towers : Towers
        The heads, in evaluation mode.
    dims : tuple of (int, int)
        Sizes of the audio and of the video features.
    published : Published
        Name and hash of the file.

    Raises
    ------
    ModelError
        The file is missing or damaged, holds anything that would have to be executed, or does not hold such heads.
    """
    video, audio = _states(path)
    hidden, dim = _check_head(path, "video", video, _VIDEO_DIM)
    if audio and _check_head(path, "audio", audio, _AUDIO_DIM) != (hidden, dim):
        raise ModelError(f"{path}: the audio and the video head have different sizes, so they are not one model.")
    if not audio and dim != _AUDIO_DIM:
        raise ModelError(
            f"{path}: the video head has {dim} outputs; without an audio head it must have {_AUDIO_DIM}, the size of "
            "the audio feature."
        )
    recipe = _recipe("both" if audio else "video", hidden, dim)
    towers = Towers(_AUDIO_DIM, _VIDEO_DIM, recipe)
    state = {"logit_scale": towers.logit_scale.detach()}
    for side, head in (("audio", audio), ("video", video)):
        state |= {f"{side}.{ours}": head[theirs] for theirs, ours in _HEAD.items() if theirs in head}
    towers.load_state_dict(state, strict=True)
    source = Published(path.name, hashlib.sha256(path.read_bytes()).hexdigest())
    return recipe, towers.eval(), (_AUDIO_DIM, _VIDEO_DIM), source


def _recipe(heads: str, hidden: int, dim: int) -> Recipe:
    base = load_recipe("coded-all")
    what = "two heads" if heads == "both" else "a video head only"
    return base.model_copy(
        update={
            "name": "published",
            "description": f"Published weights of Veldkamp et al. (2023): {what}; not trained here",
            "heads": heads,
            "head": base.head.model_copy(update={"hidden": (hidden,), "embedding_dim": dim}),
        }
    )


def _states(path: Path) -> tuple[Mapping[str, Tensor], Mapping[str, Tensor]]:
    found = _unpickled(path)
    model = found.get("model") if isinstance(found, dict) else None
    if not isinstance(model, list) or len(cast(list[Any], model)) != 2:
        raise ModelError(f"{path}: its entry `model` is not a list of two state dicts, video and audio.")
    states = cast(list[Any], model)
    if not all(isinstance(state, dict) for state in states):
        raise ModelError(f"{path}: its entry `model` holds objects that are not state dicts.")
    return states[0], states[1]


def _unpickled(path: Path) -> Any:
    if not path.is_file():
        raise ModelError(
            f"{path}: no such file. Download the authors' checkpoint, data/06_models/Single_proj_head.tar, from "
            "https://github.com/KarelVeldkamp/Multimodal-Musicvideo-Representation."
        )
    try:
        refuse_damaged_archive(path, _MAX_BYTES)
    except ValueError as error:
        raise ModelError(f"{path}: is not a PyTorch checkpoint, or is damaged ({error}). Download it again.") from error
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # A malicious pickle can make its reader fail in any way; what matters is that none of it was executed.
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise ModelError(
            f"{path}: is damaged, or holds more than tensors and plain values ({first}). Nothing was loaded from it."
        ) from error


def _check_head(path: Path, side: str, state: Mapping[str, Any], inputs: int) -> tuple[int, int]:
    """Return the hidden and output size of a head after checking its names, types, shapes and values."""
    where = f"{path}: the {side} head"
    empty = {"dense3.weight", "dense3.bias"} & set(state)
    if set(state) - empty != set(_HEAD):
        wrong = sorted(map(str, set(state) - empty ^ set(_HEAD)))
        raise ModelError(f"{where} is not dense1, bn1, dense2: {', '.join(wrong)} missing or unexpected.")
    for name, tensor in state.items():
        kind = torch.int64 if name.endswith("num_batches_tracked") else torch.float32
        # Contiguous, so that no tensor is larger than its storage.
        if not isinstance(tensor, Tensor) or tensor.dtype != kind or tensor.is_sparse or not tensor.is_contiguous():
            raise ModelError(f"{where}: {name} is not a dense tensor of {kind}.")
    hidden, dim = (len(state[f"{layer}.bias"].reshape(-1)) for layer in ("dense1", "dense2"))
    shapes = {
        name: {"dense1.weight": (hidden, inputs), "dense2.weight": (dim, hidden), "dense2.bias": (dim,)}.get(
            name, () if name.endswith("tracked") else (hidden,)
        )
        for name in _HEAD
    } | {name: (0, dim) if name == "dense3.weight" else (0,) for name in empty}
    for name, shape in shapes.items():
        if tuple(state[name].shape) != shape or not hidden or not dim:
            raise ModelError(f"{where}: {name} has shape {tuple(state[name].shape)}, expected {shape}.")
        if not torch.isfinite(state[name]).all():
            raise ModelError(f"{where}: {name} has values that are not finite. Download the file again.")
    if (state["bn1.running_var"] < 0).any():
        raise ModelError(f"{where}: bn1.running_var has negative values, impossible for a variance. Download it again.")
    return hidden, dim
