"""Explanation of the published formula: a picture of five queries, and its value beside the true ranks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from antiphon.metrics.published_formula import published_median_rank
from antiphon.metrics.ranks import ranks
from antiphon.presentation import svg
from antiphon.presentation.charts import WIDTH
from antiphon.presentation.numbers import rank
from antiphon.seeding import generator

_QUERIES = 5
_LEFT, _CELL, _ROW, _TOP = 62, 42, 36, 62


@dataclass(frozen=True)
class Example:
    """Five queries of a perfect model, with five candidates each.

    Attributes
    ----------
    order : ndarray of int, shape (5, 5)
        Each query's candidates, least similar first; candidate i is the partner of query i.
    read : ndarray of int, shape (5,)
        What the published formula takes for the rank of query i: the diagonal of `order`.
    true : ndarray of float64, shape (5,)
        Ranks of the partners.
    printed : float
        Median that the formula prints.
    """

    order: npt.NDArray[np.intp]
    read: npt.NDArray[np.intp]
    true: npt.NDArray[np.float64]
    printed: float


def perfect_example() -> Example:
    """Draw similarities at random, except that the partner is always the most similar.

    Returns
    -------
    Example
        The example.
    """
    similarity = generator(0, "diagonal of argsort").normal(size=(_QUERIES, _QUERIES)) + 10 * np.eye(_QUERIES)
    candidates = np.eye(_QUERIES)
    order = np.argsort(similarity, axis=1)
    true = ranks(similarity, candidates)[0]
    return Example(order, np.diagonal(order), true, published_median_rank(candidates, similarity))


def formula_context(check: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return `formula` for the template `formula.html`.

    Parameters
    ----------
    check : mapping, optional
        The audit's check "Model: published formula", which has the numbers of the run.

    Returns
    -------
    dict
        The context.
    """
    example = perfect_example()
    return {
        "example": example,
        "picture": formula_picture(example),
        "median_true": float(np.median(example.true)),
        "numbers": check["numbers"] if check else None,
    }


def formula_picture(example: Example) -> Markup:
    """Draw the candidates in order: true partners filled, what the formula reads circled.

    Parameters
    ----------
    example : Example
        The queries.

    Returns
    -------
    Markup
        SVG.
    """
    reads, trues = WIDTH - 74, WIDTH - 22
    parts = [
        svg.text("least similar", _LEFT, 14),
        svg.text("most similar", _LEFT + _CELL * _QUERIES, 14, "tick", "end"),
        svg.text("place", 0, 46),
        *(svg.text(str(place), _centre(place), 46, "tick", "middle") for place in range(_QUERIES)),
        *_two_lines(("formula", "reads"), reads),
        *_two_lines(("true", "rank"), trues),
    ]
    for query in range(_QUERIES):
        middle = _TOP + _ROW * query + _ROW / 2
        parts += [
            svg.text(f"query {query}", 0, middle + 4, "label"),
            *(_cell(example, query, place, middle) for place in range(_QUERIES)),
            svg.text(str(example.read[query]), reads, middle + 5, "value", "middle"),
            svg.text(rank(example.true[query]), trues, middle + 5, "value", "middle"),
        ]
    bottom = _TOP + _ROW * _QUERIES + 8
    median = float(np.median(example.true))
    parts += [
        svg.line(0, bottom, WIDTH, bottom, "axis"),
        svg.text("median", 0, bottom + 22, "label"),
        svg.text(rank(example.printed), reads, bottom + 22, "value", "middle"),
        svg.text(rank(median), trues, bottom + 22, "value", "middle"),
    ]
    label = (
        f"Five queries of a perfect model with their candidates sorted. Every true partner is at the most similar "
        f"end, so every true rank is 1. The published formula reads the candidates on the diagonal, "
        f"{', '.join(map(str, example.read))}, and prints their median, {rank(example.printed)}."
    )
    return svg.drawing(WIDTH, bottom + 30, label, *parts)


def _cell(example: Example, query: int, place: int, middle: float) -> Markup:
    candidate, x = int(example.order[query, place]), _centre(place)
    own, circled = candidate == query, place == query
    parts = [svg.box(x - 15, middle - 14, 30, 28, "own" if own else "other", round_=3)]
    if circled:
        parts.append(svg.element("circle", cx=x, cy=middle, r=16.5, class_="ring"))
    parts.append(svg.text(str(candidate), x, middle + 5, "on-own" if own else "label", "middle"))
    return svg.element("g", *parts)


def _centre(place: int) -> float:
    return _LEFT + _CELL * place + _CELL / 2


def _two_lines(words: tuple[str, str], x: float) -> list[Markup]:
    return [svg.text(word, x, 32 + 14 * number, "tick", "middle") for number, word in enumerate(words)]
