"""Embeddings of a file that is in no catalogue, made by a process of its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from antiphon.app.worker import Worker, WorkerLimits
from antiphon.errors import DecodeError, StaleIndexError
from antiphon.media.probing import probe_media

if TYPE_CHECKING:
    from antiphon.dual_encoder import DualEncoder

Side = Literal["audio", "video"]
SIDES: tuple[Side, ...] = ("audio", "video")


class EncodingJob(NamedTuple):
    """Which file, and which sides of it are wanted."""

    path: str
    sides: tuple[Side, ...]


@dataclass(frozen=True)
class Encoded:
    """One side of a file.

    Attributes
    ----------
    windows : (start, end) of each window, in seconds on the track's time line.
    vectors : (windows, dim) float32, unit rows.
    track : (1, dim) float32 unit row, of the whole file.
    """

    windows: tuple[tuple[float, float], ...]
    vectors: npt.NDArray[np.float32]
    track: npt.NDArray[np.float32]

    @property
    def starts_s(self) -> list[float]:
        """Where the windows start."""
        return [start_s for start_s, _ in self.windows]


Encodings = Mapping[Side, Encoded]
Encoder = Worker[EncodingJob, dict[Side, Encoded]]


def encoder(run: Path, fingerprint: str, limits: WorkerLimits | None = None) -> Encoder:
    """A process that embeds files with the model of a run's folder, which must have this fingerprint."""
    return Worker(prepare_model, (str(run), fingerprint), limits)


def prepare_model(run: str, fingerprint: str) -> Callable[[EncodingJob], dict[Side, Encoded]]:
    """Load a model; what the process does with its jobs.

    Raises
    ------
    StaleIndexError
        It is another one than the index was made with.
    """
    from antiphon.dual_encoder import DualEncoder

    model = DualEncoder.load(run, "cpu")
    if model.fingerprint != fingerprint:
        raise StaleIndexError("The run has been trained again since its index was built.")
    return partial(_encode, model)


def _encode(model: "DualEncoder", job: EncodingJob) -> dict[Side, Encoded]:
    """The wanted sides that the file has.

    Raises
    ------
    DecodeError
        It cannot be read, or has none of them.
    """
    try:
        info = probe_media(job.path)
        there: dict[Side, bool] = {"audio": info.has_audio, "video": info.has_video}
        sides: list[Side] = [side for side in job.sides if there[side]]
        if not sides:
            raise DecodeError(f"The file has no {'sound' if job.sides[0] == 'audio' else 'pictures'}.")
        return {side: _one_side(model, job.path, side) for side in sides}
    except DecodeError as error:
        # Where the file lay is nobody's business.
        raise DecodeError(str(error).replace(f"{job.path}: ", "The file ").replace(job.path, "the file")) from None


def _one_side(model: "DualEncoder", path: str, side: Side) -> Encoded:
    windows, vectors, track = model.encode_file(path, side)
    return Encoded(tuple(windows), vectors, track)
