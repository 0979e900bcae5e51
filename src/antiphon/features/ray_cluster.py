"""A Ray cluster: found or started, and its cores and GPUs dealt among workers."""

import contextlib
import logging
import math
import os
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from antiphon.errors import ConfigError

_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is reported to anybody
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # else Ray warns of what it will do one day
    "RAY_BACKEND_LOG_LEVEL": "fatal",
}
_STORE_BYTES = 512_000_000
_CORES = 4


@dataclass(frozen=True)
class Share:
    """What each worker of a cluster gets.

    Attributes
    ----------
    workers : int
        Number of workers.
    cores : int
        Cores of each.
    gpus : float
        GPUs of each: 1, one half, one third, …, or 0.
    """

    workers: int
    cores: int
    gpus: float


@contextlib.contextmanager
def connected(address: str | None) -> Generator[Any]:
    """Connect to a Ray cluster, or start a Ray of our own on this machine, until the end of the context.

    A connection that the process has already is used and left as it is.

    Parameters
    ----------
    address : str or None
        Address of the cluster; None: that of RAY_ADDRESS, or a Ray of our own.

    Yields
    ------
    module
        Ray.

    Raises
    ------
    ConfigError
        Ray is not installed, or the cluster cannot be reached.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray

        import_module("ray.data")
    except ImportError as error:
        raise ConfigError(
            f'The executor ray needs Ray Data ({error}). Install it: pip install "antiphon[ray]"'
        ) from error
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    if ray.is_initialized():
        yield ray
        return
    address = address or os.environ.get("RAY_ADDRESS") or "local"
    if address.startswith("ray://"):
        raise ConfigError(f"{address}: Ray Client is not supported. Run the command on a machine of the cluster.")
    _init(ray, address)
    try:
        yield ray
    finally:
        ray.shutdown()


def _init(ray: Any, address: str) -> None:
    own: dict[str, Any] = {}
    attempts = 1
    if address == "local":
        # On a busy machine Ray gives up after seconds that it does not let anyone choose.
        own, attempts = {"include_dashboard": False, "object_store_memory": _STORE_BYTES}, 3
    for attempt in range(1, attempts + 1):
        try:
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **own)
        except Exception as error:  # a slow start is a bare Exception
            ray.shutdown()
            if attempt == attempts:
                raise ConfigError(f"Ray at {address!r} cannot be used: {error}") from error
        else:
            return


def has_gpus(nodes: Sequence[Mapping[str, float]]) -> bool:
    """Return whether any node of a cluster has a GPU."""
    return any(node.get("GPU", 0) >= 1 for node in nodes)


def dealt(nodes: Sequence[Mapping[str, float]], workers: int | None, *, gpus: bool) -> Share:
    """Deal the cores and GPUs of a cluster equally among workers.

    Parameters
    ----------
    nodes : sequence of mapping of str to float
        Resources of each node, with "CPU" and "GPU".
    workers : int or None
        Number of workers. None: one for each GPU, or for every four cores of a node.
    gpus : bool
        Whether workers compute on GPUs.

    Returns
    -------
    Share
        The most cores, and the largest part of a GPU, that so many workers can have.

    Raises
    ------
    ConfigError
        GPUs are wanted and there are none.

    Examples
    --------
    >>> dealt([{"CPU": 16}, {"CPU": 16}], None, gpus=False)
    Share(workers=8, cores=4, gpus=0.0)
    >>> dealt([{"CPU": 16, "GPU": 1}, {"CPU": 16, "GPU": 1}], 4, gpus=True)
    Share(workers=4, cores=8, gpus=0.5)
    """
    machines = [(int(node.get("CPU", 0)), int(node.get("GPU", 0))) for node in nodes]
    total_gpus = sum(found for _, found in machines)
    if gpus and not total_gpus:
        raise ConfigError("The Ray cluster has no GPU. Use the device cpu, or add nodes with GPUs.")
    if workers is None:
        workers = total_gpus if gpus else max(1, sum(math.ceil(cores / _CORES) for cores, _ in machines))
    sharing = math.ceil(workers / total_gpus) if gpus else 0
    each = max((cores for cores, _ in machines), default=1)
    while each > 1 and sum(_places(machine, each, sharing) for machine in machines) < workers:
        each -= 1
    return Share(workers, max(1, each), 1 / sharing if gpus else 0.0)


def _places(machine: tuple[int, int], cores: int, sharing: int) -> int:
    """Return how many workers fit on a node, `sharing` of them on each GPU."""
    by_cores = machine[0] // cores
    return min(by_cores, sharing * machine[1]) if sharing else by_cores
