"""What an extraction computes: the feature store of each backbone, and the windows of the videos that some lack."""

import warnings
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from antiphon.backbones import VideoBackbone
from antiphon.backbones.arithmetic import WHY_COMPATIBLE
from antiphon.catalogue import Catalogue
from antiphon.features.attributes import measured_segments
from antiphon.features.computed_videos import Backbone, ComputedVideo
from antiphon.features.computing import windows_job
from antiphon.features.named_stores import store_folder
from antiphon.features.store import FeatureStore, VideoFeatures
from antiphon.media.extents import Extents
from antiphon.media.windows import WindowsJob
from antiphon.segments.sampling import SamplingConfig
from antiphon.workspace import Workspace


@dataclass
class Target:
    """Backbone with its store.

    Attributes
    ----------
    backbone : AudioBackbone or VideoBackbone
        The backbone.
    store : FeatureStore
        Its store.
    done : set of str
        Ids of the videos that the store had at the start.
    waiting : list of VideoFeatures
        Features not yet written.
    """

    backbone: Backbone
    store: FeatureStore
    done: set[str]
    waiting: list[VideoFeatures] = field(default_factory=list[VideoFeatures])

    def take(self, video: ComputedVideo, segment_ids: Sequence[str]) -> None:
        """Let the features of a video wait to be written.

        Parameters
        ----------
        video : ComputedVideo
            The video.
        segment_ids : sequence of str
            Ids of the segments of its windows.
        """
        found = video.features.get(self.backbone.name)
        if found is not None:
            own = [segment_ids[number] for number in video.job.windows_of(self.backbone.modality)]
            self.waiting.append(VideoFeatures(video.job.video_id, own, found.vectors, found.flags))

    def flush(self) -> None:
        """Write what waits as one part."""
        # Clear before writing, so that an interrupt in between cannot make the rows be written twice.
        rows, self.waiting = self.waiting, []
        self.store.append(rows)


def open_target(workspace: Workspace, backbone: Backbone, sampling: SamplingConfig) -> Target:
    """Open the store of a backbone.

    Parameters
    ----------
    workspace : Workspace
        Workspace.
    backbone : AudioBackbone or VideoBackbone
        Backbone.
    sampling : SamplingConfig
        Position of the segments.

    Returns
    -------
    Target
        The backbone with its store.

    Raises
    ------
    FeatureStoreError
        The features there were made with other weights or settings.
    """
    made_by = {
        "backbone": backbone.name,
        "modality": backbone.modality,
        "weights": backbone.fingerprint,
        "sampling": sampling.model_dump_json(),
    }
    if backbone.revision:
        made_by["revision"] = backbone.revision
    if isinstance(backbone, VideoBackbone):
        made_by["frames"] = backbone.layout.model_dump_json()
    store = FeatureStore(store_folder(workspace.features, backbone.name), made_by, backbone.arithmetic)
    return Target(backbone, store, store.done())


def lacking(targets: Sequence[Target], video_id: str) -> list[Backbone]:
    """List the backbones whose stores lack a video."""
    return [target.backbone for target in targets if video_id not in target.done]


def extraction_jobs(
    catalogue: Catalogue,
    segments: Mapping[str, Sequence[dict[str, Any]]],
    targets: Sequence[Target],
    seed: int,
    with_attributes: Collection[str],
) -> list[WindowsJob]:
    """Plan what to decode of the videos that a store lacks.

    Parameters
    ----------
    catalogue : Catalogue
        Videos.
    segments : mapping of str to sequence of dict
        Rows of `SEGMENTS` by video.
    targets : sequence of Target
        Backbones with their stores.
    seed : int
        Seed of random crops.
    with_attributes : collection of str
        Ids of the videos whose attributes are known.

    Returns
    -------
    list of WindowsJob
        One for each video.
    """
    jobs: list[WindowsJob] = []
    for row in catalogue.records():
        own = segments.get(row["id"], [])
        windows = [(planned["window_start_s"], planned["window_end_s"]) for planned in own]
        extents = Extents.of(row)
        wanted = [
            backbone
            for backbone in lacking(targets, row["id"])
            if row[f"has_{backbone.modality}"] and any(extents.hold(backbone.modality, *window) for window in windows)
        ]
        if wanted:
            job = windows_job(row["id"], row["path"], windows, wanted, seed, extents)
            measured = () if row["id"] in with_attributes else measured_segments(own)
            # Attributes come with pictures that are decoded anyway.
            jobs.append(replace(job, segments=measured) if job.layouts else job)
    return jobs


def tell_of_mixtures(targets: Iterable[Target], *, stacklevel: int) -> None:
    """Warn where rows are added to others that another, compatible arithmetic made.

    Parameters
    ----------
    targets : iterable of Target
        Those that get rows.
    stacklevel : int
        As in `warnings.warn`, counted from the caller.
    """
    for target in targets:
        others = target.store.arithmetics() - {target.backbone.arithmetic}
        if others:
            warnings.warn(
                f"{target.backbone.name}: the workspace has features in {' and '.join(sorted(others))}, and new ones "
                f"are computed in {target.backbone.arithmetic}. {WHY_COMPATIBLE}",
                stacklevel=stacklevel + 1,
            )
