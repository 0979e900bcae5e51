"""A trained model in the folder of a run: what is written, and what is believed when it is read."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from antiphon.documents import reason
from antiphon.errors import AntiphonError, FeatureStoreError, ModelError
from antiphon.model.checkpoint import WEIGHTS_FILE, load_towers, save_towers
from antiphon.model.closed_form import Side
from antiphon.model.published_checkpoint import Published
from antiphon.model.recipe import Recipe, recipe_from
from antiphon.model.towers import Towers
from antiphon.runs import (
    RECONSTRUCTION_FILE,
    AgainstCCA,
    Epoch,
    clear_run,
    file_sha256,
    read_history,
    read_run,
    versions,
    write_run,
)
from antiphon.segments.sampling import SamplingConfig
from antiphon.tables import read_table, write_table
from antiphon.training.autoencoder import Reconstruction
from antiphon.training.tuned_backbones import TunedBackbones

SEEN = ("train", "validation")
"""Splits whose videos a training has seen."""
_FORMAT = 1
_HISTORY_FILE = "history.parquet"
_VIDEOS_FILE = "videos.parquet"
_VIDEOS = pa.schema([("video_id", pa.string()), ("split", pa.string())])
_RECONSTRUCTIONS = pa.schema(
    [
        pa.field("side", pa.string(), nullable=False),
        pa.field("epoch", pa.int64(), nullable=False),
        pa.field("train_loss", pa.float64(), nullable=False),
        pa.field("validation_loss", pa.float64(), nullable=False),
        pa.field("best", pa.bool_(), nullable=False),
    ]
)


@dataclass(frozen=True)
class SavedModel:
    """All that a run keeps of a model.

    Attributes
    ----------
    recipe : Recipe
        Recipe of the heads.
    seed : int
        Seed of their training.
    towers : Towers
        The heads.
    names : dict of str to str
        Backbone of the features of each side, or "".
    dims : dict of str to int
        Size of these features.
    sampling : SamplingConfig
        Where the segments of the tracks lie that it was fitted on.
    inputs : dict
        Hashes of what it was fitted on.
    seen : tuple of ndarray of str
        Ids of the videos of `SEEN`.
    history : list of Epoch
        Epochs of the training.
    reconstruction : list of Reconstruction
        Epochs of the autoencoders that the heads started from.
    against_cca : AgainstCCA or None
        Comparison with tuned canonical correlations.
    published : Published or None
        Where the weights were read from, if others published them.
    tuned : TunedBackbones or None
        Backbones that were tuned with the heads.
    """

    recipe: Recipe
    seed: int
    towers: Towers
    names: dict[Side, str]
    dims: dict[Side, int]
    sampling: SamplingConfig
    inputs: dict[str, Any]
    seen: tuple[npt.NDArray[np.str_], npt.NDArray[np.str_]]
    history: list[Epoch] = field(default_factory=list[Epoch])
    reconstruction: list[Reconstruction] = field(default_factory=list[Reconstruction])
    against_cca: AgainstCCA | None = None
    published: Published | None = None
    tuned: TunedBackbones | None = None


def write_model(model: SavedModel, fingerprint: str, folder: Path) -> None:
    """Write a model. `run.toml` comes last: a run that has it is whole.

    Parameters
    ----------
    model : SavedModel
        The model.
    fingerprint : str
        Hash of what its embeddings depend on.
    folder : Path
        Folder of the run; what was measured of an earlier model there is removed.
    """
    clear_run(folder)
    save_towers(model.towers, folder)
    write_table(_seen_table(model), folder / _VIDEOS_FILE)
    write_table(pa.Table.from_pylist([asdict(epoch) for epoch in model.history]), folder / _HISTORY_FILE)
    if model.reconstruction:
        rows = [asdict(epoch) for epoch in model.reconstruction]
        write_table(pa.Table.from_pylist(rows), folder / RECONSTRUCTION_FILE)
    tuning = None if model.tuned is None else model.tuned.save(folder)
    sha256 = {WEIGHTS_FILE: file_sha256(folder / WEIGHTS_FILE)}
    write_run(_record(model) | {"fingerprint": fingerprint, "tuning": tuning, "sha256": sha256}, folder)


def read_model(folder: Path, device: torch.device) -> SavedModel:
    """Read what `write_model` wrote.

    Parameters
    ----------
    folder : Path
        Folder of the run.
    device : torch.device
        Where the heads are to compute.

    Returns
    -------
    SavedModel
        The model.

    Raises
    ------
    ModelError
        There is no model in the folder, or it is damaged or of another version.
    """
    record = read_run(folder)
    try:
        if record["format"] != _FORMAT:
            raise ModelError(f"{folder}: was written in format {record['format']}; this version reads {_FORMAT}.")
        recipe = recipe_from(record["recipe"], str(folder / "run.toml"))
        about = record["features"]
        names: dict[Side, str] = {"audio": about["audio"], "video": about["video"]}
        dims: dict[Side, int] = {"audio": about["audio_dim"], "video": about["video_dim"]}
        sampling = SamplingConfig(**record.get("sampling", {}))
        published = Published(**record["published"]) if "published" in record else None
        tuned = TunedBackbones.load(folder, record["tuning"], names) if "tuning" in record else None
        seed, inputs, against_cca = record["seed"], record["inputs"], AgainstCCA.of(record)
    except AntiphonError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{folder / 'run.toml'}: is not the record of a trained model ({reason(error)}).") from error
    sha256 = record.get("sha256", {}).get(WEIGHTS_FILE)
    towers = load_towers(folder, recipe, dims["audio"], dims["video"], device, sha256)
    history, reconstruction = _epochs(folder), _reconstructions(folder)
    return SavedModel(
        recipe,
        seed,
        towers,
        names,
        dims,
        sampling,
        inputs,
        _seen(folder),
        history,
        reconstruction,
        against_cca,
        published,
        tuned,
    )


def _record(model: SavedModel) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "seed": model.seed,
        "features": {
            "audio": model.names["audio"],
            "audio_dim": model.dims["audio"],
            "video": model.names["video"],
            "video_dim": model.dims["video"],
        },
        "sampling": model.sampling.model_dump(),
        "inputs": model.inputs,
        "against_cca": None if model.against_cca is None else asdict(model.against_cca),
        "published": None if model.published is None else asdict(model.published),
        "versions": versions(),
        "recipe": model.recipe.model_dump(mode="json"),
    }


def _seen_table(model: SavedModel) -> pa.Table:
    rows = [
        {"video_id": str(video), "split": split}
        for split, videos in zip(SEEN, model.seen, strict=True)
        for video in videos
    ]
    return pa.Table.from_pylist(rows, _VIDEOS)


def _seen(folder: Path) -> tuple[npt.NDArray[np.str_], npt.NDArray[np.str_]]:
    rows = _stored(folder / _VIDEOS_FILE, lambda path: read_table(path, _VIDEOS))
    train, validation = (
        np.array([row["video_id"] for row in rows if row["split"] == split], dtype=np.str_) for split in SEEN
    )
    return train, validation


def _epochs(folder: Path) -> list[Epoch]:
    path = folder / _HISTORY_FILE
    if not path.exists():
        return []
    try:
        return [Epoch(**row) for row in _stored(path, read_history)]
    except TypeError as error:
        raise ModelError(f"{path}: is damaged ({error}). Restore it, or train the run again.") from error


def _reconstructions(folder: Path) -> list[Reconstruction]:
    path = folder / RECONSTRUCTION_FILE
    if not path.exists():
        return []
    rows = _stored(path, lambda path: read_table(path, _RECONSTRUCTIONS, only=True))
    return [Reconstruction(**row) for row in rows]


def _stored(path: Path, read: Callable[[Path], pa.Table]) -> list[dict[str, Any]]:
    try:
        return read(path).to_pylist()
    except FeatureStoreError as error:
        raise ModelError(
            f"{path}: is missing or damaged ({error}). Restore the file, or train the run again."
        ) from error
