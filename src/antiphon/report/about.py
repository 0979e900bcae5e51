"""What was run on which data: catalogue, backbones, recipe, and the commands that repeat it."""

import shlex
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from antiphon import backbones
from antiphon.catalogue import Catalogue
from antiphon.catalogue.artists import credited
from antiphon.catalogue.description import describe, synthetic_coupling, synthetic_ids
from antiphon.catalogue.splits import SPLITS
from antiphon.errors import ConfigError
from antiphon.features.features import Features
from antiphon.model.recipe import Recipe, load_recipe, recipe_from
from antiphon.presentation.flag_words import flag_criterion, flag_words
from antiphon.presentation.numbers import clock
from antiphon.report.inputs import Inputs

_MAX_GENRES = 12
_MAX_FAILURES = 500
_COLUMNS = {
    "path": "file",
    "artist": "artist",
    "title": "title",
    "genre": "genre",
    "tags": "tags",
    "year": "year",
    "split": "split",
    "duration_s": "duration",
}


def run_recipe(inputs: Inputs) -> Recipe | None:
    """Read the recipe of the run.

    Parameters
    ----------
    inputs : Inputs
        The run.

    Returns
    -------
    Recipe, optional
        None if the record has none that this version knows.
    """
    try:
        return recipe_from(inputs.record["recipe"], str(inputs.folder))
    except (KeyError, ConfigError):
        return None


def catalogue_facts(catalogue: Catalogue) -> dict[str, Any]:
    """Count what the catalogue has.

    Parameters
    ----------
    catalogue : Catalogue
        The catalogue.

    Returns
    -------
    dict
        "splits" (one row each, and the total), "genres", "more_genres", "media", "missing", "shared_artists",
        "artists".
    """
    found = describe(catalogue, max_names=_MAX_GENRES)
    rows = catalogue.records()
    splits = [name for name in (*SPLITS, None) if any(row["split"] == name for row in rows)]
    lines = [_line(name or "no split", [row for row in rows if row["split"] == name]) for name in splits]
    return {
        "splits": [*lines, _line("all", rows)],
        "genres": [(name, counts["total"]) for name, counts in found["genres"].items()],
        "more_genres": len({row["genre"] for row in rows if row["genre"]}) - len(found["genres"]),
        "media": [(name, count) for name, count in found["media"].items() if count],
        "missing": [(word, found["missing"][column], len(rows)) for column, word in _COLUMNS.items()],
        "shared_artists": catalogue.artists_in_two_splits(),
        "artists": found["artists"],
    }


def synthetic_notice(catalogue: Catalogue) -> dict[str, Any] | None:
    """Describe the synthetic videos of a catalogue.

    Parameters
    ----------
    catalogue : Catalogue
        The catalogue.

    Returns
    -------
    dict, optional
        "count", "all" and "coupling"; None if there are none.
    """
    ids = synthetic_ids(catalogue)
    if not ids:
        return None
    return {"count": len(ids), "all": len(ids) == len(catalogue), "coupling": synthetic_coupling(catalogue)}


_STAGES = {
    "segments": "No segments",
    "extract": "Not extracted",
    "keep": "Segments not kept",
    "attributes": "Attributes not measured",
}
_ERRORS = {
    "DecodeError": "cannot be decoded",
    "LimitError": "needs more time or memory than a file may",
    "CrashError": "crashes the decoder",
}


def failure_groups(inputs: Inputs) -> list[dict[str, Any]]:
    """Group failures by stage and kind.

    Parameters
    ----------
    inputs : Inputs
        The run.

    Returns
    -------
    list of dict
        "name" in words, "count", "rows" (up to 500 ids with their reasons, which name files as the page does), and
        "more", the number of others.
    """
    paths = {row["id"]: row["path"] for row in inputs.catalogue.records()} if inputs.catalogue else {}
    ordered = sorted(inputs.failures, key=lambda failure: (failure.stage, failure.error))
    groups: list[dict[str, Any]] = []
    for (stage, error), members in groupby(ordered, key=lambda failure: (failure.stage, failure.error)):
        failures = list(members)
        rows = [
            (one.video_id, inputs.file_names.within(one.message, paths.get(one.video_id)))
            for one in failures[:_MAX_FAILURES]
        ]
        why = _ERRORS.get(error, f"could not be processed ({error})")
        name = f"{_STAGES.get(stage, stage)}: {why}"
        more = max(0, len(failures) - _MAX_FAILURES)
        groups.append({"name": name, "count": len(failures), "rows": rows, "more": more})
    return groups


def flagged_segments(features: Features, segments: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Describe the segments with flags.

    Parameters
    ----------
    features : Features
        Features of all splits.
    segments : mapping of str to sequence of mapping
        Rows of `segments.parquet` by video.

    Returns
    -------
    list of dict
        "name" and "criterion" of each flag, numbers of its "segments" and "videos" and of "all" segments, "rows" (up to
        500 of the videos, each with the times of such segments), and "more", the number of other videos; the most
        frequent flag first.
    """
    times = {row["segment_id"]: row for rows in segments.values() for row in rows} if features.flagged.any() else {}
    found: list[dict[str, Any]] = []
    for flag, counts in features.flag_counts().items():
        videos: dict[str, list[str]] = {}
        for row in np.flatnonzero([flag in flags for flags in features.flags]):
            videos.setdefault(str(features.groups[row]), []).append(_time(features, int(row), times))
        rows = sorted(videos.items(), key=lambda item: (-len(item[1]), item[0]))
        about = {"name": flag_words(flag), "criterion": flag_criterion(flag), "all": len(features)}
        more = max(0, len(rows) - _MAX_FAILURES)
        found.append(about | counts | {"rows": rows[:_MAX_FAILURES], "more": more})
    return found


def _time(features: Features, row: int, times: Mapping[str, Mapping[str, Any]]) -> str:
    """Return from when to when a row's segment lasts; "–" where that is unknown."""
    known = times.get(str(features.ids[row]))
    if known is not None:
        return f"{clock(known['start_s'])}–{clock(known['end_s'])}"
    start_s = float(features.starts_s[row])
    return clock(start_s) if np.isfinite(start_s) else "–"


def commands(inputs: Inputs, recipe: Recipe | None) -> list[str]:
    """List the commands that repeat the run under another name, to be called from the workspace's parent folder.

    Parameters
    ----------
    inputs : Inputs
        The run.
    recipe : Recipe or None
        Its recipe.

    Returns
    -------
    list of str
        Command lines.
    """
    start = f"antiphon --workspace {shlex.quote(inputs.workspace.folder.resolve().name)}"
    audio, video = (shlex.quote(name) for name in inputs.backbones)
    again = shlex.quote(f"{inputs.run}-again")
    seed = (inputs.metrics or {}).get("seed", 0)
    computed = set(inputs.backbones) <= set(backbones.names())
    return [
        f"{start} extract --audio {audio} --video {video}{_sampling(inputs)}"
        if computed
        else "# features: import them as for this run",
        f"{start} {_making(inputs, recipe)} --name {again} --audio {audio} --video {video}",
        f"{start} evaluate --run {again} --split {shlex.quote(inputs.split)} --seed {seed}",
        f"{start} report --run {again}",
    ]


def _making(inputs: Inputs, recipe: Recipe | None) -> str:
    """Return the arguments that train the run, or import it if it was published."""
    if "published" in inputs.record:
        return f"published {shlex.quote(str(inputs.record['published']['file']))}"
    return f"train --recipe {_recipe_argument(inputs, recipe)} --seed {inputs.record.get('seed', 0)}"


def _sampling(inputs: Inputs) -> str:
    """Return the options for the workspace's segments."""
    return "".join(f" --{key} {inputs.sampling[key]}" for key in ("sections", "seed") if key in inputs.sampling)


def _recipe_argument(inputs: Inputs, recipe: Recipe | None) -> str:
    """Return the recipe's name if Antiphon still has it, else the path of the run's record."""
    try:
        if recipe is not None and load_recipe(recipe.name) == recipe:
            return shlex.quote(recipe.name)
    except ConfigError:
        pass
    return shlex.quote(f"{inputs.workspace.folder.resolve().name}/runs/{inputs.run}/run.toml")


def _line(name: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    known = [row["duration_s"] for row in rows if row["duration_s"] is not None]
    return {
        "name": name,
        "videos": len(rows),
        "artists": len({key for keys in credited(row["artist"] for row in rows) for key in keys}),
        "duration_s": sum(known) if known else None,
        "both": sum(bool(row["has_audio"] and row["has_video"]) for row in rows),
    }
