"""Evaluations of a run, kept by date, and test sets that do not change."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from antiphon.documents import read_document
from antiphon.errors import ConfigError, ModelError
from antiphon.runs import read_json
from antiphon.shapes import Metrics
from antiphon.tables import write_text
from antiphon.workspace import Workspace

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_MAX_BYTES = 1 << 28
_STAMP = "%Y%m%dT%H%M%S%fZ"


@dataclass(frozen=True)
class Evaluation:
    """One evaluation of a run.

    Attributes
    ----------
    at : datetime
        When it was made.
    test_set : str
        Name of the frozen test set; "" for the test split as it was then.
    metrics : dict
        What was measured.
    """

    at: datetime
    test_set: str
    metrics: dict[str, Any]


def keep_evaluation(folder: Path, found: Mapping[str, Any], test_set: str = "") -> Path:
    """Keep an evaluation of a run beside the earlier ones.

    Parameters
    ----------
    folder : Path
        Folder of the run.
    found : mapping
        What was measured.
    test_set : str
        Name of the frozen test set.

    Returns
    -------
    Path
        The file.
    """
    now = datetime.now(UTC)
    path = folder / "evaluations" / f"{now:{_STAMP}}.json"
    write_text(json.dumps({**found, "test_set": test_set}, indent=2), path)
    return path


def read_evaluations(folder: Path) -> list[Evaluation]:
    """Read the evaluations of a run, the earliest first; damaged ones are left out.

    Parameters
    ----------
    folder : Path
        Folder of the run.

    Returns
    -------
    list of Evaluation
        The evaluations.
    """
    found: list[Evaluation] = []
    for path in sorted((folder / "evaluations").glob("*.json")):
        try:
            at = datetime.strptime(path.stem, _STAMP).replace(tzinfo=UTC)
            metrics = read_json(path, Metrics, "antiphon evaluate")
        except (ValueError, ModelError):
            continue
        if metrics is not None:
            name = metrics.get("test_set")
            found.append(Evaluation(at, name if isinstance(name, str) else "", metrics))
    return found


def freeze(workspace: Workspace, name: str, ids: Collection[str]) -> Path:
    """Write down the music videos of a test set, which is never changed.

    Parameters
    ----------
    workspace : Workspace
        The workspace.
    name : str
        Name of the test set.
    ids : collection of str
        Its music videos.

    Returns
    -------
    Path
        The file: a checksum, then an id in each line.

    Raises
    ------
    ConfigError
        The name is none, the test set is there already, or there is nothing to put in it.
    """
    path = _place(workspace, name)
    if path.exists():
        raise ConfigError(
            f"{path}: this test set is frozen already. Use another name, or evaluate on it: --test-set {name}"
        )
    if not ids:
        raise ConfigError("The test split has no music videos to freeze.")
    text = "".join(f"{id}\n" for id in sorted(set(ids)))
    write_text(_seal(text) + text, path)
    return path


def _seal(text: str) -> str:
    """Return the first line of a test set, by which a change of the others is noticed."""
    return f"# A frozen test set, sha256 {sha256(text.encode()).hexdigest()}\n"


def frozen(workspace: Workspace, name: str) -> list[str]:
    """Read the music videos of a test set.

    Parameters
    ----------
    workspace : Workspace
        The workspace.
    name : str
        Name of the test set.

    Returns
    -------
    list of str
        Ids, sorted.

    Raises
    ------
    ConfigError
        There is none of this name, or its file is damaged.
    """
    path = _place(workspace, name)
    try:
        head, _, text = read_document(path, _MAX_BYTES).partition("\n")
    except FileNotFoundError as error:
        there = ", ".join(frozen_names(workspace)) or "none"
        raise ConfigError(
            f"{path}: no such test set (there are: {there}). Make one: antiphon evaluate --freeze {name}"
        ) from error
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: not a list of ids: {error}.") from error
    if f"{head}\n" != _seal(text):
        raise ConfigError(
            f"{path}: not as antiphon evaluate --freeze wrote it. Bring back the file, or freeze another one."
        )
    return text.removesuffix("\n").split("\n")


def frozen_names(workspace: Workspace) -> Sequence[str]:
    """Return the names of the frozen test sets."""
    return sorted(path.stem for path in _folder(workspace).glob("*.txt") if _NAME.fullmatch(path.stem))


def _folder(workspace: Workspace) -> Path:
    return workspace.folder / "test-sets"


def _place(workspace: Workspace, name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{name[:100]!r}: not a name of a test set. Use letters, digits, dots, hyphens and underscores."
        )
    return _folder(workspace) / f"{name}.txt"
