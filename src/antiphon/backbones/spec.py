"""Specification of a backbone, light enough to list all of them without torch."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from antiphon.backbones.base import AudioBackbone, VideoBackbone
from antiphon.backbones.weights import Weights


@dataclass(frozen=True)
class BackboneSpec:
    """Entry point of a backbone in the group `antiphon.backbones`.

    Attributes
    ----------
    name : str
        Name, the same as that of the entry point.
    modality : {'audio', 'video'}
        "audio" or "video".
    dim : int
        Size of the features.
    licence : str
        Licence of the weights.
    description : str
        One line on network and training data.
    weights : Weights or None
        Weights and their source; None for a backbone registered in this process, which brings its own.
    build : callable
        Maps a device and a local file of weights (None for the cache) to the backbone; imports torch only when called.
    golden : float or None
        Reference output, see `checks.response`; None if there is none.
    """

    name: str
    modality: Literal["audio", "video"]
    dim: int
    licence: str
    description: str
    weights: Weights | None
    build: Callable[[str, Path | None], AudioBackbone | VideoBackbone]
    golden: float | None = None
