"""Draws the coupling dial: one small chart for each recipe, as an SVG file that stands alone."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from markupsafe import Markup

from antiphon.experiments.cells import WAYS
from antiphon.experiments.study import Size
from antiphon.presentation import svg
from antiphon.presentation.numbers import whole
from antiphon.presentation.svg import Scale
from dial_criteria import is_found

_WIDTH, _HEIGHT, _TOP, _LEFT, _RIGHT, _BOTTOM = 360, 270, 36, 52, 336, 216
_COLUMNS, _LEGEND = 2, 76
_STYLE = """
svg { --paper: #fbfaf7; --ink: #1d1d1b; --soft: #5d5b55; --line: #dedad1; --null: #e7e3d9; --curve: #b3501a;
  font-family: system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { svg { --paper: #161614; --ink: #ebe8e0; --soft: #a8a499; --line: #3a3933;
  --null: #2c2b27; --curve: #f0975c; } }
.paper { fill: var(--paper); } text { fill: var(--soft); font-size: 11.5px; }
.label { fill: var(--ink); font-size: 13.5px; font-weight: 600; }
.axis { stroke: var(--soft); } .grid { stroke: var(--line); } .null { fill: var(--null); }
.chance { stroke: var(--soft); stroke-dasharray: 4 3; }
.curve { fill: none; stroke: var(--curve); stroke-width: 1.75; } .whisker { stroke: var(--curve); stroke-width: 1.25; }
circle { stroke: var(--curve); stroke-width: 1.75; } .found { fill: var(--curve); } .missed { fill: var(--paper); }
"""

Row = Mapping[str, Any]


def dial_picture(rows: Sequence[Row]) -> str:
    """A chart for each step: median rank against coupling, a line for each training set, paler the smaller it is.

    Of the two ways the one that ranks worse is drawn: a recipe finds a coupling where both ways leave the null.

    Parameters
    ----------
    rows : of `antiphon.experiments.study_table.study_table`, each with its "coupling".
    """
    measured = [row for row in rows if row["trainings"]]
    steps = list(dict.fromkeys(row["step"] for row in measured))
    pairs = {row["size"]: row["train_pairs"] for row in measured}
    shades = _shades(pairs)
    y = _rank_scale(measured)
    charts = [_chart([row for row in measured if row["step"] == step], shades, y) for step in steps]
    lines = -(-len(charts) // _COLUMNS)
    width, height = _WIDTH * _COLUMNS, _HEIGHT * lines + _LEGEND
    placed = [
        svg.element("g", chart, transform=f"translate({_WIDTH * (at % _COLUMNS)} {_HEIGHT * (at // _COLUMNS)})")
        for at, chart in enumerate(charts)
    ]
    picture = svg.element(
        "svg",
        Markup(f"<style>{_STYLE}</style>"),  # noqa: S704 - our own text
        svg.box(0, 0, width, height, "paper"),
        *placed,
        _legend(pairs, shades, _HEIGHT * lines + 14),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        role="img",
        aria_label="Median rank against coupling for each recipe; the numbers are in dial.md.",
    )
    return str(picture) + "\n"


def _shades(pairs: Mapping[Size, float]) -> dict[Size, float]:
    """Opacity of the lines of each size of the training set, the largest first."""
    sizes = sorted(pairs, key=lambda size: -pairs[size])
    return {size: 1 - 0.75 * number / len(sizes) for number, size in enumerate(sizes)}


def _worse(row: Row) -> Row:
    """The median rank of the way that ranks worse, with its interval."""
    return max((row[way]["median_rank"] for way in WAYS), key=lambda found: found["value"])


def _rank_scale(rows: Sequence[Row]) -> Scale:
    best = min(_worse(row)["ci95"][0] for row in rows)
    pool = max(row["n"] for row in rows)
    return Scale(max(tick for tick in _round_ranks(pool) if tick <= best), pool, _TOP, _BOTTOM, log=True)


def _round_ranks(pool: float) -> list[int]:
    return [tick for power, first in product(range(6), (1, 2, 5)) if (tick := first * 10**power) <= pool]


def _chart(rows: Sequence[Row], shades: Mapping[Size, float], y: Scale) -> Markup:
    x = Scale(0, 1, _LEFT + 12, _RIGHT - 8)
    low = min(row[way]["null95"][0] for row in rows for way in WAYS)
    high = max(row[way]["null95"][1] for row in rows for way in WAYS)
    chance = y(rows[0]["chance"])
    parts = [
        svg.text(rows[0]["label"], _LEFT, 20, "label"),
        svg.box(_LEFT, y(low), _RIGHT - _LEFT, y(high) - y(low), "null"),
    ]
    for tick in (tick for tick in _round_ranks(y.high) if tick >= y.low):
        parts += [
            svg.line(_LEFT, y(tick), _RIGHT, y(tick), "grid"),
            svg.text(whole(tick), _LEFT - 7, y(tick) + 4, "tick", "end"),
        ]
    parts += [svg.line(_LEFT, chance, _RIGHT, chance, "chance"), svg.line(_LEFT, _BOTTOM, _RIGHT, _BOTTOM, "axis")]
    for coupling in sorted({row["coupling"] for row in rows}):
        parts.append(svg.text(f"{coupling:g}", x(coupling), _BOTTOM + 16, "tick", "middle"))
    parts.append(svg.text("coupling", (_LEFT + _RIGHT) / 2, _BOTTOM + 33, "tick", "middle"))
    for size, shade in reversed(list(shades.items())):
        mine = sorted((row for row in rows if row["size"] == size), key=lambda row: row["coupling"])
        parts.append(svg.element("g", *_curve(mine, x, y), opacity=shade))
    return svg.join(parts)


def _curve(rows: Sequence[Row], x: Scale, y: Scale) -> list[Markup]:
    places = [(x(row["coupling"]), y(_worse(row)["value"])) for row in rows]
    edges = [[y(edge) for edge in _worse(row)["ci95"]] for row in rows]
    return [
        svg.path(places, "curve"),
        *(svg.line(at, low, at, high, "whisker") for (at, _), (low, high) in zip(places, edges, strict=True)),
        *(_point(*place, found=is_found(row)) for place, row in zip(places, rows, strict=True)),
    ]


def _point(x: float, y: float, *, found: bool) -> Markup:
    return svg.element("circle", cx=x, cy=y, r=3.2, class_="found" if found else "missed")


def _legend(pairs: Mapping[Size, float], shades: Mapping[Size, float], top: float) -> Markup:
    parts = [svg.text("Trained on", _LEFT, top)]
    for number, (size, shade) in enumerate(shades.items()):
        left = _LEFT + 75 + 110 * number
        key = svg.path([(left, top - 4), (left + 22, top - 4)], "curve")
        parts += [svg.element("g", key, opacity=shade), svg.text(f"{whole(pairs[size])} pairs", left + 28, top)]
    parts += [_point(_LEFT + 4, top + 18, found=True), svg.text("found, both ways", _LEFT + 13, top + 22)]
    parts += [_point(_LEFT + 128, top + 18, found=False), svg.text("not found", _LEFT + 137, top + 22)]
    parts += [svg.box(_LEFT + 210, top + 13, 10, 10, "null"), svg.text("widest null", _LEFT + 225, top + 22)]
    parts += [
        svg.line(_LEFT + 298, top + 18, _LEFT + 320, top + 18, "chance"),
        svg.text("chance", _LEFT + 326, top + 22),
    ]
    parts.append(svg.text("Down: median rank of the way that ranks worse, with 95% interval", _LEFT, top + 44))
    return svg.join(parts)
