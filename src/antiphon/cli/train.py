"""`antiphon train`: train the heads on the workspace's features."""

import json
import shlex
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from rich.console import Console

from antiphon.catalogue import Catalogue
from antiphon.cli.opening import workspace_features
from antiphon.cli.session import Here, Session
from antiphon.errors import ModelError
from antiphon.features import Features
from antiphon.runs import LEARNING_CURVE_FILE
from antiphon.tables import write_text
from antiphon.workspace import Workspace, safe_name

if TYPE_CHECKING:
    from antiphon.dual_encoder import DualEncoder

_LEAST_TESTS = 2
_MIN_VIDEOS = 2
_FRACTIONS = (0.5, 0.25, 0.25)
_SEEDS = 200


def train(
    *,
    recipe: str = "antiphon-base",
    name: str | None = None,
    audio: str | None = None,
    video: str | None = None,
    seed: int = 0,
    device: str = "auto",
    learning_curve: bool = True,
    session: Here,
) -> None:
    """Train two heads on the features of the training split; stop when the validation split stops improving.

    Writes runs/NAME: run.toml (settings, seed, versions, hashes of the inputs), model.safetensors, history.parquet.
    A run that was trained with the same settings on the same features is left as it is.
    `--recipe DIR/runs/NAME/run.toml` trains with the settings of an earlier run.
    Several processes share the work: `python -m torch.distributed.run --nproc_per_node 2 -m antiphon train`.

    Parameters
    ----------
    recipe
        antiphon-base, paper-base, or a TOML file of your own.
    name
        Of the run. Default: the recipe's name.
    audio
        Features of the sound. Default: the only ones in the workspace that are not of a tuned backbone.
    video
        Features of the pictures. Default: as for the sound.
    seed
        Of the first weights, dropout and batches.
    device
        cpu, cuda, or auto.
    learning_curve
        Also train on a quarter and half of the videos, to say whether more would help.
    """
    from antiphon.training.distributed import processes

    with processes() as first:
        found = run_train(
            session if first else session.silent, recipe, name, audio, video, seed, device, learning_curve
        )

    def show(out: Console) -> None:
        if found["unchanged"]:
            out.print(f"Run {found['run']} was trained with these settings on these features already.")
        out.print(
            f"Run {found['run']}: {found['epochs']} epochs on {found['pairs']} pairs of {found['videos']} videos; best "
            f"at epoch {found['best_epoch']}, with a typical (geometric mean) rank of {found['validation_rank']:.1f} "
            f"among {found['validation_pairs']} validation pairs.",
            soft_wrap=True,
        )
        if found["learning_curve"]:
            out.print(found["learning_curve"]["verdict"], soft_wrap=True)

    (session if first else session.silent).result(found, show)


def run_train(
    session: Session,
    recipe: str,
    name: str | None,
    audio: str | None,
    video: str | None,
    seed: int,
    device: str,
    learning_curve: bool,
) -> dict[str, Any]:
    """Train and save a run, with a progress bar. Of several processes that train together the first one saves."""
    from antiphon.dual_encoder import DualEncoder
    from antiphon.experiments.trials import is_trained
    from antiphon.runs import Epoch
    from antiphon.training.distributed import process_rank

    workspace = session.existing_workspace()
    if name is not None:
        safe_name(name, "run")
    features = workspace_features(workspace, audio, video, has_options=True)
    model = DualEncoder(recipe, seed, device)
    folder = workspace.run(name or model.recipe.name)
    refuse_few(workspace, features)
    pairs, validation = features["train"].paired, features["validation"].paired
    _warn_of_few(session, len(np.unique(pairs.groups)), model.recipe.name, model.recipe.training.min_pairs)
    tests = len(np.unique(features["test"].paired.groups))
    if tests < _LEAST_TESTS:
        session.warn(
            f"{tests} test videos with both sound and pictures: evaluating will need at least {_LEAST_TESTS}. See "
            "antiphon catalogue split, which works as long as nothing is trained."
        )
    measured = not learning_curve or (folder / LEARNING_CURVE_FILE).exists()
    if measured and is_trained(folder, model, pairs, validation):
        return _found(workspace, folder, DualEncoder.load(folder, device), pairs, validation, unchanged=True)
    first = process_rank() == 0
    with workspace.lock() if first else nullcontext():
        with session.progress(f"Training {model.recipe.name}") as report:

            def progress(epoch: Epoch, most: int) -> None:
                report(epoch.epoch, most, f"loss {epoch.validation_loss:.2f} (chance {epoch.validation_chance:.2f})")

            model.fit(pairs, validation, progress)
        if first:
            model.save(folder)
        curve = _curve(session, model, pairs, validation) if learning_curve else None
        if curve is not None and first:
            write_text(json.dumps(curve, indent=2), folder / LEARNING_CURVE_FILE)
    return _found(workspace, folder, model, pairs, validation, unchanged=False)


def _found(
    workspace: Workspace, folder: Path, model: "DualEncoder", pairs: Features, validation: Features, *, unchanged: bool
) -> dict[str, Any]:
    best = max((epoch for epoch in model.history if epoch.best), key=lambda epoch: epoch.epoch)
    curve = folder / LEARNING_CURVE_FILE
    return {
        "run": workspace.run_name(folder),
        "folder": str(folder),
        "unchanged": unchanged,
        "epochs": len(model.history),
        "best_epoch": best.epoch,
        "pairs": len(pairs),
        "videos": len(np.unique(pairs.groups)),
        "validation_pairs": len(validation),
        "validation_rank": float(np.exp(best.validation_log_rank)),
        "validation_median_rank": best.validation_median_rank,
        "learning_curve": json.loads(curve.read_text(encoding="utf-8")) if curve.exists() else None,
    }


def _warn_of_few(session: Session, videos: int, recipe: str, least: int) -> None:
    if videos < least:
        session.warn(
            f"{videos} training videos are few for {recipe}, which wants at least {least}: expect ranks near chance, "
            "and do not trust small differences."
        )


def _curve(session: Session, model: "DualEncoder", pairs: Features, validation: Features) -> dict[str, Any] | None:
    from antiphon.evaluation.learning_curve import SHARES
    from antiphon.evaluation.learning_curve import learning_curve as measure

    with session.progress("Would more data help?") as report:
        try:
            return measure(
                model,
                pairs,
                validation,
                progress=lambda share: report(SHARES.index(share), len(SHARES), f"{share:.0%}"),
            )
        except ModelError as error:
            session.warn(f"No learning curve: {error}")
            return None


def refuse_few(workspace: Workspace, features: Features) -> None:
    """Refuse to train where the training or the validation split has fewer than two videos with sound and pictures.

    Raises
    ------
    ModelError
        With a command that mends it, where there is one.
    """
    for name in ("train", "validation"):
        videos = len(np.unique(features[name].paired.groups))
        if videos < _MIN_VIDEOS:
            called = "training" if name == "train" else name
            count = f"{videos or 'no'} video{'s' * (videos != 1)}"
            raise ModelError(
                f"The {called} split has {count} with both sound and pictures; contrast needs at least two. "
                f"{_remedy(workspace, features)}"
            )


def _remedy(workspace: Workspace, features: Features) -> str:
    usable = set(np.unique(features.paired.groups).tolist())
    found = workable_split(Catalogue.load(workspace.catalogue), usable)
    more = "Add videos (antiphon catalogue add FOLDER, then antiphon extract)"
    if found is None:
        return f"{more}: the workspace has {len(usable)} such videos in all."
    by, seed = found
    here = shlex.quote(str(workspace.root))
    shares = " ".join(f"{share:g}" for share in _FRACTIONS)
    return (
        f"{more}, or draw the splits of all {len(usable)} anew:\n"
        f"  antiphon --workspace {here} catalogue split --by {by} --fractions {shares} --seed {seed}"
    )


def workable_split(catalogue: Catalogue, usable: set[str]) -> tuple[Literal["artist", "video"], int] | None:
    """How to draw splits so that training and validation have two usable videos and the test one; None where none does.

    By artist before by video, with the lowest seed.
    """
    if len(usable) <= 2 * _MIN_VIDEOS:
        return None
    ways: tuple[Literal["artist", "video"], ...] = ("artist", "video")
    for by in ways:
        for seed in range(_SEEDS):
            rows = catalogue.split(by=by, fractions=_FRACTIONS, seed=seed).records()
            splits = [row["split"] for row in rows if row["id"] in usable]
            if min(splits.count("train"), splits.count("validation"), splits.count("test") + 1) >= _MIN_VIDEOS:
                return by, seed
    return None
