"""What every command is handed: the workspace, and where to print for people and for machines."""

import json
import sys
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from antiphon.cli.console import Heartbeat, PipedConsole
from antiphon.errors import ConfigError
from antiphon.workspace import Workspace

DEFAULT_WORKSPACE = Path("antiphon-workspace")
BRIEFLY_S = 30.0
"""How long a verb that has measured something waits for another writer, rather than lose it."""

Report = Callable[[int, int, str], None]
"""Takes the number done, the total, and a short note."""


@dataclass
class Session:
    """One call of the command line.

    Attributes
    ----------
    folder : Path, optional
        `--workspace`, or None where it was not given.
    json : bool
        Print one JSON document to stdout and nothing else there.
    """

    folder: Path | None = None
    json: bool = False
    out: Console = field(default_factory=lambda: PipedConsole(highlight=False))
    err: Console = field(default_factory=lambda: Console(stderr=True, highlight=False))

    @property
    def silent(self) -> "Session":
        """The same session, which prints nothing."""
        return replace(self, json=False, out=Console(quiet=True), err=Console(quiet=True))

    @property
    def workspace(self) -> Workspace:
        """The workspace to work in."""
        return Workspace(self.folder or DEFAULT_WORKSPACE)

    def existing_workspace(self) -> Workspace:
        """The workspace, which must hold a catalogue.

        Raises
        ------
        ConfigError
            It does not.
        """
        if not self.workspace.catalogue.exists():
            raise ConfigError(
                f"{self.workspace.root}: no catalogue here. Start with `antiphon catalogue add FOLDER`, "
                "or name another workspace with --workspace."
            )
        return self.workspace

    def result(self, data: dict[str, Any], show: Callable[[Console], None]) -> None:
        """Print what a command found: `data` for machines, or what `show` draws for people."""
        if self.json:
            sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False) + "\n")
        else:
            show(self.out)

    def say(self, text: str) -> None:
        """A line for people beside the result, on stderr."""
        self.err.print(text, markup=False, soft_wrap=True)

    def warn(self, text: str) -> None:
        """A plain warning on stderr."""
        self.err.print(f"Warning: {text}", style="yellow", markup=False, soft_wrap=True)

    @contextmanager
    def progress(self, label: str) -> Generator[Report]:
        """Show a progress bar with the time left on stderr, or now and then a line where that is no terminal."""
        if not self.err.is_terminal:
            heartbeat = Heartbeat(self.err, label)
            with heartbeat.beating():
                yield heartbeat.report
            return
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
        )
        further = (
            TextColumn("{task.fields[note]}", markup=False),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, *further, console=self.err) as bar:
            task = bar.add_task(label, total=None, note="")

            def report(done: int, total: int, note: str = "") -> None:
                bar.update(task, completed=done, total=total, note=note)

            yield report

    @contextmanager
    def plain_warnings(self) -> Generator[None]:
        """Show Python warnings as plain lines."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("always", UserWarning)
            warnings.showwarning = lambda message, *_, **__: self.warn(str(message))
            yield


Here = Annotated[Session, Parameter(parse=False)]
"""A parameter that the launcher fills in."""

Count = Annotated[int, Parameter(name=("--k", "-k"), validator=Number(gte=1))]
"""How many to find or to recommend."""
