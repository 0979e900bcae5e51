"""Recommendation of new tracks from what a user liked."""

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from antiphon.errors import ConfigError
from antiphon.ordering import descending
from antiphon.recommendation.content import content_scores
from antiphon.recommendation.space import Embeddings, Space
from antiphon.search import Hit, Where

_DISLIKED = 0.25 / 0.75
"""Weight of what was disliked, by that of what was liked."""


def recommend(
    source: Embeddings | tuple[Sequence[str], npt.ArrayLike] | Space,
    history: str | Sequence[str],
    k: int = 10,
    *,
    disliked: str | Sequence[str] = (),
    weight: float = 0.5,
    exclude: str | Collection[str] = (),
    where: Where | None = None,
) -> list[Hit]:
    """Recommend tracks that a user does not know yet, closest in audio and video to those that they liked.

    Works for tracks without any plays: only content counts (see `content.content_scores` for the formula).

    Parameters
    ----------
    source : Embeddings or tuple of (sequence of str, ArrayLike) or Space
        An `Index`, or ids and one vector each.
    history : str or sequence of str
        Ids of liked tracks; a single text counts as one.
    k : int
        Maximum number of recommendations.
    disliked : str or sequence of str
        Ids of tracks that the user disliked: what is close to them is put back, and they are not recommended. A third
        of the score that they give is subtracted: the share that Salton and Buckley (1990) advise for Rocchio's
        feedback.
    weight : float
        Weight of audio, from 0 to 1; video has the rest.
    exclude : str or collection of str
        Further ids not to recommend, in addition to `history`.
    where : Where, optional
        Conditions that a track must meet.

    Returns
    -------
    list of Hit
        Best first, ties by id; scores are cosines from -1 to 1, less what is subtracted for disliked tracks.

    Raises
    ------
    ConfigError
        No track of the history is known, or `k` or `weight` is out of range.

    Examples
    --------
    >>> vectors = [[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]]
    >>> [hit.id for hit in recommend((["liked", "alike", "other"], vectors), ["liked"])]
    ['alike', 'other']
    """
    if k < 1 or not 0 <= weight <= 1:
        raise ConfigError(f"k must be at least 1 and weight from 0 to 1, not {k} and {weight:g}.")
    history = [history] if isinstance(history, str) else history
    exclude = [exclude] if isinstance(exclude, str) else exclude
    disliked = [disliked] if isinstance(disliked, str) else disliked
    space = Space.of(source)
    liked = space.rows(history)
    if not len(liked):
        named = ", ".join(history[:5]) or "empty"
        raise ConfigError(f"history ({named}): none of these tracks is known. Use ids of the catalogue.")
    allowed = (where or Where()).without(*history, *disliked, *exclude).mask(space.table)
    candidates = space.by_id[allowed[space.by_id]]
    scores = content_scores(space, liked, candidates, weight)
    if len(unliked := space.rows(disliked)):
        scores = scores - _DISLIKED * np.nan_to_num(content_scores(space, unliked, candidates, weight))
    order = descending(scores)[:k]  # NaN (unknown) comes last
    return [
        Hit(space.ids[candidates[place]], float(scores[place]), space.about[candidates[place]])
        for place in order
        if not np.isnan(scores[place])
    ]
