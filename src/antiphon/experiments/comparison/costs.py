"""What a backbone costs a music video, measured on files of the catalogue."""

import resource
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from antiphon.catalogue import Catalogue
from antiphon.errors import AntiphonError
from antiphon.features.extraction import extract
from antiphon.features.planning import stored_sampling
from antiphon.segments.sampling import SamplingConfig
from antiphon.workers.pool import run_in_processes
from antiphon.workspace import Workspace

NUM_VIDEOS = 3

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class _Job:
    """A backbone, and the files to measure it on."""

    backbone: str
    modality: str
    catalogue: Catalogue
    sampling: SamplingConfig


def backbone_costs(
    workspace: Workspace, backbones: Iterable[tuple[str, str]], progress: Progress | None = None
) -> list[dict[str, Any]]:
    """Measure what decoding a music video and computing its features costs, for each backbone alone.

    Each is run in a process of its own on the processor, over one and over four files that had features before; the
    difference is what three more files cost, without starting and loading.

    Parameters
    ----------
    workspace : Workspace
        Workspace with a catalogue.
    backbones : iterable of (str, str)
        Name and modality of each.
    progress : callable, optional
        Called with the backbones done, the number of all, and the last one's name.

    Returns
    -------
    list of dict
        For each backbone "backbone", and "videos", "processor_s" (a music video) and "memory_mb" (the peak of the
        process that computes and that of the one that decodes, added), or "reason" why there are none, as of
        vectors that were imported.
    """
    catalogue = Catalogue.load(workspace.catalogue)
    sampling = stored_sampling(workspace) or SamplingConfig()
    failed = {failure.video_id for failure in workspace.read_failures()}
    usable = (row for row in catalogue.records() if row["id"] not in failed and row["path"] is not None)
    few = list(islice((row for row in usable if Path(str(row["path"])).is_file()), NUM_VIDEOS + 1))
    if len(few) <= NUM_VIDEOS:
        reason = f"fewer than {NUM_VIDEOS + 1} files of the catalogue are there"
        return [{"backbone": name, "reason": reason} for name, _ in backbones]
    jobs = [_Job(name, modality, Catalogue(few), sampling) for name, modality in backbones]
    costs: list[dict[str, Any]] = []
    for job in jobs:
        # A worker of its own, whose peak of memory is of this backbone alone.
        ((_, found),) = run_in_processes(_measured, [job], 1)
        told = {"reason": str(found)} if isinstance(found, AntiphonError) else found
        costs.append({"backbone": job.backbone} | told)
        if progress is not None:
            progress(len(costs), len(jobs), job.backbone)
    return costs


def _measured(job: _Job) -> dict[str, Any]:
    spent: list[float] = []
    for count in (1, 1, NUM_VIDEOS + 1):  # The first also imports and compiles.
        before = _processor_s()
        with tempfile.TemporaryDirectory(prefix="antiphon-costs-") as folder:
            extract(
                Catalogue(job.catalogue.records()[:count]),
                job.backbone if job.modality == "audio" else None,
                job.backbone if job.modality == "video" else None,
                folder,
                sampling=job.sampling,
                workers=1,
                device="cpu",
            )
        spent.append(_processor_s() - before)
    kilobytes = 1024 if sys.platform == "darwin" else 1
    peaks = [resource.getrusage(who).ru_maxrss / kilobytes for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {
        "videos": NUM_VIDEOS,
        "processor_s": round(max(0.0, spent[2] - spent[1]) / NUM_VIDEOS, 2),
        "memory_mb": round(sum(peaks) / 1024),
    }


def _processor_s() -> float:
    """Return the processor time of this process and of those that it has waited for."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
