"""Cells of a study: one step, trained once on one draw, whose ranks are kept."""

import hashlib
import json
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from antiphon.documents import parsed_object, refuse_no_file
from antiphon.dual_encoder import DualEncoder
from antiphon.errors import AntiphonError, ConfigError
from antiphon.evaluation.embedder import Embedder
from antiphon.experiments.draws import drawn
from antiphon.experiments.study import ZERO_SHOT, DrawSettings, ResolvedStep, Size
from antiphon.experiments.zero_shot import ZeroShot
from antiphon.features.features import Features
from antiphon.features.joining import join
from antiphon.features.unseen import unseen
from antiphon.metrics.groups import group_numbers, permuted_rows
from antiphon.metrics.ranks import ranks
from antiphon.model.cca_tuning import fit_tuned
from antiphon.runs import versions
from antiphon.seeding import generator
from antiphon.tables import atomic_path
from antiphon.training.closed_forms import Choices

WAYS = ("a2v", "v2a")
Level = Literal["segments", "tracks"]

_FORMAT = 2
"""Version of the results; increase it when their meaning changes."""
_PERMUTATIONS = 200


@dataclass(frozen=True)
class Cell:
    """One training and its test.

    Attributes
    ----------
    step : ResolvedStep
        What is trained.
    size : int or {"all"}
        Videos of the training set, including validation.
    draws : DrawSettings
        How videos are drawn.
    draw, seed : int
        Numbers of the draw and of the training, from 0.
    level : {'segments', 'tracks'}, default 'segments'
        What is ranked: the rows of the test videos, or one embedding of each video.
    """

    step: ResolvedStep
    size: Size
    draws: DrawSettings
    draw: int
    seed: int
    level: Level = "segments"

    @property
    def path(self) -> Path:
        """Path of its result within the study's folder."""
        return Path("cells") / self.step.name / f"videos-{self.size}-draw-{self.draw}-seed-{self.seed}.npz"

    def key(self, inputs: str) -> str:
        """Hash all that determines the result: not the step's name or the number of draws.

        Parameters
        ----------
        inputs : str
            Fingerprint of the features.

        Returns
        -------
        str
            SHA-256 (hex).
        """
        recipe: Any = self.step.name if self.step.name == ZERO_SHOT else None
        if self.step.recipe is not None:
            recipe = self.step.recipe.model_dump(exclude={"name", "description"})
        draws = self.draws.model_dump(exclude={"count"})
        made_of = [_FORMAT, inputs, recipe, self.size, draws, self.draw, self.seed, self.level, versions()]
        return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Outcome:
    """Result of a cell.

    Attributes
    ----------
    about : dict
        "reason" if the training failed; else numbers of pairs and epochs, and "processor_s", the processor time of
        training in seconds, without what an earlier cell has chosen.
    ranks : dict of str to ndarray of float64
        (n,) rank of each test pair's (or track's) partner, by direction; empty if the training failed.
    null : dict of str to ndarray of float64
        (permutations,) median ranks with partners permuted at random, by direction.
    queries : ndarray of str, shape (n,)
        Pair (or video) of each rank.
    groups : ndarray of str, shape (n,)
        Video of each rank.
    """

    about: dict[str, Any]
    ranks: dict[str, npt.NDArray[np.float64]]
    null: dict[str, npt.NDArray[np.float64]]
    queries: npt.NDArray[np.str_]
    groups: npt.NDArray[np.str_]

    @property
    def reason(self) -> str:
        """Reason why there are no ranks, or ""."""
        return self.about.get("reason", "")


def failed(reason: str) -> Outcome:
    """Return the outcome of a failed training.

    Parameters
    ----------
    reason : str
        Why it failed.

    Returns
    -------
    Outcome
        Without ranks.
    """
    numbers, names = np.empty(0), np.empty(0, dtype=np.str_)
    return Outcome({"reason": reason}, dict.fromkeys(WAYS, numbers), dict.fromkeys(WAYS, numbers), names, names)


def run_cell(cell: Cell, features: Features, extra: Features | None = None, choices: Choices | None = None) -> Outcome:
    """Train and test one cell on one thread, so that its numbers do not depend on concurrent work.

    A failed training is an outcome with a reason.

    Parameters
    ----------
    cell : Cell
        The cell.
    features : Features
        The pairs.
    extra : Features, optional
        Additional pairs for the steps that train on these too, or first; see `antiphon.features.unseen`.
    choices : Choices, optional
        Shared by cells that run one after the other: those of one draw choose once for all seeds.

    Returns
    -------
    Outcome
        The result.
    """
    with _one_thread():
        try:
            return _tested(cell, features, extra, choices)
        except (AntiphonError, np.linalg.LinAlgError) as error:
            return failed(str(error))


def write_outcome(outcome: Outcome, key: str, path: Path) -> None:
    """Write an outcome with its key, atomically."""
    arrays: dict[str, Any] = {"queries": outcome.queries, "groups": outcome.groups}
    for way in WAYS:
        arrays |= {f"ranks_{way}": outcome.ranks[way], f"null_{way}": outcome.null[way]}
    about = json.dumps({"key": key} | outcome.about)
    with atomic_path(path) as partial, partial.open("wb") as handle:
        np.savez_compressed(handle, about=np.array(about), **arrays)


def read_outcome(key: str, path: Path) -> Outcome | None:
    """Read an outcome.

    Parameters
    ----------
    key : str
        Key that it must have.
    path : Path
        The file.

    Returns
    -------
    Outcome, optional
        None if it is missing, damaged, or has another key.
    """
    try:
        refuse_no_file(path)
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as stored:
            about = parsed_object(str(stored["about"]))
            if about.pop("key") != key:
                return None
            ranks_, null = ({way: stored[f"{name}_{way}"] for way in WAYS} for name in ("ranks", "null"))
            outcome = Outcome(about, ranks_, null, stored["queries"], stored["groups"])
    except Exception:  # noqa: BLE001 - missing or damaged, in any of the ways of zip, numpy and JSON: train again.
        return None
    return outcome if _is_whole(outcome) else None


def _is_whole(outcome: Outcome) -> bool:
    """Whether the arrays of an outcome belong together."""
    ranks_ = [outcome.ranks[way] for way in WAYS]
    numbers = [*ranks_, *(outcome.null[way] for way in WAYS)]
    names = [outcome.queries, outcome.groups]
    return (
        all(array.dtype.kind == "f" and array.ndim == 1 and np.isfinite(array).all() for array in numbers)
        and all(array.dtype.kind == "U" for array in names)
        and len({array.shape for array in [*ranks_, *names]}) == 1
        and isinstance(outcome.about.get("reason", ""), str)
    )


def _tested(cell: Cell, features: Features, extra: Features | None, choices: Choices | None) -> Outcome:
    dealt = drawn(features, cell.draws, cell.draw, cell.size)
    train, validation, test = dealt["train"], dealt["validation"], dealt["test"]
    if cell.step.extra:
        if extra is None:
            raise ConfigError(f"Step {cell.step.name} trains on extra features, but there are none. Provide them.")
        extra = unseen(extra, [train, validation, test], [validation, test]).features
        if cell.step.extra != "pretrain":
            train, extra = join(train, extra), None
    started = time.process_time()
    model, epochs = _fitted(cell, train, validation, choices, extra if cell.step.extra else None)
    spent_s = time.process_time() - started
    if cell.level == "tracks":
        names = groups = np.unique(test.groups)
        audio, video = model.embed(test, per="track")
    else:
        names, groups = test.ids, test.groups
        audio, video = model.embed(test)
    numbers = group_numbers(groups, len(groups))
    permuted = permuted_rows(numbers, _PERMUTATIONS, generator(cell.draws.seed, "study null", cell.draw))
    found, null = {}, {}
    for way, queries, candidates in (("a2v", audio, video), ("v2a", video, audio)):
        found[way], null_ranks = ranks(queries, candidates, permuted=permuted)
        null[way] = np.median(np.asarray(null_ranks), axis=1).astype(np.float64)
    about = {"train_pairs": len(train), "validation_pairs": len(validation), "epochs": epochs}
    return Outcome(about | {"processor_s": round(spent_s, 3)}, found, null, names, groups)


def _fitted(
    cell: Cell, train: Features, validation: Features, choices: Choices | None, pretraining: Features | None
) -> tuple[Embedder, int | None]:
    if cell.step.name == ZERO_SHOT:
        return ZeroShot(), None
    if cell.step.recipe is None:
        return fit_tuned(train, validation, cell.seed), None
    model = DualEncoder(cell.step.recipe, cell.seed, "cpu")
    model.fit(train, validation, verbose=False, choices=choices, pretraining=pretraining)
    return model, len(model.history)


@contextmanager
def _one_thread() -> Generator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
