"""`antiphon extract`: decode the catalogue and run the backbones."""

import shutil
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number
from pydantic import ValidationError
from rich.console import Console

from antiphon.catalogue import Catalogue
from antiphon.cli.session import Here, Session
from antiphon.errors import ConfigError
from antiphon.segments.sampling import SamplingConfig

AUDIO, VIDEO = "musicnn-mtt", "efficientnet_lite0"


def extract(
    *,
    audio: str = AUDIO,
    video: str = VIDEO,
    sections: Annotated[int | None, Parameter(validator=Number(gte=1))] = None,
    every_s: Annotated[float | None, Parameter(validator=Number(gt=0))] = None,
    seed: int | None = None,
    workers: Annotated[int | None, Parameter(validator=Number(gte=1, lte=61))] = None,
    device: str = "auto",
    keep_segments: bool = False,
    session: Here,
) -> None:
    """Decode every video of the catalogue once and compute its features with the chosen backbones.

    Can be stopped at any moment (Ctrl-C, or harder) and started again: only what is missing is computed. Files that
    cannot be used are listed with their reasons in failures.parquet.

    Parameters
    ----------
    audio
        Backbone for the sound; see `antiphon backbones list`. "none" leaves the sound out.
    video
        Backbone for the pictures. "none" leaves the pictures out.
    sections
        Equal parts of a track; one segment of 5 s is drawn at random from each, and a window of 3 s in it. Default: as
        the workspace was started with, or 6.
    every_s
        A segment of 5 s every so many seconds instead, for models of whole tracks: long tracks have more segments.
    seed
        Draws the segments. Default: as the workspace was started with, or 0.
    workers
        Processes that decode. Default: one a core.
    device
        cpu, cuda, or auto.
    keep_segments
        Also keep the pictures (ten a second, within 768 × 432) and the sound (16 kHz, mono) of every segment, about
        2 MB each, for antiphon finetune. The files are decoded a second time for it.
    """
    found = run_extract(session, audio, video, sections, seed, workers, device, every_s)
    if keep_segments:
        found |= {"kept": run_keeping(session, workers)}
        found["failures"] = [vars(failure) for failure in session.workspace.read_failures()]

    def show(out: Console) -> None:
        out.print(f"{found['segments']} segments of {found['videos']} videos have features.")
        if keep_segments:
            kept = found["kept"]
            out.print(
                f"{kept['segments']} segments are kept in {session.workspace.kept}: {kept['bytes'] / 1e6:,.1f} MB, "
                f"{kept['bytes_per_segment'] / 1e6:.2f} MB a segment.",
                soft_wrap=True,
            )
        for failure in found["failures"][:10]:
            out.print(f"  {failure['video_id']}: {failure['message']}", markup=False, soft_wrap=True)
        if found["failures"]:
            out.print(f"{len(found['failures'])} videos could not be used; failures.parquet lists all with reasons.")

    session.result(found, show)


def run_extract(
    session: Session,
    audio: str,
    video: str,
    sections: int | None,
    seed: int | None,
    workers: int | None,
    device: str,
    every_s: float | None = None,
) -> dict[str, Any]:
    """Fill the workspace's feature stores, with a progress bar."""
    from antiphon.features.extraction import Progress
    from antiphon.features.extraction import extract as extract_features
    from antiphon.features.planning import stored_sampling

    workspace = session.existing_workspace()
    catalogue = Catalogue.load(workspace.catalogue)
    settings = {"sections": sections, "every_s": every_s, "seed": seed}
    given: dict[str, Any] = {name: value for name, value in settings.items() if value is not None}
    stored = stored_sampling(workspace) or SamplingConfig()
    try:
        sampling = SamplingConfig.model_validate(stored.model_dump() | given)
    except ValidationError as error:
        raise ConfigError(f"{error.errors()[0]['loc'][0]}: {error.errors()[0]['msg']}.") from error
    with session.progress("Extracting videos") as report:

        def progress(state: Progress) -> None:
            failed = f", {state.failed} failed" if state.failed else ""
            report(state.done, state.total, f"{state.videos_per_s:.2f}/s{failed}")

        features = extract_features(
            catalogue,
            None if audio == "none" else audio,
            None if video == "none" else video,
            workspace.root,
            sampling=sampling,
            workers=workers,
            device=device,
            progress=progress,
        )
    return {
        "segments": len(features),
        "videos": len(set(features.groups.tolist())),
        "audio": features.audio_name,
        "video": features.video_name,
        "failures": [vars(failure) for failure in workspace.read_failures()],
    }


def run_keeping(session: Session, workers: int | None) -> dict[str, int]:
    """Keep the segments that are not kept yet, with a progress bar; say before how much disk that will take."""
    from antiphon.features.keeping import disk_use, keep_segments, keeping_jobs

    workspace = session.existing_workspace()
    catalogue = Catalogue.load(workspace.catalogue)
    lacking = sum(len(job.targets) for job in keeping_jobs(workspace, catalogue))
    if lacking:
        each = disk_use(workspace).bytes_per_segment
        free = shutil.disk_usage(workspace.root).free
        session.say(
            f"{lacking} segments to keep, about {each / 1e6:.2f} MB each: {lacking * each / 1e9:.2f} GB of the "
            f"{free / 1e9:,.1f} GB that are free."
        )
        with session.progress("Keeping segments") as report:

            def progress(done: int, failed: int, total: int) -> None:
                report(done, total, f"{failed} failed" if failed else "")

            keep_segments(workspace, catalogue, workers=workers, progress=progress)
    use = disk_use(workspace)
    return {"segments": use.segments, "bytes": use.size_bytes, "bytes_per_segment": use.bytes_per_segment}
