"""Limits of a job in a worker process, and the errors of jobs."""

import errno
import math
from dataclasses import dataclass
from traceback import format_exc
from typing import Self

from antiphon.errors import AntiphonError, DecodeError, StorageError

_CANNOT_WRITE = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE}
)


@dataclass(frozen=True)
class WorkerLimits:
    """Limits of a job.

    Attributes
    ----------
    step_s : float
        Maximum time in seconds from one step of a job to the next: a result, or what `finish_step` reports. A long file
        has many steps.
    job_s : float
        Maximum time in seconds of a whole job.
    memory_bytes : int
        Maximum memory, beyond what the process holds when ready.
    """

    step_s: float = 60.0
    job_s: float = math.inf
    memory_bytes: int = 2_000_000_000

    def exceeded_s(self, step_s: float, job_s: float) -> float | None:
        """Return the time limit that is exceeded.

        Parameters
        ----------
        step_s, job_s : float
            Time since the last step and since the start of the job, in seconds.

        Returns
        -------
        float or None
            The limit in seconds; None if there is time left.
        """
        if step_s > self.step_s:
            return self.step_s
        return self.job_s if job_s > self.job_s else None


class LimitError(DecodeError):
    """A file that exceeded a limit while it was read; the message lacks its name, which the worker does not know."""


class CrashError(DecodeError):
    """A file that crashed the process that read it; the message lacks its name, which the worker does not know."""


class StoppedError(AntiphonError):
    """The worker was closed while the job ran or waited."""


class JobError(AntiphonError):
    """A job failed with an error that is none of ours: a bug, or a broken plug-in.

    Parameters
    ----------
    kind : str
        Class of the error.
    message : str
        Its message.
    traceback : str
        Its traceback.

    Attributes
    ----------
    kind, message, traceback : str
        As above.
    """

    def __init__(self, kind: str, message: str, traceback: str) -> None:
        super().__init__(f"{kind}: {message}" if message else kind)
        self.kind, self.message, self.traceback = kind, message, traceback

    def __reduce__(self) -> tuple[type[Self], tuple[str, str, str]]:
        """Say how to make it again in another process."""
        return type(self), (self.kind, self.message, self.traceback)

    @classmethod
    def of(cls, error: Exception) -> Self:
        """Describe the error that is being handled.

        Parameters
        ----------
        error : Exception
            Any error.

        Returns
        -------
        JobError
            Its description.
        """
        try:
            text = str(error)
        except Exception:  # noqa: BLE001 - an error of a plug-in may raise anything
            text = ""
        return cls(type(error).__name__, text, format_exc())


def ends_run(error: Exception) -> bool:
    """Return whether an error is a fault of the whole run, and not of the file that is being processed.

    Parameters
    ----------
    error : Exception
        Any error.

    Returns
    -------
    bool
        True where nothing can be written or opened: the disk is full, a folder is not writable, too many files open.
    """
    return isinstance(error, StorageError) or (isinstance(error, OSError) and error.errno in _CANNOT_WRITE)
