"""A progress bar for people who train from Python: on a terminal and in a notebook, and nowhere else."""

from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec

from antiphon.runs import Epoch
from antiphon.training.distributed import process_rank
from antiphon.training.epochs import Progress


@contextmanager
def epoch_progress(label: str, progress: Progress | None, verbose: bool | None) -> Generator[Progress | None]:
    """Yield what to call with each epoch: the caller's own function, one that draws a bar on stderr, or None.

    Parameters
    ----------
    label : str
        What is trained.
    progress : callable or None
        The caller's own function; where there is one, no bar is drawn.
    verbose : bool or None
        Draw a bar. None draws it where stderr is a terminal, or in a notebook with ipywidgets.
    """
    if progress is not None or verbose is False or process_rank() != 0:
        yield progress
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    if console.is_jupyter and find_spec("ipywidgets") is None:
        console = Console(stderr=True, force_jupyter=False)  # rich would warn for each bar, and draw none
    if verbose is None and not (console.is_terminal or console.is_jupyter):
        yield None
        return
    text = TextColumn("{task.description}", markup=False)
    note = TextColumn("{task.fields[note]}", markup=False)
    with Bar(text, BarColumn(bar_width=24), MofNCompleteColumn(), note, TimeElapsedColumn(), console=console) as bar:
        task = bar.add_task(f"Training {label}", total=None, note="")

        def report(epoch: Epoch, epochs: int) -> None:
            words = f"loss {epoch.validation_loss:.2f} (chance {epoch.validation_chance:.2f})"
            bar.update(task, completed=epoch.epoch, total=epochs, note=words)

        yield report
