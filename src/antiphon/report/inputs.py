"""The files of a run, read once; None for what is missing."""

from dataclasses import MISSING, dataclass, fields
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from antiphon.catalogue import Catalogue
from antiphon.documents import parsed_object, reason
from antiphon.errors import ModelError
from antiphon.report.file_names import FileNames
from antiphon.runs import (
    AUDIT_FILE,
    RUN_FILE,
    Epoch,
    read_history,
    read_json,
    read_learning_curve,
    read_metrics,
    read_run,
)
from antiphon.shapes import Audit
from antiphon.tables import SEGMENTS, read_table
from antiphon.workspace import Failure, Workspace

_SAMPLING = b"sampling"


@dataclass(frozen=True)
class Inputs:
    """A run and its workspace.

    Attributes
    ----------
    record : dict
        Content of `run.toml`.
    trained_at : datetime
        Time at which `run.toml` was written.
    history, metrics, curve, audit, catalogue : optional
        None if the file does not exist.
    segments : dict of str to list of dict
        Rows of each video's segments, in order.
    sampling : dict
        How they were drawn; empty if that is not recorded.
    """

    workspace: Workspace
    run: str
    folder: Path
    record: dict[str, Any]
    trained_at: datetime
    history: list[Epoch] | None
    metrics: dict[str, Any] | None
    curve: dict[str, Any] | None
    audit: dict[str, Any] | None
    catalogue: Catalogue | None
    failures: list[Failure]
    segments: dict[str, list[dict[str, Any]]]
    sampling: dict[str, Any]

    @property
    def backbones(self) -> tuple[str, str]:
        """Names of the audio and of the video features; "" if unnamed."""
        named = self.record.get("features", {})
        return str(named.get("audio", "")), str(named.get("video", ""))

    @cached_property
    def file_names(self) -> FileNames:
        """What files are called on the page."""
        rows = self.catalogue.records() if self.catalogue else []
        return FileNames.of((row["path"] for row in rows), self.workspace.folder)

    @property
    def split(self) -> str:
        """Split that the metrics are about."""
        return str((self.metrics or {}).get("split", "test"))


def read_inputs(workspace: Workspace, run: str) -> Inputs:
    """Read a run's folder and its workspace.

    Parameters
    ----------
    workspace : Workspace
        The workspace.
    run : str
        Name of the run.

    Returns
    -------
    Inputs
        What was read.

    Raises
    ------
    ModelError
        There is no such run, or a file of it is damaged.
    """
    folder = workspace.run(run)
    record = read_run(folder)
    segments, sampling = _segments(workspace)
    return Inputs(
        workspace=workspace,
        run=run,
        folder=folder,
        record=record,
        trained_at=datetime.fromtimestamp((folder / RUN_FILE).stat().st_mtime, UTC),
        history=_history(folder / "history.parquet"),
        metrics=read_metrics(folder),
        curve=read_learning_curve(folder),
        audit=read_json(folder / AUDIT_FILE, Audit, "antiphon audit"),
        catalogue=Catalogue.load(workspace.catalogue) if workspace.catalogue.exists() else None,
        failures=workspace.read_failures(),
        segments=segments,
        sampling=sampling,
    )


def _history(path: Path) -> list[Epoch] | None:
    if not path.is_file():
        return None
    table = read_history(path)
    wanted = {field.name: field.default is MISSING for field in fields(Epoch)}
    there = [name for name in wanted if name in table.column_names]
    if not table.num_rows or any(needed and name not in there for name, needed in wanted.items()):
        return None
    return [Epoch(**row) for row in table.select(there).to_pylist()]


def _segments(workspace: Workspace) -> tuple[dict[str, list[dict[str, Any]]], dict[str, Any]]:
    """Return the segments by video, and how they were drawn, as `segments.parquet` records it."""
    if not workspace.segments.exists():
        return {}, {}
    table = read_table(workspace.segments, SEGMENTS)
    found: dict[str, list[dict[str, Any]]] = {}
    for row in table.to_pylist():
        found.setdefault(row["video_id"], []).append(row)
    try:
        return found, parsed_object((table.schema.metadata or {}).get(_SAMPLING, b"{}").decode())
    except ValueError as error:
        raise ModelError(f"{workspace.segments}: how it was drawn cannot be read ({reason(error)}).") from error
