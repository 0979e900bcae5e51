"""Lists that one artist does not fill. Source: Carbonell and Goldstein 1998, maximal marginal relevance."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]


def diversified(
    scores: FloatArray, vectors: FloatArray, artists: Sequence[str | None], k: int, diversity: float
) -> list[int]:
    """Choose `k` candidates one by one: (1 − diversity) · score − diversity · likeness to what is chosen already.

    Likeness is the highest cosine with a chosen candidate, and 1 where the artist is the same.

    Parameters
    ----------
    scores : (n,) of the candidates.
    vectors : (n, dim) unit rows; a row of zeros is like nothing.
    artists : (n,) None where unknown; unknown artists are not the same.
    diversity : from 0, which orders by score, to 1, which after the best one only looks for what is unlike.

    Returns
    -------
    Their numbers, in the order chosen; of equally good ones the earlier comes first.

    Examples
    --------
    >>> diversified(np.array([0.9, 0.8, 0.5]), np.eye(3), ["a", "a", "b"], k=2, diversity=0.5)
    [0, 2]
    """
    numbers = {name: number for number, name in enumerate(artists) if name is not None}
    of = np.array([-1 - row if name is None else numbers[name] for row, name in enumerate(artists)])
    like = np.full(len(scores), -np.inf)
    left = np.ones(len(scores), dtype=bool)
    chosen: list[int] = []
    while len(chosen) < min(k, len(scores)):
        penalty = np.where(np.isinf(like), 0.0, like)
        gain = np.where(left, (1 - diversity) * scores - diversity * penalty, -np.inf)
        best = int(gain.argmax())
        chosen.append(best)
        left[best] = False
        like = np.maximum(like, np.where(of == of[best], 1.0, vectors @ vectors[best]))
    return chosen
