"""Features of two data sets as one."""

import numpy as np

from antiphon.errors import FeatureStoreError
from antiphon.features.features import Features


def join(first: Features, second: Features) -> Features:
    """The rows of `first` and then those of `second`.

    Raises
    ------
    FeatureStoreError
        They are features of different backbones or sizes, or a row stands in both.
    """
    for side in ("audio", "video"):
        names = [getattr(part, f"{side}_name") for part in (first, second)]
        sizes = [getattr(part, side).shape[1] for part in (first, second)]
        if names[0] != names[1] or sizes[0] != sizes[1]:
            what = " and ".join(
                f"{name or 'nameless'} ({size} values)" for name, size in zip(names, sizes, strict=True)
            )
            raise FeatureStoreError(f"The {side} features are {what}; only features of one backbone can be joined.")
    shared = np.intersect1d(first.ids, second.ids)
    if len(shared):
        raise FeatureStoreError(f"{len(shared)} rows stand in both sets of features, the first is '{shared[0]}'.")
    rows = {
        name: np.concatenate([getattr(first, name), getattr(second, name)])
        for name in ("ids", "audio", "video", "groups", "splits", "genres", "artists", "starts_s")
    }
    return Features(
        **rows,
        labels=first.labels + second.labels,
        audio_name=first.audio_name,
        video_name=first.video_name,
        sampling=first.sampling if first.sampling == second.sampling else None,
    )
