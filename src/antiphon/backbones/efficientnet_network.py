"""EfficientNet-Lite0 in PyTorch: images (n, 3, 224, 224) → 1280 values, and ImageNet's 1000 classes.

Tan and Le (2019), https://arxiv.org/abs/1905.11946, in its "lite" form: no squeeze-and-excitation, ReLU6 for swish, and
a stem and head of fixed width. Parameters are named as in the published state file. Padding is TensorFlow's "same".
"""

from collections.abc import Iterator
from itertools import islice

from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

SIZE_PX = 224
CHANNELS = 1280
CLASSES = 1000
EPS = 1e-3
STAGES = (
    # repeats, kernel, stride, expansion, in, out
    (1, 3, 1, 1, 32, 16),
    (2, 3, 2, 6, 16, 24),
    (2, 5, 2, 6, 24, 40),
    (3, 3, 2, 6, 40, 80),
    (3, 5, 1, 6, 80, 112),
    (4, 5, 2, 6, 112, 192),
    (1, 3, 1, 6, 192, 320),
)


class _SameConv(nn.Conv2d):
    """Convolution without bias, padded as in TensorFlow: with stride 2, one more zero after than before."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        padding = kernel // 2 if stride == 1 else 0
        super().__init__(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)

    def forward(self, input: Tensor) -> Tensor:
        if self.stride[0] == 2:
            before = (self.kernel_size[0] - 2) // 2
            after = self.kernel_size[0] - 2 - before
            input = F.pad(input, (before, after, before, after))
        return super().forward(input)


class _Block(nn.Module):
    """Inverted residual: widen by 1 × 1, filter each channel, narrow by 1 × 1, add the input where shapes allow."""

    def __init__(self, kernel: int, stride: int, expansion: int, inputs: int, outputs: int) -> None:
        super().__init__()
        wide = inputs * expansion
        if expansion > 1:
            self._expand_conv = _SameConv(inputs, wide, 1)
            self._bn0 = nn.BatchNorm2d(wide, EPS)
        self._depthwise_conv = _SameConv(wide, wide, kernel, stride, groups=wide)
        self._bn1 = nn.BatchNorm2d(wide, EPS)
        self._project_conv = _SameConv(wide, outputs, 1)
        self._bn2 = nn.BatchNorm2d(outputs, EPS)
        self.expands = expansion > 1
        self.adds = stride == 1 and inputs == outputs

    def forward(self, values: Tensor) -> Tensor:
        wide = F.relu6(self._bn0(self._expand_conv(values)), inplace=True) if self.expands else values
        wide = F.relu6(self._bn1(self._depthwise_conv(wide)), inplace=True)
        narrow = self._bn2(self._project_conv(wide))
        return narrow + values if self.adds else narrow


class EfficientNetLite0(nn.Module):
    """Normalised images (n, 3, 224, 224) → class logits (n, 1000)."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = _SameConv(3, 32, 3, 2)
        self._bn0 = nn.BatchNorm2d(32, EPS)
        self._blocks = nn.ModuleList(
            _Block(kernel, stride if first else 1, expansion, inputs if first else outputs, outputs)
            for repeats, kernel, stride, expansion, inputs, outputs in STAGES
            for first in [True] + [False] * (repeats - 1)
        )
        self._conv_head = _SameConv(320, CHANNELS, 1)
        self._bn1 = nn.BatchNorm2d(CHANNELS, EPS)
        self._fc = nn.Linear(CHANNELS, CLASSES)

    def features(self, images: Tensor) -> Tensor:
        """Compute the mean over the 7 × 7 positions of the last convolution.

        Parameters
        ----------
        images : Tensor, shape (n, 3, 224, 224)
            Normalised images.

        Returns
        -------
        Tensor, shape (n, 1280)
            Features.
        """
        values = F.relu6(self._bn0(self._conv_stem(images)), inplace=True)
        for block in self._blocks:
            values = block(values)
        return F.relu6(self._bn1(self._conv_head(values)), inplace=True).mean((2, 3))

    def early(self, images: Tensor, stages: int) -> list[Tensor]:
        """Compute the outputs of the first stages.

        Parameters
        ----------
        images : Tensor, shape (n, 3, 224, 224)
            Normalised images.
        stages : int
            Number of `STAGES`.

        Returns
        -------
        list of Tensor
            One output per stage, (n, channels, height, width).
        """
        values = F.relu6(self._bn0(self._conv_stem(images)), inplace=True)
        blocks, found = iter(self._blocks), list[Tensor]()
        for repeats, *_ in STAGES[:stages]:
            for block in islice(blocks, repeats):
                values = block(values)
            found.append(values)
        return found

    def forward(self, images: Tensor) -> Tensor:
        return self._fc(self.features(images))

    def blocks(self) -> list[nn.Module]:
        """Return the modules of `features` in order; of a folded network, they have all of its parameters.

        Returns
        -------
        list of nn.Module
            Modules from input to output.
        """
        return [self._conv_stem, *self._blocks, self._conv_head]

    def folded(self) -> "EfficientNetLite0":
        """Put the network in evaluation mode, and fold each batch norm into its convolution, in place.

        Returns
        -------
        EfficientNetLite0
            This network.
        """
        for owner, conv, norm in list(_pairs(self)):
            setattr(owner, conv, fuse_conv_bn_eval(getattr(owner, conv), getattr(owner, norm)))
            setattr(owner, norm, nn.Identity())
        return self


def _pairs(network: nn.Module) -> Iterator[tuple[nn.Module, str, str]]:
    for module in network.modules():
        for conv, norm in (
            ("_conv_stem", "_bn0"),
            ("_conv_head", "_bn1"),
            ("_expand_conv", "_bn0"),
            ("_depthwise_conv", "_bn1"),
            ("_project_conv", "_bn2"),
        ):
            if hasattr(module, conv):
                yield module, conv, norm
