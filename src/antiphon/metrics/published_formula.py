"""Formula by which Veldkamp et al. (2023) computed their median ranks; it does not compute ranks."""

import numpy as np
import numpy.typing as npt


def published_median_rank(audio: npt.ArrayLike, video: npt.ArrayLike) -> float:
    """Compute what the evaluation published with the paper prints as the median rank, in both directions.

    It sorts each row of the similarities between video (rows) and audio (columns) in ascending order and takes the
    diagonal of the sorted order. That is the index of the item found at position i, not the position at which item i is
    found, so that it says next to nothing about the model: perfect, random and trained embeddings all score about half
    the pool. The second direction reuses the ranks of the first. It is kept for comparison; use `retrieval` to measure.

    Parameters
    ----------
    audio, video : array_like, shape (n, dim)
        Embeddings; row i of both is one pair. The authors' pools have n = 1000.

    Returns
    -------
    float
        Number from 0 to n − 1.

    References
    ----------
    `get_validation_metrics` in `mmnet/evaluation.py` of the code published with Veldkamp et al. (2023).

    Examples
    --------
    >>> published_median_rank(np.eye(1000), np.eye(1000)) > 400  # of embeddings whose every true rank is 1
    True
    """
    similarity = np.asarray(video, dtype=np.float64) @ np.asarray(audio, dtype=np.float64).T
    return float(np.median(np.diagonal(np.argsort(similarity, axis=1))))
