"""The heads that Veldkamp et al. (2023) published, read from their checkpoint without running anything in it.

Such a file is a zip that torch wrote. Its entry `model` is a list of two state dicts, the pictures' and then the
sound's: dense1 → bn1 → ReLU → dense2 → sigmoid → unit length each. Where one head was trained alone, the sound's is
empty, the sound passes as it is, and the pictures' has an empty layer `dense3` that the authors' code never calls.
"""

import hashlib
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from antiphon.errors import ModelError
from antiphon.model.recipe import Recipe, load_recipe
from antiphon.model.towers import Towers

AUDIO_NAME, VIDEO_NAME = "musicnn-won-mtat", "r2plus1d_18-unscaled"
"""The features that the authors trained on: theirs were computed from raw frames."""
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
"""Names of theirs and of ours."""


@dataclass(frozen=True)
class Published:
    """Where a published model was read from.

    Attributes
    ----------
    file : its name.
    sha256 : of the file, hex.
    """

    file: str
    sha256: str


def read_published(path: Path) -> tuple[Recipe, Towers, tuple[int, int], Published]:
    """The heads of a published checkpoint, the recipe that describes them, their feature sizes, and where from.

    Only tensors and plain values are unpickled (`weights_only=True`); of these only the two state dicts are used.

    Raises
    ------
    ModelError
        The file is missing or damaged, holds something that would have to be run, or does not hold such heads.
    """
    video, audio = _states(path)
    hidden, dim = _check_head(path, "pictures'", video, _VIDEO_DIM)
    if audio and _check_head(path, "sound's", audio, _AUDIO_DIM) != (hidden, dim):
        raise ModelError(f"{path}: its two heads are of different width, so they do not belong together.")
    if not audio and dim != _AUDIO_DIM:
        raise ModelError(
            f"{path}: the pictures' head ends in {dim} values; without a head of the sound it must end in {_AUDIO_DIM}."
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
    what = "two heads" if heads == "both" else "a head on the pictures alone"
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
        raise ModelError(f"{path}: its entry `model` is not a list of two state dicts, the pictures' and the sound's.")
    states = cast(list[Any], model)
    if not all(isinstance(state, dict) for state in states):
        raise ModelError(f"{path}: its entry `model` holds something else than state dicts.")
    return states[0], states[1]


def _unpickled(path: Path) -> Any:
    if not path.is_file():
        raise ModelError(
            f"{path}: no such file. Give the authors' checkpoint: data/06_models/Single_proj_head.tar of "
            "https://github.com/KarelVeldkamp/Multimodal-Musicvideo-Representation."
        )
    _check_archive(path)
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # A pickle made to harm can make its reader fail in any way; what counts is that nothing of it ran.
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise ModelError(
            f"{path}: is damaged, or holds more than tensors and plain values ({first}). It was not used."
        ) from error


def _check_archive(path: Path) -> None:
    """Size and checksums of the members; torch itself compares no checksum."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
            if size > _MAX_BYTES:
                raise ModelError(
                    f"{path}: unpacks to {size:,} bytes; such heads have a few million. It is something else."
                )
            changed = archive.testzip()
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as error:
        raise ModelError(f"{path}: is no checkpoint of PyTorch, or is damaged ({error}). Fetch it again.") from error
    if changed is not None:
        raise ModelError(f"{path}: its member {changed} is not what its checksum says. Fetch the file again.")


def _check_head(path: Path, side: str, state: Mapping[str, Any], inputs: int) -> tuple[int, int]:
    """Width of the hidden layer and of the output, once everything in `state` is as it should be."""
    where = f"{path}: the {side} head"
    empty = {"dense3.weight", "dense3.bias"} & set(state)
    if set(state) - empty != set(_HEAD):
        wrong = sorted(map(str, set(state) - empty ^ set(_HEAD)))
        raise ModelError(f"{where} is not dense1, bn1, dense2: {', '.join(wrong)} missing or left over.")
    for name, tensor in state.items():
        kind = torch.int64 if name.endswith("num_batches_tracked") else torch.float32
        # Contiguous: so that no tensor is larger than what is stored of it.
        if not isinstance(tensor, Tensor) or tensor.dtype != kind or tensor.is_sparse or not tensor.is_contiguous():
            raise ModelError(f"{where}: {name} is no dense tensor of {kind}.")
    hidden, dim = (len(state[f"{layer}.bias"].reshape(-1)) for layer in ("dense1", "dense2"))
    shapes = {
        name: {"dense1.weight": (hidden, inputs), "dense2.weight": (dim, hidden), "dense2.bias": (dim,)}.get(
            name, () if name.endswith("tracked") else (hidden,)
        )
        for name in _HEAD
    } | {name: (0, dim) if name == "dense3.weight" else (0,) for name in empty}
    for name, shape in shapes.items():
        if tuple(state[name].shape) != shape or not hidden or not dim:
            raise ModelError(f"{where}: {name} has shape {tuple(state[name].shape)}, {shape} is expected.")
        if not torch.isfinite(state[name]).all():
            raise ModelError(f"{where}: {name} holds values that are not finite. Fetch the file again.")
    if (state["bn1.running_var"] < 0).any():
        raise ModelError(f"{where}: bn1.running_var holds negative values, which no variance has. Fetch it again.")
    return hidden, dim
