"""Who computes videos: processes of this machine, or the workers of a Ray cluster."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Protocol

from antiphon import backbones
from antiphon.backbones.arithmetic import Precision
from antiphon.cores import usable_cores
from antiphon.errors import ConfigError
from antiphon.features.computed_videos import Backbone, ComputedVideo, computed_videos
from antiphon.features.computing import on_gpu
from antiphon.media.windows import WindowsJob
from antiphon.workers.limits import WorkerLimits

EXECUTORS = ("local", "ray")


class ComputeVideos(Protocol):
    """A function that decodes videos and runs backbones on their windows, as `computed_videos` does."""

    def __call__(
        self,
        jobs: Sequence[WindowsJob],
        networks_of: Callable[[WindowsJob], Sequence[Backbone]],
        workers: int | None,
        limits: WorkerLimits,
        /,
    ) -> Generator[ComputedVideo]:
        """Compute each of these videos once, in any order; workers None is a number of its own."""
        ...


class Executor(Protocol):
    """Where the networks of an extraction are loaded and run.

    Attributes
    ----------
    videos : ComputeVideos
        Decodes and computes.
    """

    videos: ComputeVideos

    def load(self, name: str) -> Backbone:
        """Load a backbone with the fingerprint, layout and arithmetic of those that will compute."""
        ...


def in_processes(
    jobs: Sequence[WindowsJob],
    networks_of: Callable[[WindowsJob], Sequence[Backbone]],
    workers: int | None,
    limits: WorkerLimits,
    /,
) -> Generator[ComputedVideo]:
    """Decode in processes of this machine and run networks in this process.

    Parameters
    ----------
    jobs : sequence of WindowsJob
        Videos.
    networks_of : callable
        Backbones to run on a video.
    workers : int or None
        Number of decoding processes; None: one per core.
    limits : WorkerLimits
        Limits of each window.

    Yields
    ------
    ComputedVideo
        Videos, in order of completion.

    Raises
    ------
    ConfigError, OSError
        As in `computed_videos`.
    """
    gpu = on_gpu(chain.from_iterable(networks_of(job) for job in jobs))
    yield from computed_videos(jobs, networks_of, workers or usable_cores(), limits, gpu=gpu)


class LocalExecutor:
    """Networks in this process.

    Parameters
    ----------
    device : str
        "cpu", "cuda" or "auto".
    precision : {'float32', 'tf32', 'bfloat16'}
        Precision of the networks.
    """

    def __init__(self, device: str, precision: Precision) -> None:
        self._device = device
        self._precision: Precision = precision
        self.videos: ComputeVideos = in_processes

    def load(self, name: str) -> Backbone:
        """Load a backbone; see `antiphon.backbones.load`."""
        return backbones.load(name, device=self._device, precision=self._precision)


@contextmanager
def opened_executor(name: str, device: str, precision: Precision, ray_address: str | None) -> Generator[Executor]:
    """Open an executor by name.

    Parameters
    ----------
    name : {'local', 'ray'}
        Name.
    device : str
        "cpu", "cuda" or "auto".
    precision : {'float32', 'tf32', 'bfloat16'}
        Precision of the networks.
    ray_address : str or None
        Ray cluster.

    Yields
    ------
    Executor
        The executor.

    Raises
    ------
    ConfigError
        The name is unknown, or Ray is not installed or cannot be reached.
    """
    if name not in EXECUTORS:
        raise ConfigError(f"Unknown executor {name!r}. Use one of {', '.join(EXECUTORS)}.")
    if name == "local":
        if ray_address is not None:
            raise ConfigError("A Ray address needs the executor ray.")
        yield LocalExecutor(device, precision)
        return
    from antiphon.features.ray_executor import opened_ray

    with opened_ray(ray_address, device, precision) as executor:
        yield executor
