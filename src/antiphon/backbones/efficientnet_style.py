"""The style of a window of pictures: which early channels of EfficientNet-Lite0 go together, wherever in the picture.

Gatys, Ecker and Bethge, *Image style transfer using convolutional neural networks* (2016), describe style by the Gram
matrices of a network's layers: colours and textures, with no word of where things stand. Theirs are of VGG; here they
are of the second and third stage of EfficientNet-Lite0 (24 and 40 channels, every 4th and 8th pixel), with the weights
and the preprocessing of the backbone `efficientnet_lite0`.

Steadier over a track than that backbone's features it is not: on 39 windows of 11 real video files a pair from the same
video is more alike than a pair from two in 75% of cases, with `efficientnet_lite0` in 85% (cosines after subtracting
the mean over the windows; `benchmarks/backbones.py style`).
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
"""The stages whose channels are compared, counted from 0."""

_WIDTHS = tuple(channels for *_, channels in STAGES[_FIRST : _LAST + 1])


class EfficientNetStyle(VideoBackbone):
    """Gram matrices of two early stages, the mean over the window: 300 and 820 values.

    Parameters
    ----------
    tensors, fingerprint : the weights and their SHA-256.
    device : "cpu", "cuda" or "auto".
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
        """(n, frames, height, width, 3) uint8 RGB, or without n for one window → (n, 1120) float32.

        The root of each value's size, with its sign: a few loud channels would outweigh all others otherwise. Frames
        of another size are treated as by `efficientnet_lite0`.

        Raises
        ------
        ConfigError
            Another type or shape.
        """
        windows = checked_frames(frames)
        with exact_inference():
            rows = [self._window(window) for window in windows]
            return torch.stack(rows).cpu().numpy() if rows else np.empty((0, self.dim), np.float32)

    def _window(self, pictures: npt.NDArray[np.uint8]) -> Tensor:
        """(frames, height, width, 3) uint8 → (1120,)."""
        batches = torch.tensor(pictures).split(self._batch)
        mean = torch.cat([self._grams(normalised(batch.to(self.device))) for batch in batches]).mean(0)
        return mean.sign() * mean.abs().sqrt()

    def _grams(self, pictures: Tensor) -> Tensor:
        """(frames, 3, 224, 224) → (frames, 1120)."""
        stages = self.network.early(pictures, _LAST + 1)[_FIRST:]
        return torch.cat([gram(stage) for stage in stages], dim=1)


def gram(values: Tensor) -> Tensor:
    """(n, channels, height, width) → (n, channels (channels + 1) / 2): the mean over positions of products of channels.

    Gᵢⱼ = Σₚ xᵢₚ xⱼₚ / positions for i ≤ j, row by row: the rest of the matrix says the same.
    """
    flat = values.flatten(2)
    products = flat @ flat.mT / flat.shape[2]
    row, column = torch.triu_indices(values.shape[1], values.shape[1], device=values.device)
    return products[:, row, column]
