"""Films that are exported: written by a process with limits, sent once, and deleted."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from antiphon.app.own_folder import OwnFolder
from antiphon.presentation.splicing import Splice, Spliced, write_splice
from antiphon.workers.limits import WorkerLimits
from antiphon.workers.worker import Worker


@dataclass(frozen=True)
class ExportLimits:
    """Limits of an export.

    Attributes
    ----------
    max_s : float
        Maximum length of a film in seconds.
    max_bytes : int
        Maximum size of a film.
    max_unsent : int
        Maximum number of films that were asked for and are not sent yet; each may take `max_bytes` of the disk.
    """

    max_s: float = 600.0
    max_bytes: int = 1 << 30
    max_unsent: int = 4


_WORKER = WorkerLimits(step_s=600.0, job_s=600.0, memory_bytes=2_000_000_000)


class ExportJob(NamedTuple):
    """A film, the file to write, and its maximum size."""

    splice: Splice
    out: str
    max_bytes: int


class Film(FileIO):
    """A film whose file has no name any more: it is gone when it is closed or forgotten, however this process ends.

    Parameters
    ----------
    path : Path
        The file, while it has a name.
    leave : callable
        Gives its place to another one.
    """

    def __init__(self, path: Path, leave: Callable[[], None]) -> None:
        self._leave = leave
        super().__init__(path)

    def close(self) -> None:
        """Close the film, and leave its place."""
        super().close()
        self._leave()


class Exports:
    """Exported films, in a folder of this process alone.

    Parameters
    ----------
    parent : Path
        Folder of all processes' folders.
    limits : ExportLimits, optional
        Limits.

    Attributes
    ----------
    folder : Path
        This process's folder; empty but while a film is written.
    """

    def __init__(self, parent: Path, limits: ExportLimits | None = None) -> None:
        self.limits = limits or ExportLimits()
        self._own = OwnFolder(parent)
        self.folder = self._own.path
        self._worker = Worker[ExportJob, Spliced](prepare_exports, limits=_WORKER)
        self._places = set[object]()

    def enter(self) -> object | None:
        """Take a place for a film; called by one thread alone.

        Returns
        -------
        object, optional
            The place, to be left once the film is sent; None where all are taken.
        """
        if len(self._places) >= self.limits.max_unsent:
            return None
        place = object()
        self._places.add(place)
        return place

    def leave(self, place: object) -> None:
        """Leave a place; once it is left, nothing happens.

        Parameters
        ----------
        place : object
            The place.
        """
        self._places.discard(place)

    def make(self, splice: Splice, place: object) -> Film:
        """Write a film; blocks until it is done.

        Parameters
        ----------
        splice : Splice
            What it is made of.
        place : object
            Its place, which is left when the film is closed.

        Returns
        -------
        Film
            The film.

        Raises
        ------
        DecodeError
            A file cannot be read, or took too long.
        SpliceError
            The film is too large.
        """
        # A folder, since the writer may have more than one file at a time.
        with tempfile.TemporaryDirectory(dir=self.folder, prefix="film-") as folder:
            out = Path(folder) / "film.mp4"
            self._worker.run(ExportJob(splice, str(out), self.limits.max_bytes))
            return Film(out, partial(self.leave, place))

    def stop(self) -> None:
        """End the worker process."""
        self._worker.close()

    def close(self) -> None:
        """End the worker process, and delete the folder."""
        self.stop()
        self._own.close()


def prepare_exports() -> Callable[[ExportJob], Spliced]:
    """Prepare the worker process.

    Returns
    -------
    callable
        Writes the film of a job.
    """
    return _write


def _write(job: ExportJob) -> Spliced:
    return write_splice(job.splice, Path(job.out), job.max_bytes)
