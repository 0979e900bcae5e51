"""Extraction: catalogue → segments → each file decoded once → every chosen backbone → feature stores."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from antiphon import backbones
from antiphon.backbones import AudioBackbone, VideoBackbone
from antiphon.backbones.arithmetic import Precision
from antiphon.catalogue import Catalogue
from antiphon.errors import ConfigError, FeatureStoreError
from antiphon.features.assembly import assemble
from antiphon.features.attributes import AttributesTable
from antiphon.features.executors import ComputeVideos, in_processes, opened_executor
from antiphon.features.features import Features
from antiphon.features.keeping import keep_segments as keep
from antiphon.features.named_stores import store_names
from antiphon.features.planning import PlannedSegments, plan_segments
from antiphon.features.recording import STAGE, Recorder
from antiphon.features.renewal import renew
from antiphon.features.shares import WHOLE, Share, is_in_share, refuse_no_share
from antiphon.features.targets import extraction_jobs, lacking, open_target, tell_of_mixtures
from antiphon.features.workspace_catalogue import join_workspace
from antiphon.media.windows import WindowsJob
from antiphon.places import Place
from antiphon.places import place as place_of
from antiphon.plurals import counted
from antiphon.segments.sampling import SamplingConfig
from antiphon.workers.limits import WorkerLimits
from antiphon.workspace import Failure, Workspace


@dataclass(frozen=True)
class Progress:
    """Progress of an extraction.

    Attributes
    ----------
    done, failed : int
        Videos finished in this run, and how many of them failed.
    total : int
        Videos to process in this run.
    videos_per_s : float
        Speed in videos per second.
    """

    done: int
    failed: int
    total: int
    videos_per_s: float


def extract(
    catalogue: Catalogue,
    audio: str | None = "musicnn-mtt",
    video: str | None = "efficientnet_lite0",
    workspace: str | Place = "antiphon-workspace",
    *,
    sampling: SamplingConfig | None = None,
    workers: int | None = None,
    device: str = "auto",
    precision: Precision = "float32",
    keep_segments: bool = False,
    again: Collection[str] = (),
    share: Share = WHOLE,
    progress: Callable[[Progress], None] | None = None,
    limits: WorkerLimits | None = None,
    executor: str = "local",
    ray_address: str | None = None,
) -> Features:
    """Compute the features of every video of a catalogue that a workspace lacks, and return all of them.

    Worker processes decode, each file once for all backbones, while the networks run on what is ready. Results are
    written every few seconds, so that an extraction can be stopped at any moment and resumed. Files that cannot be read
    are listed in the workspace's `failures.parquet` and tried again next time. A file that was replaced since is
    computed again; one that was moved is found by its content if the catalogue has its new path; what was computed of
    files that are gone stays.

    Parameters
    ----------
    catalogue : Catalogue
        Videos to extract.
    audio, video : str or None, default 'musicnn-mtt'
        Name of a backbone for each modality (see `antiphon.backbones.names`), or None to leave it out.
    workspace : str or Path, default 'antiphon-workspace'
        Folder for all output, or address of one in a store, such as s3://bucket/work, into which several machines may
        extract at once. A workspace belongs to one catalogue, which may grow.
    sampling : SamplingConfig, optional
        Position of the segments. Default: that of the workspace, or the paper's six sections.
    workers : int, optional
        Number of decoding processes, by default one per core; or of Ray's workers, by default one for four cores, or
        for each GPU.
    device : str, default 'auto'
        "cpu", "cuda" or "auto".
    precision : {'float32', 'tf32', 'bfloat16'}, default 'float32'
        Precision of the networks. Less than float32 needs a GPU, is faster there, and is not mixed with other features.
    keep_segments : bool, default False
        Also keep the frames and audio of every segment for fine-tuning, about 2 MB each.
    again : collection of str, optional
        Ids of videos to compute again, whatever the workspace has of them.
    share : tuple of (int, int), default (1, 1)
        Compute only the videos of one share, such as (2, 8) for the second of eight: each machine that extracts into
        one workspace gets one. The id of a video decides, so that it stays in its share as the catalogue grows.
    progress : callable, optional
        Called after every video; with `keep_segments` once more for each, counting from the start.
    limits : WorkerLimits, optional
        Time that reading one window of a file may take, and memory that a file may take. Files beyond them fail.
        Default: 60 s and 2 GB.
    executor : {'local', 'ray'}, default 'local'
        What decodes and computes: processes of this machine, or workers of a Ray cluster, which find the files under
        the same paths. Only this process writes to the workspace. With Ray, segments are still kept by this machine.
    ray_address : str, optional
        Ray cluster to use, such as "auto" for the one that this machine belongs to. Default: that of the environment
        variable RAY_ADDRESS, or a Ray of its own on this machine.

    Returns
    -------
    Features
        Features of all videos of the catalogue that could be read.

    Raises
    ------
    CatalogueError
        The workspace has another catalogue.
    WeightsError
        A backbone is unknown, or its weights are not available.
    FeatureStoreError
        The workspace's features were made with other weights or settings, or no feature could be computed.
    ConfigError
        `audio` and `video` are both None, or one is "none", an id of `again` is unknown, `share` is none or has no
        videos, segments are to be kept of a share alone, worker processes cannot be started, or Ray is not installed or
        cannot be reached.
    """
    if audio is None and video is None:
        raise ConfigError("audio and video are both None. Name at least one backbone.")
    _refuse_none_in_words(audio=audio, video=video)
    audio = None if audio is None else backbones.resolved(audio, "audio")
    video = None if video is None else backbones.resolved(video, "video")
    refuse_no_share(share, catalogue)
    if keep_segments and share != WHOLE:
        raise ConfigError("share: segments are kept of the whole catalogue. Keep them in a run without a share.")
    place = Workspace(place_of(workspace))
    if keep_segments:
        _ = place.folder
    with opened_executor(executor, device, precision, ray_address) as run:
        chosen = [run.load(name) for name in (audio, video) if name is not None]
        with place.lock():
            known, own, unreadable = join_workspace(place, catalogue, limits, stacklevel=2)
            stores = [backbone.name for backbone in chosen]
            renewed = [name for name in again if is_in_share(name, share)]  # The others are renewed by other machines.
            known = renew(place, known, renewed, stores, kept=keep_segments, limits=limits)
            segments = extract_into(
                place, known, chosen, sampling, workers, progress, limits, unreadable, run.videos, share
            )
    if keep_segments:
        keep(place, known, workers=workers, progress=None if progress is None else _timed(progress), limits=limits)
    there = store_names(place.features)
    if audio not in there and video not in there:
        failures = place.read_failures()
        reasons = "".join(f"\n  {failure.message}" for failure in failures[:5])
        raise FeatureStoreError(
            f"No feature could be computed for any of {counted(len(catalogue), 'video')}; {len(failures)} failed:"
            f"{reasons}"
        )
    audio, video = (name if name in there else None for name in (audio, video))
    return assemble(place, own, audio, video, segments)


def _refuse_none_in_words(**chosen: str | None) -> None:
    """Refuse the word of the command line that leaves a modality out."""
    for modality, name in chosen.items():
        if name == "none":
            raise ConfigError(f"{modality}: there is no backbone 'none'. To leave {modality} out: {modality}=None.")


def extract_into(
    workspace: Workspace,
    catalogue: Catalogue,
    chosen: Sequence[AudioBackbone | VideoBackbone],
    sampling: SamplingConfig | None = None,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    limits: WorkerLimits | None = None,
    unreadable: Mapping[str, str] | None = None,
    videos: ComputeVideos = in_processes,
    share: Share = WHOLE,
) -> PlannedSegments:
    """Fill the feature stores of a locked workspace, and return its segments.

    Parameters
    ----------
    workspace : Workspace
        Workspace whose lock is held.
    catalogue : Catalogue
        Videos to extract.
    chosen : sequence of AudioBackbone or VideoBackbone
        Backbones, loaded.
    sampling : SamplingConfig, optional
        Position of the segments. Default: that of the workspace, or the paper's six sections.
    workers : int, optional
        Number of decoding processes, or of Ray's workers. Default: as in `extract`.
    progress : callable, optional
        Called after every video.
    limits : WorkerLimits, optional
        As in `extract`.
    unreadable : mapping of str to str, optional
        As in `plan_segments`.
    videos : callable, default `in_processes`
        What decodes videos and computes their features.
    share : tuple of (int, int), default (1, 1)
        As in `extract`.

    Raises
    ------
    FeatureStoreError
        The workspace's features were made with other weights or settings.
    ConfigError
        Worker processes cannot be started.
    """
    segments, failures = plan_segments(workspace, catalogue, sampling, unreadable, limits)
    settings = segments.sampling or SamplingConfig()
    targets = [open_target(workspace, backbone, settings) for backbone in chosen]
    attributes = AttributesTable(workspace, segments.by_video)
    jobs = extraction_jobs(catalogue, segments.by_video, targets, settings.seed, attributes.videos)
    jobs = [job for job in jobs if is_in_share(job.video_id, share)]
    growing = [target for target in targets if any(job.video_id not in target.done for job in jobs)]
    tell_of_mixtures(growing, stacklevel=3)
    names = {job.video_id: [row["segment_id"] for row in segments.by_video[job.video_id]] for job in jobs}
    recorder = Recorder(workspace, targets, attributes, names, _earlier_failures(workspace, jobs) + failures)
    started = time.monotonic()
    computed = videos(jobs, lambda job: lacking(targets, job.video_id), workers, limits or WorkerLimits())
    try:
        with closing(computed):
            for video in computed:
                recorder.take(video)
                if progress is not None:
                    speed = recorder.done / (time.monotonic() - started)
                    progress(Progress(recorder.done, recorder.failed, len(jobs), speed))
    finally:
        recorder.close()
    return segments


def _timed(progress: Callable[[Progress], None]) -> Callable[[int, int, int], None]:
    started = time.monotonic()
    return lambda done, failed, total: progress(Progress(done, failed, total, done / (time.monotonic() - started)))


def _earlier_failures(workspace: Workspace, jobs: Sequence[WindowsJob]) -> list[Failure]:
    """Return earlier failures of videos that this run does not try again, since it needs another modality of them."""
    tried = {job.video_id for job in jobs}
    return [item for item in workspace.read_failures() if item.stage == STAGE and item.video_id not in tried]
