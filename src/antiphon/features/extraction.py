"""Extraction: catalogue → segments → each file decoded once → every chosen backbone → feature stores."""

import os
import time
import warnings
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from antiphon import backbones
from antiphon.backbones import AudioBackbone, VideoBackbone
from antiphon.backbones.arithmetic import WHY_COMPATIBLE, Precision
from antiphon.catalogue import Catalogue
from antiphon.catalogue.joining import join
from antiphon.errors import CatalogueError, ConfigError, FeatureStoreError
from antiphon.features.assembly import assemble
from antiphon.features.attributes import AttributesTable, measured_segments
from antiphon.features.computed_videos import ComputedVideo, computed_videos
from antiphon.features.computing import on_gpu, windows_job
from antiphon.features.failing import file_failure
from antiphon.features.features import Features
from antiphon.features.forgetting import bring_up_to_date
from antiphon.features.keeping import keep_segments as keep
from antiphon.features.planning import PlannedSegments, plan_segments
from antiphon.features.renewal import renew
from antiphon.features.store import FeatureStore, VideoFeatures, store_names
from antiphon.media.extents import Extents
from antiphon.media.windows import WindowsJob
from antiphon.plurals import counted
from antiphon.segments.sampling import SamplingConfig
from antiphon.workers.limits import WorkerLimits
from antiphon.workspace import Failure, Workspace

STAGE = "extract"
_FLUSH_S = 10.0


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


@dataclass
class _Target:
    """Backbone with its store, the videos that the store has, and rows not yet written."""

    backbone: AudioBackbone | VideoBackbone
    store: FeatureStore
    done: set[str]
    waiting: list[VideoFeatures] = field(default_factory=list)

    def flush(self) -> None:
        # Clear before writing, so that an interrupt in between cannot make the rows be written twice.
        rows, self.waiting = self.waiting, []
        self.store.append(rows)


def extract(
    catalogue: Catalogue,
    audio: str | None = "musicnn-mtt",
    video: str | None = "efficientnet_lite0",
    workspace: str | Path = "antiphon-workspace",
    *,
    sampling: SamplingConfig | None = None,
    workers: int | None = None,
    device: str = "auto",
    precision: Precision = "float32",
    keep_segments: bool = False,
    again: Collection[str] = (),
    progress: Callable[[Progress], None] | None = None,
    limits: WorkerLimits | None = None,
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
        Folder for all output. A workspace belongs to one catalogue, which may grow.
    sampling : SamplingConfig, optional
        Position of the segments. Default: that of the workspace, or the paper's six sections.
    workers : int, optional
        Number of decoding processes. Default: one per core.
    device : str, default 'auto'
        "cpu", "cuda" or "auto".
    precision : {'float32', 'tf32', 'bfloat16'}, default 'float32'
        Precision of the networks. Less than float32 needs a GPU, is faster there, and is not mixed with other features.
    keep_segments : bool, default False
        Also keep the frames and audio of every segment for fine-tuning, about 2 MB each.
    again : collection of str, optional
        Ids of videos to compute again, whatever the workspace has of them.
    progress : callable, optional
        Called after every video; with `keep_segments` once more for each, counting from the start.
    limits : WorkerLimits, optional
        Time that reading one window of a file may take, and memory that a file may take. Files beyond them fail.
        Default: 60 s and 2 GB.

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
        `audio` and `video` are both None, an id of `again` is unknown, or worker processes cannot be started.
    """
    if audio is None and video is None:
        raise ConfigError("audio and video are both None. Name at least one backbone.")
    place = Workspace(Path(workspace))
    chosen = [backbones.load(name, device=device, precision=precision) for name in (audio, video) if name is not None]
    with place.lock():
        known, own, unreadable = _join_workspace(place, catalogue, limits)
        known = renew(place, known, again, [backbone.name for backbone in chosen], kept=keep_segments, limits=limits)
        segments = extract_into(place, known, chosen, sampling, workers, progress, limits, unreadable)
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


def extract_into(
    workspace: Workspace,
    catalogue: Catalogue,
    chosen: Sequence[AudioBackbone | VideoBackbone],
    sampling: SamplingConfig | None = None,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    limits: WorkerLimits | None = None,
    unreadable: Mapping[str, str] | None = None,
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
        Number of decoding processes. Default: one per core.
    progress : callable, optional
        Called after every video.
    limits : WorkerLimits, optional
        As in `extract`.
    unreadable : mapping of str to str, optional
        As in `plan_segments`.

    Raises
    ------
    FeatureStoreError
        The workspace's features were made with other weights or settings.
    ConfigError
        Worker processes cannot be started.
    """
    segments, failures = plan_segments(workspace, catalogue, sampling, unreadable, limits)
    settings = segments.sampling or SamplingConfig()
    targets = [_open_target(workspace, backbone, settings) for backbone in chosen]
    attributes = AttributesTable(workspace, segments.by_video)
    jobs = _jobs(catalogue, segments.by_video, targets, settings.seed, attributes.videos)
    _tell_of_mixtures(target for target in targets if any(job.video_id not in target.done for job in jobs))
    names = {job.video_id: [row["segment_id"] for row in segments.by_video[job.video_id]] for job in jobs}
    by_video = {failure.video_id: failure for failure in _earlier_failures(workspace, jobs) + failures}
    started = flushed = time.monotonic()
    done = failed = 0
    videos = computed_videos(
        jobs,
        lambda job: _lacking(targets, job),
        workers or os.cpu_count() or 1,
        limits or WorkerLimits(),
        gpu=on_gpu(chosen),
    )
    try:
        with closing(videos):
            for video in videos:
                video_id = video.job.video_id
                _take(video, names[video_id], targets)
                if video.attributes.windows:
                    attributes.add(video_id, video.attributes)
                if video.problem is not None:
                    by_video[video_id] = file_failure(workspace, video_id, STAGE, str(video.job.path), video.problem)
                    failed += 1
                done += 1
                if progress is not None:
                    progress(Progress(done, failed, len(jobs), done / (time.monotonic() - started)))
                if time.monotonic() - flushed > _FLUSH_S:
                    _flush(workspace, targets, by_video)
                    attributes.flush()
                    flushed = time.monotonic()
    finally:
        _flush(workspace, targets, by_video)
        attributes.flush(at_once=True)
    return segments


def _take(video: ComputedVideo, segment_ids: Sequence[str], targets: Sequence[_Target]) -> None:
    """Let the features of a video wait to be written."""
    for target in targets:
        found = video.features.get(target.backbone.name)
        if found is not None:
            own = [segment_ids[number] for number in video.job.windows_of(target.backbone.modality)]
            target.waiting.append(VideoFeatures(video.job.video_id, own, found.vectors, found.flags))


def _timed(progress: Callable[[Progress], None]) -> Callable[[int, int, int], None]:
    started = time.monotonic()
    return lambda done, failed, total: progress(Progress(done, failed, total, done / (time.monotonic() - started)))


def _join_workspace(
    workspace: Workspace, catalogue: Catalogue, limits: WorkerLimits | None
) -> tuple[Catalogue, Catalogue, dict[str, str]]:
    """Bring the workspace's catalogue up to date with `catalogue`.

    Return it, `catalogue` under the ids there, and why files are unreadable.
    """
    stored = Catalogue.load(workspace.catalogue) if workspace.catalogue.exists() else None
    joined = join([] if stored is None else stored.records(), catalogue.records())
    known = set(joined.names.values()) | set(catalogue.ids)
    if stored is not None and not known & set(stored.ids):
        raise CatalogueError(
            f"{workspace.root}: has another catalogue ({len(stored)} videos from '{stored.ids[0]}' on) that shares "
            f"no video with this one ({len(catalogue)} from '{catalogue.ids[0]}' on). Use another workspace."
        )
    probed = {row["id"] for row in joined.rows if row.get("has_audio") is not None}
    current, found, unreadable = bring_up_to_date(workspace, Catalogue(joined.rows), limits=limits, stored=stored)
    for videos, *words in (
        (
            found.replaced,
            "file was replaced since; what was computed of it is computed again",
            "files were replaced since; what was computed of them is computed again",
        ),
        (
            found.gone,
            "file is gone; what was computed of it stays",
            "files are gone; what was computed of them stays",
        ),
    ):
        changed = [name for name in videos if name in probed]
        if changed:
            warnings.warn(f"{counted(len(changed), *words)}: '{changed[0]}' is the first.", stacklevel=3)
    own = {joined.names[row["id"]]: row | {"id": joined.names[row["id"]]} for row in catalogue.records()}
    return current, Catalogue(list(own.values())), unreadable


def _open_target(workspace: Workspace, backbone: AudioBackbone | VideoBackbone, sampling: SamplingConfig) -> _Target:
    made_by = {
        "backbone": backbone.name,
        "modality": backbone.modality,
        "weights": backbone.fingerprint,
        "sampling": sampling.model_dump_json(),
    }
    if isinstance(backbone, VideoBackbone):
        made_by["frames"] = backbone.layout.model_dump_json()
    store = FeatureStore(workspace.features / backbone.name, made_by, backbone.arithmetic)
    return _Target(backbone, store, store.done())


def _tell_of_mixtures(targets: Iterable[_Target]) -> None:
    """Say where rows are added to others that another, compatible arithmetic made."""
    for target in targets:
        others = target.store.arithmetics() - {target.backbone.arithmetic}
        if others:
            warnings.warn(
                f"{target.backbone.name}: the workspace has features in {' and '.join(sorted(others))}, and new ones "
                f"are computed in {target.backbone.arithmetic}. {WHY_COMPATIBLE}",
                stacklevel=4,
            )


def _earlier_failures(workspace: Workspace, jobs: Sequence[WindowsJob]) -> list[Failure]:
    """Return earlier failures of videos that this run does not try again, since it needs another modality of them."""
    tried = {job.video_id for job in jobs}
    return [item for item in workspace.read_failures() if item.stage == STAGE and item.video_id not in tried]


def _jobs(
    catalogue: Catalogue,
    segments: dict[str, list[dict[str, Any]]],
    targets: Sequence[_Target],
    seed: int,
    with_attributes: Collection[str],
) -> list[WindowsJob]:
    jobs: list[WindowsJob] = []
    for row in catalogue.records():
        windows = [(planned["window_start_s"], planned["window_end_s"]) for planned in segments.get(row["id"], [])]
        extents = Extents.of(row)
        lacking = [
            target.backbone
            for target in targets
            if row["id"] not in target.done
            and row[f"has_{target.backbone.modality}"]
            and any(extents.hold(target.backbone.modality, *window) for window in windows)
        ]
        if lacking:
            job = windows_job(row["id"], row["path"], windows, lacking, seed, extents)
            measured = () if row["id"] in with_attributes else measured_segments(segments[row["id"]])
            # Attributes come with pictures that are decoded anyway.
            jobs.append(replace(job, segments=measured) if job.layouts else job)
    return jobs


def _lacking(targets: Sequence[_Target], job: WindowsJob) -> list[AudioBackbone | VideoBackbone]:
    return [target.backbone for target in targets if job.video_id not in target.done]


def _flush(workspace: Workspace, targets: Sequence[_Target], failures: dict[str, Failure]) -> None:
    for target in targets:
        target.flush()
    workspace.write_failures(failures.values())
