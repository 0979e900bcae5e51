"""What was run on what: the catalogue, the backbones, the recipe, and how to do it again."""

import shlex
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from antiphon import backbones
from antiphon.catalogue import Catalogue
from antiphon.catalogue.description import describe, synthetic_coupling, synthetic_ids
from antiphon.catalogue.splits import SPLITS
from antiphon.errors import ConfigError
from antiphon.model.recipe import Recipe, load_recipe, recipe_from
from antiphon.report.inputs import Inputs
from antiphon.workspace import Failure

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
    """The recipe of the run, None where the record holds none that this version knows."""
    try:
        return recipe_from(inputs.record["recipe"], str(inputs.folder))
    except (KeyError, ConfigError):
        return None


def catalogue_facts(catalogue: Catalogue) -> dict[str, Any]:
    """Counts for the page: "splits" (one line each and in total), "genres", "media", "missing", "shared_artists"."""
    found = describe(catalogue, most=_MAX_GENRES)
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
    """How many videos are synthetic and how far their pictures follow the songs; None where none is."""
    ids = synthetic_ids(catalogue)
    if not ids:
        return None
    return {"count": len(ids), "all": len(ids) == len(catalogue), "coupling": synthetic_coupling(catalogue)}


def failure_groups(failures: Sequence[Failure]) -> list[dict[str, Any]]:
    """Failures by stage and kind, the longest lists cut with a count of what is left out."""
    ordered = sorted(failures, key=lambda failure: (failure.stage, failure.error))
    groups: list[dict[str, Any]] = []
    for (stage, error), members in groupby(ordered, key=lambda failure: (failure.stage, failure.error)):
        rows = list(members)
        shown, more = rows[:_MAX_FAILURES], max(0, len(rows) - _MAX_FAILURES)
        groups.append({"stage": stage, "error": error, "count": len(rows), "rows": shown, "more": more})
    return groups


def commands(inputs: Inputs, recipe: Recipe | None) -> list[str]:
    """Command lines that repeat the run beside itself, to be called from the folder that holds the workspace."""
    start = f"antiphon --workspace {shlex.quote(inputs.workspace.root.resolve().name)}"
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
    """Trains the run, or reads it where it was published."""
    if "published" in inputs.record:
        return f"published {shlex.quote(str(inputs.record['published']['file']))}"
    return f"train --recipe {_recipe_argument(inputs, recipe)} --seed {inputs.record.get('seed', 0)}"


def _sampling(inputs: Inputs) -> str:
    """Options for the segments that the workspace has; `extract` takes no others for it."""
    return "".join(f" --{key} {inputs.sampling[key]}" for key in ("sections", "seed") if key in inputs.sampling)


def _recipe_argument(inputs: Inputs, recipe: Recipe | None) -> str:
    """The recipe's name where it is still the one that comes with Antiphon, else the run's record."""
    try:
        if recipe is not None and load_recipe(recipe.name) == recipe:
            return shlex.quote(recipe.name)
    except ConfigError:
        pass
    return shlex.quote(f"{inputs.workspace.root.resolve().name}/runs/{inputs.run}/run.toml")


def _line(name: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    known = [row["duration_s"] for row in rows if row["duration_s"] is not None]
    return {
        "name": name,
        "videos": len(rows),
        "artists": len({row["artist"] for row in rows if row["artist"]}),
        "duration_s": sum(known) if known else None,
        "both": sum(bool(row["has_audio"] and row["has_video"]) for row in rows),
    }
