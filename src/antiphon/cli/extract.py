"""`antiphon extract`: features of the catalogue's videos."""

import shutil
import sys
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter
from cyclopts.validators import Number
from pydantic import ValidationError
from rich.console import Console

from antiphon.backbones.arithmetic import Precision
from antiphon.catalogue import Catalogue
from antiphon.cli.limits import USUAL_LIMITS, FileLimits
from antiphon.cli.opening import replaced_since, take_out_of_index
from antiphon.cli.session import Here, Session
from antiphon.errors import ConfigError
from antiphon.plurals import counted
from antiphon.segments.sampling import SamplingConfig
from antiphon.workers.limits import WorkerLimits

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from antiphon.features.extraction import Progress
    from antiphon.workspace import Workspace

MAX_PROCESSES = 61


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class ExtractOptions:
    """What to compute, of which stretches, and where.

    Attributes
    ----------
    audio
        Audio backbone; see `antiphon backbones list`. "none" skips audio.
    video
        Video backbone. "none" skips video.
    sections
        Number of equal parts of a track; one segment of 5 s is drawn at random from each, and a window of 3 s within
        it. Default: as in the workspace, or 6.
    every_s
        Instead of sections: a segment of 5 s every so many seconds, for track models. Longer tracks have more segments.
    seed
        Seed of the segments. Default: as in the workspace, or 0.
    workers
        Number of decoding processes. Default: one per core. With Ray, number of workers. Default: one for each GPU, or
        for four cores.
    device
        cpu, cuda, or auto.
    precision
        Precision of the networks: float32, or on a GPU tf32 or bfloat16, which are faster. Features of another
        precision cannot be added to those that are there.
    executor
        local, or ray to decode and compute on a Ray cluster, where files are found under the same paths; see
        docs/cluster.md.
    ray_address
        Ray cluster, such as auto for the one that this machine belongs to. Default: that of RAY_ADDRESS, or a Ray of
        its own on this machine.
    again
        Ids of videos to compute again, whatever is stored of them. They leave the search index until
        `antiphon index add`.
    share
        Compute only one share of the videos, such as 2/8 for the second of eight, where as many machines extract into
        one workspace in a store.
    """

    audio: str = "musicnn-mtt"
    video: str = "efficientnet_lite0"
    sections: Annotated[int | None, Parameter(validator=Number(gte=1))] = None
    every_s: Annotated[float | None, Parameter(validator=Number(gt=0))] = None
    seed: int | None = None
    workers: Annotated[int | None, Parameter(validator=Number(gte=1))] = None
    device: str = "auto"
    precision: Precision = "float32"
    executor: Literal["local", "ray"] = "local"
    ray_address: str | None = None
    again: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="")] = ()
    share: str = "1/1"


def extract(
    *,
    options: ExtractOptions = ExtractOptions(),
    keep_segments: bool = False,
    each: FileLimits = USUAL_LIMITS,
    session: Here,
) -> None:
    """Decode every video of the catalogue once and compute its features with the chosen backbones.

    It can be stopped at any time, or killed; the same command computes only what is missing, and files that were
    replaced since. Files that cannot be used are listed with the reason in failures.parquet; features of files that are
    gone stay.

    Parameters
    ----------
    keep_segments
        Also keep the video (10 frames per second, within 768 × 432) and audio (16 kHz, mono) of every segment, about
        2 MB each, for `antiphon finetune`. This decodes the files a second time.
    """
    from antiphon.features.shares import WHOLE, share_of

    if keep_segments and share_of(options.share) != WHOLE:
        raise ConfigError("--share: segments are kept of the whole catalogue. Keep them in a run without a share.")
    on_ray = options.executor == "ray"
    if not on_ray and options.workers is not None and options.workers > MAX_PROCESSES:
        raise ConfigError(f"--workers: at most {MAX_PROCESSES} processes on one machine, not {options.workers}.")
    with redirect_stdout(sys.stderr) if on_ray else nullcontext():  # Ray prints, and a result is JSON.
        found = run_extract(session, options, each.limits)
    if keep_segments:
        found |= {"kept": run_keeping(session, None if on_ray else options.workers, each.limits)}
        found["failures"] = [vars(failure) for failure in session.workspace.read_failures()]
    session.result(found, lambda out: _show(out, found, session.workspace))


def _show(out: Console, found: dict[str, Any], workspace: "Workspace") -> None:
    """Print how many segments have features, what is flagged, what is kept, and what failed."""
    from antiphon.presentation.flag_words import flag_words

    have = "has" if found["segments"] == 1 else "have"
    out.print(f"{counted(found['segments'], 'segment')} of {counted(found['videos'], 'video')} {have} features.")
    if found["flagged"]:
        flagged = counted(found["flagged"], "segment is flagged", "segments are flagged")
        them = "it" if found["flagged"] == 1 else "them"
        out.print(f"{flagged}; training leaves {them} out unless --keep-flagged is given:", soft_wrap=True)
        for flag, one in found["flags"].items():
            others = "" if one["videos"] == 1 else f" and {one['videos'] - 1:,} more"
            out.print(f"  {flag_words(flag)}: {one['segments']:,}, in {one['first']}{others}", markup=False)
    if "kept" in found:
        kept = found["kept"]
        out.print(
            f"{kept['segments']} segments kept in {workspace.kept}: {kept['bytes'] / 1e6:,.1f} MB, "
            f"{kept['bytes_per_segment'] / 1e6:.2f} MB per segment.",
            soft_wrap=True,
        )
    for failure in found["failures"][:10]:
        out.print(f"  {failure['video_id']}: {failure['message']}", markup=False, soft_wrap=True)
    if found["failures"]:
        out.print(f"{counted(len(found['failures']), 'video')} failed; failures.parquet lists the reasons.")


@contextmanager
def extraction_progress(session: Session) -> "Generator[Callable[[Progress], None]]":
    """Show a progress bar of an extraction.

    Parameters
    ----------
    session : Session
        Session of the command line.

    Yields
    ------
    callable
        Shows the progress that it is given.
    """
    with session.progress("Extracting videos") as report:

        def progress(state: "Progress") -> None:
            failed = f", {state.failed} failed" if state.failed else ""
            report(state.done, state.total, f"{state.videos_per_s:.2f}/s{failed}")

        yield progress


def run_extract(session: Session, options: ExtractOptions, limits: WorkerLimits | None = None) -> dict[str, Any]:
    """Fill the workspace's feature stores, with a progress bar.

    Parameters
    ----------
    session : Session
        Session of the command line.
    options : ExtractOptions
        What to compute, of which stretches, and where.
    limits : WorkerLimits, optional
        Limits of each file.

    Returns
    -------
    dict
        "segments", "videos", "flagged" (segments), "flags" (of each, counts and the first video), "audio",
        "video" and "failures".
    """
    from antiphon.features.extraction import extract as extract_features
    from antiphon.features.shares import share_of

    workspace = session.existing_workspace()
    catalogue = Catalogue.load(workspace.catalogue)
    sampling = _sampling(workspace, options)
    with extraction_progress(session) as progress:
        features = extract_features(
            catalogue,
            None if options.audio == "none" else options.audio,
            None if options.video == "none" else options.video,
            workspace.root,
            sampling=sampling,
            workers=options.workers,
            device=options.device,
            precision=options.precision,
            again=options.again,
            progress=progress,
            limits=limits,
            executor=options.executor,
            ray_address=options.ray_address,
            share=share_of(options.share),
        )
    take_out_of_index(session, {*replaced_since(catalogue, Catalogue.load(workspace.catalogue)), *options.again})
    first = features.first_flagged()
    return {
        "segments": len(features),
        "videos": len(set(features.groups.tolist())),
        "flagged": int(features.flagged.sum()),
        "flags": {flag: counts | {"first": first[flag]} for flag, counts in features.flag_counts().items()},
        "audio": features.audio_name,
        "video": features.video_name,
        "failures": [vars(failure) for failure in workspace.read_failures()],
    }


def _sampling(workspace: "Workspace", options: ExtractOptions) -> SamplingConfig:
    """Return how segments are drawn: as the options say, else as in the workspace."""
    from antiphon.features.planning import stored_sampling

    settings = {"sections": options.sections, "every_s": options.every_s, "seed": options.seed}
    given: dict[str, Any] = {name: value for name, value in settings.items() if value is not None}
    stored = stored_sampling(workspace) or SamplingConfig()
    try:
        return SamplingConfig.model_validate(stored.model_dump() | given)
    except ValidationError as error:
        raise ConfigError(f"{error.errors()[0]['loc'][0]}: {error.errors()[0]['msg']}.") from error


def run_keeping(session: Session, workers: int | None, limits: WorkerLimits | None = None) -> dict[str, int]:
    """Keep the segments that are not kept yet, with a progress bar, after saying how much disk space they need.

    Parameters
    ----------
    session : Session
        Session of the command line.
    workers : int or None
        Number of decoding processes; None: one per core.
    limits : WorkerLimits, optional
        Limits of each file.

    Returns
    -------
    dict of str to int
        "segments", "bytes" and "bytes_per_segment" of all that is kept.
    """
    from antiphon.features.keeping import disk_use, keep_segments, keeping_jobs

    workspace = session.existing_workspace()
    catalogue = Catalogue.load(workspace.catalogue)
    missing = sum(len(job.targets) for job in keeping_jobs(workspace, catalogue))
    if missing:
        each = disk_use(workspace).bytes_per_segment
        free = shutil.disk_usage(workspace.folder).free
        session.say(
            f"{missing} segments to keep, about {each / 1e6:.2f} MB each: {missing * each / 1e9:.2f} GB of "
            f"{free / 1e9:,.1f} GB free."
        )
        with session.progress("Keeping segments") as report:

            def progress(done: int, failed: int, total: int) -> None:
                report(done, total, f"{failed} failed" if failed else "")

            keep_segments(workspace, catalogue, workers=workers, progress=progress, limits=limits)
    use = disk_use(workspace)
    return {"segments": use.segments, "bytes": use.size_bytes, "bytes_per_segment": use.bytes_per_segment}
