"""What a worker process runs: jobs from its parent, one after the other."""

import inspect
import os
import pickle
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Literal, NamedTuple

from antiphon.errors import AntiphonError, StorageError
from antiphon.workers.limits import JobError, ends_run
from antiphon.workers.memory import limit_address_space
from antiphon.workers.steps import report_steps_to

Kind = Literal["ready", "step", "item", "end", "result", "refused", "too large", "failed", "cannot write"]


class Message(NamedTuple):
    """What a worker process tells its parent.

    Attributes
    ----------
    kind : str
        "ready" for jobs; a "step" of one, an "item" of several, their "end", or the only "result"; or that the job was
        "refused" with an error of ours, was "too large" for the memory, "failed" with another error, or that the
        process "cannot write".
    value : object
        Item, result or error; of one that "failed", its class, message and traceback.
    """

    kind: Kind
    value: Any = None


_starting = False


def is_starting() -> bool:
    """Return whether this is a worker process that imports its parent's script."""
    return _starting


def serve(descriptor: int) -> None:
    """Run the jobs that arrive on a line until the parent closes it or ends.

    Parameters
    ----------
    descriptor : int
        File descriptor of the line.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with Connection(descriptor) as line:
        try:
            _import_script(line.recv())
            prepare, arguments, memory_bytes = pickle.loads(line.recv_bytes())  # noqa: S301 - from the parent
            work = prepare(*arguments)
        except Exception as error:  # noqa: BLE001 - the parent says it
            line.send(told(error))
            return
        report_steps_to(lambda: line.send(Message("step")))
        if memory_bytes is not None:
            limit_address_space(memory_bytes)
        line.send(Message("ready"))
        while True:
            try:
                job = line.recv()
            except EOFError:
                return
            _run(line, work, job)


def told(error: Exception) -> Message:
    """Put an error into a message.

    Parameters
    ----------
    error : Exception
        Any error.

    Returns
    -------
    Message
        What the parent is told.
    """
    if isinstance(error, OSError) and ends_run(error):
        if isinstance(error, StorageError):
            return Message("cannot write", StorageError(str(error)))
        filename = error.filename and str(error.filename)
        return Message("cannot write", OSError(error.errno, error.strerror, filename))
    if isinstance(error, MemoryError) or isinstance(error.__cause__, MemoryError):
        return Message("too large")
    if isinstance(error, AntiphonError) and survives(error):
        return Message("refused", error)
    described = JobError.of(error)
    return Message("failed", (described.kind, described.message, described.traceback))


def _run(line: Connection, work: Callable[[Any], Any], job: Any) -> None:
    try:
        result = work(job)
        if inspect.isgenerator(result):
            for item in result:
                line.send(Message("item", item))
            line.send(Message("end"))
        else:
            line.send(Message("result", result))
    except Exception as error:  # noqa: BLE001 - whatever a file does to a decoder
        line.send(told(error))


def survives(error: AntiphonError) -> bool:
    """Return whether an error can be sent to another process.

    Parameters
    ----------
    error : AntiphonError
        Any error of ours, or of a plug-in.

    Returns
    -------
    bool
        True if it arrives as the same class.
    """
    try:
        return type(pickle.loads(pickle.dumps(error))) is type(error)  # noqa: S301 - our own
    except Exception:  # noqa: BLE001 - an error of a plug-in may raise anything
        return False


def _import_script(main: dict[str, Any]) -> None:
    """Import the parent's script, where what is to be run is defined there."""
    global _starting  # noqa: PLW0603 - one per process
    if main:
        from multiprocessing import spawn

        _starting = True
        spawn.prepare(main)
        _starting = False


def _end_with_parent() -> None:
    """End this process when its standard input ends, as it does with the parent, however that ends."""
    while os.read(0, 1):
        pass
    os._exit(1)
