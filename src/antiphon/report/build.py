"""The report of a run as a single HTML file."""

import shlex
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from antiphon.catalogue.splits import SPLITS
from antiphon.metrics.summaries import chance
from antiphon.presentation import charts, numbers
from antiphon.presentation.flag_words import flag_list
from antiphon.presentation.moment_sentences import moment_sentences
from antiphon.presentation.page_frame import page_environment, page_frame
from antiphon.presentation.rank_sentences import DIRECTIONS, few_videos_sentence, headline, plain_sentence
from antiphon.report import about, training_charts
from antiphon.report.audit_section import audit_context
from antiphon.report.gallery import Gallery, build_gallery
from antiphon.report.inputs import Inputs, read_inputs
from antiphon.report.loaded import LoadedRun, find_audit, load_run
from antiphon.report.recipe_sentences import recipe_sentences
from antiphon.report.retrieved import MIN_RANKED, Retrieved, disagreement, levels_of, retrieve, usable_videos
from antiphon.runs import AgainstCCA, versions
from antiphon.tables import write_text
from antiphon.workspace import Workspace

REPORT_FILE = "report.html"

Progress = Callable[[int, int, str], None]
"""Takes the number of steps done, the total, and a short remark."""


def build_report(workspace: Workspace, run: str, *, progress: Progress | None = None) -> Path:
    """Write `runs/<run>/report.html`, a single file that works offline: ranks, curves, playable examples, failures.

    Missing parts of the run (metrics, history, media) are named on the page.

    Parameters
    ----------
    workspace : Workspace
        Workspace of the run.
    run : str
        Name of the run.
    progress : Progress, optional
        Called while previews are encoded, which takes most of the time.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ModelError
        There is no such run, or a file of it is damaged.
    """
    tell = progress or _silent
    tell(0, 1, "ranking")
    inputs = read_inputs(workspace, run)
    loaded = load_run(inputs)
    retrieved = retrieve(loaded, inputs.split)
    gallery = None
    if isinstance(retrieved, Retrieved):
        gallery = build_gallery(inputs, retrieved, lambda done, total: tell(done, total, "previews"))
    tell(0, 1, "auditing")
    found = find_audit(inputs, loaded)
    flagged = None if isinstance(loaded, str) else about.flagged_segments(loaded.features, inputs.segments)
    path = inputs.folder / REPORT_FILE
    write_text(render(inputs, retrieved, gallery, found, flagged, _too_few(inputs, loaded)), path)
    return path


def render(
    inputs: Inputs,
    retrieved: Retrieved | str,
    gallery: Gallery | None,
    found: Mapping[str, Any],
    flagged: list[dict[str, Any]] | None = None,
    too_few: dict[str, Any] | None = None,
) -> str:
    """Render the page.

    Parameters
    ----------
    inputs : Inputs
        The run.
    retrieved : Retrieved or str
        Ranks and best candidates, or the reason why there are none.
    gallery : Gallery or None
        The examples.
    found : mapping
        The audit.
    flagged : list of dict, optional
        What is wrong with segments; None where it is not known.
    too_few : dict, optional
        "split" that cannot be ranked, its number of "videos", and "others" that can be; None where it can be ranked.

    Returns
    -------
    str
        HTML.
    """
    environment = page_environment("antiphon.report")
    cast(dict[str, Any], environment.globals).update(
        metric=numbers.metric,
        asks=charts.ASKS,
        query=charts.QUERY,
        typical=training_charts.typical_rank,
        above_chance=training_charts.above_chance,
        flag_list=flag_list,
    )
    return environment.get_template("report.html").render(
        **page_frame("antiphon.report", "audit.css"),
        **_context(inputs, retrieved, gallery),
        audit=audit_context(found, _audit_command(inputs)),
        flagged=flagged,
        too_few=too_few,
    )


def _too_few(inputs: Inputs, loaded: LoadedRun | str) -> dict[str, Any] | None:
    """Say which split has too few videos to be ranked, and which others have enough."""
    if isinstance(loaded, str):
        return None
    videos = {split: usable_videos(loaded.features, split) for split in SPLITS}
    if videos[inputs.split] >= MIN_RANKED:
        return None
    others = [split for split in ("validation", "train") if videos[split] >= MIN_RANKED]
    return {"split": inputs.split, "videos": videos[inputs.split], "others": others}


def _audit_command(inputs: Inputs) -> str:
    """Return the command that also trains a control; "" for a published model."""
    return "" if "published" in inputs.record else f"antiphon audit --run {shlex.quote(inputs.run)}"


def _context(inputs: Inputs, retrieved: Retrieved | str, gallery: Gallery | None) -> dict[str, Any]:
    recipe = about.run_recipe(inputs)
    return {
        "inputs": inputs,
        "recipe": recipe,
        "recipe_sentences": recipe_sentences(recipe, len(inputs.history) if inputs.history else None) if recipe else [],
        "written_at": datetime.now(UTC),
        "written_by": versions(),
        "catalogue": about.catalogue_facts(inputs.catalogue) if inputs.catalogue else None,
        "synthetic": about.synthetic_notice(inputs.catalogue) if inputs.catalogue else None,
        "failures": about.failure_groups(inputs),
        "commands": about.commands(inputs, recipe),
        "gallery": gallery,
        "why_no_gallery": retrieved if isinstance(retrieved, str) else None,
        **_answer(inputs),
        **_histograms(inputs, retrieved),
        **_training(inputs),
    }


def _answer(inputs: Inputs) -> dict[str, Any]:
    """Return verdict, charts and table, if there are metrics."""
    if inputs.metrics is None:
        return {
            "levels": None,
            "headline": None,
            "interval_charts": {},
            "plain_sentences": [],
            "moments": [],
            "number_rows": [],
        }
    levels = levels_of(inputs.metrics)
    few = few_videos_sentence(inputs.metrics)
    return {
        "levels": levels,
        "headline": headline(levels),
        "interval_charts": {name: charts.intervals(both) for name, both in levels.items()},
        "plain_sentences": [few] if few else [plain_sentence(name, both) for name, both in levels.items()],
        "moments": moment_sentences(inputs.metrics.get("moments", {})),
        "number_rows": [
            {"level": name, "way": way, "n": both[way]["n"], "metric": metric, **found}
            for name, both in levels.items()
            for way in DIRECTIONS
            for metric, found in both[way]["by_metric"].items()
        ],
    }


def _histograms(inputs: Inputs, retrieved: Retrieved | str) -> dict[str, Any]:
    if isinstance(retrieved, str):
        return {"histograms": {}, "histogram_bins": {}, "disagreement": None, "left_out": 0}
    return {
        "histograms": {
            name: [charts.histogram(way, both[way]) for way in DIRECTIONS] for name, both in retrieved.levels.items()
        },
        "histogram_bins": {
            name: {way: charts.rank_bins(both[way]) for way in DIRECTIONS} for name, both in retrieved.levels.items()
        },
        "left_out": retrieved.left_out,
        "disagreement": disagreement(retrieved, inputs.metrics) if inputs.metrics else None,
    }


def _training(inputs: Inputs) -> dict[str, Any]:
    history = inputs.history
    best = training_charts.best_index(history) if history else None
    pairs = inputs.record.get("inputs", {}).get("validation_pairs")
    return {
        "history": history,
        "best": history[best] if history and best is not None else None,
        "told_apart": training_charts.told_apart(history) if history else None,
        "validation_pairs": pairs,
        "validation_chance": chance(pairs, ())["median_rank"] if pairs else None,
        "typical_chance": training_charts.typical_chance(pairs) if pairs else None,
        "training_charts": training_charts.training_panels(history, pairs) if history else [],
        "against_cca": AgainstCCA.of(inputs.record),
        "curve": inputs.curve,
        "curve_chart": training_charts.learning_panel(inputs.curve) if inputs.curve else None,
    }


def _silent(done: int, total: int, note: str) -> None:
    """Ignore progress."""
