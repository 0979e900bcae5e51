"""R(2+1)D-18 trained on Kinetics-400 as a video backbone: a window of frames → 512 values.

The video backbone of Veldkamp et al. (2023). Weights: torchvision's `R2Plus1D_18_Weights.KINETICS400_V1`, whose
normalisation is applied here. The authors' code fed raw values of 0 to 255 instead: that is "r2plus1d_18-unscaled", a
backbone of its own, so that the difference can be measured. The layout keeps the centre of the frames; the paper's
random crop is `load("r2plus1d_18", crop="random")`.
"""

import numpy.typing as npt
import torch

from antiphon.backbones.base import FloatArray
from antiphon.backbones.inference import checked_frames, exact_inference, loaded, resolve_device, square
from antiphon.backbones.r2plus1d_network import CHANNELS, SIZE_PX, R2Plus1D18
from antiphon.backbones.tuning import Block, TunableVideo
from antiphon.backbones.weights import Tensors
from antiphon.media.layout import FrameLayout

_MEAN = (0.43216, 0.394666, 0.37645)
_STD = (0.22803, 0.22145, 0.216989)


class R2Plus1D(TunableVideo):
    """R(2+1)D-18.

    Parameters
    ----------
    tensors, fingerprint : the weights and their SHA-256.
    device : "cpu", "cuda" or "auto".
    scaled : whether frames are scaled and normalised as the network was trained, or fed as values of 0 to 255.
    """

    dim = CHANNELS

    def __init__(self, tensors: Tensors, fingerprint: str, device: str = "cpu", *, scaled: bool = True) -> None:
        self.name = "r2plus1d_18" if scaled else "r2plus1d_18-unscaled"
        self.fingerprint = fingerprint
        self.layout = FrameLayout(size_px=SIZE_PX, every=1)
        self.device = resolve_device(device)
        self.network = loaded(R2Plus1D18(), tensors, self.name).to(self.device)
        self._scaled = scaled
        self._mean = torch.tensor(_MEAN, device=self.device).view(3, 1, 1)
        self._std = torch.tensor(_STD, device=self.device).view(3, 1, 1)

    def __call__(self, frames: npt.ArrayLike) -> FloatArray:
        """(n, frames, height, width, 3) uint8 RGB, or without n for one window → (n, 512) float32.

        Frames of another size than 112 × 112 are scaled to 112 by their shorter side, and the middle is kept.

        Raises
        ------
        ConfigError
            Another type or shape.
        """
        windows = checked_frames(frames)
        features = torch.empty(len(windows), self.dim)
        with exact_inference():
            for row, window in enumerate(windows):
                pictures = square(torch.tensor(window, device=self.device), SIZE_PX)
                features[row] = self.differentiable(pictures[None])[0].cpu()
        return features.numpy()

    def blocks(self) -> list[Block]:
        """The stem, and two residual blocks of each of the four layers."""
        network = self.network
        layers = (network.layer1, network.layer2, network.layer3, network.layer4)
        return [(network.stem,), *((block,) for layer in layers for block in layer)]

    def differentiable(self, inputs: torch.Tensor) -> torch.Tensor:
        """(n, frames, 3, 112, 112) float32 in [0, 255] → (n, 512)."""
        pictures = (inputs / 255 - self._mean) / self._std if self._scaled else inputs
        return self.network.features(pictures.transpose(1, 2))
