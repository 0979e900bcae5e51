"""Explanations of recommendations: the nearest liked track, and what the two have in common."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from antiphon.ordering import rounded
from antiphon.recommendation.content import closeness
from antiphon.recommendation.space import Space
from antiphon.search.explaining import Facts, Levels, explain
from antiphon.seeding import generator


@dataclass(frozen=True)
class Reason:
    """Id of the nearest liked track, and what it has in common with the recommended one, in words."""

    like: str
    shared: tuple[str, ...]


def usual_cosines(space: Space) -> Levels:
    """Measure the cosines of random pairs of a space's tracks, which need at least two tracks with a modality.

    Parameters
    ----------
    space : Space
        The tracks.

    Returns
    -------
    Levels
        The cosines.
    """
    there = {side: rows[~np.isnan(rows).any(axis=1)] for side, rows in space.sides.items()}
    return Levels.of({side: rows for side, rows in there.items() if len(rows) > 1}, generator(0, "usual cosines"))


def reasons(
    space: Space,
    liked: Sequence[str],
    recommended: Sequence[str],
    facts: Facts,
    weight: float = 0.5,
    levels: Levels | None = None,
) -> list[Reason]:
    """Explain recommendations. Each must have a modality in common with a liked track.

    Parameters
    ----------
    space : Space
        The tracks.
    liked, recommended : sequence of str
        Ids.
    facts : Facts
        What the explanations are taken from.
    weight : float
        Weight of audio.
    levels : Levels, optional
        What `usual_cosines` measured, where it is known already.

    Returns
    -------
    list of Reason
        One per recommended track, in order.
    """
    history, hits = space.rows(liked), space.rows(recommended)
    levels = levels or usual_cosines(space)
    nearest = history[np.nanargmax(rounded(closeness(space, history, hits, weight)), axis=1)]
    found: list[Reason] = []
    for row, other, name in zip(hits, nearest, recommended, strict=True):
        cosines = {side: float(rows[row] @ rows[other]) for side, rows in space.sides.items() if side in levels.by_side}
        known = {side: cosine for side, cosine in cosines.items() if not np.isnan(cosine)}
        found.append(Reason(space.ids[other], tuple(explain(space.ids[other], name, facts, known, levels))))
    return found
