"""Steps of a long job: each has the whole time limit."""

from collections.abc import Callable


def _nothing() -> None:
    """Do nothing: this process is no worker."""


_report: Callable[[], None] = _nothing


def finish_step() -> None:
    """Tell the parent of a worker process that a step is done, so that its time limit starts anew.

    Does nothing in other processes.
    """
    _report()


def report_steps_to(report: Callable[[], None]) -> None:
    """Set what `finish_step` calls.

    Parameters
    ----------
    report : callable
        Reports to the parent process.
    """
    global _report  # noqa: PLW0603 - one per process
    _report = report
