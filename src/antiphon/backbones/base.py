"""The two interfaces: a backbone owns its preprocessing, so nobody can feed it the wrong range.

An audio backbone takes a float waveform with its rate declared; a video backbone takes uint8 RGB frames. Scaling,
normalising and the mel spectrogram happen inside.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from antiphon.media.layout import FrameLayout

FloatArray = npt.NDArray[np.float32]

TUNED_MARK = "+tuned-"
"""Stands in the name of a tuned backbone, between that of the backbone as it was and digits of a hash."""


class AudioBackbone(ABC):
    """Waveform → feature."""

    modality: ClassVar[str] = "audio"
    name: str
    dim: int
    fingerprint: str
    """SHA-256 (hex) of the weights in use: a feature store refuses to mix two."""
    rate_hz: int
    """The rate that the network was trained at; extraction decodes to it."""

    @abstractmethod
    def __call__(self, waveform: npt.ArrayLike, rate_hz: int = 16_000) -> FloatArray:
        """(n, samples) float waveform in [-1, 1], mono, or (samples,) → (n, dim) float32."""


class VideoBackbone(ABC):
    """Frames → feature."""

    modality: ClassVar[str] = "video"
    name: str
    dim: int
    fingerprint: str
    layout: FrameLayout
    """The frames that extraction hands over."""

    @abstractmethod
    def __call__(self, frames: npt.ArrayLike) -> FloatArray:
        """(n, frames, height, width, 3) uint8 RGB, or without n for one window → (n, dim) float32."""
