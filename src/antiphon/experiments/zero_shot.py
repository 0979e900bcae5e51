"""Zero-shot retrieval: backbones of one joint space, compared as they are."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from antiphon.errors import ModelError
from antiphon.features.features import Features
from antiphon.features.tracks import track_embeddings

FloatArray = npt.NDArray[np.float32]


class ZeroShot:
    """The features themselves as embeddings, compared by their cosines.

    This ranks above chance only where both backbones were trained into one space, as CLIP's and CLAP's sides or those
    of one audiovisual model are. That both have the same size does not show it; their ranks do.
    """

    def embed(self, features: Features, per: Literal["segment", "track"] = "segment") -> tuple[FloatArray, FloatArray]:
        """Return the features of both modalities, as `DualEncoder.embed` returns embeddings.

        Parameters
        ----------
        features : Features
            Rows with both modalities.
        per : {'segment', 'track'}, default 'segment'
            Each "segment" (row), or each "track" (video, in the sorted order of the unique groups).

        Returns
        -------
        audio, video : ndarray of float32, shape (n, dim)
            Unit rows; a feature of zeros stays zero, and is as near to all others.

        Raises
        ------
        ModelError
            The modalities have features of different sizes.
        """
        sizes = features.audio.shape[1], features.video.shape[1]
        if sizes[0] != sizes[1]:
            raise ModelError(
                f"Audio features have {sizes[0]} values and video features {sizes[1]}. Zero-shot needs backbones that "
                "share one space."
            )
        audio, video = _unit(features.audio), _unit(features.video)
        if per == "segment":
            return audio, video
        return track_embeddings(audio, features.groups)[1], track_embeddings(video, features.groups)[1]

    def seen_videos(self, features: Features) -> int:
        """Count the videos that it was fitted on: none.

        Parameters
        ----------
        features : Features
            Features of any videos.

        Returns
        -------
        int
            0.
        """
        return 0


def _unit(rows: FloatArray) -> FloatArray:
    lengths = np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    return (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)
