"""The musicnn of Won et al. (2020) in PyTorch, as trained on MagnaTagATune.

https://arxiv.org/abs/2006.00751, software https://github.com/minzwon/sota-music-tagging-models. Unlike the original
(`musicnn_network.py`), batch norm comes before ReLU, the temporal filters see the mean over the bands, and the pooled
values are all maxima and then all means. Parameter names and shapes are those of that software, so that its state files
load strictly.
"""

from typing import cast

import torch
from torch import Tensor, nn

TIMBRAL_FILTERS, TEMPORAL_FILTERS, MIDDLE_FILTERS = 204, 51, 64
TIMBRAL_BANDS = (67, 38)
TEMPORAL_FRAMES = (129, 65, 33)
FRONT = len(TIMBRAL_BANDS) * TIMBRAL_FILTERS + len(TEMPORAL_FRAMES) * TEMPORAL_FILTERS
POOLED = FRONT + 3 * MIDDLE_FILTERS
PENULTIMATE = 200
TAGS = 50


class _Timbral(nn.Module):
    """Convolution over (bands, 7 frames), batch norm, ReLU, maximum over the bands."""

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, TIMBRAL_FILTERS, (bands, 7), padding=(0, 3))
        self.bn = nn.BatchNorm2d(TIMBRAL_FILTERS)

    def forward(self, spectrogram: Tensor) -> Tensor:
        """(n, 1, 96, frames) → (n, 204, frames)."""
        return self.bn(self.conv(spectrogram)).relu().amax(2)


class _OverTime(nn.Module):
    """Convolution over time that keeps the number of frames, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, frames: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(inputs, outputs, frames, padding=frames // 2)
        self.bn = nn.BatchNorm1d(outputs)

    def forward(self, values: Tensor) -> Tensor:
        """(n, inputs, frames) → (n, outputs, frames)."""
        return self.bn(self.conv(values)).relu()


class _Temporal(_OverTime):
    """Mean over the bands, then over time."""

    def __init__(self, frames: int) -> None:
        super().__init__(1, TEMPORAL_FILTERS, frames)

    def forward(self, values: Tensor) -> Tensor:
        """(n, 1, 96, frames) → (n, 51, frames)."""
        return super().forward(values.mean(2))


class WonMusicnnNetwork(nn.Module):
    """Mel spectrogram in decibels (n, 96, frames) → probabilities of 50 tags (n, 50)."""

    def __init__(self) -> None:
        super().__init__()
        self.spec_bn = nn.BatchNorm2d(1)
        timbral = [_Timbral(bands) for bands in TIMBRAL_BANDS]
        temporal = [_Temporal(frames) for frames in TEMPORAL_FRAMES]
        self.layers = nn.ModuleList([*timbral, *temporal])
        self.layer1 = _OverTime(FRONT, MIDDLE_FILTERS, 7)
        self.layer2 = _OverTime(MIDDLE_FILTERS, MIDDLE_FILTERS, 7)
        self.layer3 = _OverTime(MIDDLE_FILTERS, MIDDLE_FILTERS, 7)
        self.dense1 = nn.Linear(2 * POOLED, PENULTIMATE)
        self.bn = nn.BatchNorm1d(PENULTIMATE)
        self.dense2 = nn.Linear(PENULTIMATE, TAGS)

    def features(self, decibels: Tensor) -> Tensor:
        """Compute the maxima over time of 753 channels, then their means.

        Parameters
        ----------
        decibels : Tensor, shape (n, 96, frames)
            Mel spectrogram in decibels.

        Returns
        -------
        Tensor, shape (n, 1506)
            Features.
        """
        spectrogram = self.spec_bn(decibels[:, None])
        front = torch.cat([cast(Tensor, layer(spectrogram)) for layer in self.layers], 1)
        first = self.layer1(front)
        second = self.layer2(first) + first
        third = self.layer3(second) + second
        stacked = torch.cat([front, first, second, third], 1)
        return torch.cat([stacked.amax(2), stacked.mean(2)], 1)

    def forward(self, decibels: Tensor) -> Tensor:
        return self.dense2(self.bn(self.dense1(self.features(decibels))).relu()).sigmoid()
