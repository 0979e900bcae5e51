"""Memory of a process: measured from outside, and limited from inside."""

import resource
import subprocess
from pathlib import Path

_PROCESSES = Path("/proc")
_KIBIBYTE = 1024


def resident_bytes(pid: int) -> int:
    """Measure the resident memory of a process.

    Parameters
    ----------
    pid : int
        Id of the process.

    Returns
    -------
    int
        Bytes; 0 where the process has ended.
    """
    if _PROCESSES.is_dir():
        try:
            pages = int((_PROCESSES / str(pid) / "statm").read_text(encoding="ascii").split()[1])
        except (OSError, IndexError):
            return 0
        return pages * resource.getpagesize()
    # macOS has no /proc.
    found = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return int(found.stdout.strip() or 0) * _KIBIBYTE


def polling_interval_s() -> float:
    """Return the time between two measurements in seconds: they cost nothing on Linux, and a process elsewhere."""
    return 0.1 if _PROCESSES.is_dir() else 1.0


def limit_address_space(memory_bytes: int) -> None:
    """Limit this process's address space to what is in use and more, where the system reports its use.

    Parameters
    ----------
    memory_bytes : int
        How much more.
    """
    usage = _PROCESSES / "self" / "statm"
    if usage.exists():
        used = int(usage.read_text(encoding="ascii").split()[0]) * resource.getpagesize()
        _, highest = resource.getrlimit(resource.RLIMIT_AS)
        limit = used + memory_bytes
        if highest != resource.RLIM_INFINITY:
            limit = min(limit, highest)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
