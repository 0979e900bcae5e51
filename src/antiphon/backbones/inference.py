"""What all networks of ours share: where they run, strict loading, exact arithmetic, and input checks."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional as F

from antiphon.backbones.weights import Tensors
from antiphon.errors import ConfigError, WeightsError

Network = TypeVar("Network", bound=nn.Module)


def resolve_device(device: str) -> torch.device:
    """ "auto" is a CUDA device where there is one, else the CPU.

    Raises
    ------
    ConfigError
        The name is none of torch's, or the device is not there.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
        torch.empty(0, device=resolved)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ConfigError(f"The device {device!r} cannot be used ({first}). Use cpu, cuda or auto.") from error
    return resolved


def loaded(network: Network, tensors: Tensors, name: str) -> Network:
    """`network` with exactly these tensors, frozen and in evaluation mode.

    Raises
    ------
    WeightsError
        A tensor is missing, left over, or of another shape.
    """
    try:
        network.load_state_dict({key: torch.tensor(value) for key, value in tensors.items()}, strict=True)
    except RuntimeError as error:
        raise WeightsError(f"{name}: the weights are of another network.\n{error}") from error
    return network.eval().requires_grad_(False)


@contextmanager
def exact_arithmetic() -> Generator[None]:
    """On a GPU full float32 and the same result every time, whatever the process has set."""
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
        yield


@contextmanager
def exact_inference() -> Generator[None]:
    """Exact arithmetic without gradients."""
    with torch.inference_mode(), exact_arithmetic():
        yield


def checked_waveform(waveform: npt.ArrayLike, rate_hz: int, expected_hz: int, min_samples: int) -> torch.Tensor:
    """(n, samples) float32 from (n, samples) or (samples,).

    Raises
    ------
    ConfigError
        Another rate, shape or range than a backbone can take, or fewer samples than it needs.
    """
    if rate_hz != expected_hz:
        raise ConfigError(f"The waveform has {rate_hz} Hz, the backbone takes {expected_hz} Hz: resample it first.")
    array = np.atleast_2d(np.asarray(waveform))
    if array.ndim != 2 or not np.issubdtype(array.dtype, np.floating):
        raise ConfigError(
            f"A waveform is (n, samples) or (samples,) floats in [-1, 1], not {array.dtype} of shape {array.shape}."
        )
    if array.shape[1] < min_samples:
        raise ConfigError(
            f"The waveform has {array.shape[1]:,} samples, the backbone needs {min_samples:,} "
            f"({min_samples / expected_hz:.3f} s at {expected_hz} Hz) for one patch."
        )
    if not np.isfinite(array).all():
        raise ConfigError("The waveform holds values that are not finite.")
    # Decoded lossy sound overshoots 1 a little; only integers passed off as floats reach this far.
    if array.size and (peak := float(np.abs(array).max())) > 16:
        raise ConfigError(f"The waveform peaks at {peak:,.0f}: divide integer samples by their full scale first.")
    return torch.from_numpy(np.ascontiguousarray(array, np.float32))


def checked_frames(frames: npt.ArrayLike) -> npt.NDArray[np.uint8]:
    """(n, frames, height, width, 3) uint8 from that or from one window without n.

    Raises
    ------
    ConfigError
        Another type or shape.
    """
    array = np.asarray(frames)
    if array.ndim == 4:
        array = array[None]
    if array.dtype != np.uint8 or array.ndim != 5 or array.shape[-1] != 3 or 0 in array.shape[1:]:
        raise ConfigError(
            "Frames are uint8 RGB of shape (n, frames, height, width, 3), or without n for one window, "
            f"not {array.dtype} of shape {np.shape(frames)}."
        )
    return array


def square(frames: torch.Tensor, size_px: int) -> torch.Tensor:
    """(n, height, width, 3) uint8 → (n, 3, size, size) float32 in [0, 255], scaled by the shorter side, middle kept."""
    pictures = frames.permute(0, 3, 1, 2).float()
    height, width = pictures.shape[2:]
    if (height, width) == (size_px, size_px):
        return pictures
    scale = size_px / min(height, width)
    scaled = F.interpolate(
        pictures, (round(height * scale), round(width * scale)), mode="bilinear", antialias=True
    ).clamp(0, 255)
    top, left = (scaled.shape[2] - size_px) // 2, (scaled.shape[3] - size_px) // 2
    return scaled[:, :, top : top + size_px, left : left + size_px]
