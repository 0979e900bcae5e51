"""The inputs of the paper's Table 2, what the backbones say of a music video and what heads make of it; and both."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from antiphon.dual_encoder import DualEncoder
from antiphon.errors import ConfigError, ModelError
from antiphon.features.features import Features

Aggregate = Literal["concatenation", "mean"]
FloatArray = npt.NDArray[np.float32]

BASELINES = ("audio backbone", "video backbone", "both backbones")
CONTRASTIVE = ("contrastive audio", "contrastive video", "contrastive aggregated")
JOINED = "contrastive + backbones"
"""What the paper has no row for: whether the heads add to what the backbones say."""

_UNNAMED = "features computed elsewhere"


@dataclass(frozen=True, eq=False)
class Representation:
    """One vector a row.

    Attributes
    ----------
    name : a row of Table 2, one of `BASELINES` or `CONTRASTIVE`; or `JOINED`.
    of : the backbones that computed the features it comes from, in plain words where they have no name.
    parts : (n, width) float32 arrays, which stand beside each other in `values`.
    """

    name: str
    of: str
    parts: tuple[FloatArray, ...]

    @cached_property
    def values(self) -> FloatArray:
        """(n, dim) float32."""
        return self.parts[0] if len(self.parts) == 1 else np.concatenate(self.parts, axis=1)

    @property
    def widths(self) -> tuple[int, ...]:
        """How many of the values are of each part."""
        return tuple(part.shape[1] for part in self.parts)


def comparable(features: Features) -> Features:
    """The rows that the representations are compared on: those with both sides; where none has, those with one.

    Raises
    ------
    ModelError
        There is no such row, or some have sound only and the others pictures only.
    """
    if len(features.paired):
        return features.paired
    if features.has_audio.any() == features.has_video.any():
        raise ModelError("No row has both sound and pictures: there is nothing to compare the representations on.")
    return features.take(features.has_audio | features.has_video)


def names_of(rows: Features) -> tuple[str, ...]:
    """The representations that `comparable` rows have: all seven, or the two of the only side."""
    if len(rows.paired):
        return (*BASELINES, *CONTRASTIVE, JOINED)
    side = 0 if rows.has_audio.any() else 1
    return (BASELINES[side], CONTRASTIVE[side])


def representations(
    model: DualEncoder, features: Features, aggregate: Aggregate = "concatenation"
) -> dict[str, Representation]:
    """The representations of the `comparable` rows of `features`: the six of table 2 of the paper, then `JOINED`.

    Where no row has both sides, as in a catalogue of songs, only the representations of the one that there is.

    Parameters
    ----------
    model : a fitted model; its heads give the contrastive rows.
    features : their `comparable` rows count, so that all representations have the same rows.
    aggregate : how "contrastive aggregated" joins the two embeddings. Veldkamp et al. (2023) do not define it: both
        beside each other, or their "mean".

    Returns
    -------
    dict name → representation, each with the n rows of `comparable(features)`.

    Raises
    ------
    ConfigError
        `aggregate` is neither.
    ModelError
        There are no comparable rows, the model is not fitted, or the features are not the model's.
    """
    if aggregate not in {"concatenation", "mean"}:
        raise ConfigError(f"aggregate: '{aggregate}' is neither concatenation nor mean.")
    rows = comparable(features)
    audio, video = model.embed(rows)
    sound, pictures = rows.audio_name or _UNNAMED, rows.video_name or _UNNAMED
    found: dict[str, tuple[str, tuple[FloatArray, ...]]] = {
        "audio backbone": (sound, (rows.audio,)),
        "video backbone": (pictures, (rows.video,)),
        "contrastive audio": (sound, (audio,)),
        "contrastive video": (pictures, (video,)),
    }
    if len(rows.paired):
        both = sound if sound == pictures else f"{sound} + {pictures}"
        backbones = (rows.audio, rows.video)
        mean = np.asarray((audio + video) / 2, dtype=np.float32)
        aggregated = (audio, video) if aggregate == "concatenation" else (mean,)
        found["both backbones"] = (both, backbones)
        found["contrastive aggregated"] = (both, aggregated)
        found[JOINED] = (both, (*backbones, *aggregated))
    return {name: Representation(name, *found[name]) for name in names_of(rows)}
