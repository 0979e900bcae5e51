"""Extraction on a Ray cluster: videos stream through Ray Data's pool of workers, and back to the process that writes.

This process alone writes to the workspace, through the same code as a local run, so that rows, failures and flags are
the same. It takes each video once, whatever Ray computes twice.
"""

import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import count
from typing import Any

from antiphon import backbones
from antiphon.backbones.arithmetic import BFLOAT16, TF32, TORCH, Precision
from antiphon.backbones.registry import registered
from antiphon.errors import ConfigError
from antiphon.features.computed_videos import Backbone, ComputedVideo
from antiphon.features.executors import ComputeVideos
from antiphon.features.ray_agreement import network_of, versions
from antiphon.features.ray_cluster import Share, connected, dealt, has_gpus
from antiphon.features.ray_worker import CALLS, Fault, Ledger, VideoBatch, VideoWorker, WorkerSetup, packed, unpacked
from antiphon.media.windows import WindowsJob
from antiphon.workers.limits import WorkerLimits

_ON_GPU: dict[Precision, str] = {"float32": TORCH, "tf32": TF32, "bfloat16": BFLOAT16}
_ROUND, _MAX_ROUND = 2000, 200_000
"""Videos that Ray is told of at a time: for each worker, and at most. Between two rounds the workers load anew."""

_GPU_VIDEOS = 32
"""With the default six sections, windows for three groups of a GPU."""


@contextmanager
def opened_ray(address: str | None, device: str, precision: Precision) -> Generator["RayExecutor"]:
    """Connect to a Ray cluster, or start a Ray of our own.

    Parameters
    ----------
    address : str or None
        As in `connected`.
    device : str
        "cpu", "cuda", or "auto" for "cuda" if the cluster has a GPU.
    precision : {'float32', 'tf32', 'bfloat16'}
        Precision of the networks.

    Yields
    ------
    RayExecutor
        The cluster.

    Raises
    ------
    ConfigError
        Ray is not installed or cannot be reached, or the device is none of these.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise ConfigError(f"Device {device!r} cannot be used with Ray. Use cpu, cuda or auto.")
    with connected(address) as ray:
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        if device == "auto":
            device = "cuda" if has_gpus(nodes) else "cpu"
        yield RayExecutor(ray, nodes, device, precision)


class RayExecutor:
    """Networks in the workers of a Ray cluster.

    Parameters
    ----------
    ray : module
        Ray, connected.
    nodes : sequence of dict of str to float
        Resources of each node.
    device : str
        "cpu" or "cuda".
    precision : {'float32', 'tf32', 'bfloat16'}
        Precision of the networks.
    """

    def __init__(self, ray: Any, nodes: Sequence[dict[str, float]], device: str, precision: Precision) -> None:
        self._ray, self._nodes, self._device = ray, nodes, device
        self._precision: Precision = precision
        self._loaded: list[Backbone] = []
        self.videos: ComputeVideos = self._videos

    def load(self, name: str) -> Backbone:
        """Load a backbone on the processor, to know what the workers compute; it does not compute here.

        Raises
        ------
        ConfigError
            It was registered in this process, and workers do not know it.
        """
        if registered(name):
            raise ConfigError(
                f"{name}: was registered in this process, and Ray's workers are others. Give it an entry point in a "
                "package that is installed on all nodes."
            )
        on_gpu = self._device == "cuda"
        backbone = backbones.load(name, device="cpu", precision="float32" if on_gpu else self._precision)
        if on_gpu:
            backbone.arithmetic = _ON_GPU[self._precision]
        self._loaded.append(backbone)
        return backbone

    def _videos(
        self,
        jobs: Sequence[WindowsJob],
        networks_of: Callable[[WindowsJob], Sequence[Backbone]],
        workers: int | None,
        limits: WorkerLimits,
        /,
    ) -> Generator[ComputedVideo]:
        share = dealt(self._nodes, workers, gpus=self._device == "cuda")
        networks = tuple(network_of(backbone) for backbone in self._loaded)
        order = WorkerSetup(networks, versions(), self._device, self._precision, share.cores, limits)
        ledger = self._ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)(Ledger).remote()
        keys = count()
        size = min(_ROUND * share.workers, _MAX_ROUND)
        for first in range(0, len(jobs), size):
            waiting = {job.video_id: job for job in jobs[first : first + size]}
            named = [(job, tuple(backbone.name for backbone in networks_of(job))) for job in waiting.values()]
            each = _batch_size(len(named), share)
            batches = [
                VideoBatch(next(keys), tuple(named[start : start + each])) for start in range(0, len(named), each)
            ]
            with closing(_answers(self._ray, batches, share, order, ledger)) as answers:
                for found in answers:
                    if isinstance(found, Fault):
                        raise found.error(found.message)
                    yield from (video for video in found if waiting.pop(video.job.video_id, None) is not None)
            if waiting:
                raise ConfigError(
                    f"Ray has lost {len(waiting)} videos, '{next(iter(waiting))}' first. Run the command again."
                )


def _batch_size(videos: int, share: Share) -> int:
    """Choose how many videos go together: two for each core, more for a GPU, fewer where there are few."""
    most = 2 * share.cores if not share.gpus else max(2 * share.cores, _GPU_VIDEOS)
    return max(1, min(most, videos // (CALLS * share.workers)))


def _answers(
    ray: Any, batches: Sequence[VideoBatch], share: Share, order: WorkerSetup, ledger: Any
) -> Generator[list[ComputedVideo] | Fault]:
    """Send batches through a pool of workers; answers come as they are ready, and wait where they are until taken."""
    with _quiet():
        source = ray.data.from_arrow([packed(batch) for batch in batches])
        pool = ray.data.ActorPoolStrategy(
            size=min(share.workers, len(batches)),
            max_concurrent_calls_per_actor=CALLS,
            enable_true_multi_threading=True,
        )
        answers = source.map_batches(
            VideoWorker,
            fn_constructor_args=(order, ledger),
            batch_size=None,
            batch_format="pyarrow",
            compute=pool,
            num_cpus=share.cores,
            num_gpus=share.gpus or None,
        )
        answers.context.enable_progress_bars = False
        tables: Iterator[Any] = iter(answers.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0))
    while True:
        try:
            with _quiet():
                table = next(tables)
        except StopIteration:
            return
        except ray.exceptions.RayError as error:
            raise ConfigError(f"Ray gave up: {str(error).strip().splitlines()[-1]}") from error
        for row in range(len(table)):
            yield unpacked(table.slice(row, 1))


@contextmanager
def _quiet() -> Generator[None]:
    """Ignore what Ray warns of its own code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
