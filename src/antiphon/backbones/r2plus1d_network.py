"""R(2+1)D with 18 layers in PyTorch: 3 × 3 × 3 convolutions split into one over space and one over time.

Tran et al. (2018), https://arxiv.org/abs/1711.11248. Parameter names and shapes are those of torchvision's
`r2plus1d_18`, so that its published state files load strictly (31,505,325 parameters with the classifier).
"""

from typing import cast

from torch import Tensor, nn

SIZE_PX = 112
CHANNELS = 512
CLASSES = 400


class _Split(nn.Sequential):
    """3 × 3 over space, batch norm, ReLU, 3 over time; `middle` channels between the two."""

    def __init__(self, inputs: int, outputs: int, middle: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv3d(inputs, middle, (1, 3, 3), (1, stride, stride), (0, 1, 1), bias=False),
            nn.BatchNorm3d(middle),
            nn.ReLU(inplace=True),
            nn.Conv3d(middle, outputs, (3, 1, 1), (stride, 1, 1), (1, 0, 0), bias=False),
        )


class _Block(nn.Module):
    """Two split convolutions around a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        # As many parameters as the 3 × 3 × 3 convolution that is split; the second one takes the first one's number.
        middle = inputs * outputs * 27 // (inputs * 9 + outputs * 3)
        self.conv1 = nn.Sequential(
            _Split(inputs, outputs, middle, stride), nn.BatchNorm3d(outputs), nn.ReLU(inplace=True)
        )
        self.conv2 = nn.Sequential(_Split(outputs, outputs, middle), nn.BatchNorm3d(outputs))
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv3d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm3d(outputs))

    def forward(self, values: Tensor) -> Tensor:
        shortcut = values if self.downsample is None else self.downsample(values)
        return cast(Tensor, self.conv2(self.conv1(values)) + shortcut).relu_()


def _layer(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(_Block(inputs, outputs, stride), _Block(outputs, outputs, 1))


class R2Plus1D18(nn.Module):
    """Normalised frames (n, 3, frames, height, width) → class logits (n, 400)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv3d(3, 45, (1, 7, 7), (1, 2, 2), (0, 3, 3), bias=False),
            nn.BatchNorm3d(45),
            nn.ReLU(inplace=True),
            nn.Conv3d(45, 64, (3, 1, 1), 1, (1, 0, 0), bias=False),
            nn.BatchNorm3d(64),
            nn.ReLU(inplace=True),
        )
        self.layer1 = _layer(64, 64, 1)
        self.layer2 = _layer(64, 128, 2)
        self.layer3 = _layer(128, 256, 2)
        self.layer4 = _layer(256, CHANNELS, 2)
        self.fc = nn.Linear(CHANNELS, CLASSES)

    def features(self, frames: Tensor) -> Tensor:
        """Compute the mean over time and space of the last layer.

        Parameters
        ----------
        frames : Tensor, shape (n, 3, frames, height, width)
            Normalised frames.

        Returns
        -------
        Tensor, shape (n, 512)
            Features.
        """
        values = self.stem(frames)
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            values = layer(values)
        return cast(Tensor, values).mean((2, 3, 4))

    def forward(self, frames: Tensor) -> Tensor:
        return self.fc(self.features(frames))
