"""From what somebody liked to new tracks, ranked."""

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.errors import ConfigError
from antiphon.ordering import descending
from antiphon.recommendation.content import content_scores
from antiphon.recommendation.space import Embeddings, Space
from antiphon.search import Hit, Where


def recommend(
    source: Embeddings | tuple[Sequence[str], npt.ArrayLike] | Space,
    history: Sequence[str],
    k: int = 10,
    *,
    weight: float = 0.5,
    had: Collection[str] = (),
    where: Where | None = None,
) -> list[Hit]:
    """Tracks that somebody has not had yet, nearest in sound and pictures to those that they liked.

    Nobody needs to have heard or seen a track before: its content decides (`content.content_scores` has the formula).

    Parameters
    ----------
    source : Embeddings or tuple of (sequence of str, ArrayLike) or Space
        An `Index`, or ids and one vector each.
    history : sequence of str
        Ids of liked tracks.
    k : int
        Tracks to recommend.
    weight : float
        Share of the sound from 0 to 1, the rest being the pictures'.
    had : collection of str
        Ids of further tracks that the person has had; neither these nor `history` are recommended.
    where : Where, optional
        Conditions that a track must meet.

    Returns
    -------
    list of Hit
        At most k hits, best first, ties by id; the score is a cosine from -1 to 1.

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
        raise ConfigError(f"k is {k} and weight {weight:g}; k is at least 1 and weight from 0 to 1.")
    space = Space.of(source)
    liked = space.rows(history)
    if not len(liked):
        named = ", ".join(history[:5]) or "none named"
        raise ConfigError(f"history ({named}): no track of it is known here. Name ids of the catalogue.")
    allowed = (where or Where()).without(*history, *had).mask(_table(space))
    candidates = np.array(sorted(np.flatnonzero(allowed), key=space.ids.__getitem__), dtype=np.intp)
    scores = content_scores(space, liked, candidates, weight)
    order = descending(scores)[:k]  # NaN, which nothing is known of, comes last
    return [
        Hit(space.ids[candidates[place]], float(scores[place]), space.about[candidates[place]])
        for place in order
        if not np.isnan(scores[place])
    ]


def _table(space: Space) -> pa.Table:
    """What conditions look at, a row a track."""
    columns = {
        name: pa.array([about.get(name) for about in space.about], kind)
        for name, kind in (("artist", pa.string()), ("genre", pa.string()), ("year", pa.int32()))
    }
    return pa.table({"id": pa.array(space.ids, pa.string()), **columns})
