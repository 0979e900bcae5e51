"""What runs on the nodes of a Ray cluster: the local pipeline, on a batch of videos at a time.

A worker loads its networks once. Files are decoded in child processes with limits, as on one machine. Ray repeats a
batch whose worker died; one that kills its worker twice is computed file by file, and a file that does so twice fails.
"""

import os
import pickle
import threading
import zlib
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from antiphon.errors import AntiphonError, ConfigError, StorageError, WeightsError
from antiphon.features.ray_agreement import Network, check_network, check_versions, network_of, versions

if TYPE_CHECKING:
    import pyarrow as pa

    from antiphon.backbones.arithmetic import Precision
    from antiphon.features.computed_videos import Backbone, ComputedVideo
    from antiphon.media.windows import WindowsJob
    from antiphon.workers.limits import WorkerLimits

CALLS = 2
"""Batches that a worker has at a time, so that it never waits for the next one."""
ATTEMPTS = 2
_LOADS = 3


@dataclass(frozen=True)
class WorkerSetup:
    """What all workers of a run are told.

    Attributes
    ----------
    networks : tuple of Network
        Backbones to load.
    versions : dict of str to str
        The driver's `versions`.
    device : str
        "cpu" or "cuda".
    precision : {'float32', 'tf32', 'bfloat16'}
        Precision of the networks.
    cores : int
        Cores of each worker.
    limits : WorkerLimits
        Limits of each window.
    """

    networks: tuple[Network, ...]
    versions: dict[str, str]
    device: str
    precision: "Precision"
    cores: int
    limits: "WorkerLimits"


@dataclass(frozen=True)
class VideoBatch:
    """Videos that a worker gets together.

    Attributes
    ----------
    key : int
        Number of the batch in the run.
    jobs : tuple of (WindowsJob, tuple of str)
        Videos, with the names of the backbones to run on each.
    """

    key: int
    jobs: "tuple[tuple[WindowsJob, tuple[str, ...]], ...]"


@dataclass(frozen=True)
class Fault:
    """Why a worker cannot compute any file.

    Attributes
    ----------
    error : type
        Class of the error.
    message : str
        The reason, with the node.
    """

    error: type[AntiphonError]
    message: str


class Ledger:
    """Counts attempts, in an actor that outlives the workers."""

    def __init__(self) -> None:
        self._begun: Counter[object] = Counter()

    def begin(self, key: object) -> int:
        """Count an attempt.

        Parameters
        ----------
        key : object
            What is tried.

        Returns
        -------
        int
            Number of attempts, this one included.
        """
        self._begun[key] += 1
        return self._begun[key]

    def end(self, key: object) -> None:
        """Forget what has succeeded."""
        self._begun.pop(key, None)


class VideoWorker:
    """A worker, as Ray Data's `map_batches` calls it: from several threads.

    Parameters
    ----------
    order : WorkerSetup
        What to load.
    ledger : actor handle
        The run's `Ledger`.
    """

    # Nothing is loaded here: Ray makes an actor that dies when it is made again for ever.
    def __init__(self, order: WorkerSetup, ledger: Any) -> None:
        self._order, self._ledger = order, ledger
        self._networks: dict[str, Backbone] = {}
        self._decoders: Any = None
        self._loading = threading.Lock()
        self._door = threading.Lock()
        self._places = threading.Semaphore(CALLS)

    def __call__(self, table: "pa.Table") -> "pa.Table":
        """Compute the videos of a batch.

        Parameters
        ----------
        table : Table
            A `VideoBatch` as `packed`.

        Returns
        -------
        Table
            A list of ComputedVideo or a `Fault`, as `packed`.
        """
        batch = unpacked(table)
        try:
            with self._loading:
                self._load()
            found: object = [sendable(video) for video in self._computed(batch)]
        except Exception as error:  # noqa: BLE001 - the driver raises it
            found = _fault(error)
        return packed(found)

    def _load(self) -> None:
        if self._decoders is not None:
            return
        key = ("load", _actor_id())
        if self._count(key) > _LOADS:
            raise ConfigError(
                f"The process died {_LOADS} times while it loaded the backbones; there may be too little memory. "
                "Use fewer workers."
            )
        from antiphon import backbones
        from antiphon.backbones.runtime import use_cores
        from antiphon.features.computed_videos import decoders

        order = self._order
        check_versions(order.versions, versions())
        use_cores(order.cores)
        networks = {
            wanted.name: backbones.load(wanted.name, order.device, precision=order.precision)
            for wanted in order.networks
        }
        for wanted in order.networks:
            check_network(wanted, network_of(networks[wanted.name]))
        self._networks, self._decoders = networks, decoders(order.cores, order.limits)
        self._forget(key)

    def _computed(self, batch: VideoBatch) -> "list[ComputedVideo]":
        if self._count(batch.key) <= ATTEMPTS:
            with self._places:
                found = self._run(batch.jobs)
        else:
            found = [video for number in range(len(batch.jobs)) for video in self._alone(batch, number)]
        self._forget(batch.key)
        return found

    def _alone(self, batch: VideoBatch, number: int) -> "list[ComputedVideo]":
        """Compute one video while nothing else is computed here, so that a death is its own."""
        from antiphon.features.computed_videos import ComputedVideo
        from antiphon.workers.limits import CrashError

        key = (batch.key, number)
        with self._all_places():
            if self._count(key) > ATTEMPTS:
                told = CrashError(f"ended the process that computed its features, {ATTEMPTS} times")
                return [ComputedVideo(batch.jobs[number][0], {}, told)]
            found = self._run(batch.jobs[number : number + 1])
        self._forget(key)
        return found

    @contextmanager
    def _all_places(self) -> Generator[None]:
        with self._door, ExitStack() as stack:
            for _ in range(CALLS):
                stack.enter_context(self._places)
            yield

    def _run(self, jobs: "Sequence[tuple[WindowsJob, tuple[str, ...]]]") -> "list[ComputedVideo]":
        from antiphon.features.computed_videos import computed_videos
        from antiphon.features.computing import on_gpu

        names = {job.video_id: own for job, own in jobs}

        def networks_of(job: "WindowsJob") -> "list[Backbone]":
            return [self._networks[name] for name in names[job.video_id]]

        order = self._order
        own = [job for job, _ in jobs]
        gpu = on_gpu(self._networks.values())
        return list(computed_videos(own, networks_of, self._decoders, order.limits, gpu=gpu, threads=order.cores))

    def _count(self, key: object) -> int:
        import ray

        found: int = ray.get(self._ledger.begin.remote(key))
        return found

    def _forget(self, key: object) -> None:
        self._ledger.end.remote(key)


def packed(value: object) -> "pa.Table":
    """Put a value into a table of one row."""
    import pyarrow as pa

    return pa.table({"value": pa.array([zlib.compress(pickle.dumps(value), 1)], pa.large_binary())})


def unpacked(table: "pa.Table") -> Any:
    """Take the value out of a table of one row."""
    return pickle.loads(zlib.decompress(table["value"][0].as_py()))  # noqa: S301 - from the same cluster


def sendable(video: "ComputedVideo") -> "ComputedVideo":
    """Return a video whose problem arrives at the driver; a plug-in's may be none that can be sent."""
    from dataclasses import replace

    from antiphon.workers.child import survives
    from antiphon.workers.limits import JobError

    problem = video.problem
    if problem is None or survives(problem):
        return video
    return replace(video, problem=JobError(type(problem).__name__, str(problem), ""))


def _fault(error: Exception) -> Fault:
    kind = next((one for one in (WeightsError, StorageError, ConfigError) if isinstance(error, one)), None)
    if kind is None:
        kind = StorageError if isinstance(error, OSError) else AntiphonError
    text = str(error) if isinstance(error, AntiphonError) else f"{type(error).__name__}: {error}"
    return Fault(kind, f"A worker on {os.uname().nodename} cannot compute: {text}")


def _actor_id() -> str:
    import ray

    return str(ray.get_runtime_context().get_actor_id())
