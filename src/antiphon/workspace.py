"""Files of a workspace, its lock, and the table of failures."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from antiphon.credentials import without_credentials
from antiphon.errors import ConfigError, FeatureStoreError
from antiphon.locks import exclusive

if TYPE_CHECKING:
    import pyarrow as pa

_MAX_NAME_BYTES = 200
_MAX_LOG_BYTES = 5_000_000


@dataclass(frozen=True)
class Failure:
    """One video that a stage could not process.

    Attributes
    ----------
    video_id : str
        Id of the video.
    stage : str
        Name of the stage.
    error : str
        Class of the error.
    message : str
        Reason in words.
    """

    video_id: str
    stage: str
    error: str
    message: str


@dataclass(frozen=True)
class Workspace:
    """Folder of a catalogue's tables, features and runs. Nothing is written outside it.

    Attributes
    ----------
    root : Path
        The folder.
    """

    root: Path

    @property
    def catalogue(self) -> Path:
        """Table of the music videos."""
        return self.root / "catalogue.parquet"

    @property
    def segments(self) -> Path:
        """Table of the segments' positions."""
        return self.root / "segments.parquet"

    @property
    def kept(self) -> Path:
        """Folder of kept segments, with one folder per video."""
        return self.root / "segments"

    @property
    def attributes(self) -> Path:
        """Table of visual attributes of each segment (colour, brightness, motion, cuts) and the tempo of its track."""
        return self.root / "attributes.parquet"

    @property
    def failures(self) -> Path:
        """Table of failures."""
        return self.root / "failures.parquet"

    @property
    def errors_log(self) -> Path:
        """Log of errors that nobody foresaw, with their tracebacks."""
        return self.root / "errors.log"

    @property
    def features(self) -> Path:
        """Folder of the feature stores, one per backbone."""
        return self.root / "features"

    @property
    def runs(self) -> Path:
        """Folder of the runs, one per trained model."""
        return self.root / "runs"

    @property
    def judgements(self) -> Path:
        """SQLite file of questions and answers of judges."""
        return self.root / "judgements.sqlite"

    @property
    def page(self) -> Path:
        """Folder of what the service stores: stills, the map, uploads in progress."""
        return self.root / "page"

    @property
    def index(self) -> Path:
        """Folder of the search index."""
        return self.root / "index"

    def run(self, name: str) -> Path:
        """Return the folder of a run.

        Parameters
        ----------
        name : str
            Name of the run; "paper/base" is the run base among those of the paper's experiments.

        Returns
        -------
        Path
            The folder, which need not exist.

        Raises
        ------
        ConfigError
            The name would lead out of the workspace.
        """
        group, _, rest = name.partition("/")
        folder = self.runs / safe_name(group, "run")
        return folder / safe_name(rest, "run") if rest else folder

    def run_name(self, folder: Path) -> str:
        """Return the name of the run in a folder.

        Parameters
        ----------
        folder : Path
            Folder of the run.

        Returns
        -------
        str
            The name, as `run` takes it.
        """
        return folder.relative_to(self.runs).as_posix()

    @contextmanager
    def lock(self, wait_s: float = 0.0) -> Generator[None]:
        """Hold the workspace for writing; the lock ends with the process, however that ends.

        Incomplete files of killed processes are removed first.

        Parameters
        ----------
        wait_s : float, default 0
            How long to wait for another process, in seconds.

        Raises
        ------
        ConfigError
            Another process holds the lock.
        """
        busy = ConfigError(
            f"{self.root}: another process is writing to this workspace. Wait for it, or use another workspace."
        )
        with exclusive(self.root / ".lock", busy, wait_s):
            from antiphon.tables import sweep_partials

            sweep_partials(self.root)
            yield

    def log(self, text: str) -> None:
        """Append to `errors_log`; beyond 5 MB it becomes `errors.log.1`, in place of the one before.

        Parameters
        ----------
        text : str
            What to append.
        """
        path = self.errors_log
        if path.exists() and path.stat().st_size > _MAX_LOG_BYTES:
            path.replace(path.with_name(f"{path.name}.1"))
        with path.open("a", encoding="utf-8", errors="replace") as file:
            file.write(f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S%z} {without_credentials(text).rstrip()}\n\n")

    def read_failures(self) -> list[Failure]:
        """Read the table of failures.

        Returns
        -------
        list of Failure
            Failures in order of video and stage.
        """
        if not self.failures.exists():
            return []
        from antiphon.tables import FAILURES, read_table

        return [Failure(**row) for row in read_table(self.failures, FAILURES).to_pylist()]

    def write_failures(self, failures: Iterable[Failure]) -> None:
        """Replace the table of failures, unless it has these already.

        Parameters
        ----------
        failures : iterable of Failure
            Failures in any order.
        """
        import pyarrow as pa

        from antiphon.tables import FAILURES, write_table

        rows = [vars(failure) for failure in sorted(failures, key=lambda item: (item.video_id, item.stage))]
        table = pa.Table.from_pylist(rows, schema=FAILURES)
        # Whoever follows the file reads it again when it is written.
        if not self.failures.exists() or not _has(self.failures, table):
            write_table(table, self.failures)


def _has(path: Path, table: "pa.Table") -> bool:
    from antiphon.tables import FAILURES, read_table

    try:
        return read_table(path, FAILURES).equals(table)
    except FeatureStoreError:
        return False


def safe_name(name: str, kind: str) -> str:
    """Validate a name that becomes a folder.

    Parameters
    ----------
    name : str
        Name to validate.
    kind : str
        What it names, for the message.

    Returns
    -------
    str
        The same name.

    Raises
    ------
    ConfigError
        The name is empty, too long, starts with a dot, or contains a path separator.

    Examples
    --------
    >>> safe_name("musicnn-mtt", "backbone")
    'musicnn-mtt'
    """
    if not 0 < len(name.encode()) <= _MAX_NAME_BYTES or name.startswith(".") or any(mark in name for mark in "/\\\0"):
        raise ConfigError(
            f"'{name}' cannot name a {kind}: use 1 to {_MAX_NAME_BYTES} bytes, without slashes or a leading dot."
        )
    return name
