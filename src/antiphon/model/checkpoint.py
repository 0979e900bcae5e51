"""Weights of trained models on disk, as safetensors: nothing is unpickled."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from antiphon.errors import ModelError
from antiphon.model.recipe import Recipe
from antiphon.model.renamed_keys import with_current_parameters
from antiphon.model.towers import Towers
from antiphon.tables import atomic_path

WEIGHTS_FILE = "model.safetensors"


def save_towers(towers: Towers, folder: Path) -> None:
    """Write the weights to `model.safetensors` in a folder, atomically.

    Parameters
    ----------
    towers : Towers
        Weights to save.
    folder : Path
        Folder of the run.
    """
    with atomic_path(folder / WEIGHTS_FILE) as partial:
        save_file({name: tensor.detach().cpu().contiguous() for name, tensor in towers.state_dict().items()}, partial)


def load_towers(folder: Path, recipe: Recipe, audio_dim: int, video_dim: int, device: torch.device) -> Towers:
    """Load the weights from a folder into towers of the recipe's shape, strictly.

    Parameters
    ----------
    folder : Path
        Folder of the run.
    recipe : Recipe
        Recipe that the weights were trained by.
    audio_dim, video_dim : int
        Sizes of the features.
    device : torch.device
        Device of the towers.

    Returns
    -------
    Towers
        Towers in evaluation mode.

    Raises
    ------
    ModelError
        The file is missing or damaged, or its weights have other names or shapes.
    """
    path = folder / WEIGHTS_FILE
    if not path.is_file():
        raise ModelError(f"{path}: no such file. The run did not finish; train it again.")
    try:
        weights = with_current_parameters(load_file(path))
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path}: is damaged ({error}). Train the run again, or restore the file.") from error
    towers = Towers(audio_dim, video_dim, recipe)
    try:
        if towers.closed_form is not None:
            towers.closed_form.take_shapes(weights, "closed_form.", {"audio": audio_dim, "video": video_dim})
        towers.load_state_dict(weights)
    except (RuntimeError, ModelError) as error:
        raise ModelError(f"{path}: does not match the recipe in its run.toml: {error}") from error
    return towers.to(device).eval()
