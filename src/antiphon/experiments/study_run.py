"""Running of a study's cells in worker processes, each only once."""

import tempfile
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from antiphon.errors import AntiphonError, ConfigError
from antiphon.experiments.cells import Cell, Level, Outcome, failed, read_outcome, run_cell, write_outcome
from antiphon.experiments.study import UNTRAINED, Extra, ResolvedStep, Study
from antiphon.features.features import Features
from antiphon.training.closed_forms import Choices
from antiphon.workers.limits import JobError
from antiphon.workers.pool import run_in_processes

Progress = Callable[[int, int, str], None]

_ARRAYS = ("ids", "audio", "video", "groups", "artists", "starts_s")
_NAMES = ("audio_name", "video_name")
_BETWEEN_LABELS = "\x1f"


@dataclass(frozen=True)
class _Job:
    """A cell, and the files with the features."""

    cell: Cell
    features: Path
    extra: Path | None


def study_cells(study: Study, steps: Sequence[ResolvedStep], level: Level = "segments") -> list[Cell]:
    """List the cells of a study, by step and size. What has no recipe has nothing random, and so one seed.

    Parameters
    ----------
    study : Study
        The study.
    steps : sequence of ResolvedStep
        Its steps.
    level : {'segments', 'tracks'}, default 'segments'
        What is ranked.

    Returns
    -------
    list of Cell
        The cells.
    """
    return [
        Cell(step, size, study.draws, draw, seed, level)
        for step in steps
        for size in study.videos
        for draw in range(study.draws.count)
        for seed in range(1 if step.name in UNTRAINED else study.seeds)
    ]


def run_study(
    study: Study,
    steps: Sequence[ResolvedStep],
    features: Features,
    folder: Path,
    *,
    extra: Features | None = None,
    level: Level = "segments",
    jobs: int = 1,
    progress: Progress | None = None,
) -> dict[Cell, Outcome]:
    """Train and test the cells that are missing in `folder`, and return the outcomes of all.

    A cell is stored when it is done, so a stopped study resumes. A failed cell is an outcome with a reason; a killed
    one too, but it is tried again next time.

    Parameters
    ----------
    study : Study
        The study.
    steps : sequence of ResolvedStep
        Its steps.
    features : Features
        The pairs.
    folder : Path
        Folder of the outcomes, in `cells`.
    extra : Features, optional
        Additional pairs for the steps that also train on these.
    level : {'segments', 'tracks'}, default 'segments'
        Rank the rows of the test videos, or one embedding of each video.
    jobs : int
        Number of concurrent cells, of one thread each.
    progress : callable, optional
        Called with the number of cells done, the total, and the last one's step.

    Returns
    -------
    dict of Cell to Outcome
        All outcomes.

    Raises
    ------
    ConfigError
        A step needs extra features and there are none, or worker processes cannot be started.
    """
    needing = [step.name for step in steps if step.extra]
    if needing and extra is None:
        raise ConfigError(
            f"Step {needing[0]} trains on extra features, but there are none. Provide them with --extra, or "
            "remove `extra` from the step."
        )
    inputs = _inputs(features, extra)
    cells = study_cells(study, steps, level)
    found: dict[Cell, Outcome] = {}
    for cell in cells:
        kept = read_outcome(cell.key(inputs[cell.step.extra]), folder / cell.path)
        if kept is not None:
            found[cell] = kept
    missing = [cell for cell in cells if cell not in found]
    if progress is not None:
        progress(len(found), len(cells), "")
    for cell, outcome, whole in _outcomes(missing, features, extra, jobs):
        found[cell] = outcome
        if whole:
            write_outcome(outcome, cell.key(inputs[cell.step.extra]), folder / cell.path)
        if progress is not None:
            progress(len(found), len(cells), cell.step.name)
    return {cell: found[cell] for cell in cells}


def _inputs(features: Features, extra: Features | None) -> dict[Extra, str]:
    """Return the fingerprints of the features, without and with the extra ones."""
    alone = features.fingerprint()
    both = f"{alone} {'' if extra is None else extra.fingerprint()}"
    return {False: alone, True: both, "pretrain": f"{both} pretrain"}


def _outcomes(
    cells: Sequence[Cell], features: Features, extra: Features | None, jobs: int
) -> Iterator[tuple[Cell, Outcome, bool]]:
    """Yield each cell with its outcome, and whether to store it."""
    if jobs == 1:
        choices = Choices()
        for cell in cells:
            yield cell, run_cell(cell, features, extra, choices), True
        return
    if not cells:
        return
    with _stored(features, extra) as (path, extra_path):
        work = [_Job(cell, path, extra_path) for cell in cells]
        for job, result in run_in_processes(_run_job, work, min(jobs, len(work))):
            if isinstance(result, JobError):
                raise result
            if isinstance(result, AntiphonError):
                yield job.cell, failed("The process that trained it was killed."), False
            else:
                yield job.cell, result, True


@contextmanager
def _stored(features: Features, extra: Features | None) -> Generator[tuple[Path, Path | None]]:
    """Write the features to files, which workers read, instead of sending them with each cell."""
    with tempfile.TemporaryDirectory(prefix="antiphon-study-") as name:
        paths = [Path(name) / f"{part}.npz" for part in ("features", "extra")]
        for path, part in zip(paths, (features, extra), strict=True):
            if part is not None:
                labels = np.array([_BETWEEN_LABELS.join(row) for row in part.labels], dtype=np.str_)
                arrays: dict[str, Any] = {name: np.asarray(getattr(part, name)) for name in (*_ARRAYS, *_NAMES)}
                np.savez(path, labels=labels, **arrays)
        yield paths[0], None if extra is None else paths[1]


_CHOICES = Choices()
"""That of a worker process, for the cells that it is given one after the other."""


def _run_job(job: _Job) -> Outcome:
    return run_cell(job.cell, _loaded(job.features), None if job.extra is None else _loaded(job.extra), _CHOICES)


@lru_cache(maxsize=2)
def _loaded(path: Path) -> Features:
    with np.load(path, allow_pickle=False) as stored:
        labels = [row.split(_BETWEEN_LABELS) if row else () for row in stored["labels"]]
        names = {name: str(stored[name]) for name in _NAMES}
        return Features.from_arrays(labels=labels, **{array: stored[array] for array in _ARRAYS}, **names)
