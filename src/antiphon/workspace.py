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
from antiphon.places import Address, Place, SharedTable, new_name

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

    At an address of a store it has the tables and the features alone: what else a workspace has needs a disk.

    Attributes
    ----------
    root : Path or Address
        The folder.
    """

    root: Place

    @property
    def is_local(self) -> bool:
        """Whether it is a folder of this machine."""
        return isinstance(self.root, Path)

    @property
    def folder(self) -> Path:
        """The folder on this machine.

        Raises
        ------
        ConfigError
            The workspace is at an address.
        """
        if isinstance(self.root, Path):
            return self.root
        raise ConfigError(
            f"{self.root}: this needs a folder of this machine, and the workspace is at an address. Bring its tables "
            f"here, and work with them: antiphon --workspace FOLDER pull {self.root}"
        )

    def trained(self) -> list[Path]:
        """List the records of the runs; none at an address.

        Returns
        -------
        list of Path
            Sorted paths of `run.toml`.
        """
        return sorted(self.runs.glob("*/run.toml")) if self.is_local else []

    def _table(self, name: str) -> Place:
        return SharedTable(f"{self.root.text}/{name}") if isinstance(self.root, Address) else self.root / name

    @property
    def catalogue(self) -> Place:
        """Table of the music videos."""
        return self._table("catalogue.parquet")

    @property
    def segments(self) -> Place:
        """Table of the segments' positions."""
        return self._table("segments.parquet")

    @property
    def kept(self) -> Path:
        """Folder of kept segments, with one folder per video."""
        return self.folder / "segments"

    @property
    def attributes(self) -> Place:
        """Table of visual attributes of each segment (colour, brightness, motion, cuts) and the tempo of its track."""
        return self._table("attributes.parquet")

    @property
    def failures(self) -> Place:
        """Table of failures."""
        return self._table("failures.parquet")

    @property
    def errors_log(self) -> Place:
        """Log of errors that nobody foresaw, with their tracebacks."""
        return self.root / "errors.log"

    @property
    def features(self) -> Place:
        """Folder of the feature stores, one per backbone."""
        return self.root / "features"

    @property
    def runs(self) -> Path:
        """Folder of the runs, one per trained model."""
        return self.folder / "runs"

    @property
    def judgements(self) -> Path:
        """SQLite file of questions and answers of judges."""
        return self.folder / "judgements.sqlite"

    @property
    def shortlists(self) -> Path:
        """Music videos that people chose, with notes, written by the service."""
        return self.folder / "shortlists.sqlite"

    @property
    def rejections(self) -> Path:
        """Answers that people said do not fit, written by the service."""
        return self.folder / "rejections.sqlite"

    @property
    def page(self) -> Path:
        """Folder of what the service stores: stills, outlines, the map, files of clients."""
        return self.folder / "page"

    @property
    def index(self) -> Path:
        """Folder of the search index."""
        return self.folder / "index"

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

        Incomplete files of killed processes are removed first. At an address nothing is locked: see `SharedTable`.

        Parameters
        ----------
        wait_s : float, default 0
            How long to wait for another process, in seconds.

        Raises
        ------
        ConfigError
            Another process holds the lock.
        """
        if isinstance(self.root, Address):
            yield
            return
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
        path, text = self.errors_log, without_credentials(text).rstrip()
        if isinstance(path, Address):
            (path / new_name().replace(".parquet", ".txt")).write_bytes(text.encode("utf-8", "replace"))
            return
        if path.exists() and path.stat().st_size > _MAX_LOG_BYTES:
            path.replace(path.with_name(f"{path.name}.1"))
        with path.open("a", encoding="utf-8", errors="replace") as file:
            file.write(f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S%z} {text}\n\n")

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
        if isinstance(self.failures, Address) or not self.failures.exists() or not _has(self.failures, table):
            write_table(table, self.failures)


def _has(path: Place, table: "pa.Table") -> bool:
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
