"""`antiphon finetune`: the last blocks of a run's backbones, trained with its heads."""

from typing import TYPE_CHECKING, Annotated, Any, cast

import numpy as np
from cyclopts import Parameter
from cyclopts.validators import Number
from rich.console import Console

from antiphon.catalogue import Catalogue
from antiphon.cli.extract import extraction_progress
from antiphon.cli.opening import run_folder
from antiphon.cli.session import Here, Session

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from antiphon.backbones.tuning import Tunable
    from antiphon.dual_encoder import DualEncoder
    from antiphon.training.tuned_backbones import TunedBackbones
    from antiphon.training.windows import KeptRow

PositiveInt = Annotated[int, Parameter(validator=Number(gte=1))]


def finetune(
    *,
    run: str | None = None,
    blocks: PositiveInt = 2,
    epochs: PositiveInt = 10,
    learning_rate: Annotated[float, Parameter(validator=Number(gt=0))] = 1e-4,
    name: str | None = None,
    workers: Annotated[int | None, Parameter(validator=Number(gte=1, lte=61))] = None,
    device: str = "auto",
    session: Here,
) -> None:
    """Train the last blocks of a run's backbones together with its heads, on kept segments.

    Keep the segments first: `antiphon extract --keep-segments`. Every epoch draws another window of each segment,
    crops, mirrors and blurs its video, and changes the volume of its audio and adds noise. Training stops when the rank
    of the validation pairs stops improving. Flagged segments are never used, whatever the run itself was trained on.

    Writes a new run with the heads and the tuned weights, and the features of all videos by the tuned backbones, ready
    for `antiphon evaluate`.

    Parameters
    ----------
    run
        Name of the run to start from. Default: the one trained last.
    blocks
        Number of last blocks of each backbone to train.
    epochs
        Maximum number of epochs.
    learning_rate
        Learning rate of the blocks and the heads.
    name
        Name of the new run. Default: RUN-tuned.
    workers
        Number of decoding processes for the extraction. Default: one per core.
    device
        cpu, cuda, or auto.
    """
    found = run_finetune(session, run, blocks, epochs, learning_rate, name, workers, device)

    def show(out: Console) -> None:
        better = found["validation_rank"] < found["validation_rank_before"]
        out.print(
            f"Run {found['run']}: {found['epochs']} epochs on {found['pairs']} segments of {found['videos']} videos; "
            f"best at epoch {found['best_epoch']}, with a typical (geometric mean) rank of "
            f"{found['validation_rank']:.1f} among {found['validation_pairs']} validation pairs, "
            f"{found['validation_rank_before']:.1f} by run {found['from']}.",
            soft_wrap=True,
        )
        if not better:
            out.print(f"Tuning did not improve it: run {found['from']} is at least as good.", soft_wrap=True)
        out.print(f"Features by the tuned backbones: {found['audio']}, {found['video']}.", soft_wrap=True)

    session.result(found, show)


def run_finetune(
    session: Session,
    run: str | None,
    blocks: int,
    epochs: int,
    learning_rate: float,
    name: str | None,
    workers: int | None,
    device: str,
) -> dict[str, Any]:
    """Tune, save the run, and extract its features, with progress bars."""
    from antiphon.dual_encoder import DualEncoder
    from antiphon.training.fine_tuning import TuningConfig, TuningProgress
    from antiphon.training.windows import kept_rows

    workspace = session.existing_workspace()
    source = run_folder(workspace, run)
    base = DualEncoder.load(source, device)
    folder = workspace.run(name or f"{workspace.run_name(source)}-tuned")
    config = TuningConfig(num_blocks=blocks, epochs=epochs, learning_rate=learning_rate)
    rows = kept_rows(workspace)
    with workspace.lock():
        with session.progress("Tuning") as report:

            def progress(step: TuningProgress) -> None:
                rank = np.exp(step.measured.validation_log_rank)
                note = f"epoch {step.epoch} of at most {step.epochs}, validation rank of the heads {rank:.1f}"
                report((step.epoch - 1) * step.batches + step.batch, step.epochs * step.batches, note)

            model = base.fine_tune(workspace.folder, config, progress)
        model.save(folder)
        tuned = cast("TunedBackbones", model.tuned)
        _extract(session, tuned.both(str(model.device)), workers)
    damaged = tuned.origin.damaged
    if damaged:
        session.warn(
            f"{len(damaged)} kept segments could not be read and were skipped: {', '.join(damaged)}. Delete their "
            "files and run antiphon extract --keep-segments again."
        )
    used = {split: [row for row in kept if row.segment_id not in damaged] for split, kept in rows.items()}
    return {
        "run": workspace.run_name(folder),
        "folder": str(folder),
        "from": workspace.run_name(source),
        "blocks": blocks,
        **_described(model, used),
    }


def _described(model: "DualEncoder", used: "Mapping[str, Sequence[KeptRow]]") -> dict[str, Any]:
    """Describe a tuned model and the segments that it was trained on."""
    tuned = cast("TunedBackbones", model.tuned)
    best = max((epoch for epoch in model.history if epoch.best), key=lambda epoch: epoch.epoch)
    return {
        "epochs": len(model.history),
        "best_epoch": best.epoch,
        "damaged": tuned.origin.damaged,
        "pairs": len(used["train"]),
        "videos": len({row.video_id for row in used["train"]}),
        "validation_pairs": len(used["validation"]),
        "validation_rank": float(np.exp(tuned.origin.log_rank_after)),
        "validation_rank_before": float(np.exp(tuned.origin.log_rank_before)),
        "audio": model.audio_name,
        "video": model.video_name,
    }


def _extract(session: Session, networks: "list[Tunable]", workers: int | None) -> None:
    """Extract the features of all videos by the tuned backbones, into stores of their own."""
    from antiphon.features.extraction import extract_into

    workspace = session.workspace
    with extraction_progress(session) as progress:
        extract_into(workspace, Catalogue.load(workspace.catalogue), networks, None, workers, progress)
