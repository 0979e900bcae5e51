"""Inference of the networks on decoded videos: several videos at a time, each on one thread.

A network on one thread has no barriers between threads, so decoders beside it do not slow it down, and its sums do not
depend on the number of cores.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch

from antiphon.backbones import AudioBackbone, VideoBackbone
from antiphon.cores import usable_cores
from antiphon.errors import AntiphonError, ConfigError, DecodeError, WeightsError
from antiphon.media.extents import Extents
from antiphon.media.windows import DecodedWindows, WindowsJob
from antiphon.workers.limits import JobError, ends_run

BATCH_WINDOWS = 8
"""Windows that a network takes at a time, unless told otherwise: all of a video with the default six sections. Longer
videos are always cut at the same places, so that resumed runs are bit-identical."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def compute_in_threads(
    function: Callable[[Item], Result], items: Iterable[Item], *, threads: int | None = None
) -> Generator[Result]:
    """Apply a function to items in threads, and yield the results in order.

    Parameters
    ----------
    function : callable
        Function of one item; torch runs on a single thread in it.
    items : iterable of Item
        At most `threads` + 1 of them are held at a time.
    threads : int, optional
        Number of threads. Default: one per core.

    Yields
    ------
    Result
        Results in the order of the items.
    """
    count = threads or usable_cores()
    with _one_torch_thread_each(), ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        under_way: list[Future[Result]] = []
        try:
            for item in items:
                under_way.append(pool.submit(function, item))
                if len(under_way) > count:
                    yield under_way.pop(0).result()
            while under_way:
                yield under_way.pop(0).result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _one_torch_thread_each() -> Generator[None]:
    before = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)


def on_gpu(networks: Iterable[AudioBackbone | VideoBackbone]) -> bool:
    """Return whether one of these backbones computes on a GPU, or another accelerator.

    Parameters
    ----------
    networks : iterable of AudioBackbone or VideoBackbone
        Backbones; plug-ins need not say where they compute, and count as on the processor.

    Returns
    -------
    bool
        True for a GPU.
    """
    devices = [getattr(network, "device", None) for network in networks]
    return any(isinstance(device, torch.device) and device.type != "cpu" for device in devices)


def windows_job(
    video_id: str,
    path: str,
    windows: Sequence[tuple[float, float]],
    networks: Sequence[AudioBackbone | VideoBackbone],
    seed: int,
    extents: Extents | None = None,
) -> WindowsJob:
    """Plan what to decode of a video for several networks.

    Parameters
    ----------
    video_id : str
        Id of the video.
    path : str
        Media file.
    windows : sequence of (float, float)
        Start and end of each window, in seconds on the track's time line.
    networks : sequence of AudioBackbone or VideoBackbone
        Backbones to run on the windows.
    seed : int
        Seed of random crops.
    extents : Extents, optional
        Where audio and video lie. Default: everywhere.

    Returns
    -------
    WindowsJob
        The decoding job.

    Raises
    ------
    ConfigError
        Two audio backbones take different sample rates.
    """
    rates = {network.rate_hz for network in networks if isinstance(network, AudioBackbone)}
    if len(rates) > 1:
        raise ConfigError(
            f"Audio backbones at {sorted(rates)} Hz cannot share one decoding. Extract one after the other."
        )
    layouts = dict.fromkeys(network.layout for network in networks if isinstance(network, VideoBackbone))
    rate_hz = next(iter(rates), None)
    return WindowsJob(video_id, path, tuple(windows), tuple(layouts), rate_hz, seed, extents or Extents())


def window_features(
    network: AudioBackbone | VideoBackbone, decoded: DecodedWindows, batch_size: int = BATCH_WINDOWS
) -> npt.NDArray[np.float32]:
    """Compute the features of decoded windows by one backbone.

    Parameters
    ----------
    network : AudioBackbone or VideoBackbone
        Backbone.
    decoded : DecodedWindows
        Windows of one video.
    batch_size : int, default 8
        Windows that the network takes at a time.

    Returns
    -------
    ndarray of float32, shape (n, dim)
        One row per window.

    Raises
    ------
    DecodeError
        No audio was decoded for an audio backbone, or a feature is not finite.
    WeightsError
        The backbone returns something else than one row of `dim` numbers per window.
    """
    return _features(network, _batches(_inputs(network, decoded), batch_size))


def features_together(
    network: AudioBackbone | VideoBackbone, decoded: Sequence[DecodedWindows]
) -> list[npt.NDArray[np.float32]]:
    """Compute the features of the windows of several videos by one backbone, all at once.

    Parameters
    ----------
    network : AudioBackbone or VideoBackbone
        Backbone.
    decoded : sequence of DecodedWindows
        Windows of each video.

    Returns
    -------
    list of ndarray of float32, shape (n, dim)
        One array per video, as of `window_features`; raises as that.
    """
    inputs = [_inputs(network, one) for one in decoded]
    vectors = _features(network, [inputs[0] if len(inputs) == 1 else np.concatenate(inputs)])
    return np.split(vectors, np.cumsum([len(one) for one in inputs])[:-1])


def _inputs(network: AudioBackbone | VideoBackbone, decoded: DecodedWindows) -> npt.NDArray[Any]:
    if isinstance(network, VideoBackbone):
        return decoded.frames[network.layout]
    if decoded.waveforms is None:
        raise DecodeError(f"{network.name} needs audio, and none was decoded.")
    return decoded.waveforms


def _features(network: AudioBackbone | VideoBackbone, rows: Sequence[npt.NDArray[Any]]) -> npt.NDArray[np.float32]:
    if isinstance(network, AudioBackbone):
        parts = [network(part, network.rate_hz) for part in rows]
    else:
        parts = [network(part) for part in rows]
    vectors = np.concatenate([_checked(network, *pair) for pair in zip(parts, rows, strict=True)])
    vectors = vectors.astype(np.float32, copy=False)
    if not np.isfinite(vectors).all():
        raise DecodeError(f"{network.name} returned values that are not finite.")
    return vectors


def _checked(
    network: AudioBackbone | VideoBackbone, part: npt.NDArray[np.float32], rows: npt.NDArray[Any]
) -> npt.NDArray[np.float32]:
    """Return features, or refuse what is none, as a plug-in may return."""
    found = np.asarray(part)
    if found.shape != (len(rows), network.dim) or not np.issubdtype(found.dtype, np.floating):
        raise WeightsError(
            f"{network.name} returned {found.dtype} of shape {found.shape} for {len(rows)} windows; a backbone returns "
            f"one row of {network.dim} floats for each."
        )
    return found


def _batches(rows: npt.NDArray[Any], batch_size: int) -> list[npt.NDArray[Any]]:
    if batch_size < 1:
        raise ConfigError(f"batch_size must be at least 1, not {batch_size}.")
    return [rows[first : first + batch_size] for first in range(0, len(rows), batch_size)]


_BROKEN_DEVICE: tuple[type[Exception], ...] = tuple(filter(None, (getattr(torch, "AcceleratorError", None),)))
"""What is raised of a GPU that will not work for any file."""


def file_problem(error: Exception) -> AntiphonError:
    """Return what a backbone raised as the problem of one file, or raise it where it is one of the whole run.

    Parameters
    ----------
    error : Exception
        The error that is being handled.

    Returns
    -------
    AntiphonError
        The error, or a `JobError` that describes it.

    Raises
    ------
    ConfigError
        There is not enough memory.
    OSError
        Nothing can be written.
    """
    if _is_out_of_memory(error):
        raise ConfigError(
            "There is not enough memory to run the backbones. End other programs, or choose another device."
        ) from error
    if ends_run(error) or isinstance(error, _BROKEN_DEVICE):
        raise error
    return error if isinstance(error, AntiphonError) else JobError.of(error)


def _is_out_of_memory(error: Exception) -> bool:
    # On the CPU, torch raises a bare RuntimeError.
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    )
