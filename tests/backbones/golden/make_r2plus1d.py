"""Made `r2plus1d.npz` with torchvision 0.28 on a CPU: `python tests/backbones/golden/make_r2plus1d.py`.

torchvision's compiled operators do not load beside a CPU build of torch; their schemas are declared so that the Python
part can be imported. Tests read the file that this script wrote, so nothing else needs torchvision. Weights and input
are sines of running numbers, which any version of any library makes alike.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch


def state(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
    """A state that keeps activations of order 1: names as in torchvision, whatever the order."""
    return {name: torch.from_numpy(_values(name, shape)) for name, shape in shapes.items()}


def frames() -> torch.Tensor:
    """(2, 3, 5, 40, 36) float32: sizes that are all different, and odd where strides meet them."""
    count = 2 * 3 * 5 * 40 * 36
    return torch.from_numpy(_wave(count, 0.7).astype(np.float32).reshape(2, 3, 5, 40, 36))


def _values(name: str, shape: tuple[int, ...]) -> np.ndarray:
    if name.endswith("num_batches_tracked"):
        return np.zeros((), np.int64)
    wave = _wave(int(np.prod(shape)), 0.1 * len(name)).reshape(shape)
    if len(shape) > 1:
        return (wave * 2 / np.sqrt(np.prod(shape[1:]))).astype(np.float32)
    if name.endswith("running_var") or name.endswith("weight"):
        return (1 + 0.3 * wave).astype(np.float32)
    return (0.2 * wave).astype(np.float32)


def _wave(count: int, phase: float) -> np.ndarray:
    """Sines of the squares of running numbers: no two stretches are alike."""
    number = np.arange(count, dtype=np.float64)
    return np.sin(phase + 0.37 * number + 1.7e-3 * (number % 9973) ** 2)


def main() -> None:
    library = torch.library.Library("torchvision", "DEF")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    from torchvision.models.video import r2plus1d_18  # pyright: ignore

    network = r2plus1d_18().eval()
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    network.load_state_dict(state(shapes))
    seen = {}
    network.avgpool.register_forward_hook(lambda _module, _input, output: seen.update(features=output.flatten(1)))
    with torch.inference_mode():
        logits = network(frames())
    np.savez_compressed(
        Path(__file__).with_name("r2plus1d.npz"),
        features=seen["features"].numpy(),
        logits=logits.numpy(),
        names=np.array([f"{name} {shape}" for name, shape in shapes.items()]),
    )


if __name__ == "__main__":
    main()
