"""Catalogue → segments → decoded once → every chosen backbone → feature stores."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from antiphon import backbones
from antiphon.backbones import AudioBackbone, VideoBackbone
from antiphon.catalogue import Catalogue
from antiphon.errors import AntiphonError, CatalogueError, ConfigError, DecodeError, FeatureStoreError
from antiphon.features.assembly import assemble
from antiphon.features.computing import compute_in_threads, window_features, windows_job
from antiphon.features.executors import run_in_processes
from antiphon.features.features import Features
from antiphon.features.keeping import keep_segments as keep
from antiphon.features.planning import plan_segments, stored_sampling
from antiphon.features.store import FeatureStore, VideoFeatures, store_names
from antiphon.media.windows import DecodedWindows, WindowsJob, decode_windows
from antiphon.segments.sampling import SamplingConfig
from antiphon.workspace import Failure, Workspace

STAGE = "extract"
_FLUSH_S = 10.0


@dataclass(frozen=True)
class Progress:
    """How far an extraction has come: videos done and failed in this run, out of those it had to do, and its speed."""

    done: int
    failed: int
    total: int
    videos_per_s: float


@dataclass
class _Target:
    """A backbone, its store, the videos that it has, and rows not yet written."""

    backbone: AudioBackbone | VideoBackbone
    store: FeatureStore
    done: set[str]
    waiting: list[VideoFeatures] = field(default_factory=list)

    def flush(self) -> None:
        # Taken before it is written: an interrupt between the two must not have the rows written again.
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
    keep_segments: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> Features:
    """Compute the features of every video of `catalogue` that the workspace lacks, and return all of them.

    Worker processes decode, each file once for all backbones, while the networks run on what is ready. What has been
    computed is written every few seconds, so that an extraction can be stopped at any moment and started again.
    A file that cannot be used becomes a row in the workspace's `failures.parquet`; it is tried again next time.

    Parameters
    ----------
    audio, video : names of backbones (see `antiphon.backbones.names`), or None to leave that side out.
    workspace : folder for everything that is written; a workspace belongs to one catalogue, which may grow.
    sampling : where segments lie. Default: as the workspace was started with, or the paper's six sections.
    workers : decoding processes. Default: one a core.
    device : "cpu", "cuda" or "auto".
    keep_segments : afterwards also keep the pictures and sound of every segment, for fine-tuning (`features.keeping`):
        about 2 MB each.
    progress : called after every video; where segments are kept, once more for each from the start.

    Raises
    ------
    CatalogueError
        The workspace holds another catalogue.
    WeightsError
        A backbone is unknown, or its weights cannot be had.
    FeatureStoreError
        The workspace's features were made with other weights or settings, or no video gave any feature.
    ConfigError
        Neither side was asked for, or worker processes cannot be started.
    """
    if audio is None and video is None:
        raise ConfigError("Neither sound nor pictures were asked for; name at least one backbone.")
    place = Workspace(Path(workspace))
    chosen = [backbones.load(name, device=device) for name in (audio, video) if name is not None]
    with place.lock():
        known = _join_workspace(place, catalogue)
        extract_into(place, known, chosen, sampling or stored_sampling(place) or SamplingConfig(), workers, progress)
    if keep_segments:
        keep(place, known, workers=workers, progress=None if progress is None else _timed(progress))
    there = store_names(place.features)
    if audio not in there and video not in there:
        failures = place.read_failures()
        reasons = "".join(f"\n  {failure.message}" for failure in failures[:5])
        raise FeatureStoreError(f"None of the {len(catalogue)} videos gave a feature; {len(failures)} failed:{reasons}")
    return assemble(place, catalogue, audio if audio in there else None, video if video in there else None)


def extract_into(
    workspace: Workspace,
    catalogue: Catalogue,
    chosen: Sequence[AudioBackbone | VideoBackbone],
    sampling: SamplingConfig,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> None:
    """Fill the feature stores of a locked workspace with what `catalogue` has and they lack."""
    segments, failures = plan_segments(workspace, catalogue, sampling)
    targets = [_open_target(workspace, backbone, sampling) for backbone in chosen]
    jobs = _jobs(catalogue, segments, targets, sampling.seed)
    names = {job.video_id: [row["segment_id"] for row in segments[job.video_id]] for job in jobs}
    by_video = {failure.video_id: failure for failure in _still_standing(workspace, jobs) + failures}
    started = flushed = time.monotonic()
    done = failed = 0
    decoded = run_in_processes(decode_windows, jobs, workers or os.cpu_count() or 1)
    try:
        for job, computed, problem in compute_in_threads(lambda item: _compute(*item, names, targets), decoded):
            for target, rows in computed:
                target.waiting.append(rows)
            if problem is not None:
                by_video[job.video_id] = Failure(job.video_id, STAGE, type(problem).__name__, str(problem))
                failed += 1
            done += 1
            if progress is not None:
                progress(Progress(done, failed, len(jobs), done / (time.monotonic() - started)))
            if time.monotonic() - flushed > _FLUSH_S:
                _flush(workspace, targets, by_video)
                flushed = time.monotonic()
    finally:
        _flush(workspace, targets, by_video)


def _timed(progress: Callable[[Progress], None]) -> Callable[[int, int, int], None]:
    started = time.monotonic()
    return lambda done, failed, total: progress(Progress(done, failed, total, done / (time.monotonic() - started)))


def _join_workspace(workspace: Workspace, catalogue: Catalogue) -> Catalogue:
    """The workspace's catalogue with `catalogue` joined, headers read, and saved."""
    joined = catalogue
    if workspace.catalogue.exists():
        stored = Catalogue.load(workspace.catalogue)
        if not set(stored.ids) & set(catalogue.ids):
            raise CatalogueError(
                f"{workspace.root}: holds another catalogue ({len(stored)} videos, the first is '{stored.ids[0]}') "
                f"and none of yours ({len(catalogue)}, the first is '{catalogue.ids[0]}'). Use another workspace."
            )
        joined = stored.extended(catalogue)
    joined, _ = joined.probe()
    joined.save(workspace.catalogue)
    return joined


def _open_target(workspace: Workspace, backbone: AudioBackbone | VideoBackbone, sampling: SamplingConfig) -> _Target:
    made_by = {
        "backbone": backbone.name,
        "modality": backbone.modality,
        "weights": backbone.fingerprint,
        "sampling": sampling.model_dump_json(),
    }
    if isinstance(backbone, VideoBackbone):
        made_by["frames"] = backbone.layout.model_dump_json()
    store = FeatureStore(workspace.features / backbone.name, made_by)
    return _Target(backbone, store, store.done())


def _still_standing(workspace: Workspace, jobs: Sequence[WindowsJob]) -> list[Failure]:
    """Earlier failures of videos that this run does not try again, because it asks for another side of them."""
    tried = {job.video_id for job in jobs}
    return [item for item in workspace.read_failures() if item.stage == STAGE and item.video_id not in tried]


def _jobs(
    catalogue: Catalogue, segments: dict[str, list[dict[str, Any]]], targets: Sequence[_Target], seed: int
) -> list[WindowsJob]:
    jobs: list[WindowsJob] = []
    for row in catalogue.records():
        windows = [(planned["window_start_s"], planned["window_end_s"]) for planned in segments.get(row["id"], [])]
        lacking = [
            target.backbone
            for target in targets
            if row["id"] not in target.done and row[f"has_{target.backbone.modality}"]
        ]
        if windows and lacking:
            jobs.append(windows_job(row["id"], row["path"], windows, lacking, seed))
    return jobs


def _compute(
    job: WindowsJob,
    decoded: DecodedWindows | AntiphonError,
    names: dict[str, list[str]],
    targets: Sequence[_Target],
) -> tuple[WindowsJob, list[tuple[_Target, VideoFeatures]], AntiphonError | None]:
    """Run the networks on one video's windows, always the same batch, so that a resumed run gives the same bits.

    Returns what was computed and what went wrong; with one side damaged, both.
    """
    if isinstance(decoded, AntiphonError):
        return job, [], decoded
    computed: list[tuple[_Target, VideoFeatures]] = []
    try:
        for target in targets:
            audio = isinstance(target.backbone, AudioBackbone)
            there = decoded.waveforms is not None if audio else bool(decoded.frames)
            if there and job.video_id not in target.done:
                vectors = window_features(target.backbone, decoded)
                computed.append((target, VideoFeatures(job.video_id, names[job.video_id], vectors)))
    except DecodeError as error:
        return job, [], DecodeError(f"{job.path}: {error}")
    return job, computed, DecodeError(decoded.problem) if decoded.problem else None


def _flush(workspace: Workspace, targets: Sequence[_Target], failures: dict[str, Failure]) -> None:
    for target in targets:
        target.flush()
    workspace.write_failures(failures.values())
