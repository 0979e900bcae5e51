"""TransNet V2 in PyTorch: frames of 27 × 48 pixels → how likely each is the last of a shot.

Souček and Lokoč (2020), https://arxiv.org/abs/2008.04838. Parameters are named as in the published state file.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

FILTERS = 16
AROUND = 101
"""Frames that each frame is compared with."""
WINDOW, MARGIN = 100, 25
"""Frames that are taken at once, and those at either end whose answers are not used."""


class _Separable(nn.Module):
    def __init__(self, inputs: int, filters: int, dilation: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            [
                nn.Conv3d(inputs, 2 * filters, (1, 3, 3), padding=(0, 1, 1), bias=False),
                nn.Conv3d(
                    2 * filters, filters, (3, 1, 1), dilation=(dilation, 1, 1), padding=(dilation, 0, 0), bias=False
                ),
            ]
        )

    def forward(self, values: Tensor) -> Tensor:
        return self.layers[1](self.layers[0](values))


class _Dilated(nn.Module):
    def __init__(self, inputs: int, filters: int) -> None:
        super().__init__()
        for dilation in (1, 2, 4, 8):
            setattr(self, f"Conv3D_{dilation}", _Separable(inputs, filters, dilation))
        self.bn = nn.BatchNorm3d(4 * filters, eps=1e-3)

    def forward(self, values: Tensor) -> Tensor:
        return self.bn(torch.cat([getattr(self, f"Conv3D_{dilation}")(values) for dilation in (1, 2, 4, 8)], 1))


class _Stack(nn.Module):
    def __init__(self, inputs: int, filters: int) -> None:
        super().__init__()
        self.DDCNN = nn.ModuleList([_Dilated(inputs, filters), _Dilated(4 * filters, filters)])

    def forward(self, values: Tensor) -> Tensor:
        first = F.relu(self.DDCNN[0](values))
        return F.avg_pool3d(F.relu(self.DDCNN[1](first)) + first, (1, 2, 2))


def _around(similarities: Tensor) -> Tensor:
    """Return (n, frames, 101): each frame's similarities to those around it, zeros outside."""
    half, frames = AROUND // 2, similarities.shape[1]
    padded = F.pad(similarities, (half, half))
    return torch.stack([padded[:, at, at : at + AROUND] for at in range(frames)], 1)


class _Similarity(nn.Module):
    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.projection, self.fc = nn.Linear(inputs, 128), nn.Linear(AROUND, 128)

    def forward(self, stages: list[Tensor]) -> Tensor:
        means = torch.cat([stage.mean((3, 4)) for stage in stages], 1).mT
        units = F.normalize(self.projection(means), dim=2)
        return F.relu(self.fc(_around(units @ units.mT)))


class _Colours(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(AROUND, 128)

    def forward(self, frames: Tensor) -> Tensor:
        bins = (frames.int() >> 5) @ torch.tensor([64, 8, 1], dtype=torch.int32)
        counts = F.one_hot(bins.flatten(2).long(), 512).sum(2).float()
        units = F.normalize(counts, dim=2)
        return F.relu(self.fc(_around(units @ units.mT)))


class TransNet(nn.Module):
    """Frames (n, frames, 27, 48, 3) as uint8 → 1024 values and logits of cuts, of single frames and of whole fades."""

    def __init__(self) -> None:
        super().__init__()
        self.SDDCNN = nn.ModuleList(
            _Stack(inputs, filters)
            for inputs, filters in ((3, FILTERS), (4 * FILTERS, 2 * FILTERS), (8 * FILTERS, 4 * FILTERS))
        )
        self.frame_sim_layer = _Similarity(28 * FILTERS)
        self.color_hist_layer = _Colours()
        self.fc1 = nn.Linear(16 * FILTERS * 18 + 256, 1024)
        self.cls_layer1, self.cls_layer2 = nn.Linear(1024, 1), nn.Linear(1024, 1)

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        values = frames.permute(0, 4, 1, 2, 3).float() / 255
        stages: list[Tensor] = []
        for stack in self.SDDCNN:
            values = stack(values)
            stages.append(values)
        flat = values.permute(0, 2, 3, 4, 1).flatten(2)
        joined = torch.cat([self.color_hist_layer(frames), self.frame_sim_layer(stages), flat], 2)
        found = F.relu(self.fc1(joined))
        return found, self.cls_layer1(found)[..., 0], self.cls_layer2(found)[..., 0]

    def along(self, frames: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Return (n, 1024) values and (n,) probabilities that a frame is the last of its shot."""
        count, step = len(frames), WINDOW - 2 * MARGIN
        after = MARGIN + -count % step
        padded = torch.cat([frames[:1].expand(MARGIN, -1, -1, -1), frames, frames[-1:].expand(after, -1, -1, -1)])
        parts = []
        with torch.inference_mode():
            for at in range(0, count, step):
                values, cuts, _ = self(padded[None, at : at + WINDOW])
                kept = slice(MARGIN, WINDOW - MARGIN)
                parts.append((values[0, kept], cuts[0, kept].sigmoid()))
        values, cuts = (torch.cat(part)[:count].numpy() for part in zip(*parts, strict=True))
        return values, cuts
