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


def representations(
    model: DualEncoder, features: Features, aggregate: Aggregate = "concatenation"
) -> dict[str, Representation]:
    """The six representations of the paired rows of `features`, in the order of Table 2 of Veldkamp et al. (2023).

    Parameters
    ----------
    model : a fitted model; its heads give the contrastive rows.
    features : rows with only sound or only pictures are left out, as `.paired` does, so that all six have the same
        rows.
    aggregate : how "contrastive aggregated" joins the two embeddings. The paper does not define it: both beside each
        other, or their "mean".

    Returns
    -------
    dict name → representation, each with the n rows of `features.paired`.

    Raises
    ------
    ConfigError
        `aggregate` is neither.
    ModelError
        No row has both sides, the model is not fitted, or the features are not the model's.
    """
    if aggregate not in {"concatenation", "mean"}:
        raise ConfigError(f"aggregate: '{aggregate}' is neither concatenation nor mean.")
    pairs = features.paired
    if not len(pairs):
        raise ModelError("No row has both sound and pictures: there is nothing to compare the representations on.")
    audio, video = model.embed(pairs)
    joined = np.concatenate([audio, video], axis=1) if aggregate == "concatenation" else np.mean([audio, video], axis=0)
    sound, pictures = pairs.audio_name or _UNNAMED, pairs.video_name or _UNNAMED
    both = sound if sound == pictures else f"{sound} + {pictures}"
    found = (
        Representation("audio backbone", sound, pairs.audio),
        Representation("video backbone", pictures, pairs.video),
        Representation("both backbones", both, np.concatenate([pairs.audio, pairs.video], axis=1)),
        Representation("contrastive audio", sound, audio),
        Representation("contrastive video", pictures, video),
        Representation("contrastive aggregated", both, joined),
    )
    return {one.name: one for one in found}
