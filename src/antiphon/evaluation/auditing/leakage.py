"""Leakage between splits: a video or an artist on both sides."""

from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.catalogue.artists import credited
from antiphon.dual_encoder import DualEncoder
from antiphon.evaluation.auditing.check import Check
from antiphon.features.features import Features
from antiphon.plurals import counted

_SHOWN = 10


def shared_checks(model: DualEncoder, features: Features) -> list[Check]:
    """Check for test videos that the model was trained on, and for videos and artists in more than one split."""
    return [_seen(model, features["test"].paired), _videos(features), _artists(features)]


def _seen(model: DualEncoder, test: Features) -> Check:
    """Check what this model has seen: splits may have changed since it was trained."""
    name, seen, count = "Leakage: seen videos", model.seen_videos(test), len(np.unique(test.groups))
    if seen is None:
        return Check(name, "leakage", "n/a", "It is not known which videos this published model was trained on.")
    if not seen:
        finding = f"None of the {count} test videos was seen in training or early stopping of this model."
        return Check(name, "leakage", "pass", finding, {"videos": 0})
    finding = (
        f"{seen} of the {count} test videos were seen in training or early stopping of this model. Train it again."
    )
    return Check(name, "leakage", "fail", finding, {"videos": seen})


def _in_two_splits(names: npt.NDArray[Any], splits: npt.NDArray[np.str_]) -> list[str]:
    named = (names != "") & (splits != "")
    pairs = np.unique(np.stack([names[named], splits[named]], axis=1), axis=0)
    found, counts = np.unique(pairs[:, 0], return_counts=True)
    return [str(name) for name in found[counts > 1]]


def _videos(features: Features) -> Check:
    found = _in_two_splits(features.groups, features.splits)
    count = len(np.unique(features.groups))
    if not found:
        return Check("Leakage: videos", "leakage", "pass", f"None of {count} videos is in two splits.", {"videos": 0})
    have = "has" if len(found) == 1 else "have"
    finding = f"{len(found)} of {count} videos {have} segments in more than one split: {listed(found)}. Split by video."
    return Check("Leakage: videos", "leakage", "fail", finding, {"videos": len(found), "ids": found[:_SHOWN]})


def _artists(features: Features) -> Check:
    credits = credited(features.artists.tolist())
    rows = np.repeat(np.arange(len(credits)), [len(keys) for keys in credits])
    names = np.array([key for keys in credits for key in keys], dtype=np.str_)
    known = len(np.unique(names))
    if not known:
        return Check(
            "Leakage: artists", "leakage", "n/a", "No artist is known, so none can be looked for in two splits."
        )
    found = _in_two_splits(names, features.splits[rows])
    nameless = len(np.unique(features.groups[[not keys for keys in credits]]))
    rest = f" Of {counted(nameless, 'video')} no artist is known." if nameless else ""
    numbers = {"artists": len(found), "names": found[:_SHOWN], "unknown": nameless}
    if not found:
        return Check("Leakage: artists", "leakage", "pass", f"None of {known} artists is in two splits.{rest}", numbers)
    are = "is" if len(found) == 1 else "are"
    finding = f"{len(found)} of {known} artists {are} in more than one split: {listed(found)}.{rest} Split by artist."
    return Check("Leakage: artists", "leakage", "fail", finding, numbers)


def listed(names: list[str]) -> str:
    """Return the first three names, and how many more there are."""
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown
