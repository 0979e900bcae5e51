"""Where everything lies on disk, one writer at a time, and the table of what failed."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from antiphon.errors import ConfigError
from antiphon.locks import exclusive

_LONGEST_NAME = 200


@dataclass(frozen=True)
class Failure:
    """One thing that did not work: which video, at which stage, the kind of error, and why in words."""

    video_id: str
    stage: str
    error: str
    message: str


@dataclass(frozen=True)
class Workspace:
    """The folder that a catalogue's tables, features and runs live in. Nothing is written outside it."""

    root: Path

    @property
    def catalogue(self) -> Path:
        """Table of the music videos."""
        return self.root / "catalogue.parquet"

    @property
    def segments(self) -> Path:
        """Table of where each segment starts."""
        return self.root / "segments.parquet"

    @property
    def kept(self) -> Path:
        """Folder with the pictures and sound of segments, one folder a video, where they are kept."""
        return self.root / "segments"

    @property
    def attributes(self) -> Path:
        """Table of what can be seen in each segment, colour, brightness, motion, cuts; and the track's tempo."""
        return self.root / "attributes.parquet"

    @property
    def failures(self) -> Path:
        """Table of what did not work and why."""
        return self.root / "failures.parquet"

    @property
    def features(self) -> Path:
        """Folder with one folder a backbone."""
        return self.root / "features"

    @property
    def runs(self) -> Path:
        """Folder with one folder a trained model."""
        return self.root / "runs"

    @property
    def judgements(self) -> Path:
        """SQLite file with what people were asked and what they said."""
        return self.root / "judgements.sqlite"

    @property
    def page(self) -> Path:
        """Folder with what the service keeps: stills, the map, files under way."""
        return self.root / "page"

    @property
    def index(self) -> Path:
        """Folder of the search index."""
        return self.root / "index"

    def run(self, name: str) -> Path:
        """Folder of the run called `name`; "paper/base" is the run base among those of the paper's experiments.

        Raises
        ------
        ConfigError
            The name would lead out of the workspace.
        """
        group, _, rest = name.partition("/")
        folder = self.runs / safe_name(group, "run")
        return folder / safe_name(rest, "run") if rest else folder

    def run_name(self, folder: Path) -> str:
        """The name whose `run` is `folder`."""
        return folder.relative_to(self.runs).as_posix()

    @contextmanager
    def lock(self, wait_s: float = 0.0) -> Generator[None]:
        """Hold the workspace for writing; the lock goes with the process, however it ends.

        What a killed process left half-written is removed first.

        Raises
        ------
        ConfigError
            Another process holds it.
        """
        busy = ConfigError(
            f"{self.root}: another process is writing to this workspace. Wait for it, or use another workspace."
        )
        with exclusive(self.root / ".lock", busy, wait_s):
            from antiphon.tables import sweep_partials

            sweep_partials(self.root)
            yield

    def read_failures(self) -> list[Failure]:
        """What has failed so far, in order of video and stage."""
        if not self.failures.exists():
            return []
        from antiphon.tables import FAILURES, read_table

        return [Failure(**row) for row in read_table(self.failures, FAILURES).to_pylist()]

    def write_failures(self, failures: Iterable[Failure]) -> None:
        """Replace the table of failures."""
        import pyarrow as pa

        from antiphon.tables import FAILURES, write_table

        rows = [vars(failure) for failure in sorted(failures, key=lambda item: (item.video_id, item.stage))]
        write_table(pa.Table.from_pylist(rows, schema=FAILURES), self.failures)


def safe_name(name: str, kind: str) -> str:
    """`name` if it can be a folder of its own, and nothing else.

    Raises
    ------
    ConfigError
        It is empty or too long, starts with a dot, or holds a path separator.

    Examples
    --------
    >>> safe_name("musicnn-mtt", "backbone")
    'musicnn-mtt'
    """
    if not 0 < len(name.encode()) <= _LONGEST_NAME or name.startswith(".") or any(mark in name for mark in "/\\\0"):
        raise ConfigError(f"'{name}' cannot name a {kind}: no slashes, no leading dot, 1 to {_LONGEST_NAME} bytes.")
    return name
