"""Lists that do not say the same thing ten times."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from antiphon.ordering import rounded
from antiphon.search.scoring import Asked, Candidate, cosines

FloatArray = npt.NDArray[np.float64]


def maximal_marginal_relevance(scores: FloatArray, alike: FloatArray, diversity: float, k: int) -> list[int]:
    """Pick one by one what is relevant and unlike what was picked before (Carbonell and Goldstein, 1998).

    Each pick has the highest (1 − diversity) · score − diversity · (highest likeness to a pick before); ties go to the
    first. Nothing picked counts as a likeness of 0.

    Parameters
    ----------
    scores : (n,) relevance.
    alike : (n, n) likeness of the candidates.
    diversity : 0 keeps the order of the scores, 1 looks at likeness alone.

    Returns
    -------
    The rows picked, in order, `k` at most.
    """
    left = np.ones(len(scores), dtype=bool)
    nearest = np.zeros(len(scores))
    picks: list[int] = []
    while len(picks) < min(k, len(scores)):
        value = np.where(left, (1 - diversity) * scores - diversity * nearest, -np.inf)
        pick = int(np.argmax(rounded(value)))
        nearest = alike[pick] if not picks else np.maximum(nearest, alike[pick])
        left[pick] = False
        picks.append(pick)
    return picks


def likeness(found: Sequence[Candidate], asked: Sequence[Asked]) -> FloatArray:
    """(n, n) likeness of candidates: 1 for one artist, else the weighted cosine of their tracks.

    Over the sides that both have, of those asked for; 0 where there is none.
    """
    total, weights = np.zeros((2, len(found), len(found)))
    for query in asked:
        there = np.array([query.target in candidate.sides for candidate in found], dtype=np.float64)
        nothing = np.zeros_like(query.track.whole)
        wholes = np.array([one.sides[query.target].whole if query.target in one.sides else nothing for one in found])
        total += query.weight * cosines(wholes, wholes)
        weights += query.weight * np.outer(there, there)
    artists = np.array([str(candidate.metadata["artist"] or "") for candidate in found])
    same = (artists[:, None] == artists) & (artists != "")
    return np.where(same, 1.0, total / np.where(weights > 0, weights, 1))
