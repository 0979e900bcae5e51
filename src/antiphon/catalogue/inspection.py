"""Inspection of the files of a catalogue in worker processes: headers are untrusted too."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from antiphon.catalogue.validation import CatalogueRow
from antiphon.errors import AntiphonError
from antiphon.workers.limits import WorkerLimits
from antiphon.workers.pool import run_in_processes

Result = TypeVar("Result")

_MAX_WORKERS, _FILES_PER_WORKER = 4, 16


def inspect_files(
    function: Callable[[CatalogueRow], Result],
    rows: Sequence[CatalogueRow],
    progress: Callable[[int, int], None] | None = None,
    limits: WorkerLimits | None = None,
) -> Iterator[tuple[CatalogueRow, Result | AntiphonError]]:
    """Apply a function to the files of rows, each within limits.

    Parameters
    ----------
    function : callable
        Importable function that reads the file of a row.
    rows : sequence of CatalogueRow
        Rows with a path.
    progress : callable, optional
        Called with files done and their total.
    limits : WorkerLimits, optional
        Limits of each file. Default: 60 s and 2 GB.

    Yields
    ------
    row : CatalogueRow
        A row, in order of completion.
    result : Result or AntiphonError
        What the function returned or raised; `JobError` for what is not an `AntiphonError`.

    Raises
    ------
    ConfigError
        Worker processes cannot be started.
    """
    workers = min(_MAX_WORKERS, 1 + len(rows) // _FILES_PER_WORKER)  # Starting one takes as long as many files.
    for done, pair in enumerate(run_in_processes(function, rows, workers, limits or WorkerLimits()), start=1):
        yield pair
        if progress is not None:
            progress(done, len(rows))
