"""What becomes of computed videos: feature rows, attributes and failures, written every few seconds."""

import time
from collections.abc import Iterable, Mapping, Sequence

from antiphon.features.attributes import AttributesTable
from antiphon.features.computed_videos import ComputedVideo
from antiphon.features.failing import file_failure
from antiphon.features.targets import Target
from antiphon.workspace import Failure, Workspace

STAGE = "extract"
FLUSH_S = 10.0
FLUSH_TO_STORE_S = 60.0
"""Time between two parts of a store."""


class Recorder:
    """Writes computed videos into a workspace; nobody else writes to it meanwhile.

    Parameters
    ----------
    workspace : Workspace
        Workspace, locked by this process.
    targets : sequence of Target
        Backbones with their stores.
    attributes : AttributesTable
        Attributes measured so far.
    segment_ids : mapping of str to sequence of str
        Ids of the segments of each video's windows.
    failures : iterable of Failure
        Failures to keep.

    Attributes
    ----------
    done, failed : int
        Videos taken, and how many of them failed.
    """

    def __init__(
        self,
        workspace: Workspace,
        targets: Sequence[Target],
        attributes: AttributesTable,
        segment_ids: Mapping[str, Sequence[str]],
        failures: Iterable[Failure],
    ) -> None:
        self._workspace, self._targets = workspace, targets
        self._attributes, self._segment_ids = attributes, segment_ids
        self._failures = {failure.video_id: failure for failure in failures}
        self._flushed_s = time.monotonic()
        self.done = self.failed = 0

    def take(self, video: ComputedVideo) -> None:
        """Take a video, and write if the last time was a while ago.

        Parameters
        ----------
        video : ComputedVideo
            A video that was not taken yet.
        """
        video_id = video.job.video_id
        for target in self._targets:
            target.take(video, self._segment_ids[video_id])
        if video.attributes.windows:
            self._attributes.add(video_id, video.attributes)
        if video.problem is not None:
            uri = str(video.job.path)
            self._failures[video_id] = file_failure(self._workspace, video_id, STAGE, uri, video.problem)
            self.failed += 1
        self.done += 1
        if time.monotonic() - self._flushed_s > (FLUSH_S if self._workspace.is_local else FLUSH_TO_STORE_S):
            self._write()
            self._attributes.flush()
            self._flushed_s = time.monotonic()

    def close(self) -> None:
        """Write all that waits."""
        self._write()
        self._attributes.flush(at_once=True)

    def _write(self) -> None:
        for target in self._targets:
            target.flush()
        self._workspace.write_failures(self._failures.values())
