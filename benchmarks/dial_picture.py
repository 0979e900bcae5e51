"""Draws the coupling dial: one small chart for each recipe, as an SVG file that stands alone."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from antiphon.report import svg
from antiphon.report.numbers import whole
from antiphon.report.scales import Scale, rank_ticks

_WIDTH, _HEIGHT, _TOP, _LEFT, _RIGHT, _BOTTOM = 360, 230, 34, 44, 348, 190
_COLUMNS = 2
_QUERY = {"a2v": "sound", "v2a": "pictures"}
_STYLE = """
svg { --paper: #fbfaf7; --ink: #1d1d1b; --soft: #5d5b55; --line: #dedad1; --null: #d5d1c5; --sound: #b3501a;
  --pictures: #1f6a86; font-family: system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { svg { --paper: #161614; --ink: #ebe8e0; --soft: #a8a499; --line: #3a3933;
  --null: #45433b; --sound: #f0975c; --pictures: #66bbd8; } }
.paper { fill: var(--paper); } text { fill: var(--soft); font-size: 11.5px; }
.label { fill: var(--ink); font-size: 13px; }
.axis { stroke: var(--soft); } .grid { stroke: var(--line); } .null { fill: var(--null); }
.chance { stroke: var(--soft); stroke-dasharray: 4 3; }
.curve, .whisker { fill: none; stroke-width: 1.75; } .whisker { stroke-width: 3; stroke-opacity: 0.45; }
.curve.sound, .whisker.sound { stroke: var(--sound); } .curve.pictures, .whisker.pictures { stroke: var(--pictures); }
.sparse { stroke-dasharray: 2 3; } .key.sound { fill: var(--sound); } .key.pictures { fill: var(--pictures); }
"""


def dial_picture(rows: Sequence[Mapping[str, Any]]) -> str:
    """A chart for each step: median rank against coupling, whole lines for the largest training set, dotted for less.

    Parameters
    ----------
    rows : of `antiphon.experiments.study_table.study_table`, each with its "coupling".
    """
    steps = list(dict.fromkeys(row["step"] for row in rows))
    charts = [_chart([row for row in rows if row["step"] == step and row["trainings"]]) for step in steps]
    lines = -(-len(charts) // _COLUMNS)
    width, height = _WIDTH * _COLUMNS, _HEIGHT * lines + 30
    placed = [
        svg.element("g", chart, transform=f"translate({_WIDTH * (at % _COLUMNS)} {_HEIGHT * (at // _COLUMNS)})")
        for at, chart in enumerate(charts)
    ]
    picture = svg.element(
        "svg",
        Markup(f"<style>{_STYLE}</style>"),  # noqa: S704 - our own text
        svg.box(0, 0, width, height, "paper"),
        *placed,
        _legend(_HEIGHT * lines + 14),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        role="img",
        aria_label="Median rank against coupling for each recipe; the numbers are in dial.md.",
    )
    return str(picture) + "\n"


def _chart(rows: Sequence[Mapping[str, Any]]) -> Markup:
    pool = max(row["n"] for row in rows)
    x = Scale(0, 1, _LEFT, _RIGHT)
    y = Scale(1, pool, _TOP, _BOTTOM, log=True)
    low = min(row[way]["null95"][0] for row in rows for way in _QUERY)
    high = max(row[way]["null95"][1] for row in rows for way in _QUERY)
    chance = y((pool + 1) / 2)
    parts = [
        svg.text(rows[0]["label"], _LEFT, 18, "label"),
        svg.box(_LEFT, y(low), _RIGHT - _LEFT, y(high) - y(low), "null"),
        svg.line(_LEFT, chance, _RIGHT, chance, "chance"),
    ]
    for tick in rank_ticks(round(pool), log=True):
        parts += [
            svg.line(_LEFT, y(tick), _RIGHT, y(tick), "grid"),
            svg.text(whole(tick), _LEFT - 6, y(tick) + 4, "tick", "end"),
        ]
    for coupling in sorted({row["coupling"] for row in rows}):
        parts.append(svg.text(f"{coupling:g}", x(coupling), _BOTTOM + 16, "tick", "middle"))
    for number, size in enumerate(dict.fromkeys(row["size"] for row in rows)):
        mine = [row for row in rows if row["size"] == size]
        for way, query in _QUERY.items():
            parts += _curve(mine, way, f"{query}{' sparse' if number else ''}", x, y)
    return svg.join([*parts, svg.line(_LEFT, _BOTTOM, _RIGHT, _BOTTOM, "axis")])


def _curve(rows: Sequence[Mapping[str, Any]], way: str, style: str, x: Scale, y: Scale) -> list[Markup]:
    found = [(x(row["coupling"]), row[way]["median_rank"]) for row in rows]
    return [
        svg.path([(at, y(rank["value"])) for at, rank in found], f"curve {style}"),
        *(svg.line(at, y(rank["ci95"][0]), at, y(rank["ci95"][1]), f"whisker {style}") for at, rank in found),
    ]


def _legend(top: float) -> Markup:
    return svg.join(
        [
            svg.box(_LEFT, top - 9, 10, 10, "key sound"),
            svg.text("sound asks", _LEFT + 15, top),
            svg.box(_LEFT + 90, top - 9, 10, 10, "key pictures"),
            svg.text("pictures ask", _LEFT + 105, top),
            svg.box(_LEFT + 190, top - 9, 10, 10, "null"),
            svg.text(
                "null; dashed: chance; dotted: fewer videos; across: coupling, down: median rank", _LEFT + 205, top
            ),
        ]
    )
