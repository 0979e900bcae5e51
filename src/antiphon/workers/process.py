"""Start and end of a worker process.

It is a new interpreter that imports what it runs by name. The calling script is imported only if that is defined in it,
so a script needs no `if __name__ == "__main__":` for our own functions.
"""

import contextlib
import pickle
import subprocess
import sys
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import Pipe, spawn
from multiprocessing.connection import Connection
from typing import Any

from antiphon.errors import ConfigError
from antiphon.workers.child import is_starting

_PATIENCE_S = 2.0


@dataclass(frozen=True)
class Process:
    """Worker process.

    Attributes
    ----------
    popen : subprocess.Popen
        The process.
    line : Connection
        Messages to and from it.
    """

    popen: subprocess.Popen[bytes]
    line: Connection

    def is_alive(self) -> bool:
        """Return whether the process runs."""
        return self.popen.poll() is None

    def kill(self) -> None:
        """End the process at once; safe while another thread uses it."""
        self.popen.kill()

    def end(self) -> None:
        """End the process and free what belongs to it."""
        _end(self.popen, self.line)


def start_process(prepare: Callable[..., object], arguments: tuple[Any, ...], memory_bytes: int | None) -> Process:
    """Start a process that prepares itself and then waits for jobs.

    Parameters
    ----------
    prepare : callable
        Importable function. Called once there with `arguments`; returns the function that runs the jobs.
    arguments : tuple
        Arguments of `prepare`.
    memory_bytes : int or None
        Maximum memory beyond what the process holds when ready; None for no limit.

    Returns
    -------
    Process
        The process, which sends a "ready" message, or why it is not.

    Raises
    ------
    ConfigError
        The system refuses to start it, or this is itself a worker that imports its parent's script.
    """
    if is_starting():
        raise ConfigError(
            "Worker processes cannot be started while a worker imports the calling script. Put its calls under "
            '`if __name__ == "__main__":`.'
        )
    task = pickle.dumps((prepare, arguments, memory_bytes))
    ours, theirs = Pipe()
    code = f"import sys; sys.path[:] = {sys.path!r}; from antiphon.workers.child import serve; serve({theirs.fileno()})"
    try:
        # A group of its own, so that an interrupt from the keyboard is left to the parent.
        popen = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, pass_fds=(theirs.fileno(),), process_group=0
        )
    except OSError as error:
        ours.close()
        raise ConfigError(
            f"Worker processes cannot be started: {error.strerror}. End other processes, or use fewer workers."
        ) from error
    finally:
        theirs.close()
    process = Process(popen, ours)
    weakref.finalize(process, _end, popen, ours)  # where it is forgotten, and nobody ends it
    # A process that ended already is noticed when its first message is awaited.
    with contextlib.suppress(OSError):
        ours.send(_script() if b"__main__" in task else {})
        ours.send_bytes(task)
    return process


def _end(popen: subprocess.Popen[bytes], line: Connection) -> None:
    popen.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):  # One that waits for a disk can take longer.
        popen.wait(_PATIENCE_S)
    line.close()
    if popen.stdin is not None:
        popen.stdin.close()


def _script() -> dict[str, Any]:
    """Return how to import the calling script, and its arguments."""
    about = spawn.get_preparation_data("worker")
    return {key: about[key] for key in about if key.startswith("init_main") or key == "sys_argv"}
