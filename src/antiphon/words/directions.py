"""Words in the joint space: directions learned on a catalogue's own embeddings, which reach music videos without tags.

A direction is the ridge regression of what is said of the music videos on their embeddings. One matrix is inverted for
a catalogue; a word then costs two products.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

RIDGE, RIDGE_OF_FEW = 1.0, 3000.0
"""The ridge is the mean sum of squares of a value times 1 + 3000 / n, for n music videos."""


class Directions:
    """Directions in the embeddings of a catalogue.

    Parameters
    ----------
    sides : mapping of str to ndarray of float32, shape (n, dim)
        Embeddings of the tracks by side; rows of NaN where a music video lacks one.
    """

    def __init__(self, sides: Mapping[str, npt.NDArray[np.floating]]) -> None:
        self._rows = np.hstack([_centred(rows) for rows in sides.values()]).astype(np.float32)
        gram = (self._rows.T @ self._rows).astype(np.float64)
        ridge = (RIDGE + RIDGE_OF_FEW / len(self._rows)) * max(float(np.trace(gram)), 1e-9) / len(gram)
        self._inverse = np.linalg.inv(gram + ridge * np.eye(len(gram)))

    def of(self, said: npt.NDArray[np.floating]) -> FloatArray:
        """Return the direction of what is said.

        Parameters
        ----------
        said : ndarray of float, shape (n,)
            How far it is said of each music video.

        Returns
        -------
        ndarray of float64, shape (sides × dim,)
            The direction, all sides one after the other.
        """
        target = (said - said.mean()).astype(np.float32)
        return self._inverse @ (self._rows.T @ target).astype(np.float64)

    def along(self, direction: FloatArray) -> FloatArray:
        """Return how far each music video lies along a direction, shape (n,)."""
        return (self._rows @ direction.astype(np.float32)).astype(np.float64)


def _centred(rows: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    there = np.asarray(np.isfinite(rows).all(axis=1))
    mean = rows[there].mean(axis=0) if there.any() else 0.0
    return np.where(there[:, None], rows - mean, 0.0)
