"""Weights of trained models on disk, as safetensors: nothing is unpickled."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from antiphon.documents import reason
from antiphon.errors import ModelError
from antiphon.model.recipe import Recipe
from antiphon.model.renamed_keys import with_current_parameters
from antiphon.model.towers import Towers
from antiphon.runs import file_sha256
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


def load_towers(
    folder: Path,
    recipe: Recipe,
    audio_dim: int,
    video_dim: int,
    device: torch.device,
    sha256: str | None = None,
) -> Towers:
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
    sha256 : str, optional
        Recorded hash of the file, hexadecimal. Default: not compared, as runs of earlier versions have none.

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
        if sha256 not in (None, file_sha256(path)):
            raise ValueError("its SHA-256 is not the one in run.toml")
        weights = with_current_parameters(load_file(path))
    except (SafetensorError, OSError, ValueError, LookupError, TypeError, MemoryError) as error:
        raise ModelError(f"{path}: is damaged ({reason(error)}). Restore the file, or train the run again.") from error
    try:
        _refuse_other_shapes(weights, recipe, audio_dim, video_dim)
        towers = Towers(audio_dim, video_dim, recipe)
        towers.take_shapes(weights)
        towers.load_state_dict(weights)
    except (RuntimeError, ModelError) as error:
        raise ModelError(f"{path}: does not match the recipe in its run.toml: {error}") from error
    broken = next((name for name, tensor in weights.items() if not tensor.isfinite().all()), None)
    if broken is not None:
        raise ModelError(f"{path}: is damaged ({broken} is not finite). Restore the file, or train the run again.")
    return towers.to(device).eval()


def _refuse_other_shapes(weights: dict[str, Tensor], recipe: Recipe, audio_dim: int, video_dim: int) -> None:
    """Compare shapes before there is memory for them: a recipe can ask for more than there is."""
    with torch.device("meta"):
        wanted = Towers(audio_dim, video_dim, recipe).state_dict()
    for name, tensor in wanted.items():
        # The sizes of closed forms and of references depend on the data that they were fitted on.
        if (
            not ("closed_form." in name or name.endswith("_references"))
            and name in weights
            and weights[name].shape != tensor.shape
        ):
            raise ModelError(f"{name} has shape {tuple(weights[name].shape)}, expected {tuple(tensor.shape)}")
