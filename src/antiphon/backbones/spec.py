"""What the registry knows of a backbone before any of it is loaded: light enough to list them all without torch."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from antiphon.backbones.base import AudioBackbone, VideoBackbone
from antiphon.backbones.weights import Weights


@dataclass(frozen=True)
class BackboneSpec:
    """The entry point of a backbone in the group `antiphon.backbones`, ours or a plug-in's.

    Attributes
    ----------
    name : by which it is loaded; the entry point has the same.
    modality : what it takes.
    dim : values of a feature.
    licence : of the weights.
    description : one line on network and training data.
    weights : where they come from; None for a backbone registered in this process, which brings its own.
    build : (device, local file of weights or None for the cache) → the backbone. Imports torch only when called.
    golden : `checks.response` of this backbone, where it is known.
    """

    name: str
    modality: Literal["audio", "video"]
    dim: int
    licence: str
    description: str
    weights: Weights | None
    build: Callable[[str, Path | None], AudioBackbone | VideoBackbone]
    golden: float | None = None
