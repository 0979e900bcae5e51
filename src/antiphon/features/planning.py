"""Position of the segments of each video, drawn once and kept."""

from typing import Any

import pyarrow as pa

from antiphon.catalogue import Catalogue
from antiphon.errors import DecodeError, FeatureStoreError
from antiphon.media.probing import probe_media
from antiphon.segments.sampling import SamplingConfig, segment_rows
from antiphon.tables import SEGMENTS, read_table, write_table
from antiphon.workspace import Failure, Workspace

_SAMPLING = b"sampling"


def plan_segments(
    workspace: Workspace, catalogue: Catalogue, sampling: SamplingConfig
) -> tuple[dict[str, list[dict[str, Any]]], list[Failure]]:
    """Draw the segments of every readable video that has none yet.

    Parameters
    ----------
    workspace : Workspace
        Workspace; its `segments.parquet` is updated.
    catalogue : Catalogue
        Videos with their durations.
    sampling : SamplingConfig
        Position of the segments.

    Returns
    -------
    segments : dict of str to list of dict
        Rows of `SEGMENTS` by video.
    failures : list of Failure
        Why the other videos have none.

    Raises
    ------
    FeatureStoreError
        The workspace's segments were drawn with other settings.
    """
    planned = _planned(workspace, sampling)
    failures: list[Failure] = []
    fresh: list[dict[str, Any]] = []
    for row in catalogue.records():
        if row["path"] is None or row["id"] in planned:
            continue
        try:
            if row["duration_s"] is None:
                probe_media(row["path"])
                raise DecodeError(f"{row['path']}: has no known duration. Add it to the catalogue again.")
            planned[row["id"]] = segment_rows(row["id"], row["duration_s"], sampling, row["start_s"] or 0.0)
            fresh += planned[row["id"]]
        except DecodeError as error:
            failures.append(Failure(row["id"], "segments", type(error).__name__, str(error)))
    if fresh or not workspace.segments.exists():
        table = pa.Table.from_pylist([row for rows in planned.values() for row in rows], SEGMENTS)
        write_table(table.replace_schema_metadata({_SAMPLING: sampling.model_dump_json()}), workspace.segments)
    return planned, failures


def stored_sampling(workspace: Workspace) -> SamplingConfig | None:
    """Read the settings that a workspace's segments were drawn with.

    Parameters
    ----------
    workspace : Workspace
        Workspace to read.

    Returns
    -------
    SamplingConfig or None
        None if there are no segments yet.
    """
    if not workspace.segments.exists():
        return None
    drawn = (read_table(workspace.segments, SEGMENTS).schema.metadata or {}).get(_SAMPLING)
    return None if drawn is None else SamplingConfig.model_validate_json(drawn)


def _planned(workspace: Workspace, sampling: SamplingConfig) -> dict[str, list[dict[str, Any]]]:
    if not workspace.segments.exists():
        return {}
    table = read_table(workspace.segments, SEGMENTS)
    drawn = stored_sampling(workspace)
    if drawn != sampling:
        raise FeatureStoreError(
            f"{workspace.segments}: was drawn with {drawn}, not {sampling}. Use one workspace per sampling."
        )
    planned: dict[str, list[dict[str, Any]]] = {}
    for row in table.to_pylist():
        planned.setdefault(row["video_id"], []).append(row)
    return planned
