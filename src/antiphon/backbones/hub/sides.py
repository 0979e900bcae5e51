"""The two sides of a hub model as backbones: inputs checked and prepared, the network run, its outputs as features."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from antiphon.backbones.base import AudioBackbone, FloatArray, TextSide, VideoBackbone
from antiphon.backbones.hub.running import EagerRuntime
from antiphon.backbones.inference import checked_frames, checked_waveform
from antiphon.backbones.runtime import RunsNetwork
from antiphon.errors import ConfigError
from antiphon.media.layout import FrameLayout

Compute = Callable[[Any, Tensor], Tensor]


@dataclass(frozen=True)
class Common:
    """What both sides need.

    Attributes
    ----------
    name, fingerprint, revision : str
        As of the backbone.
    device : torch.device
        Where it computes.
    model : nn.Module
        The model.
    dim : int
        Size of the features.
    text : TextSide or None
        Text in the same space.
    """

    name: str
    fingerprint: str
    revision: str
    device: torch.device
    model: Any
    dim: int
    text: TextSide | None = None


class _HubSide(RunsNetwork):
    """What both sides share."""

    def _take(self, common: Common, compute: Compute) -> None:
        self.name, self.fingerprint, self.revision = common.name, common.fingerprint, common.revision
        self.device, self.dim, self.text_side = common.device, common.dim, common.text
        self.model = common.model
        self._run = EagerRuntime(common.model, lambda model, rows: [compute(model, rows)])
        self.arithmetic = self._run.arithmetic


class HubAudio(_HubSide, AudioBackbone):
    """Sound side of a hub model.

    Parameters
    ----------
    common : Common
        Name, model, …
    rate_hz : int
        Sample rate.
    prepare : callable
        Waveforms, (n, samples) float32 → Tensor of n rows.
    compute : callable
        The model and rows → Tensor, shape (n, dim).
    max_samples : int, optional
        Longest waveform. Default: any.
    min_samples : int, default 400
        Shortest waveform.
    """

    def __init__(
        self,
        common: Common,
        rate_hz: int,
        prepare: Callable[[FloatArray], Tensor],
        compute: Compute,
        max_samples: int | None = None,
        min_samples: int = 400,
    ) -> None:
        self._take(common, compute)
        self.rate_hz = rate_hz
        self._prepare, self._max_samples, self._min_samples = prepare, max_samples, min_samples
        self._batch = 16 if self.device.type == "cuda" else 1

    def __call__(self, waveform: npt.ArrayLike, rate_hz: int = 16_000) -> FloatArray:
        """Compute features.

        Parameters
        ----------
        waveform : array_like, shape (n, samples) or (samples,)
            Mono floats in [-1, 1].
        rate_hz : int, default 16000
            Its sample rate, which must be that of the backbone.

        Returns
        -------
        ndarray of float32, shape (n, dim)
            Features.

        Raises
        ------
        ConfigError
            Rate, shape, type or range is wrong, or the waveform is longer than the model takes.
        """
        checked = checked_waveform(waveform, rate_hz, self.rate_hz, self._min_samples).numpy()
        if self._max_samples is not None and checked.shape[1] > self._max_samples:
            raise ConfigError(
                f"waveform has {checked.shape[1]:,} samples; {self.name} takes at most {self._max_samples:,} "
                f"({self._max_samples / self.rate_hz:g} s at {self.rate_hz} Hz). Use shorter windows."
            )
        if not len(checked):
            return np.empty((0, self.dim), np.float32)
        (features,) = self._run(self._prepare(checked).to(self.device), self._batch)
        return features.cpu().numpy()


class HubVideo(_HubSide, VideoBackbone):
    """Picture side of a hub model.

    Parameters
    ----------
    common : Common
        Name, model, …
    layout : FrameLayout
        Frames to decode.
    prepare : callable
        Frames of windows, (n, frames, height, width, 3) uint8 → Tensor: a row for each window, or for each frame.
    compute : callable
        The model and rows → Tensor, shape (rows, dim).
    pooled : callable, optional
        Where a row is a frame: rows of one window → Tensor, shape (dim,).
    """

    def __init__(
        self,
        common: Common,
        layout: FrameLayout,
        prepare: Callable[[npt.NDArray[np.uint8]], Tensor],
        compute: Compute,
        pooled: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        self._take(common, compute)
        self.layout = layout
        self._prepare, self._pooled = prepare, pooled
        few, many = (1, 4) if pooled is None else (2, 64)
        self._batch = many if self.device.type == "cuda" else few

    def __call__(self, frames: npt.ArrayLike) -> FloatArray:
        """Compute features.

        Parameters
        ----------
        frames : array_like, shape (n, frames, height, width, 3)
            RGB as uint8, or one window without n. Other sizes than that of the layout are scaled and cropped as the
            model's processor does.

        Returns
        -------
        ndarray of float32, shape (n, dim)
            Features.

        Raises
        ------
        ConfigError
            `frames` has another type or shape.
        """
        windows = checked_frames(frames)
        if not len(windows):
            return np.empty((0, self.dim), np.float32)
        (rows,) = self._run(self._prepare(windows), self._batch)
        if self._pooled is not None:
            # Each window on its own: the order in which a mean is added up may depend on how many there are.
            rows = torch.stack([self._pooled(window) for window in rows.split(windows.shape[1])])
        return rows.cpu().numpy()


def mean_of_frames(rows: Tensor) -> Tensor:
    """Return the mean of the rows of a window's frames: Tensor, shape (dim,)."""
    return rows.mean(0)


def mean_direction(rows: Tensor) -> Tensor:
    """Return the mean of rows of length 1, made one of length 1 again: Tensor, shape (dim,)."""
    return F.normalize(rows.mean(0), dim=-1)


def stacked(rows: Sequence[npt.NDArray[Any]]) -> Tensor:
    """Return arrays as rows of one float32 tensor."""
    return torch.from_numpy(np.stack([np.asarray(row, np.float32) for row in rows]))
