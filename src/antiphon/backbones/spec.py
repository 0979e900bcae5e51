"""Specification of a backbone, light enough to list all of them without torch."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from antiphon.backbones.base import AudioBackbone, VideoBackbone


class SpecWeights(Protocol):
    """Weights of a backbone, of one file (`antiphon.backbones.weights.Weights`) or a model of the hub."""

    @property
    def description(self) -> str:
        """Where they are published."""
        ...

    @property
    def size_bytes(self) -> int:
        """Size of the cached weights."""
        ...

    @property
    def cached(self) -> bool:
        """True if loading needs no network."""
        ...

    @property
    def path(self) -> Path:
        """File or folder in the cache, which need not exist."""
        ...

    def fetch(self, tell: Callable[[str], None] | None = None) -> Path:
        """Download them unless they are there; `tell` hears of licence and size first, where these are asked for."""
        ...


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
        Size of the features; 0 where only loading tells.
    licence : str
        Licence of the weights.
    description : str
        One line on network and training data.
    weights : SpecWeights or None
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
    weights: SpecWeights | None
    build: Callable[[str, Path | None], AudioBackbone | VideoBackbone]
    golden: float | None = None
