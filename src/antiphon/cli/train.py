"""`antiphon train`: the heads, trained on the workspace's features."""

import json
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from cyclopts import Parameter
from rich.console import Console

from antiphon.catalogue import Catalogue
from antiphon.cli.opening import chosen_features, workspace_features
from antiphon.cli.session import Here, Session
from antiphon.cli.splitting import MIN_VIDEOS, splitting_command
from antiphon.errors import ModelError
from antiphon.features import Features
from antiphon.features.unseen import Unseen, unseen
from antiphon.plurals import counted
from antiphon.runs import LEARNING_CURVE_FILE, read_learning_curve
from antiphon.tables import write_text
from antiphon.workspace import Workspace, safe_name

if TYPE_CHECKING:
    from antiphon.dual_encoder import DualEncoder

_MIN_TEST_VIDEOS = 2


@Parameter(name="*")
@dataclass(frozen=True)
class TrainOptions:
    """What to train, and on which features.

    Attributes
    ----------
    recipe
        antiphon-base, paper-base, or a TOML file of your own.
    name
        Name of the run. Default: the recipe's name.
    audio
        Audio features. Default: the only ones in the workspace that are not of a tuned backbone.
    video
        Video features. Default: as for audio.
    seed
        Seed of initial weights, dropout and batches.
    device
        cpu, cuda, or auto.
    keep_flagged
        Train on flagged segments too: silent, black, clipped, or partly made up by the decoder.
    pretrain
        Train the heads on other pairs first: yt8m:FILES, or the folder of another workspace with features of the same
        backbones. Videos of this workspace are left out of them, and those by artists or with vectors of held-out ones.
    learning_curve
        Also rank by a quarter and half of the videos, to estimate whether more videos would help.
    """

    recipe: str = "antiphon-base"
    name: str | None = None
    audio: str | None = None
    video: str | None = None
    seed: int = 0
    device: str = "auto"
    keep_flagged: bool = False
    pretrain: str | None = None
    learning_curve: bool = True


def train(*, options: TrainOptions = TrainOptions(), session: Here) -> None:
    """Train an audio and a video head on the training split, until the validation split stops improving.

    Writes runs/NAME: run.toml (settings, seed, versions, hashes of the inputs), model.safetensors, history.parquet.
    A run that was already trained with the same settings on the same features is left alone.
    `--recipe DIR/runs/NAME/run.toml` trains with the settings of an earlier run.
    Several processes share the work: `python -m torch.distributed.run --nproc_per_node 2 -m antiphon train`.
    """
    from antiphon.training.distributed import processes

    with processes() as first:
        found = run_train(session if first else session.silent, options)

    def show(out: Console) -> None:
        if found["unchanged"]:
            out.print(f"Run {found['run']} was already trained with these settings on these features.")
        out.print(
            f"Run {found['run']}: {found['epochs']} epochs on {found['pairs']} pairs of {found['videos']} videos; best "
            f"at epoch {found['best_epoch']}, with a typical (geometric mean) rank of {found['validation_rank']:.1f} "
            f"among {found['validation_pairs']} validation pairs.",
            soft_wrap=True,
        )
        if found["flagged_left_out"]:
            out.print(
                f"{counted(found['flagged_left_out'], 'flagged training segment')} left out; --keep-flagged uses them.",
                soft_wrap=True,
            )
        if found["pretraining"]:
            told = found["pretraining"]
            words = f"; left out: {told['left_out_words']}" if told["left_out_words"] else ""
            videos = counted(told["videos"], "other video")
            out.print(f"Pretrained on {counted(told['pairs'], 'pair')} of {videos}{words}.", soft_wrap=True)
        if found["against_cca"]:
            out.print(found["against_cca"]["verdict"], soft_wrap=True)
        if found["learning_curve"]:
            out.print(found["learning_curve"]["verdict"], soft_wrap=True)

    (session if first else session.silent).result(found, show)


def run_train(session: Session, options: TrainOptions) -> dict[str, Any]:
    """Train and save a run, with a progress bar. Of several processes that train together, the first one saves.

    Parameters
    ----------
    session : Session
        Session of the command line.
    options : TrainOptions
        What to train.

    Returns
    -------
    dict
        What was trained on how many pairs, and the validation ranks.

    Raises
    ------
    ModelError
        There are too few videos.
    """
    from antiphon.dual_encoder import DualEncoder
    from antiphon.experiments.trials import is_trained

    workspace = session.existing_workspace()
    if options.name is not None:
        safe_name(options.name, "run")
    model = DualEncoder(options.recipe, options.seed, options.device)
    folder = workspace.run(options.name or model.recipe.name)  # refuses an address before features are read from it
    features = workspace_features(workspace, options.audio, options.video, has_options=True)
    if options.keep_flagged:
        features = features.without_flags()
    refuse_few(workspace, features)
    _warn_of_few(session, features, model)
    pairs, validation = features["train"].training_pairs, features["validation"].training_pairs
    others = None if options.pretrain is None else _others(session, options.pretrain, features)
    pretraining = None if others is None else others.features
    unchanged = is_trained(folder, model, pairs, validation, pretraining) and (
        not options.learning_curve or (folder / LEARNING_CURVE_FILE).exists()
    )
    if unchanged:
        model = DualEncoder.load(folder, options.device)
    else:
        _fit(session, model, folder, (pairs, validation, pretraining), learning_curve=options.learning_curve)
    found = _found(workspace, folder, model, pairs, validation, unchanged=unchanged)
    if found["at_chance"]:
        session.warn(_at_chance(model, found))
    found |= {"pretraining": None if others is None else _of_pretraining(others)}
    return found | {"flagged_left_out": int(features["train"].paired.flagged.sum())}


def _others(session: Session, spec: str, features: Features) -> Unseen:
    """Return the pairs to pretrain on that an option names, without what the workspace has."""
    given = chosen_features(session, spec, "--pretrain")[0]
    there = unseen(given, [features], [features["validation"], features["test"]])
    return replace(there, features=there.features.training_pairs)


def _of_pretraining(others: Unseen) -> dict[str, Any]:
    return {
        "pairs": len(others.features),
        "videos": len(np.unique(others.features.groups)),
        "left_out": {"by_id": others.by_id, "by_artist": others.by_artist, "by_vector": others.by_vector},
        "left_out_words": others.left_out,
    }


def _fit(
    session: Session,
    model: "DualEncoder",
    folder: Path,
    parts: tuple[Features, Features, Features | None],
    *,
    learning_curve: bool,
) -> None:
    """Train the model on pairs, with validation and perhaps other pairs to pretrain on, and save it."""
    from antiphon.runs import Epoch
    from antiphon.training.distributed import process_rank

    first = process_rank() == 0
    pairs, validation, pretraining = parts
    with session.workspace.lock() if first else nullcontext():
        with session.progress(f"Training {model.recipe.name}") as report:

            def progress(epoch: Epoch, epochs: int) -> None:
                report(epoch.epoch, epochs, f"loss {epoch.validation_loss:.2f} (chance {epoch.validation_chance:.2f})")

            model.fit(pairs, validation, progress, pretraining=pretraining)
        if first:
            model.save(folder)
        curve = _curve(session, model, pairs, validation) if learning_curve else None
        if curve is not None and first:
            write_text(json.dumps(curve, indent=2), folder / LEARNING_CURVE_FILE)


def _found(
    workspace: Workspace, folder: Path, model: "DualEncoder", pairs: Features, validation: Features, *, unchanged: bool
) -> dict[str, Any]:
    from antiphon.training.plateau import stands_at_chance

    best = max((epoch for epoch in model.history if epoch.best), key=lambda epoch: epoch.epoch, default=None)
    if best is None:
        raise ModelError(
            f"{folder}: its history has no best epoch, so it is not whole. Train it again under a new name."
        )
    compared = model.against_cca
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
        "against_cca": None if compared is None else asdict(compared) | {"verdict": compared.sentence},
        "at_chance": stands_at_chance(best, len(validation), len(np.unique(validation.groups))),
        "learning_curve": read_learning_curve(folder),
    }


def _at_chance(model: "DualEncoder", found: dict[str, Any]) -> str:
    """Say that a training has learned nothing that holds for other videos, and what to change."""
    told = (
        f"On {found['validation_pairs']} validation pairs the trained heads alone rank as chance does (a typical rank "
        f"of {found['validation_rank']:.1f}): they have learned nothing that holds for other videos, or the pairs are "
        "too few to tell."
    )
    if model.recipe.closed_form is not None:
        return f"{told} Check that sound and pictures belong together (antiphon audit), or add videos."
    return f"{told} Train antiphon-base, which needs few pairs, or add videos."


def _warn_of_few(session: Session, features: Features, model: "DualEncoder") -> None:
    videos = {split: len(np.unique(features[split].training_pairs.groups)) for split in ("train", "test")}
    min_videos = model.recipe.training.min_pairs
    if videos["train"] < min_videos:
        session.warn(
            f"{videos['train']} training videos are few for {model.recipe.name}, which needs at least {min_videos}: "
            "expect ranks near chance, and do not trust small differences."
        )
    if videos["test"] < _MIN_TEST_VIDEOS:
        session.warn(
            f"{videos['test']} test videos with both audio and video: evaluation needs at least {_MIN_TEST_VIDEOS}. "
            "Reassign the splits before any training: antiphon catalogue split."
        )


def _curve(session: Session, model: "DualEncoder", pairs: Features, validation: Features) -> dict[str, Any] | None:
    from antiphon.evaluation.learning_curve import SHARES
    from antiphon.evaluation.learning_curve import learning_curve as measure

    with session.progress("Learning curve") as report:
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
    """Refuse to train with fewer than two training or validation videos that have both audio and video.

    Parameters
    ----------
    workspace : Workspace
        Workspace of the features, for the suggested command.
    features : Features
        All features.

    Raises
    ------
    ModelError
        There are too few videos. The message suggests a command that helps, if there is one.
    """
    for name in ("train", "validation"):
        videos = len(np.unique(features[name].training_pairs.groups))
        if videos < MIN_VIDEOS:
            called = "training" if name == "train" else name
            count = f"{videos or 'no'} video{'s' * (videos != 1)}"
            raise ModelError(
                f"The {called} split has {count} with both audio and video{_left_out(features[name])}; training needs "
                f"at least two. {_remedy(workspace, features)}"
            )


def _left_out(features: Features) -> str:
    """Return how many videos lack only segments without flags."""
    lost = len(set(features.paired.groups.tolist()) - set(features.training_pairs.groups.tolist()))
    return f" ({lost} more have flagged segments only; --keep-flagged uses them)" if lost else ""


def _remedy(workspace: Workspace, features: Features) -> str:
    usable = set(np.unique(features.training_pairs.groups).tolist())
    command = splitting_command(workspace, Catalogue.load(workspace.catalogue), usable)
    more = "Add videos (antiphon catalogue add FOLDER, then antiphon extract)"
    if command is None:
        return f"{more}: the workspace has only {len(usable)} such videos."
    return f"{more}, or reassign all {len(usable)} to splits:\n  {command}"
