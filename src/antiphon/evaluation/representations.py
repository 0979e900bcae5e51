"""Representations of music videos to probe: those of the paper's Table 2, and all of them joined."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from antiphon.dual_encoder import DualEncoder
from antiphon.embeddings import within_side
from antiphon.errors import ConfigError, ModelError
from antiphon.features.features import Features

Aggregate = Literal["concatenation", "mean"]
FloatArray = npt.NDArray[np.float32]

BASELINES = ("audio backbone", "video backbone", "both backbones")
CONTRASTIVE = ("contrastive audio", "contrastive video", "contrastive aggregated")
JOINED = "contrastive + backbones"
"""Not in the paper: whether the heads add to the backbones' features."""

_UNNAMED = "features computed elsewhere"


@dataclass(frozen=True, eq=False)
class Representation:
    """One vector per row.

    Attributes
    ----------
    name : str
        Row of Table 2, one of `BASELINES` or `CONTRASTIVE`; or `JOINED`.
    of : str
        Backbones that computed the underlying features, in words if they have no name.
    parts : tuple of ndarray
        (n, width) float32 arrays, concatenated in `values`.
    """

    name: str
    of: str
    parts: tuple[FloatArray, ...]

    @cached_property
    def values(self) -> FloatArray:
        """The (n, dim) float32 vectors."""
        return self.parts[0] if len(self.parts) == 1 else np.concatenate(self.parts, axis=1)

    @property
    def widths(self) -> tuple[int, ...]:
        """The number of values of each part."""
        return tuple(part.shape[1] for part in self.parts)


def comparable(features: Features) -> Features:
    """Select the rows that representations are compared on: those with both modalities, or with one if none has both.

    Parameters
    ----------
    features : Features
        All rows.

    Returns
    -------
    Features
        The rows.

    Raises
    ------
    ModelError
        There is no such row, or some have only audio and the others only video.
    """
    if len(features.paired):
        return features.paired
    if features.has_audio.any() == features.has_video.any():
        raise ModelError("No row has both audio and video: there is nothing to compare the representations on.")
    return features.take(features.has_audio | features.has_video)


def names_of(rows: Features) -> tuple[str, ...]:
    """List the representations that `comparable` rows have.

    Parameters
    ----------
    rows : Features
        Rows from `comparable`.

    Returns
    -------
    tuple of str
        All seven names, or the two of the only modality.
    """
    if len(rows.paired):
        return (*BASELINES, *CONTRASTIVE, JOINED)
    side = 0 if rows.has_audio.any() else 1
    return (BASELINES[side], CONTRASTIVE[side])


def representations(
    model: DualEncoder, features: Features, aggregate: Aggregate = "concatenation"
) -> dict[str, Representation]:
    """Return the representations of the `comparable` rows of `features`: the six of the paper's Table 2, and `JOINED`.

    Where no row has both sides, as in a catalogue of songs, only the representations of the one side.

    Parameters
    ----------
    model : DualEncoder
        Fitted model, whose heads give the contrastive rows.
    features : Features
        Features of which the `comparable` rows count, so that all representations have the same rows.
    aggregate : {"concatenation", "mean"}, default "concatenation"
        How "contrastive aggregated" joins the two embeddings, which Veldkamp et al. (2023) do not define.

    Returns
    -------
    dict of str to Representation
        Name and representation, each with the n rows of `comparable(features)`.

    Raises
    ------
    ConfigError
        Another `aggregate`.
    ModelError
        No comparable rows, a model that is not fitted, or features that are not the model's.
    """
    if aggregate not in {"concatenation", "mean"}:
        raise ConfigError(f"aggregate must be 'concatenation' or 'mean', not {aggregate!r}.")
    rows = comparable(features)
    audio, video = (within_side(side, model.correction_dim) for side in model.embed(rows))
    of_audio, of_video = rows.audio_name or _UNNAMED, rows.video_name or _UNNAMED
    found: dict[str, tuple[str, tuple[FloatArray, ...]]] = {
        "audio backbone": (of_audio, (rows.audio,)),
        "video backbone": (of_video, (rows.video,)),
        "contrastive audio": (of_audio, (audio,)),
        "contrastive video": (of_video, (video,)),
    }
    if len(rows.paired):
        both = of_audio if of_audio == of_video else f"{of_audio} + {of_video}"
        backbones = (rows.audio, rows.video)
        mean = np.asarray((audio + video) / 2, dtype=np.float32)
        aggregated = (audio, video) if aggregate == "concatenation" else (mean,)
        found["both backbones"] = (both, backbones)
        found["contrastive aggregated"] = (both, aggregated)
        found[JOINED] = (both, (*backbones, *aggregated))
    return {name: Representation(name, *found[name]) for name in names_of(rows)}
