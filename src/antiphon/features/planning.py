"""Position of the segments of each video, drawn once and kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from antiphon.catalogue import Catalogue
from antiphon.catalogue.inspection import inspect_files
from antiphon.catalogue.validation import CatalogueRow
from antiphon.documents import reason
from antiphon.errors import DecodeError, FeatureStoreError
from antiphon.media.probing import probe_media
from antiphon.segments.sampling import SamplingConfig, segment_rows
from antiphon.tables import SEGMENTS, read_schema, read_table, write_table
from antiphon.workers.limits import WorkerLimits
from antiphon.workers.reasons import reason as file_reason
from antiphon.workspace import Failure, Workspace

_SAMPLING = b"sampling"


@dataclass(frozen=True)
class PlannedSegments:
    """The contents of `segments.parquet`, read once and passed on.

    Attributes
    ----------
    by_video : dict of str to list of dict
        Rows of `SEGMENTS` by video, in order.
    sampling : SamplingConfig or None
        Settings that they were drawn with; None if there are none yet.
    """

    by_video: dict[str, list[dict[str, Any]]] = field(default_factory=dict[str, list[dict[str, Any]]])
    sampling: SamplingConfig | None = None

    @property
    def window_starts_s(self) -> dict[str, float]:
        """Start of each segment's window in seconds, by segment."""
        return {row["segment_id"]: row["window_start_s"] for rows in self.by_video.values() for row in rows}


def read_segments(workspace: Workspace) -> PlannedSegments:
    """Read the segments that a workspace has drawn so far.

    Raises
    ------
    FeatureStoreError
        The table is damaged.
    """
    if not workspace.segments.exists():
        return PlannedSegments()
    table = read_table(workspace.segments, SEGMENTS)
    by_video: dict[str, list[dict[str, Any]]] = {}
    for row in table.to_pylist():
        by_video.setdefault(row["video_id"], []).append(row)
    return PlannedSegments(by_video, _sampling(workspace, table.schema))


def plan_segments(
    workspace: Workspace,
    catalogue: Catalogue,
    sampling: SamplingConfig | None = None,
    unreadable: Mapping[str, str] | None = None,
    limits: WorkerLimits | None = None,
) -> tuple[PlannedSegments, list[Failure]]:
    """Draw the segments of every readable video that has none yet.

    Parameters
    ----------
    workspace : Workspace
        Workspace; its `segments.parquet` is updated.
    catalogue : Catalogue
        Videos with their durations.
    sampling : SamplingConfig, optional
        Position of the segments. Default: that of the workspace, or the paper's six sections.
    unreadable : mapping of str to str, optional
        Why files could not be read, by video, where that is known already.
    limits : WorkerLimits, optional
        Limits of each other file without a duration, which is read to find out why. Default: 60 s and 2 GB.

    Returns
    -------
    segments : PlannedSegments
        The segments of all videos that have some.
    failures : list of Failure
        Why the other videos have none.

    Raises
    ------
    FeatureStoreError
        The workspace's segments were drawn with other settings.
    """
    stored = read_segments(workspace)
    settings = sampling or stored.sampling or SamplingConfig()
    # What was read decides: at an address another machine may have written the table since.
    if (stored.by_video or stored.sampling is not None) and stored.sampling != settings:
        raise FeatureStoreError(
            f"{workspace.segments}: was drawn with {stored.sampling}, not {settings}. Use one workspace per sampling."
        )
    planned = dict(stored.by_video)
    rows = [row for row in catalogue.records() if row["path"] is not None and row["id"] not in planned]
    failures = _unreadable([row for row in rows if row["duration_s"] is None], unreadable or {}, limits)
    fresh: list[dict[str, Any]] = []
    for row in rows:
        if row["duration_s"] is None:
            continue
        try:
            planned[row["id"]] = segment_rows(row["id"], row["duration_s"], settings, row["start_s"] or 0.0)
            fresh += planned[row["id"]]
        except DecodeError as error:
            failures.append(Failure(row["id"], "segments", type(error).__name__, file_reason(row["path"], error)))
    if fresh or not workspace.segments.exists():
        table = pa.Table.from_pylist([row for rows in planned.values() for row in rows], SEGMENTS)
        write_table(table.replace_schema_metadata({_SAMPLING: settings.model_dump_json()}), workspace.segments)
    return PlannedSegments(planned, settings), failures


def _unreadable(rows: Sequence[CatalogueRow], known: Mapping[str, str], limits: WorkerLimits | None) -> list[Failure]:
    """Say why files have no duration."""
    reasons = dict(known)
    for row, error in inspect_files(_try, [row for row in rows if row["id"] not in known], limits=limits):
        unknown = f"{row['path']}: has no known duration. Add it to the catalogue again."
        reasons[row["id"]] = unknown if error is None else file_reason(row["path"], error)
    return [Failure(row["id"], "segments", DecodeError.__name__, reasons[row["id"]]) for row in rows]


def _try(row: CatalogueRow) -> None:
    probe_media(row["path"])


def stored_sampling(workspace: Workspace) -> SamplingConfig | None:
    """Read the settings that a workspace's segments were drawn with, without the segments; None if there are none."""
    return _sampling(workspace, read_schema(workspace.segments)) if workspace.segments.exists() else None


def _sampling(workspace: Workspace, schema: pa.Schema) -> SamplingConfig | None:
    drawn = (schema.metadata or {}).get(_SAMPLING)
    try:
        return None if drawn is None else SamplingConfig.model_validate_json(drawn)
    except ValueError as error:
        raise FeatureStoreError(
            f"{workspace.segments}: its sampling is damaged ({reason(error)}). Delete it, and extract again."
        ) from error
