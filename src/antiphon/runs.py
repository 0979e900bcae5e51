"""The record of a run: what was trained with which settings on what, as TOML beside its results."""

import hashlib
import platform
import tomllib
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import tomli_w

from antiphon.errors import ModelError
from antiphon.tables import read_table, write_text

RUN_FILE = "run.toml"
METRICS_FILE = "metrics.json"
LEARNING_CURVE_FILE = "learning_curve.json"
REPORT_FILE = "report.html"
AUDIT_FILE = "audit.json"
GALLERY_FILE = "gallery.json"
RECOMMENDATION_FILE = "recommendation.json"
GALLERY_PAGE = "gallery.html"
RECONSTRUCTION_FILE = "autoencoders.parquet"
TUNED_FILE = "tuned.safetensors"

_PROBES = ("genre", "tags")
_OLD_COLUMNS = {"train_least": "train_lower_bound", "validation_least": "validation_lower_bound"}


@dataclass(frozen=True)
class Epoch:
    """One line of the training history. Losses are in nats and, but for the sigmoid's, the sum of both directions.

    They are the recipe's loss with one positive a row and all others negatives, whatever else the training makes
    smaller. `chance_*` is the loss of a model that knows nothing about the pairs and `least_*` a lower bound of the
    loss, both for the batches that were used; ranks are in the pool of all validation rows. `validation_track_*` are of
    whole tracks, in a pool and a batch of them all, where the recipe trains a track model.
    """

    epoch: int
    learning_rate: float
    temperature: float
    train_loss: float
    train_chance: float
    train_lower_bound: float
    validation_loss: float
    validation_chance: float
    validation_lower_bound: float
    validation_median_rank: float
    validation_log_rank: float
    best: bool
    validation_track_loss: float | None = None
    validation_track_log_rank: float | None = None


def read_history(path: Path) -> pa.Table:
    """Read a run's `history.parquet`, with the current names of its columns.

    Parameters
    ----------
    path : Path
        The table, as this or an earlier version wrote it.

    Returns
    -------
    pyarrow.Table
        One row an epoch, with the fields of `Epoch` as columns.

    Raises
    ------
    FeatureStoreError
        The file is missing, or is not Parquet.
    """
    table = read_table(path)
    return table.rename_columns([_OLD_COLUMNS.get(name, name) for name in table.column_names])


def probe_file(target: str) -> str:
    """Name of the file with what classifiers of `target` ("genre", "tags") found."""
    return f"probe-{target}.json"


def probe_scores_file(target: str) -> str:
    """Name of the table with the scores that these classifiers gave."""
    return f"probe-{target}.parquet"


def versions() -> dict[str, str]:
    """Versions of what the numbers of a run depend on."""
    return {"python": platform.python_version()} | {name: version(name) for name in ("antiphon", "torch", "numpy")}


def fingerprint(*arrays: npt.NDArray[Any]) -> str:
    """SHA-256 (hex) of the values, types and shapes of some arrays.

    Examples
    --------
    >>> fingerprint(np.zeros(2)) == fingerprint(np.zeros(2)) != fingerprint(np.zeros((2, 1)))
    True
    """
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def clear_run(folder: Path) -> None:
    """Remove the record of an earlier run and all that was measured of its model, before another takes its place."""
    for name in (
        RUN_FILE,
        METRICS_FILE,
        LEARNING_CURVE_FILE,
        AUDIT_FILE,
        REPORT_FILE,
        RECONSTRUCTION_FILE,
        TUNED_FILE,
        GALLERY_FILE,
        RECOMMENDATION_FILE,
        GALLERY_PAGE,
        *map(probe_file, _PROBES),
        *map(probe_scores_file, _PROBES),
    ):
        (folder / name).unlink(missing_ok=True)


def write_run(record: dict[str, Any], folder: Path) -> None:
    """Write `record` to `run.toml` in `folder`, atomically; values that are None are left out."""
    write_text(tomli_w.dumps(_without_none(record)), folder / RUN_FILE)


def read_run(folder: Path) -> dict[str, Any]:
    """Read `run.toml` of `folder`.

    Raises
    ------
    ModelError
        There is none, or it is not TOML.
    """
    path = folder / RUN_FILE
    if not path.is_file():
        raise ModelError(f"{folder}: no trained model here (no {RUN_FILE}). Train one, or name another run.")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: is damaged: {error}.") from error


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    return value
