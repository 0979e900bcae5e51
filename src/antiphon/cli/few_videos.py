"""Too few videos in a split to train: what to do about it."""

import shlex
from typing import Literal

import numpy as np

from antiphon.catalogue import Catalogue
from antiphon.errors import ModelError
from antiphon.features import Features
from antiphon.workspace import Workspace

_LEAST = 2
_FRACTIONS = (0.5, 0.25, 0.25)
_SEEDS = 200


def refuse_few(workspace: Workspace, features: Features) -> None:
    """Refuse to train where the training or the validation split has fewer than two videos with sound and pictures.

    Raises
    ------
    ModelError
        With a command that mends it, where there is one.
    """
    for name in ("train", "validation"):
        videos = len(np.unique(features[name].paired.groups))
        if videos < _LEAST:
            called = "training" if name == "train" else name
            count = f"{videos or 'no'} video{'s' * (videos != 1)}"
            raise ModelError(
                f"The {called} split has {count} with both sound and pictures; contrast needs at least two. "
                f"{_remedy(workspace, features)}"
            )


def _remedy(workspace: Workspace, features: Features) -> str:
    usable = set(np.unique(features.paired.groups).tolist())
    found = workable_split(Catalogue.load(workspace.catalogue), usable)
    more = "Add videos (antiphon catalogue add FOLDER, then antiphon extract)"
    if found is None:
        return f"{more}: the workspace has {len(usable)} such videos in all."
    by, seed = found
    here = shlex.quote(str(workspace.root))
    shares = " ".join(f"{share:g}" for share in _FRACTIONS)
    return (
        f"{more}, or draw the splits of all {len(usable)} anew:\n"
        f"  antiphon --workspace {here} catalogue split --by {by} --fractions {shares} --seed {seed}"
    )


def workable_split(catalogue: Catalogue, usable: set[str]) -> tuple[Literal["artist", "video"], int] | None:
    """How to draw splits so that training and validation have two usable videos and the test one; None where none does.

    By artist before by video, with the lowest seed.
    """
    if len(usable) <= 2 * _LEAST:
        return None
    ways: tuple[Literal["artist", "video"], ...] = ("artist", "video")
    for by in ways:
        for seed in range(_SEEDS):
            rows = catalogue.split(by=by, fractions=_FRACTIONS, seed=seed).records()
            splits = [row["split"] for row in rows if row["id"] in usable]
            if min(splits.count("train"), splits.count("validation"), splits.count("test") + 1) >= _LEAST:
                return by, seed
    return None
