"""R(2+1)D-18 trained on Kinetics-400 as a video backbone: a window of frames → 512 values.

This is the video backbone of Veldkamp et al. (2023). Weights: torchvision's `R2Plus1D_18_Weights.KINETICS400_V1`, with
their normalisation. The authors' code fed raw values of 0 to 255 instead: that is the backbone "r2plus1d_18-unscaled",
so that the difference can be measured. The layout crops the centre of the frames; the paper's random crop is
`load("r2plus1d_18", crop="random")`.
"""

import numpy.typing as npt
import torch

from antiphon.backbones.base import FloatArray
from antiphon.backbones.inference import checked_frames, exact_inference, loaded, on_device, resolve_device, square
from antiphon.backbones.r2plus1d_network import CHANNELS, SIZE_PX, R2Plus1D18
from antiphon.backbones.runtime import RunsNetwork, Runtime
from antiphon.backbones.tuning import Block, TunableVideo
from antiphon.backbones.weights import Tensors
from antiphon.media.layout import FrameLayout

_MEAN = (0.43216, 0.394666, 0.37645)
_STD = (0.22803, 0.22145, 0.216989)


class R2Plus1D(RunsNetwork, TunableVideo):
    """R(2+1)D-18.

    Parameters
    ----------
    tensors : Tensors
        Weights.
    fingerprint : str
        SHA-256 of the weights.
    device : str, default 'cpu'
        "cpu", "cuda" or "auto".
    scaled : bool, default True
        Scale and normalise frames as in the network's training; False feeds values of 0 to 255.
    """

    dim = CHANNELS

    def __init__(self, tensors: Tensors, fingerprint: str, device: str = "cpu", *, scaled: bool = True) -> None:
        self.name = "r2plus1d_18" if scaled else "r2plus1d_18-unscaled"
        self.fingerprint = fingerprint
        self.layout = FrameLayout(size_px=SIZE_PX, every=1)
        self.device = resolve_device(device)
        self.network = loaded(R2Plus1D18(), tensors, self.name).to(self.device)
        self._run = Runtime(self.network, lambda network, images: [network.features(images)])
        self.arithmetic = self._run.arithmetic
        self._batch = 32 if self.device.type == "cuda" else 1
        self._scaled = scaled
        self._mean = torch.tensor(_MEAN, device=self.device).view(3, 1, 1)
        self._std = torch.tensor(_STD, device=self.device).view(3, 1, 1)

    def __call__(self, frames: npt.ArrayLike) -> FloatArray:
        """Compute features.

        Parameters
        ----------
        frames : array_like, shape (n, frames, height, width, 3)
            RGB as uint8, or one window without n. Sizes other than 112 × 112 are scaled by the shorter side and cropped
            to the centre.

        Returns
        -------
        ndarray of float32, shape (n, 512)
            Features.

        Raises
        ------
        ConfigError
            `frames` has another type or shape.
        """
        windows = checked_frames(frames)
        features = [torch.empty(0, self.dim)]
        with exact_inference():
            for first in range(0, len(windows), self._batch):
                part = on_device(windows[first : first + self._batch], self.device)
                images = square(part.flatten(0, 1), SIZE_PX).unflatten(0, part.shape[:2])
                features.append(self._run(self._normalised(images), self._batch)[0].cpu())
        return torch.cat(features).numpy()

    def blocks(self) -> list[Block]:
        """Return the stem, and two residual blocks of each of the four layers.

        Returns
        -------
        list of Block
            Blocks from input to output.
        """
        network = self.network
        layers = (network.layer1, network.layer2, network.layer3, network.layer4)
        return [(network.stem,), *((block,) for layer in layers for block in layer)]

    def differentiable(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute features with gradients.

        Parameters
        ----------
        inputs : torch.Tensor, shape (n, frames, 3, 112, 112)
            Float32 in [0, 255].

        Returns
        -------
        torch.Tensor, shape (n, 512)
            Features, as `__call__` computes them.
        """
        return self.network.features(self._normalised(inputs))

    def _normalised(self, images: torch.Tensor) -> torch.Tensor:
        """(n, frames, 3, 112, 112) → (n, 3, frames, 112, 112), as the network was trained."""
        scaled = (images / 255 - self._mean) / self._std if self._scaled else images
        return scaled.transpose(1, 2)
