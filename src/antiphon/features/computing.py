"""Inference of the networks on decoded videos: several videos at a time, each on one thread.

A network on one thread has no barriers between threads, so decoders beside it do not slow it down, and its sums do not
depend on the number of cores.
"""

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch

from antiphon.backbones import AudioBackbone, VideoBackbone
from antiphon.errors import ConfigError, DecodeError
from antiphon.media.extents import Extents
from antiphon.media.windows import DecodedWindows, WindowsJob

Item = TypeVar("Item")
Result = TypeVar("Result")


def compute_in_threads(
    function: Callable[[Item], Result], items: Iterable[Item], *, threads: int | None = None
) -> Iterator[Result]:
    """Apply a function to items in threads, and yield the results in order.

    Parameters
    ----------
    function : callable
        Function of one item; torch runs on a single thread in it.
    items : iterable of Item
        At most `threads` + 1 of them are held at a time.
    threads : int, optional
        Number of threads. Default: one per core, or 1 with a GPU, which serves one network at a time.

    Yields
    ------
    Result
        Results in the order of the items.
    """
    count = threads or (1 if torch.cuda.is_available() else os.cpu_count() or 1)
    with _one_torch_thread_each(), ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        under_way: list[Future[Result]] = []
        for item in items:
            under_way.append(pool.submit(function, item))
            if len(under_way) > count:
                yield under_way.pop(0).result()
        while under_way:
            yield under_way.pop(0).result()


@contextmanager
def _one_torch_thread_each() -> Generator[None]:
    before = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)


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
    network: AudioBackbone | VideoBackbone, decoded: DecodedWindows, batch_size: int | None = None
) -> npt.NDArray[np.float32]:
    """Compute the features of decoded windows by one backbone.

    Parameters
    ----------
    network : AudioBackbone or VideoBackbone
        Backbone.
    decoded : DecodedWindows
        Windows of one video.
    batch_size : int, optional
        Windows that the network takes at a time. Default: all of them.

    Returns
    -------
    ndarray of float32, shape (n, dim)
        One row per window.

    Raises
    ------
    DecodeError
        No audio was decoded for an audio backbone, or a feature is not finite.
    """
    if isinstance(network, AudioBackbone):
        if decoded.waveforms is None:
            raise DecodeError(f"{network.name} needs audio, and none was decoded.")
        rows, rate_hz = decoded.waveforms, network.rate_hz
        parts = [network(part, rate_hz) for part in _batches(rows, batch_size)]
    else:
        parts = [network(part) for part in _batches(decoded.frames[network.layout], batch_size)]
    vectors = parts[0] if len(parts) == 1 else np.concatenate(parts)
    if not np.isfinite(vectors).all():
        raise DecodeError(f"{network.name} returned values that are not finite.")
    return vectors


def _batches(rows: npt.NDArray[Any], batch_size: int | None) -> list[npt.NDArray[Any]]:
    if batch_size is not None and batch_size < 1:
        raise ConfigError(f"batch_size must be at least 1, not {batch_size}.")
    size = batch_size or len(rows)
    return [rows[first : first + size] for first in range(0, len(rows), size)]
