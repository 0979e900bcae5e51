"""The page of the qualitative analysis: findings, charts, and random videos with their nearest neighbours."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from antiphon.presentation.numbers import score, share
from antiphon.presentation.page_frame import page_environment, page_frame
from antiphon.report import about
from antiphon.report.inputs import Inputs, read_inputs
from antiphon.report.neighbour_charts import Line, lines_chart
from antiphon.report.neighbour_items import NO_MEDIA, Shown, media_of, show_items
from antiphon.report.neighbour_sentences import (
    ATTRIBUTE_WORDS,
    REPRESENTATION_WORDS,
    SPACE_WORDS,
    against_null,
    findings,
    live_tags,
    with_interval,
)
from antiphon.runs import GALLERY_PAGE, versions
from antiphon.tables import write_text
from antiphon.workspace import Workspace

STYLES = ("neighbours.css",)
FILTERS: dict[str, Any] = {"with_interval": with_interval}

_COLOURS = {"aggregated": "main", "audio": "sound", "video": "pictures"}
_SHORT = {"aggregated": "Together", "audio": "Sound", "video": "Pictures"}
_MAX_TAGS = 10


def build_gallery_page(
    workspace: Workspace,
    run: str,
    found: Mapping[str, Any],
    *,
    progress: Callable[[int, int, str], None] | None = None,
) -> Path:
    """Write `runs/<run>/gallery.html`, a single file that works offline.

    Parameters
    ----------
    workspace : Workspace
        Workspace of the run.
    run : str
        Name of the run.
    found : mapping
        What `antiphon.evaluation.qualitative` returned for it.
    progress : callable, optional
        Called while stills and previews are encoded: number done, total, a short remark.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ModelError
        There is no such run, or a file of it is damaged.
    """
    inputs = read_inputs(workspace, run)

    def tell(done: int, total: int) -> None:
        if progress is not None:
            progress(done, total, "previews")

    environment = page_environment("antiphon.report")
    cast(dict[str, Any], environment.filters).update(FILTERS)
    text = environment.get_template("neighbours.html").render(
        **page_frame("antiphon.report", *STYLES),
        inputs=inputs,
        synthetic=about.synthetic_notice(inputs.catalogue) if inputs.catalogue else None,
        written_at=datetime.now(UTC),
        written_by=versions(),
        neighbours=neighbour_context(inputs, found, tell),
    )
    path = inputs.folder / GALLERY_PAGE
    write_text(text, path)
    return path


def neighbour_context(
    inputs: Inputs, found: Mapping[str, Any], progress: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """Return `neighbours` for the templates `neighbours_findings.html`, `neighbours_seeds.html`, `neighbours_how.html`.

    A page that includes them needs `STYLES`, `FILTERS`, the script of `page_frame`, and the "media" as JSON in the
    element with the id `media`.

    Parameters
    ----------
    inputs : Inputs
        The run.
    found : mapping
        What `antiphon.evaluation.qualitative` returned.
    progress : callable, optional
        Called with the number of items done, and of all.

    Returns
    -------
    dict
        The context.
    """
    items = show_items(inputs, found["seeds"], progress)
    unseen = [one for one in items.values() if one.item.preview is None]
    return {
        "found": found,
        "sentences": findings(found),
        "charts": _charts(found),
        "names": REPRESENTATION_WORDS,
        "short": _SHORT,
        "spaces": SPACE_WORDS,
        "attributes": ATTRIBUTE_WORDS,
        "colours": _COLOURS,
        "clear": against_null,
        "videos": [_row(seed, items) for seed in found["seeds"]["videos"]],
        "segments": [_row(seed, items) for seed in found["seeds"]["segments"]],
        "items": len(items),
        "unseen": unseen,
        "no_media": bool(items) and all(one.item.reason == NO_MEDIA for one in items.values()),
        "media": media_of(items),
    }


def _row(seed: Mapping[str, Any], items: Mapping[tuple[str, str], Shown]) -> dict[str, Any]:
    def shown(one: Mapping[str, Any]) -> Shown:
        return items[(one["video"], one["id"]) if "video" in one else (one["id"], "")]

    return {
        "seed": shown(seed),
        "ways": [
            {"name": way, "results": [{"shown": shown(one), **one} for one in near]}
            for way, near in seed["neighbours"].items()
        ],
    }


def _charts(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return each chart with title, note and legend; none for what was not measured."""
    drawn = [_agreement_chart(found, "genre"), _agreement_chart(found, "tags"), _tags_chart(found["tags"])]
    drawn += [_consistency_chart(found["consistency"]), _dependence_chart(found["dependence"])]
    drawn += [_attributes_chart(found["attributes"])]
    return [chart for chart in drawn if chart is not None]


def _agreement_chart(found: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    numbers = {way: both[name] for way, both in found["agreement"].items() if both[name] is not None}
    if not numbers:
        return None
    lines = [_against(_SHORT[way], _COLOURS[way], number) for way, number in numbers.items()]
    title, axis = {
        "genre": ("Same genre", f"share of the {found['k']} nearest of the same genre"),
        "tags": ("Tags in common", "tags that both have, of those that either has"),
    }[name]
    queries = next(iter(numbers.values()))
    return {
        "title": title,
        "note": f"{queries['queries']} of {queries['n']} videos",
        "picture": lines_chart(lines, share, axis),
        "mark": "base rate",
        "null": True,
    }


def _tags_chart(tags: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    if not tags:
        return None
    further = [tag for tag in live_tags(tags) if tag not in tags[:_MAX_TAGS]]
    numbers = [(tag, tag["by_representation"]["aggregated"]) for tag in [*tags[:_MAX_TAGS], *further]]
    highest = f"the {_MAX_TAGS} highest lifts of {len(tags)}{' and live performances' if further else ''}, "
    lines = [_against(f"{tag['tag']} ({tag['carriers']} videos)", "main", number) for tag, number in numbers]
    return {
        "title": "Neighbours with the same tag",
        "note": f"{highest if len(tags) > _MAX_TAGS else ''}together",
        "picture": lines_chart(lines, share, "share of neighbours of videos with the tag", high=1.0),
        "mark": "base rate",
        "null": True,
    }


def _consistency_chart(numbers: Mapping[str, Any]) -> dict[str, Any] | None:
    lines = [
        Line(
            SPACE_WORDS[name],
            _colour(name),
            two["within"]["value"],
            two["within"]["ci95"],
            None,
            two["between"]["value"],
        )
        for name in SPACE_WORDS
        if (two := numbers.get(name)) is not None
    ]
    if not lines:
        return None
    picture = lines_chart(lines, score, "mean cosine of two segments of a video", high=1.0)
    return {
        "title": "Consistency of a video's segments",
        "note": "",
        "picture": picture,
        "mark": "of different videos",
        "null": False,
    }


def _dependence_chart(numbers: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    lines = [
        Line(
            f"{_SHORT[one['representation']]}, {one['quality']}, by {one['consistency_of']}",
            _COLOURS[one["representation"]],
            one["rho"],
            one["ci95"],
            mark=0.0,
        )
        for one in numbers
    ]
    if not lines:
        return None
    picture = lines_chart(lines, score, "rank correlation over videos", low=-1.0, high=1.0)
    return {
        "title": "Are neighbours better for consistent videos?",
        "note": "",
        "picture": picture,
        "mark": "unrelated",
        "null": False,
    }


def _attributes_chart(found: Mapping[str, Any]) -> dict[str, Any] | None:
    if "spaces" not in found:
        return None
    lines = [
        Line(SPACE_WORDS[name], _colour(name), r2["value"], r2["ci95"], r2["null95"])
        for name in SPACE_WORDS
        for r2 in [found["spaces"][name]["r2"]]
    ]
    picture = lines_chart(lines, share, "R² of the similarity of two segments")
    return {
        "title": "What colour, brightness, motion and cuts explain",
        "note": f"{found['pairs']:,} pairs of segments of {found['videos']} videos",
        "picture": picture,
        "mark": None,
        "null": True,
    }


def _against(name: str, colour: str, number: Mapping[str, Any]) -> Line:
    return Line(name, colour, number["value"], number["ci95"], number["null95"], number["base_rate"])


def _colour(space: str) -> str:
    return _COLOURS[space.split(" ", maxsplit=1)[0]]
