"""Interfaces of backbones, which own their preprocessing, so that nobody can feed them the wrong range.

An audio backbone takes a float waveform and its sample rate; a video backbone takes uint8 RGB frames. Scaling,
normalisation and the mel spectrogram happen inside.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from antiphon.backbones.arithmetic import TORCH, Precision
from antiphon.errors import ConfigError
from antiphon.media.layout import FrameLayout

FloatArray = npt.NDArray[np.float32]

TUNED_MARK = "+tuned-"
"""Part of a tuned backbone's name, between the name of the untuned backbone and digits of a hash."""


class TextSide(Protocol):
    """Text in the space of a backbone's features."""

    def embed_text(self, texts: Sequence[str]) -> FloatArray:
        """Embed texts.

        Parameters
        ----------
        texts : sequence of str
            n texts.

        Returns
        -------
        ndarray of float32, shape (n, dim)
            A row for each text. Its dot product with a feature is the model's own score of the two, before scale and
            bias. Rows have length 1 where the features have.
        """
        ...


class _Backbone(ABC):
    """What both kinds share."""

    name: str
    dim: int
    fingerprint: str
    arithmetic: str = TORCH
    revision: str = ""
    text_side: TextSide | None = None

    def set_precision(self, precision: Precision) -> None:
        """Compute in another precision from now on, and name its arithmetic.

        Parameters
        ----------
        precision : {'float32', 'tf32', 'bfloat16'}
            Precision of the network.

        Raises
        ------
        ConfigError
            The backbone cannot compute in it here.
        """
        if precision != "float32":
            raise ConfigError(f"{self.name} computes in float32 alone. Leave out precision {precision}.")


class AudioBackbone(_Backbone):
    """Audio backbone: waveform → feature.

    Attributes
    ----------
    modality : str
        "audio".
    name : str
        Name in the registry.
    dim : int
        Size of the features.
    fingerprint : str
        What a feature store tells two networks of one name by, and refuses to mix. Any text will do for one of your
        own: change it whenever the outputs change. Of the others, it is the SHA-256 of the weights, hexadecimal.
    arithmetic : str
        What computes the features and how exactly; a store refuses to mix those that are not `compatible`.
    revision : str
        Commit of a model of the hub; "" for others.
    text_side : TextSide or None
        Text in the space of the features; None if there is none.
    rate_hz : int
        Sample rate that the network was trained at; extraction decodes to it.
    """

    modality: ClassVar[str] = "audio"
    rate_hz: int

    @abstractmethod
    def __call__(self, waveform: npt.ArrayLike, rate_hz: int = 16_000) -> FloatArray:
        """Compute features.

        Parameters
        ----------
        waveform : array_like of float, shape (n, samples) or (samples,)
            Mono windows in [-1, 1], or one of them.
        rate_hz : int, default 16000
            Their sample rate. Extraction passes the backbone's own.

        Returns
        -------
        ndarray of float32, shape (n, dim)
            A row for each window; n is 1 for one.
        """


class VideoBackbone(_Backbone):
    """Video backbone: frames → feature.

    Attributes
    ----------
    modality : str
        "video".
    name : str
        Name in the registry.
    dim : int
        Size of the features.
    fingerprint : str
        What a feature store tells two networks of one name by, and refuses to mix. Any text will do for one of your
        own: change it whenever the outputs change. Of the others, it is the SHA-256 of the weights, hexadecimal.
    arithmetic : str
        What computes the features and how exactly; a store refuses to mix those that are not `compatible`.
    revision : str
        Commit of a model of the hub; "" for others.
    text_side : TextSide or None
        Text in the space of the features; None if there is none.
    layout : FrameLayout
        Frames that extraction decodes for it.
    """

    modality: ClassVar[str] = "video"
    layout: FrameLayout

    @abstractmethod
    def __call__(self, frames: npt.ArrayLike) -> FloatArray:
        """Compute features.

        Parameters
        ----------
        frames : array_like of uint8, shape (n, frames, height, width, 3) or (frames, height, width, 3)
            RGB windows, or one of them. Extraction passes frames as `layout` says: `height` and `width` are its
            `size_px`, and `frames` is 30 divided by its `every`, rounded up.

        Returns
        -------
        ndarray of float32, shape (n, dim)
            A row for each window; n is 1 for one.
        """
