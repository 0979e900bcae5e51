"""`antiphon train`: train the heads on the workspace's features."""

import json
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console

from antiphon.backbones.base import TUNED_MARK
from antiphon.catalogue import Catalogue
from antiphon.cli.few_videos import refuse_few
from antiphon.cli.session import Here, Session
from antiphon.errors import FeatureStoreError, ModelError
from antiphon.features import Features
from antiphon.features.assembly import assemble
from antiphon.features.store import FeatureStore, store_names
from antiphon.runs import LEARNING_CURVE_FILE, RUN_FILE
from antiphon.tables import write_text
from antiphon.workspace import Workspace, safe_name

if TYPE_CHECKING:
    from antiphon.dual_encoder import DualEncoder

_LEAST_TESTS = 2


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
    from antiphon.training.distributed import rank

    workspace = session.existing_workspace()
    if name is not None:
        safe_name(name, "run")
    features = workspace_features(workspace, audio, video, has_options=True)
    model = DualEncoder(recipe, seed, device)
    folder = workspace.run(name or model.recipe.name)
    refuse_few(workspace, features)
    pairs, validation = features["train"].paired, features["validation"].paired
    _warn_of_few(session, len(np.unique(pairs.groups)), model.recipe.name, model.recipe.training.least_pairs)
    tests = len(np.unique(features["test"].paired.groups))
    if tests < _LEAST_TESTS:
        session.warn(
            f"{tests} test videos with both sound and pictures: evaluating will need at least {_LEAST_TESTS}. See "
            "antiphon catalogue split, which works as long as nothing is trained."
        )
    measured = not learning_curve or (folder / LEARNING_CURVE_FILE).exists()
    if measured and is_trained(folder, model, pairs, validation):
        return _found(workspace, folder, DualEncoder.load(folder, device), pairs, validation, unchanged=True)
    first = rank() == 0
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


def workspace_features(
    workspace: Workspace, audio: str | None, video: str | None, *, has_options: bool = False
) -> Features:
    """The workspace's features; a side that is not named is the only one of its kind there.

    Those of tuned backbones belong to the run that they were tuned in, and count only where there are no others.

    Parameters
    ----------
    has_options : whether the command that asks has --audio and --video, which a message may then name.

    Raises
    ------
    FeatureStoreError
        A side has no features, or several and none is named.
    """
    catalogue = Catalogue.load(workspace.catalogue)
    names = {"audio": audio, "video": video}
    for modality, name in names.items():
        if name is None:
            names[modality] = _only_store(workspace, modality, has_options)
    return assemble(workspace, catalogue, names["audio"], names["video"])


def _only_store(workspace: Workspace, modality: str, has_options: bool) -> str:
    found = [
        name
        for name in store_names(workspace.features)
        if FeatureStore.existing(workspace.features / name).made_by.get("modality") == modality
    ]
    found = [name for name in found if TUNED_MARK not in name] or found
    if len(found) == 1:
        return found[0]
    if not found:
        raise FeatureStoreError(f"{workspace.root}: no {modality} features. Run antiphon extract or features import.")
    remedy = "Use a workspace that has one kind a side."
    if has_options:
        remedy = f"Choose with --{modality} {'|'.join(found)}."
    raise FeatureStoreError(f"{workspace.root}: several {modality} features: {', '.join(found)}. {remedy}")


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


def run_folder(workspace: Workspace, run: str | None) -> Path:
    """The folder of a run; without a name the run trained last.

    Raises
    ------
    ModelError
        There is none.
    """
    if run is not None:
        return workspace.run(run)
    folders = sorted(workspace.runs.glob(f"*/{RUN_FILE}"), key=lambda path: path.stat().st_mtime)
    if not folders:
        raise ModelError(f"{workspace.root}: no trained run. Start with antiphon train.")
    return folders[-1].parent
