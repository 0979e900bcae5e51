"""How many processor cores this process may use, and no more threads of arithmetic than that."""

import math
import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

_NOT_SPINNING = {"OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
"""numpy's OpenBLAS has one thread, since several spin while they wait for each other, whatever is set. Those of torch,
which do most of the work, sleep."""
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def usable_cores(root: Path = Path("/")) -> int:
    """Return how many cores this process may use.

    That is fewer than the machine has where a scheduler or `taskset` binds the process to some of them, and where a
    container has a share of the processor (cgroups, version 1 or 2: `docker run --cpus`, limits of Kubernetes).

    Parameters
    ----------
    root : Path
        Root of the file system.

    Returns
    -------
    int
        At least 1; a share of 1.5 cores counts as 2.
    """
    return max(1, min([_bound_to(), *(math.ceil(share) for share in _shares(root))]))


def prepare_threads(root: Path = Path("/")) -> None:
    """Tell libraries that this process and its children load later how to share the cores.

    Threads do not spin while they wait for each other: they would keep the cores from what they wait for as soon as
    other programs run too. There are no more of them than cores that may be used: libraries see to which cores a
    process is bound, but not what share of them its container has. What the user has set is left as it is.

    Parameters
    ----------
    root : Path
        Root of the file system.
    """
    for name, value in _NOT_SPINNING.items():
        os.environ.setdefault(name, value)
    cores = usable_cores(root)
    if cores < _bound_to():
        for name in _THREADS:
            os.environ.setdefault(name, os.environ.get("OMP_NUM_THREADS", str(cores)))


@contextmanager
def limited_threads(root: Path = Path("/")) -> Generator[None]:
    """Let libraries that are loaded already use no more threads than there are cores, and OpenBLAS one.

    Parameters
    ----------
    root : Path
        Root of the file system.
    """
    from threadpoolctl import ThreadpoolController

    cores, found = usable_cores(root), ThreadpoolController()
    with ExitStack() as limits:
        for library in found.info():
            most = 1 if library["internal_api"] == "openblas" else cores
            if library["num_threads"] > most:
                limits.enter_context(found.select(filepath=library["filepath"]).limit(limits=most))
        yield


def _bound_to() -> int:
    """Return how many cores the process is bound to; all where the system does not tell."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _shares(root: Path) -> Iterator[float]:
    """Yield the cores that each control group of the process may use, where it is limited."""
    mounted = root / "sys/fs/cgroup"
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        top = mounted / "cpu" if controllers else mounted
        group = top / path.strip("/")
        for place in (group, *group.parents):
            yield from _share(place)
            if place == top:
                break


def _share(place: Path) -> Iterator[float]:
    first = _text(place / "cpu.cfs_quota_us"), _text(place / "cpu.cfs_period_us")
    for numbers in (_text(place / "cpu.max").split(), first):
        with suppress(ValueError):  # No such file, or no limit: "max".
            quota, period = map(int, numbers)
            if quota > 0 and period > 0:
                yield quota / period


def _text(place: Path) -> str:
    try:
        return place.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
