"""The six inputs of the paper's Table 2: what the backbones say of a music video, and what the heads make of it."""

from dataclasses import dataclass
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
_UNNAMED = "features computed elsewhere"


@dataclass(frozen=True, eq=False)
class Representation:
    """One vector a row.

    Attributes
    ----------
    name : a row of Table 2, one of `BASELINES` or `CONTRASTIVE`.
    of : the backbones that computed the features it comes from, in plain words where they have no name.
    values : (n, dim) float32.
    """

    name: str
    of: str
    values: FloatArray


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


def representations(
    model: DualEncoder, features: Features, aggregate: Aggregate = "concatenation"
) -> dict[str, Representation]:
    """The six representations of the `comparable` rows of `features`, in the order of table 2 of the paper.

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
    of_sound = {"audio backbone": (sound, rows.audio), "contrastive audio": (sound, audio)}
    of_pictures = {"video backbone": (pictures, rows.video), "contrastive video": (pictures, video)}
    found = of_sound if rows.has_audio.any() else {}
    found |= of_pictures if rows.has_video.any() else {}
    if len(rows.paired):
        both = sound if sound == pictures else f"{sound} + {pictures}"
        beside = np.concatenate([audio, video], axis=1)
        found["both backbones"] = (both, np.concatenate([rows.audio, rows.video], axis=1))
        found["contrastive aggregated"] = (
            both,
            beside if aggregate == "concatenation" else np.asarray((audio + video) / 2, dtype=np.float32),
        )
    return {name: Representation(name, *found[name]) for name in (*BASELINES, *CONTRASTIVE) if name in found}
