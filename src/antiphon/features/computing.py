"""Runs the networks on decoded videos: several videos at a time, each on one thread of its own.

A network on one thread needs no barrier between threads, so it is not slowed by the decoders beside it, and its sums
do not depend on the number of cores.
"""

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch

from antiphon.backbones import AudioBackbone, VideoBackbone
from antiphon.errors import ConfigError, DecodeError
from antiphon.media.windows import DecodedWindows, WindowsJob

Item = TypeVar("Item")
Result = TypeVar("Result")


def compute_in_threads(
    function: Callable[[Item], Result], items: Iterable[Item], *, threads: int | None = None
) -> Iterator[Result]:
    """Yield `function` of each item, in order; at most `threads` + 1 items are held at a time.

    Parameters
    ----------
    function : runs with torch on a single thread.
    threads : Default: one a core, or 1 where there is a GPU, which serves one network at a time.
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
) -> WindowsJob:
    """What has to be decoded so that all of `networks` can be run.

    Raises
    ------
    ConfigError
        Two of them want the sound at different rates.
    """
    rates = {network.rate_hz for network in networks if isinstance(network, AudioBackbone)}
    if len(rates) > 1:
        raise ConfigError(
            f"Audio backbones at {sorted(rates)} Hz cannot share one decoding; extract one after the other."
        )
    layouts = dict.fromkeys(network.layout for network in networks if isinstance(network, VideoBackbone))
    return WindowsJob(video_id, path, tuple(windows), tuple(layouts), next(iter(rates), None), seed)


def window_features(network: AudioBackbone | VideoBackbone, decoded: DecodedWindows) -> npt.NDArray[np.float32]:
    """(n, dim) features of decoded windows by one backbone.

    Raises
    ------
    DecodeError
        The sound or pictures lead to values that are not finite.
    """
    if isinstance(network, VideoBackbone):
        vectors = network(decoded.frames[network.layout])
    elif decoded.waveforms is None:
        raise DecodeError(f"{network.name} needs sound, and none was decoded.")
    else:
        vectors = network(decoded.waveforms, network.rate_hz)
    if not np.isfinite(vectors).all():
        raise DecodeError(f"{network.name} gave values that are not finite for it.")
    return vectors
