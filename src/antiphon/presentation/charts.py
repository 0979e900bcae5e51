"""The report's charts: static SVG, coloured by the page's style sheet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from antiphon.presentation import svg
from antiphon.presentation.numbers import rank, whole
from antiphon.presentation.rank_sentences import DIRECTIONS, rank_sentence
from antiphon.presentation.svg import Scale, rank_ticks, spaced, ticks

WIDTH = 380
ASKS = {"a2v": "Sound → pictures", "v2a": "Pictures → sound"}
QUERY = {"a2v": "sound", "v2a": "pictures"}

_LEFT, _RIGHT = 0, 0
_INSET = 4
_ROW = 56
_MIN_BINS, _MAX_BINS = 12, 20
_MAX_TIPS = 200


def intervals(both: Mapping[str, Any]) -> Markup:
    """Draw median rank, interval, null and chance of both directions on one axis from 1 to the pool's size.

    The axis is logarithmic if an interval would be too small to see on a linear one.

    Parameters
    ----------
    both : mapping
        Numbers of "a2v" and "v2a".

    Returns
    -------
    Markup
        SVG.
    """
    pool = both["a2v"]["n"]
    log = min(both[way]["ci95"][0] for way in DIRECTIONS) < pool / 50
    scale = Scale(1, pool, _INSET, WIDTH - _INSET, log)
    rows = [_interval_row(way, both[way], scale, 4 + _ROW * number) for number, way in enumerate(DIRECTIONS)]
    bottom = 4 + _ROW * len(rows)
    label = " ".join(rank_sentence(way, both[way]) for way in DIRECTIONS)
    name = "rank on a logarithmic axis" if log else "rank"
    return svg.drawing(WIDTH, bottom + 34, label, *rows, rank_axis(scale, pool, bottom, name))


def _interval_row(way: str, ranks: Mapping[str, Any], scale: Scale, top: float) -> Markup:
    (low, high), (null_low, null_high) = ranks["ci95"], ranks["null95"]
    middle, at = top + 36, scale(ranks["median_rank"])
    chance = scale(ranks["chance"])
    tip = rank_sentence(way, ranks)
    return svg.element(
        "g",
        svg.text(ASKS[way], _LEFT, top + 14, "label"),
        svg.text(f"{rank(ranks['median_rank'])} of {whole(ranks['n'])}", WIDTH - _RIGHT, top + 14, "value", "end"),
        svg.line(scale.start, middle, scale.end, middle, "rail"),
        svg.box(scale(null_low), middle - 11, scale(null_high) - scale(null_low), 22, "null", round_=2),
        svg.line(chance, middle - 15, chance, middle + 15, "chance"),
        svg.box(scale(low), middle - 8, max(scale(high) - scale(low), 3), 16, f"bar {QUERY[way]}", round_=3),
        svg.element("circle", cx=at, cy=middle, r=4, class_=f"dot {QUERY[way]}"),
        svg.box(0, top, WIDTH, _ROW, "hover", tip),
    )


def rank_axis(scale: Scale, pool: int, top: float, name: str) -> Markup:
    """Draw the axis of ranks, from 1 to the pool's size, below a chart that ends at `top`."""
    marks = rank_ticks(pool, log=scale.log)
    parts = [svg.line(scale.start, top, scale.end, top, "axis")]
    for number, mark in enumerate(marks):
        anchor = "start" if number == 0 else "end" if number == len(marks) - 1 else "middle"
        parts += [
            svg.line(scale(mark), top, scale(mark), top + 4, "axis"),
            svg.text(whole(mark), scale(mark), top + 16, "tick", anchor),
        ]
    parts.append(svg.text(f"{name} (1 is best)", WIDTH / 2, top + 30, "tick", "middle"))
    return svg.join(parts)


@dataclass(frozen=True)
class Histogram:
    """Counts of ranks in bins, and the counts expected by chance.

    Attributes
    ----------
    first, last : list of int
        Lowest and highest rank of each bin.
    counts : list of int
        Queries in each.
    expected : list of float
        Queries expected by chance.
    """

    first: list[int]
    last: list[int]
    counts: list[int]
    expected: list[float]


def rank_bins(ranks: npt.NDArray[np.float64]) -> Histogram:
    """Bin ranks into at most twenty bins, as equal as whole ranks allow.

    By chance each rank from 1 to N is equally likely, so a bin of w ranks expects w of N queries. A rank between two (a
    tie) counts with the lower one.

    Parameters
    ----------
    ranks : ndarray of float64, shape (n,)
        Ranks of all queries.

    Returns
    -------
    Histogram
        The bins.
    """
    pool = len(ranks)
    even = [bins for bins in range(min(_MAX_BINS, pool), _MIN_BINS - 1, -1) if pool % bins == 0]
    number = even[0] if even else min(_MAX_BINS, pool)
    edges = np.unique(np.linspace(0, pool, number + 1).round().astype(int))
    counts = np.bincount(np.searchsorted(edges, np.floor(ranks), side="left") - 1, minlength=len(edges) - 1)
    return Histogram(
        first=(edges[:-1] + 1).tolist(),
        last=edges[1:].tolist(),
        counts=counts.tolist(),
        expected=np.diff(edges).astype(float).tolist(),
    )


def histogram(way: str, ranks: npt.NDArray[np.float64]) -> Markup:
    """Draw how many queries have their partner at which rank, and how many would by chance.

    Parameters
    ----------
    way : str
        Direction.
    ranks : ndarray of float64, shape (n,)
        Ranks of all queries.

    Returns
    -------
    Markup
        SVG.
    """
    bins = rank_bins(ranks)
    pool, bottom, left = len(ranks), 150, 30
    x = Scale(0, pool, left, WIDTH - _RIGHT)
    y = Scale(0, max([*bins.counts, *bins.expected]) * 1.08, bottom, 26)
    parts = [svg.text(ASKS[way], _LEFT, 14, "label"), *_grid(y, left)]
    steps: list[tuple[float, float]] = []
    for first, last, count, expected in zip(bins.first, bins.last, bins.counts, bins.expected, strict=True):
        name = f"rank {first}" if first == last else f"ranks {first}–{last}"
        tip = f"{name}: {count} of {pool} queries; by chance {expected:g}"
        width = x(last) - x(first - 1)
        gap = min(2.0, width / 4)
        parts.append(svg.box(x(first - 1) + gap / 2, y(count), width - gap, bottom - y(count), f"bar {QUERY[way]}"))
        parts.append(svg.box(x(first - 1), 26, width, bottom - 26, "hover", tip))
        steps += [(x(first - 1), y(expected)), (x(last), y(expected))]
    parts += [svg.path(steps, "chance"), svg.line(left, bottom, WIDTH - _RIGHT, bottom, "axis")]
    for mark in rank_ticks(pool):
        anchor = "end" if mark == pool else "middle"
        parts.append(svg.text(whole(mark), x(pool) if mark == pool else x(mark - 0.5), bottom + 16, "tick", anchor))
    parts.append(svg.text("rank of the true partner", WIDTH / 2, bottom + 31, "tick", "middle"))
    label = (
        f"{ASKS[way]}: histogram of {pool} ranks; half are {rank(float(np.median(ranks)))} or better, and "
        f"{bins.counts[0]} in the best bin, by chance {bins.expected[0]:g}."
    )
    return svg.drawing(WIDTH, bottom + 36, label, *parts)


@dataclass(frozen=True)
class Curve:
    """One line of a panel: its name at the right edge, its style, and one value for each x."""

    name: str
    style: str
    values: Sequence[float]


def panel(
    title: str,
    xs: Sequence[float],
    curves: Sequence[Curve],
    x_name: str,
    best: int | None = None,
    min_value: float | None = None,
) -> Markup:
    """Draw curves over a common axis, labelled at their ends.

    Parameters
    ----------
    title : str
        Title.
    xs : sequence of float
        Ascending values of x.
    curves : sequence of Curve
        The curves.
    x_name : str
        Label of the axis.
    best : int, optional
        Index to mark with a vertical line.
    min_value : float, optional
        Start of the vertical axis. Default: just below the lowest value.

    Returns
    -------
    Markup
        SVG.
    """
    bottom, left, right = 160, 40, WIDTH - 84
    y = _value_scale([value for curve in curves for value in curve.values], min_value, bottom)
    x = Scale(xs[0], xs[-1], left, right)
    parts = [svg.text(title, _LEFT, 14, "label"), *_grid(y, left, right)]
    if best is not None:
        parts.append(svg.line(x(xs[best]), 24, x(xs[best]), bottom, "best"))
    for curve in curves:
        points = [(x(at), y(value)) for at, value in zip(xs, curve.values, strict=True) if np.isfinite(value)]
        parts.append(svg.path(points, f"curve {curve.style}"))
        dots = [points[best]] if best is not None and curve.style == "main" else points if len(xs) < 6 else []
        if curve.style == "main":
            parts += [svg.element("circle", cx=at[0], cy=at[1], r=4, class_="dot main") for at in dots or points[-1:]]
    places = spaced([y(curve.values[-1]) for curve in curves], 13)
    parts += [
        svg.text(curve.name, right + 7, place + 4, f"tick end {curve.style}")
        for curve, place in zip(curves, places, strict=True)
    ]
    parts.append(svg.line(left, bottom, right, bottom, "axis"))
    parts += [*_x_axis(x, xs, bottom, x_name), *_tips(x, xs, curves, x_name)]
    ends = ", ".join(f"{curve.name} {curve.values[0]:.4g} to {curve.values[-1]:.4g}" for curve in curves)
    at_best = "" if best is None else f"; the best is {x_name} {xs[best]:g}"
    return svg.drawing(WIDTH, bottom + 36, f"{title}: {ends}, from {x_name} {xs[0]:g} to {xs[-1]:g}{at_best}.", *parts)


def _value_scale(values: Sequence[float], min_value: float | None, bottom: float) -> Scale:
    finite = [value for value in values if np.isfinite(value)] or [0.0, 1.0]
    low, high = min(finite), max(finite)
    margin = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
    return Scale(low - margin if min_value is None else min(min_value, low), high + margin, bottom, 28)


def _grid(y: Scale, left: float, right: float = WIDTH - _RIGHT) -> list[Markup]:
    parts: list[Markup] = []
    for mark in ticks(y.low, y.high):
        parts += [
            svg.line(left, y(mark), right, y(mark), "grid"),
            svg.text(f"{mark:g}", left - 6, y(mark) + 4, "tick", "end"),
        ]
    return parts


def _x_axis(x: Scale, xs: Sequence[float], bottom: float, name: str) -> list[Markup]:
    marks = list(xs) if len(xs) < 6 else [mark for mark in ticks(xs[0], xs[-1], 4) if mark in xs]
    parts = [svg.text(whole(mark), x(mark), bottom + 16, "tick", "middle") for mark in marks]
    return [*parts, svg.text(name, (x.start + x.end) / 2, bottom + 31, "tick", "middle")]


def _tips(x: Scale, xs: Sequence[float], curves: Sequence[Curve], name: str) -> list[Markup]:
    """Return a hover area for each x."""
    if len(xs) > _MAX_TIPS:
        return []
    places = [x(at) for at in xs]
    edges = [places[0] - 6, *[(one + two) / 2 for one, two in pairwise(places)], places[-1] + 6]
    return [
        svg.box(
            edges[number],
            24,
            edges[number + 1] - edges[number],
            136,
            "hover",
            f"{name} {at:g}: " + ", ".join(f"{curve.name} {curve.values[number]:.4g}" for curve in curves),
        )
        for number, at in enumerate(xs)
    ]
