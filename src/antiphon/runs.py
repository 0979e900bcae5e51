"""Record of a run: what was trained with which settings on what, as TOML beside its results."""

import hashlib
import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import tomli_w

from antiphon.documents import parsed_object, parsed_toml, read_document, reason
from antiphon.errors import ModelError
from antiphon.plurals import counted
from antiphon.shapes import LearningCurve, Metrics, RunRecord, Shape
from antiphon.tables import read_table, typed, write_text

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
    """One epoch of a training history.

    Losses are in nats and, except for the sigmoid loss, the sum of both directions. They are the recipe's loss with one
    positive per row and all others as negatives, whatever else the training minimises. Ranks are in the pool of all
    validation rows.

    Attributes
    ----------
    epoch : int
        Number of the epoch, from 1.
    learning_rate, temperature : float
        Values in this epoch.
    train_loss, validation_loss : float
        Mean loss of the batches.
    train_chance, validation_chance : float
        Loss of a model that knows nothing about the pairs, for the same batches.
    train_lower_bound, validation_lower_bound : float
        Lower bound of the loss at this temperature, for the same batches.
    validation_median_rank : float
        Median rank of the validation pairs in both directions.
    validation_log_rank : float
        Mean natural logarithm of these ranks.
    best : bool
        True where the stopping criterion is the best so far.
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


@dataclass(frozen=True)
class AgainstCCA:
    """Held-out ranks of a trained model, compared with those of tuned canonical correlations.

    The settings of the latter are those with the lowest ranks on the same pairs, which is in their favour.

    Attributes
    ----------
    gain : float
        Factor by which the trained model ranks partners higher (ratio of geometric mean ranks, both ways together), as
        it was before it fell back.
    ci95 : tuple of float
        95% interval of the gain, over held-out videos; other trainings are not in it.
    pairs, videos : int
        Held-out pairs, and their videos.
    falls_back : bool
        True where canonical correlations have taken the place of the trained parts of the embeddings.
    """

    gain: float
    ci95: tuple[float, float]
    pairs: int
    videos: int
    falls_back: bool

    @classmethod
    def of(cls, record: dict[str, Any]) -> "AgainstCCA | None":
        """Return the comparison of a run's record; None where none was made."""
        found = record.get("against_cca")
        if found is None:
            return None
        low, high = found["ci95"]
        return cls(found["gain"], (low, high), found["pairs"], found["videos"], found["falls_back"])

    @property
    def sentence(self) -> str:
        """What was found, for people."""
        held_out = f"{counted(self.pairs, 'held-out pair')} of {counted(self.videos, 'video')}"
        factor = f"a factor of {self.gain:.2f} (95% {self.ci95[0]:.2f}–{self.ci95[1]:.2f})"
        if self.falls_back:
            return (
                "Tuned canonical correlations embed in place of the heads, which were not ahead of them in ranks: "
                f"on {held_out}, {factor}."
            )
        if self.ci95[0] <= 1:
            return f"Ranks are not told apart from those of tuned canonical correlations: on {held_out}, {factor}."
        return f"The model ranks partners higher than tuned canonical correlations, by {factor}, on {held_out}."


_MEASURED = (
    "learning_rate",
    "temperature",
    *(f"{split}_{what}" for split in ("train", "validation") for what in ("loss", "chance", "lower_bound")),
    "validation_median_rank",
    "validation_log_rank",
)
EPOCHS = pa.schema(
    [
        pa.field("epoch", pa.int64(), nullable=False),
        *(pa.field(name, pa.float64(), nullable=False) for name in _MEASURED),
        pa.field("best", pa.bool_(), nullable=False),
    ]
)
"""The fields of `Epoch`."""


def read_history(path: Path) -> pa.Table:
    """Read a run's `history.parquet`, with the current names of its columns.

    Parameters
    ----------
    path : Path
        The table, as this or an earlier version wrote it.

    Returns
    -------
    pyarrow.Table
        One row an epoch, with those fields of `Epoch` as columns that it has.

    Raises
    ------
    FeatureStoreError
        The file is missing, not Parquet, or damaged.
    """
    table = read_table(path)
    table = table.rename_columns([_OLD_COLUMNS.get(name, name) for name in table.column_names])
    return typed(path, table.select([name for name in EPOCHS.names if name in table.column_names]), EPOCHS, whole=False)


def read_json(path: Path, shape: type[Shape], command: str) -> dict[str, Any] | None:
    """Read a JSON file of a run.

    Parameters
    ----------
    path : Path
        The file.
    shape : type of Shape
        What it must look like.
    command : str
        What writes it, to be run again where it is damaged.

    Returns
    -------
    dict or None
        Its content; None if there is no such file.

    Raises
    ------
    ModelError
        It is damaged, or of another program.
    """
    try:
        found = parsed_object(read_document(path))
        shape.refuse_other(found)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{path}: damaged, or not written by {command} ({reason(error)}). Delete it, and run {command} again."
        ) from error
    return found


def read_metrics(folder: Path) -> dict[str, Any] | None:
    """Read `metrics.json`; see `read_json`.

    Parameters
    ----------
    folder : Path
        Folder of the run.

    Returns
    -------
    dict or None
        Its content; None if the run is not evaluated.
    """
    return read_json(folder / METRICS_FILE, Metrics, "antiphon evaluate")


def read_learning_curve(folder: Path) -> dict[str, Any] | None:
    """Read `learning_curve.json`; see `read_json`.

    Parameters
    ----------
    folder : Path
        Folder of the run.

    Returns
    -------
    dict or None
        Its content; None if there is none.
    """
    return read_json(folder / LEARNING_CURVE_FILE, LearningCurve, "antiphon train --learning-curve")


def probe_file(target: str) -> str:
    """Return the file name of the results of a probe.

    Parameters
    ----------
    target : str
        "genre" or "tags".

    Returns
    -------
    str
        Name of a JSON file.
    """
    return f"probe-{target}.json"


def probe_scores_file(target: str) -> str:
    """Return the file name of the scores of a probe.

    Parameters
    ----------
    target : str
        "genre" or "tags".

    Returns
    -------
    str
        Name of a Parquet file.
    """
    return f"probe-{target}.parquet"


def versions() -> dict[str, str]:
    """List the versions of the software that the numbers of a run depend on.

    Returns
    -------
    dict of str to str
        Version by package.
    """
    return {"python": platform.python_version()} | {name: version(name) for name in ("antiphon", "torch", "numpy")}


def file_sha256(path: Path) -> str:
    """Hash a file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    str
        SHA-256, hexadecimal.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(*arrays: npt.NDArray[Any]) -> str:
    """Hash the values, types and shapes of arrays.

    Parameters
    ----------
    *arrays : ndarray
        Arrays, in order.

    Returns
    -------
    str
        SHA-256, hexadecimal.

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
    """Remove the record of an earlier run and everything measured on its model, before another takes its place.

    Parameters
    ----------
    folder : Path
        Folder of the run.
    """
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
    """Write a record to `run.toml`, atomically.

    Parameters
    ----------
    record : dict of str to object
        Tables and values; None is left out.
    folder : Path
        Folder of the run.
    """
    path = folder / RUN_FILE
    write_text(tomli_w.dumps(_without_none(record)), path)
    others = [other.stat().st_mtime_ns for other in folder.parent.glob(f"*/{RUN_FILE}") if other != path]
    if (latest := max(others, default=0)) >= path.stat().st_mtime_ns:
        # The clock was set back, and the newest file is the run trained last.
        os.utime(path, ns=(latest + 1_000_000, latest + 1_000_000))


def read_run(folder: Path) -> dict[str, Any]:
    """Read `run.toml`.

    Parameters
    ----------
    folder : Path
        Folder of the run.

    Returns
    -------
    dict of str to object
        Tables and values.

    Raises
    ------
    ModelError
        The file is missing, or is not the record of a run.
    """
    path = folder / RUN_FILE
    try:
        record = parsed_toml(read_document(path))
        RunRecord.refuse_other(record)
        return record
    except (FileNotFoundError, NotADirectoryError):
        raise ModelError(f"{folder}: has no trained model (no {RUN_FILE}). Train one, or name another run.") from None
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: is damaged ({reason(error)}). Restore it, or train the run again.") from error


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    return value
