"""Options that limit what a file may take."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from antiphon.cli.session import Session
from antiphon.errors import AntiphonError
from antiphon.workers.limits import JobError, WorkerLimits
from antiphon.workers.reasons import reason


@Parameter(name="*")
@dataclass(frozen=True)
class FileLimits:
    """Limits of each file, beyond which it fails.

    Attributes
    ----------
    max_decoding_s
        Maximum time to read a file's headers, and then each window of 3 s. A long file has many windows.
    max_memory_gb
        Maximum memory to read a file.
    """

    max_decoding_s: Annotated[float, Parameter(validator=Number(gt=0))] = WorkerLimits.step_s
    max_memory_gb: Annotated[float, Parameter(validator=Number(gt=0))] = WorkerLimits.memory_bytes / 1e9

    @property
    def limits(self) -> WorkerLimits:
        """The limits of the worker processes."""
        return WorkerLimits(step_s=self.max_decoding_s, memory_bytes=round(self.max_memory_gb * 1e9))


USUAL_LIMITS = FileLimits()
"""60 s and 2 GB."""


def told(session: Session, path: str | Path, error: AntiphonError) -> str:
    """Say why a file failed; the traceback of an unforeseen error goes to standard error.

    Parameters
    ----------
    session : Session
        Session of the command line.
    path : str or Path
        The file.
    error : AntiphonError
        What reading it or computing with it raised.

    Returns
    -------
    str
        The reason.
    """
    if isinstance(error, JobError):
        session.say(error.traceback)
    return reason(path, error)
