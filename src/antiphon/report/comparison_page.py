"""The page of a comparison of backbones: whether training is worth it, and the numbers behind the answer."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from markupsafe import Markup

from antiphon.experiments.comparison.costs import NUM_VIDEOS
from antiphon.experiments.comparison.result import gain_words, lacks_space
from antiphon.presentation import svg
from antiphon.presentation.charts import QUERY, WIDTH, rank_axis
from antiphon.presentation.numbers import whole
from antiphon.presentation.page_frame import page_environment, page_frame
from antiphon.presentation.rank_sentences import DIRECTIONS
from antiphon.report.rank_rows import ROW, TOP, rank_row, rank_scale, with_interval
from antiphon.runs import versions
from antiphon.tables import write_text

COMPARISON_PAGE = "compare.html"


def build_comparison_page(folder: Path, found: Mapping[str, Any]) -> Path:
    """Write `compare.html`, a single file that works offline and without scripts.

    Parameters
    ----------
    folder : Path
        Folder of the file.
    found : mapping
        Content of compare.json.

    Returns
    -------
    Path
        The file.
    """
    text = (
        page_environment("antiphon.report")
        .get_template("comparison.html")
        .render(
            **page_frame("antiphon.report", "paper.css"),
            found=found,
            parts=[_part(found, name) for name in dict.fromkeys(row["backbones"] for row in found["rows"])],
            reference=_reference(found),
            measured_files=NUM_VIDEOS,
            probes=[_probe(table) for table in found["probes"]],
            written_at=datetime.now(UTC),
            written_by=versions(),
        )
    )
    path = folder / COMPARISON_PAGE
    write_text(text, path)
    return path


def _part(found: Mapping[str, Any], backbones: str) -> dict[str, Any]:
    """Return the rows of one pair of backbones, and their chart; methods that do not apply are left out of it."""
    rows = [row | {"label": row["method"]} for row in found["rows"] if row["backbones"] == backbones]
    shown = [row for row in rows if not lacks_space(row)]
    failed = [f"{row['method']}: {reason}" for row in rows for reason in row["failed"]]
    return {
        "backbones": backbones,
        "rows": [row for row in rows if row["trainings"]],
        "failed": failed,
        "chart": comparison_chart(shown) if any(row["trainings"] for row in shown) else None,
    }


def _reference(found: Mapping[str, Any]) -> str:
    """Say over what gains are."""
    untrained = found["verdict"].get("untrained")
    if untrained is None:
        return "the best method without training"
    several = len({row["backbones"] for row in found["rows"]}) > 1
    return f"{untrained['method']} on {untrained['backbones']}" if several else untrained["method"]


def comparison_chart(rows: Sequence[Mapping[str, Any]]) -> Markup:
    """Draw the methods on one pair of backbones on a logarithmic axis of ranks, with chance, nulls and intervals.

    Parameters
    ----------
    rows : sequence of mapping
        Rows of a comparison, with a "label"; at least one has ranks.

    Returns
    -------
    Markup
        SVG.
    """
    pool = max(row["n"] for row in rows if row["trainings"])
    scale, bottom = rank_scale(pool), TOP + ROW * len(rows) + 4
    chance = scale((pool + 1) / 2)
    words = [_words(row) for row in rows]
    parts = [
        svg.text("chance", chance, 12, "tick", "middle"),
        svg.line(chance, 18, chance, bottom, "chance"),
        *(rank_row(row, scale, TOP + ROW * number, _gain(row), words[number]) for number, row in enumerate(rows)),
        rank_axis(scale, round(pool), bottom, "median rank, logarithmic"),
    ]
    return svg.drawing(WIDTH, bottom + 34, " ".join(f"{each}." for each in words), *parts)


def _words(row: Mapping[str, Any]) -> str:
    if not row["trainings"]:
        return f"{row['label']}: failed"
    ways = [f"by {QUERY[way]} {with_interval(row[way]['median_rank'])}" for way in DIRECTIONS]
    return f"{row['label']}: median rank of {whole(row['n'])} {', '.join(ways)}"


def _gain(row: Mapping[str, Any]) -> str:
    return gain_words(row) if row["trainings"] and row["gain"] is not None else ""


def _probe(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rows of a probe, of which the best is marked."""
    rows = table.get("rows", [])
    best = max((row["roc_auc"]["value"] for row in rows), default=None)
    return dict(table) | {"rows": [row | {"best": row["roc_auc"]["value"] == best} for row in rows]}
