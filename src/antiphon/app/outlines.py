"""Outlines of sound and pictures for timelines: made in processes of their own, kept in the workspace."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from antiphon.app.kept_files import KeptFiles, file_version
from antiphon.app.library import Video
from antiphon.documents import parsed_object
from antiphon.embeddings import Modality
from antiphon.errors import DecodeError
from antiphon.media.opening import CataloguedFile
from antiphon.media.outlines import MAX_PEAK, MAX_PEAKS, picture_outline, sound_outline
from antiphon.shapes import Number, Shape
from antiphon.workers.limits import CrashError, LimitError, WorkerLimits
from antiphon.workers.worker import Worker

MAX_OUTLINES = 20_000
"""About 120 MB, at 6 kB each in the synthetic catalogue."""
_MAX_BYTES = 1 << 19
_LIMITS = WorkerLimits(step_s=120.0, job_s=120.0, memory_bytes=1_500_000_000)
_NOTHING: dict[Modality, dict[str, object]] = {
    "audio": {"length_s": 0.0, "peaks": [], "beats_s": []},
    "video": {"length_s": 0.0, "cuts_s": [], "frames_per_s": 25.0},
}

Peak = Annotated[int, Field(ge=0, le=MAX_PEAK)]


class _Sound(Shape):
    length_s: Number
    peaks: Annotated[list[Peak], Field(max_length=MAX_PEAKS)]
    beats_s: list[Number]


class _Pictures(Shape):
    length_s: Number
    cuts_s: list[Number]
    frames_per_s: Annotated[float, Field(gt=0, le=1000)]


class OutlineJob(NamedTuple):
    """A file, its length in seconds, and which side of it to outline."""

    file: CataloguedFile
    length_s: float
    side: Modality


class Outlines:
    """Outlines of the catalogue's files; one that cannot be made within the limits is kept as one of nothing.

    Parameters
    ----------
    folder : Path
        Folder of the cache.
    max_outlines : int
        Maximum number of kept ones; beyond it, the tenth that was used longest ago is removed.
    """

    def __init__(self, folder: Path, max_outlines: int = MAX_OUTLINES) -> None:
        self._files = KeptFiles(folder, ".json", max_outlines)
        # Cuts take seconds to find; waveforms do not wait for them.
        self._workers: dict[Modality, Worker[OutlineJob, str]] = {
            "audio": Worker(prepare_outlines, limits=_LIMITS),
            "video": Worker(prepare_outlines, limits=_LIMITS),
        }

    def kept(self, video: Video, side: Modality) -> bytes | None:
        """Return a kept outline.

        Parameters
        ----------
        video : Video
            The video.
        side : {"audio", "video"}
            Sound or pictures.

        Returns
        -------
        bytes, optional
            JSON; None if it is not kept.
        """
        if not _has(video, side):
            return None
        found = self._files.read(_name(video, side), _MAX_BYTES)
        return None if found is None else read_outline(found, side)

    def make(self, video: Video, side: Modality) -> bytes:
        """Make an outline and keep it; blocks until it is done.

        Parameters
        ----------
        video : Video
            The video.
        side : {"audio", "video"}
            Sound or pictures.

        Returns
        -------
        bytes
            JSON.

        Raises
        ------
        DecodeError
            The file is missing, cannot be read, or lacks the side.
        """
        if (kept := self.kept(video, side)) is not None:  # made while this one waited
            return kept
        made = self.draw(video, side)
        self._files.write(_name(video, side), made)
        return made

    def draw(self, video: Video, side: Modality) -> bytes:
        """Make an outline as `make` does, without keeping it."""
        if video.file is None or not _has(video, side):
            raise DecodeError(f"{video.id}: has no {_WORDS[side]}.")
        try:
            return self._workers[side].run(OutlineJob(video.file, video.length_s, side)).encode()
        except (LimitError, CrashError):  # It would end the same way the next time.
            return json.dumps(_NOTHING[side]).encode()

    def close(self) -> None:
        """End the worker processes."""
        for worker in self._workers.values():
            worker.close()


_WORDS: dict[Modality, Literal["sound", "pictures"]] = {"audio": "sound", "video": "pictures"}


def _has(video: Video, side: Modality) -> bool:
    return video.has_audio if side == "audio" else video.has_video


def _name(video: Video, side: Modality) -> str:
    return hashlib.sha256(f"{file_version(video)}\0{side}".encode()).hexdigest()


def read_outline(content: bytes, side: Modality) -> bytes | None:
    """Check an outline that was kept.

    Parameters
    ----------
    content : bytes
        What the file holds.
    side : {"audio", "video"}
        Sound or pictures.

    Returns
    -------
    bytes, optional
        The content; None if it is no outline of that side, so that it is made again.
    """
    try:
        (_Sound if side == "audio" else _Pictures).model_validate(parsed_object(content.decode()))
    except ValueError:
        return None
    return content


def prepare_outlines() -> Callable[[OutlineJob], str]:
    """Prepare the worker process.

    Returns
    -------
    callable
        Makes the outline of a job, as JSON.
    """
    return _make


def _make(job: OutlineJob) -> str:
    outline = sound_outline if job.side == "audio" else picture_outline
    return json.dumps(asdict(outline(job.file, job.length_s)), separators=(",", ":"))
