"""What all networks share: devices, strict loading, exact arithmetic, and input checks."""

import os
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
    """Resolve the name of a device; "auto" is a CUDA device if there is one, else the CPU.

    Under torchrun "auto" and "cuda" are the GPU of this process: the one with its number on this machine, `LOCAL_RANK`.
    With fewer GPUs than processes, several share one.

    Parameters
    ----------
    device : str
        Name of a torch device, or "auto".

    Returns
    -------
    torch.device
        The device.

    Raises
    ------
    ConfigError
        The name is unknown to torch, or the device is neither the CPU nor an accelerator that is available.
    """
    if device in ("auto", "cuda") and torch.cuda.is_available():
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())
    if device == "auto":
        return torch.device("cpu")
    try:
        resolved = torch.device(device)
    except RuntimeError as error:
        raise ConfigError(
            f"Device {device!r} is not available: torch knows no such name. Use cpu, cuda or auto."
        ) from error
    accelerator = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    if resolved.type != "cpu" and (accelerator is None or resolved.type != accelerator.type):
        raise ConfigError(f"Device {device!r} is not available. Use cpu, cuda or auto.")
    if resolved.type != "cpu" and (resolved.index or 0) >= torch.accelerator.device_count():
        raise ConfigError(
            f"Device {device!r} is not available: there are {torch.accelerator.device_count()}, counted from 0."
        )
    return resolved


def loaded(network: Network, tensors: Tensors, name: str) -> Network:
    """Load exactly these tensors into a network, frozen and in evaluation mode.

    Parameters
    ----------
    network : Network
        Network to load into.
    tensors : Tensors
        Weights.
    name : str
        Name of the backbone, for messages.

    Returns
    -------
    Network
        The same network.

    Raises
    ------
    WeightsError
        A tensor is missing, unexpected, or of another shape.
    """
    try:
        network.load_state_dict({key: torch.tensor(value) for key, value in tensors.items()}, strict=True)
    except RuntimeError as error:
        raise WeightsError(f"{name}: the weights belong to another network.\n{error}") from error
    return network.eval().requires_grad_(False)


@contextmanager
def exact_arithmetic(*, tf32: bool = False) -> Generator[None]:
    """Compute in full float32 and deterministically on a GPU, whatever the settings of the process.

    Parameters
    ----------
    tf32 : bool, default False
        Let tensor cores round the factors of products to 10 bits.

    Yields
    ------
    None
    """
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = tf32
    try:
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=tf32):
            yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


@contextmanager
def exact_inference() -> Generator[None]:
    """Compute as in `exact_arithmetic`, without gradients.

    Yields
    ------
    None
    """
    with torch.inference_mode(), exact_arithmetic():
        yield


def checked_waveform(waveform: npt.ArrayLike, rate_hz: int, expected_hz: int, min_samples: int) -> torch.Tensor:
    """Validate a waveform.

    Parameters
    ----------
    waveform : array_like, shape (n, samples) or (samples,)
        Mono floats in [-1, 1].
    rate_hz : int
        Its sample rate.
    expected_hz : int
        Sample rate of the backbone.
    min_samples : int
        Minimum number of samples.

    Returns
    -------
    torch.Tensor, shape (n, samples)
        Float32.

    Raises
    ------
    ConfigError
        The rate, shape, type or range is wrong, or there are too few samples.
    """
    if rate_hz != expected_hz:
        raise ConfigError(f"rate_hz must be {expected_hz} for this backbone, not {rate_hz}. Resample the waveform.")
    array = np.atleast_2d(np.asarray(waveform))
    if array.ndim != 2 or not np.issubdtype(array.dtype, np.floating):
        raise ConfigError(
            f"waveform must be floats in [-1, 1] of shape (n, samples) or (samples,), not {array.dtype} of shape "
            f"{array.shape}."
        )
    if array.shape[1] < min_samples:
        raise ConfigError(
            f"waveform has {array.shape[1]:,} samples; this backbone needs at least {min_samples:,} "
            f"({min_samples / expected_hz:.3f} s at {expected_hz} Hz)."
        )
    if not np.isfinite(array).all():
        raise ConfigError("waveform has values that are not finite.")
    # Decoded lossy audio overshoots 1 a little; only unscaled integers reach this far.
    if array.size and (peak := float(np.abs(array).max())) > 16:
        raise ConfigError(f"waveform peaks at {peak:,.0f}. Divide integer samples by their full scale first.")
    return torch.from_numpy(np.ascontiguousarray(array, np.float32))


def checked_frames(frames: npt.ArrayLike) -> npt.NDArray[np.uint8]:
    """Validate frames.

    Parameters
    ----------
    frames : array_like, shape (n, frames, height, width, 3)
        RGB as uint8, or one window without n.

    Returns
    -------
    ndarray of uint8, shape (n, frames, height, width, 3)
        RGB.

    Raises
    ------
    ConfigError
        The type or shape is wrong.
    """
    array = np.asarray(frames)
    if array.ndim == 4:
        array = array[None]
    if array.dtype != np.uint8 or array.ndim != 5 or array.shape[-1] != 3 or 0 in array.shape[1:]:
        raise ConfigError(
            "frames must be uint8 RGB of shape (n, frames, height, width, 3), or without n for one window, "
            f"not {array.dtype} of shape {np.shape(frames)}."
        )
    return array


def on_device(values: npt.NDArray[np.uint8] | npt.NDArray[np.float32], device: torch.device) -> torch.Tensor:
    """Copy values to a device, by pinned memory where it is a GPU.

    Parameters
    ----------
    values : ndarray of uint8 or float32, shape (...)
        Values.
    device : torch.device
        The device.

    Returns
    -------
    torch.Tensor, shape (...)
        The same values.
    """
    copied = torch.tensor(values)
    return copied.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else copied.to(device)


def square(frames: torch.Tensor, size_px: int) -> torch.Tensor:
    """Resize frames by the shorter side, bilinearly with antialiasing, and crop the centre.

    Parameters
    ----------
    frames : torch.Tensor, shape (n, height, width, 3)
        RGB as uint8.
    size_px : int
        Side of the result.

    Returns
    -------
    torch.Tensor, shape (n, 3, size_px, size_px)
        Float32 in [0, 255].
    """
    images = frames.permute(0, 3, 1, 2).float()
    height, width = images.shape[2:]
    if (height, width) == (size_px, size_px):
        return images
    scale = size_px / min(height, width)
    scaled = F.interpolate(
        images, (round(height * scale), round(width * scale)), mode="bilinear", antialias=True
    ).clamp(0, 255)
    top, left = (scaled.shape[2] - size_px) // 2, (scaled.shape[3] - size_px) // 2
    return scaled[:, :, top : top + size_px, left : left + size_px]
