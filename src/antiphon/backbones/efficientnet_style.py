"""Style of a window of frames: correlations of early channels of EfficientNet-Lite0, regardless of position.

Gatys, Ecker and Bethge, "Image style transfer using convolutional neural networks" (2016), describe style by the Gram
matrices of a network's layers: colours and textures without their positions. Theirs are of VGG; these are of the second
and third stage of EfficientNet-Lite0 (24 and 40 channels, every 4th and 8th pixel), with the weights and preprocessing
of the backbone `efficientnet_lite0`.

It is not steadier over a track than that backbone: on 39 windows of 11 real video files a pair from the same video is
more alike than a pair from two videos in 75% of cases, with `efficientnet_lite0` in 85% (cosines after subtracting the
mean over the windows; `benchmarks/backbones.py style`).
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from antiphon.backbones.base import FloatArray, VideoBackbone
from antiphon.backbones.efficientnet import normalised
from antiphon.backbones.efficientnet_network import SIZE_PX, STAGES, EfficientNetLite0
from antiphon.backbones.inference import checked_frames, exact_inference, loaded, resolve_device
from antiphon.backbones.weights import Tensors
from antiphon.media.layout import FrameLayout

_FIRST, _LAST = 1, 2
"""Stages whose channels are correlated, counted from 0."""

_WIDTHS = tuple(channels for *_, channels in STAGES[_FIRST : _LAST + 1])


class EfficientNetStyle(VideoBackbone):
    """Gram matrices of two early stages, averaged over the window: 300 and 820 values.

    Parameters
    ----------
    tensors : Tensors
        Weights.
    fingerprint : str
        SHA-256 of the weights.
    device : str, default 'cpu'
        "cpu", "cuda" or "auto".
    """

    name = "efficientnet_lite0-style"
    dim = sum(width * (width + 1) // 2 for width in _WIDTHS)

    def __init__(self, tensors: Tensors, fingerprint: str, device: str = "cpu") -> None:
        self.fingerprint = fingerprint
        self.layout = FrameLayout(size_px=SIZE_PX, every=3)
        self.device = resolve_device(device)
        self.network = loaded(EfficientNetLite0(), tensors, self.name).folded().to(self.device)
        self._batch = 64 if self.device.type == "cuda" else 2

    def __call__(self, frames: npt.ArrayLike) -> FloatArray:
        """Compute signed square roots of the Gram matrices: large channels would outweigh all others otherwise.

        Parameters
        ----------
        frames : array_like, shape (n, frames, height, width, 3)
            RGB as uint8, or one window without n. Sizes are handled as by `efficientnet_lite0`.

        Returns
        -------
        ndarray of float32, shape (n, 1120)
            Features.

        Raises
        ------
        ConfigError
            `frames` has another type or shape.
        """
        windows = checked_frames(frames)
        with exact_inference():
            rows = [self._window(window) for window in windows]
            return torch.stack(rows).cpu().numpy() if rows else np.empty((0, self.dim), np.float32)

    def _window(self, images: npt.NDArray[np.uint8]) -> Tensor:
        """Return the (1120,) feature of (frames, height, width, 3) uint8 images."""
        batches = torch.tensor(images).split(self._batch)
        mean = torch.cat([self._grams(normalised(batch.to(self.device))) for batch in batches]).mean(0)
        return mean.sign() * mean.abs().sqrt()

    def _grams(self, images: Tensor) -> Tensor:
        """Return the (frames, 1120) Gram matrices of (frames, 3, 224, 224) images."""
        stages = self.network.early(images, _LAST + 1)[_FIRST:]
        return torch.cat([gram(stage) for stage in stages], dim=1)


def gram(values: Tensor) -> Tensor:
    """Compute Gᵢⱼ = Σₚ xᵢₚ xⱼₚ / positions for i ≤ j, the upper triangle row by row.

    Parameters
    ----------
    values : Tensor, shape (n, channels, height, width)
        Output of a layer.

    Returns
    -------
    Tensor, shape (n, channels (channels + 1) / 2)
        Gram matrices.
    """
    flat = values.flatten(2)
    products = flat @ flat.mT / flat.shape[2]
    row, column = torch.triu_indices(values.shape[1], values.shape[1], device=values.device)
    return products[:, row, column]
