"""The session that every verb gets: its workspace, and its output for people and for machines."""

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

from antiphon.cli.console import Heartbeat, PipedConsole, json_text
from antiphon.credentials import without_credentials
from antiphon.errors import ConfigError
from antiphon.places import Place
from antiphon.workspace import Workspace

DEFAULT_WORKSPACE = Path("antiphon-workspace")
BRIEFLY_S = 30.0
"""How long a verb with results to save waits for another writer."""

Report = Callable[[int, int, str], None]
"""Takes the number done, the total, and a short remark."""


@dataclass
class Session:
    """One call of the command line.

    Attributes
    ----------
    folder : Path or Address, optional
        Value of `--workspace`.
    json : bool
        Print one JSON document on stdout, and nothing else there.
    out, err : Console
        Standard output and standard error.
    """

    folder: Place | None = None
    json: bool = False
    out: Console = field(default_factory=lambda: PipedConsole(highlight=False))
    err: Console = field(default_factory=lambda: Console(stderr=True, highlight=False))

    @property
    def silent(self) -> "Session":
        """The same session with no output."""
        return replace(self, json=False, out=Console(quiet=True), err=Console(quiet=True))

    @property
    def workspace(self) -> Workspace:
        """The workspace to work in."""
        return Workspace(self.folder or DEFAULT_WORKSPACE)

    def existing_workspace(self) -> Workspace:
        """Return the workspace, which must have a catalogue.

        Returns
        -------
        Workspace
            The workspace.

        Raises
        ------
        ConfigError
            It has no catalogue.
        """
        if not self.workspace.catalogue.exists():
            raise ConfigError(
                f"{self.workspace.root}: no catalogue here. Create one with `antiphon catalogue add FOLDER`, "
                "or name another workspace with --workspace."
            )
        return self.workspace

    def result(self, data: dict[str, Any], show: Callable[[Console], None]) -> None:
        """Print the result of a verb.

        Parameters
        ----------
        data : dict
            The result for machines, printed with --json.
        show : callable
            Prints the result for people.
        """
        if self.json:
            sys.stdout.write(json_text(data, sys.stdout))
        else:
            show(self.out)

    def say(self, text: str) -> None:
        """Print a line for people on stderr.

        Parameters
        ----------
        text : str
            The line.
        """
        self.err.print(without_credentials(text), markup=False, soft_wrap=True)

    def warn(self, text: str) -> None:
        """Print a warning on stderr.

        Parameters
        ----------
        text : str
            The warning.
        """
        self.err.print(f"Warning: {without_credentials(text)}", style="yellow", markup=False, soft_wrap=True)

    @contextmanager
    def progress(self, label: str) -> Generator[Report]:
        """Show progress on stderr: a bar with the time left, or periodic lines if it is not a terminal.

        Parameters
        ----------
        label : str
            Name of the task.

        Yields
        ------
        Report
            Reports the state to the bar.
        """
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
        """Show Python warnings as plain lines within the block."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("always", UserWarning)
            warnings.showwarning = lambda message, *_, **__: self.warn(str(message))
            yield


Here = Annotated[Session, Parameter(parse=False)]
"""A parameter that the launcher supplies."""

ResultCount = Annotated[int, Parameter(name=("--k", "-k"), validator=Number(gte=1))]
"""The option --k: how many to find or to recommend."""
