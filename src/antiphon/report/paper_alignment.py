"""Table 1 for the page: true ranks of each configuration, and what the paper and its formula print."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from antiphon.experiments.paper import DEVIATIONS, POOL
from antiphon.presentation import svg
from antiphon.presentation.charts import ASKS, QUERY, WIDTH
from antiphon.presentation.numbers import brief, rank, whole
from antiphon.presentation.rank_sentences import DIRECTIONS
from antiphon.presentation.scales import Scale, rank_ticks

_INSET = 4
_VALUES = 46
_ROW = 41
_TOP = 26
_ONE_PLACE = 0.25
"""Fraction of the pool: values within this range count as equal."""
_LEFT_OUT = {"r2plus1d_18-unscaled": "Frames fed unscaled"}
"""Deviations before training, for which there is no recipe."""


@dataclass(frozen=True)
class Mark:
    """One row of the chart.

    Attributes
    ----------
    name : str
        Label.
    value : float
        True median rank.
    ci95, null95 : sequence of float, optional
        Its interval and null, if measured.
    published : sequence of float
        What the published formula prints for the same embeddings, one value per training.
    printed : float, optional
        What the paper prints for this configuration.
    """

    name: str
    value: float
    ci95: Sequence[float] | None
    null95: Sequence[float] | None
    published: Sequence[float]
    printed: float | None = None


def alignment_context(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return `alignment` for the template `paper_table_1.html`.

    Parameters
    ----------
    found : mapping
        What `antiphon.experiments.alignment.alignment` returned, or {"reason"}.

    Returns
    -------
    dict
        The context.
    """
    if "reason" in found:
        return {"reason": found["reason"]}
    rows = [*found["rows"], *found["deviations"], found["reference"], found["shuffled"]]
    return {
        "reason": None,
        "found": found,
        "charts": [alignment_chart(way, _marks(found, way), found["pool"]) for way in DIRECTIONS],
        "others": [found["reference"], found["shuffled"]],
        "extremes": [("Perfect embeddings", found["oracle"]), ("Random embeddings", found["random"])],
        "formula": formula_sentence(found),
        "left_out": [
            (DEVIATIONS.get(name, _LEFT_OUT.get(name, name)), reason)
            for name, reason in found["deviations_left_out"].items()
        ],
        "differs": found["test"] != found["pool"],
        "papers_pool": POOL,
        "tied": [row["name"] for row in rows if any(_flat(row["pool"][way]["ci95"]) for way in DIRECTIONS)],
        "full": [*found["rows"], found["reference"], found["shuffled"]],
    }


def formula_sentence(found: Mapping[str, Any]) -> str:
    """Say what the published formula prints for trained, shuffled, random and perfect embeddings.

    Parameters
    ----------
    found : mapping
        What `antiphon.experiments.alignment.alignment` returned.

    Returns
    -------
    str
        Part of a sentence.

    Examples
    --------
    >>> one, other = {"published": [480.0, 520.0]}, {"published": [505.0]}
    >>> extremes = {"random": {"published": 500.0}, "oracle": {"published": 499.5}}
    >>> formula_sentence({"pool": 1000, "rows": [one], "reference": other, "shuffled": other, **extremes})
    'for trained, shuffled, random and perfect embeddings alike between 480 and 520 of 1,000'
    """
    printed = [value for row in (*found["rows"], found["reference"], found["shuffled"]) for value in row["published"]]
    printed += [found[name]["published"] for name in ("oracle", "random")]
    low, high = min(printed), max(printed)
    together = high - low < _ONE_PLACE * found["pool"]
    return (
        f"for trained, shuffled, random and perfect embeddings {'alike ' if together else ''}between {rank(low)} and "
        f"{rank(high)} of {whole(found['pool'])}"
    )


def _flat(ci95: Sequence[float]) -> bool:
    """Return whether the interval has no width at a rank other than the best: many queries share one rank."""
    return ci95[0] == ci95[1] > 1


def _marks(found: Mapping[str, Any], way: str) -> list[Mark]:
    rows = [*found["rows"], found["reference"], found["shuffled"]]
    # The paper's ranks are of its own pool and cannot be shown for another.
    same_pool = found["pool"] == POOL
    return [_mark(row, way, same_pool=same_pool) for row in rows] + [
        Mark(name, found[key]["median_rank"][way], None, None, [found[key]["published"]])
        for name, key in (("Random embeddings", "random"), ("Perfect embeddings", "oracle"))
    ]


def _mark(row: Mapping[str, Any], way: str, *, same_pool: bool) -> Mark:
    ours = row["pool"][way]
    printed = row["paper"][way] if same_pool and "paper" in row else None
    return Mark(row["name"], ours["median_rank"], ours["ci95"], ours["null95"], row["published"], printed)


def alignment_chart(way: str, marks: Sequence[Mark], pool: int) -> Markup:
    """Draw true median ranks with intervals and nulls on a logarithmic axis; hollow: what the published formula prints.

    Parameters
    ----------
    way : str
        Direction.
    marks : sequence of Mark
        Rows of the chart.
    pool : int
        Size of the pool.

    Returns
    -------
    Markup
        SVG.
    """
    scale = Scale(1, pool, _INSET, WIDTH - _VALUES, log=True)
    bottom = _TOP + _ROW * len(marks) + 4
    chance = scale((pool + 1) / 2)
    parts = [
        svg.text("chance", chance, 12, "tick", "middle"),
        svg.line(chance, 18, chance, bottom, "chance"),
        *(_row(way, mark, scale, pool, _TOP + _ROW * number) for number, mark in enumerate(marks)),
        svg.line(scale.start, bottom, scale.end, bottom, "axis"),
    ]
    ticks = rank_ticks(pool, log=True)
    for number, tick in enumerate(ticks):
        anchor = "start" if number == 0 else "end" if number == len(ticks) - 1 else "middle"
        parts += [
            svg.line(scale(tick), bottom, scale(tick), bottom + 4, "axis"),
            svg.text(whole(tick), scale(tick), bottom + 16, "tick", anchor),
        ]
    parts.append(
        svg.text("median rank, logarithmic (1 is best)", (scale.start + scale.end) / 2, bottom + 31, "tick", "middle")
    )
    label = f"{ASKS[way]}. " + " ".join(f"{_words(mark, pool)}." for mark in marks)
    return svg.drawing(WIDTH, bottom + 36, label, *parts)


def _row(way: str, mark: Mark, scale: Scale, pool: int, top: float) -> Markup:
    middle, at = top + 27, scale(mark.value)
    parts = [
        svg.text(mark.name, 0, top + 13, "label"),
        svg.text(brief(mark.value), WIDTH, middle + 5, "value", "end"),
        svg.line(scale.start, middle, scale.end, middle, "rail"),
    ]
    if mark.null95 is not None:
        low, high = (scale(edge) for edge in mark.null95)
        parts.append(svg.box(low, middle - 11, max(high - low, 2), 22, "null", round_=2))
    parts += [_diamond(scale(value), middle) for value in mark.published]
    if mark.printed is not None:
        parts.append(_cross(scale(mark.printed), middle))
    if mark.ci95 is not None:
        low, high = (scale(edge) for edge in mark.ci95)
        parts.append(svg.box(low, middle - 5, max(high - low, 3), 10, f"bar {QUERY[way]}", round_=3))
    parts.append(svg.element("circle", cx=at, cy=middle, r=4, class_=f"dot {QUERY[way]}"))
    return svg.element("g", *parts, svg.box(0, top, WIDTH, _ROW, "hover", _words(mark, pool)))


def _diamond(x: float, y: float) -> Markup:
    return svg.path([(x, y - 6), (x + 6, y), (x, y + 6), (x - 6, y), (x, y - 6)], "hollow")


def _cross(x: float, y: float) -> Markup:
    return svg.join([svg.line(x - 3, y - 3, x + 3, y + 3, "cross"), svg.line(x - 3, y + 3, x + 3, y - 3, "cross")])


def _words(mark: Mark, pool: int) -> str:
    words = f"{mark.name}: median rank {brief(mark.value)} of {whole(pool)}"
    if mark.ci95 is not None:
        words += f", 95% interval {brief(mark.ci95[0])}–{brief(mark.ci95[1])}"
    if mark.null95 is not None:
        words += f", null {brief(mark.null95[0])}–{brief(mark.null95[1])}"
    words += f"; the published formula prints {', '.join(map(rank, mark.published))}"
    return words if mark.printed is None else f"{words}; the paper printed {mark.printed:g}"
