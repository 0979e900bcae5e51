"""Concatenation of the features of two data sets."""

import numpy as np

from antiphon.errors import FeatureStoreError
from antiphon.features.features import Features


def join(first: Features, second: Features) -> Features:
    """Concatenate the rows of two sets of features.

    Parameters
    ----------
    first, second : Features
        Features of the same backbones.

    Returns
    -------
    Features
        Rows of `first`, then of `second`.

    Raises
    ------
    FeatureStoreError
        The features are of different backbones or sizes, or an id is in both.
    """
    for side in ("audio", "video"):
        names = [getattr(part, f"{side}_name") for part in (first, second)]
        sizes = [getattr(part, side).shape[1] for part in (first, second)]
        if names[0] != names[1] or sizes[0] != sizes[1]:
            what = " and ".join(f"{name or 'unnamed'} ({size} values)" for name, size in zip(names, sizes, strict=True))
            raise FeatureStoreError(f"The {side} features are {what}. Only features of one backbone can be joined.")
    shared = np.intersect1d(first.ids, second.ids)
    if len(shared):
        raise FeatureStoreError(
            f"{len(shared)} rows are in both sets of features ('{shared[0]}' is the first). Make ids unique."
        )
    rows = {
        name: np.concatenate([getattr(first, name), getattr(second, name)])
        for name in ("ids", "audio", "video", "groups", "splits", "genres", "artists", "starts_s")
    }
    return Features(
        **rows,
        labels=first.labels + second.labels,
        flags=first.flags + second.flags,
        audio_name=first.audio_name,
        video_name=first.video_name,
        sampling=first.sampling if first.sampling == second.sampling else None,
    )
