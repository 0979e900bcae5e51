"""`antiphon finetune`: tune the last blocks of the backbones of a run."""

from typing import TYPE_CHECKING, Annotated, Any, cast

import numpy as np
from cyclopts import Parameter
from cyclopts.validators import Number
from rich.console import Console

from antiphon.catalogue import Catalogue
from antiphon.cli.opening import run_folder
from antiphon.cli.session import Here, Session

if TYPE_CHECKING:
    from antiphon.backbones.tuning import Tunable
    from antiphon.training.tuned_backbones import TunedBackbones

Count = Annotated[int, Parameter(validator=Number(gte=1))]


def finetune(
    *,
    run: str | None = None,
    blocks: Count = 2,
    epochs: Count = 10,
    learning_rate: Annotated[float, Parameter(validator=Number(gt=0))] = 1e-4,
    name: str | None = None,
    workers: Annotated[int | None, Parameter(validator=Number(gte=1, lte=61))] = None,
    device: str = "auto",
    session: Here,
) -> None:
    """Train the last blocks of a run's backbones together with its heads, on kept segments.

    Keep them first: antiphon extract --keep-segments. Every epoch sees another window of each segment, with its
    pictures cropped, mirrored and blurred and its sound louder or softer and with noise, all at random. Training stops
    when the rank of the validation pairs stops improving.

    Writes a run of its own, with the heads and the tuned weights, and the features of all videos by the tuned
    backbones, so that antiphon evaluate goes on from there.

    Parameters
    ----------
    run
        Name of the run to start from. Default: the one trained last.
    blocks
        How many of the last blocks of each backbone to train.
    epochs
        At the most.
    learning_rate
        Of the blocks and the heads.
    name
        Of the new run. Default: RUN-tuned.
    workers
        Processes that decode when the features are extracted. Default: one a core.
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
            f"{found['validation_rank_before']:.1f} by the run {found['from']}.",
            soft_wrap=True,
        )
        if not better:
            out.print(f"Tuning made it no better: the run {found['from']} is at least as good.", soft_wrap=True)
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
    start = DualEncoder.load(source, device)
    folder = workspace.run(name or f"{workspace.run_name(source)}-tuned")
    config = TuningConfig(num_blocks=blocks, epochs=epochs, learning_rate=learning_rate)
    rows = kept_rows(workspace)
    with workspace.lock():
        with session.progress("Tuning") as report:

            def progress(step: TuningProgress) -> None:
                rank = np.exp(step.measured.validation_log_rank)
                note = f"epoch {step.epoch} of {step.epochs} at most, the heads' validation rank {rank:.1f}"
                report((step.epoch - 1) * step.batches + step.batch, step.epochs * step.batches, note)

            model = start.fine_tune(workspace.root, config, progress)
        model.save(folder)
        tuned = cast("TunedBackbones", model.tuned)
        _extract(session, tuned.both(str(model.device)), workers)
    damaged = tuned.origin.damaged
    if damaged:
        session.warn(
            f"{len(damaged)} kept segments could not be read and were left out: {', '.join(damaged)}. Delete their "
            "files and run antiphon extract --keep-segments."
        )
    read = {split: [row for row in of if row.segment_id not in damaged] for split, of in rows.items()}
    best = max((epoch for epoch in model.history if epoch.best), key=lambda epoch: epoch.epoch)
    return {
        "run": workspace.run_name(folder),
        "folder": str(folder),
        "from": workspace.run_name(source),
        "blocks": blocks,
        "epochs": len(model.history),
        "best_epoch": best.epoch,
        "damaged": damaged,
        "pairs": len(read["train"]),
        "videos": len({row.video_id for row in read["train"]}),
        "validation_pairs": len(read["validation"]),
        "validation_rank": float(np.exp(tuned.origin.log_rank_after)),
        "validation_rank_before": float(np.exp(tuned.origin.log_rank_before)),
        "audio": model.audio_name,
        "video": model.video_name,
    }


def _extract(session: Session, networks: "list[Tunable]", workers: int | None) -> None:
    """Features of all videos by the tuned backbones, in stores of their own."""
    from antiphon.features.extraction import Progress, extract_into

    workspace = session.workspace
    with session.progress("Extracting videos") as report:

        def progress(state: Progress) -> None:
            failed = f", {state.failed} failed" if state.failed else ""
            report(state.done, state.total, f"{state.videos_per_s:.2f}/s{failed}")

        extract_into(
            workspace,
            Catalogue.load(workspace.catalogue),
            networks,
            None,
            workers,
            progress,
        )
