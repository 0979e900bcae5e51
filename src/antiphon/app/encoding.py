"""Embedding of clients' files, in a process of its own."""

from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from antiphon.embeddings import Modality, ModalityEmbeddings
from antiphon.errors import AntiphonError, DecodeError, StaleIndexError
from antiphon.media.probing import probe_media
from antiphon.report.file_names import without_folders
from antiphon.workers.limits import WorkerLimits
from antiphon.workers.reasons import unnamed
from antiphon.workers.worker import Worker

if TYPE_CHECKING:
    from antiphon.dual_encoder import DualEncoder


class EncodingJob(NamedTuple):
    """A file to embed, the modalities to embed, and whether to say first what was found in it."""

    path: str
    modalities: tuple[Modality, ...]
    tells: bool = False


_WARM_S, _WARM_HZ, _WARM_FRAMES_PER_S = 12, 16_000, 10
_LIMITS = WorkerLimits(step_s=120.0, job_s=120.0, memory_bytes=3_000_000_000)


class FileFacts(NamedTuple):
    """What was found in a file, before it is listened to and looked at; times in seconds."""

    start_s: float
    duration_s: float
    has_audio: bool
    has_video: bool


Encodings = dict[Modality, ModalityEmbeddings]
Encoder = Worker[EncodingJob, FileFacts | Encodings]


def encoded(encoder: Encoder, job: EncodingJob, told: Callable[[FileFacts], object] = lambda _: None) -> Encodings:
    """Embed a file; blocks until it is done.

    Parameters
    ----------
    encoder : Encoder
        What embeds it.
    job : EncodingJob
        The file.
    told : callable
        Called with what was found in it, as soon as that is known.

    Returns
    -------
    dict of str to ModalityEmbeddings
        Embeddings by modality.

    Raises
    ------
    AntiphonError
        As in `Worker.run`.
    """
    found: Encodings = {}
    with closing(encoder.stream(job)) as parts:
        for part in parts:
            if isinstance(part, FileFacts):
                told(part)
            else:
                found = part
    return found


def encoder(run: Path, fingerprint: str, limits: WorkerLimits | None = None) -> Encoder:
    """Create the worker that embeds files.

    Parameters
    ----------
    run : Path
        Folder of the run.
    fingerprint : str
        Fingerprint that its model must have.
    limits : WorkerLimits, optional
        Limits of the process.

    Returns
    -------
    Encoder
        The worker; its process starts with the first job.
    """
    return Worker(prepare_model, (str(run), fingerprint), limits or _LIMITS)


def prepare_model(run: str, fingerprint: str) -> Callable[[EncodingJob], Iterator[FileFacts | Encodings]]:
    """Load a model in the worker process.

    Parameters
    ----------
    run : str
        Folder of the run.
    fingerprint : str
        Fingerprint that its model must have.

    Returns
    -------
    callable
        Reads the file of a job, and embeds it.

    Raises
    ------
    StaleIndexError
        The index was built with another model.
    """
    model = loaded(run, fingerprint)
    _warm_up(model)
    return partial(_encode, model)


def _warm_up(model: "DualEncoder") -> None:
    """Embed nothing but silence and black, so that the networks are loaded and compiled before the first file."""
    with suppress(AntiphonError):  # Without a backbone a file is refused, with the reason.
        model.encode_audio(np.zeros(_WARM_S * _WARM_HZ, np.float32), rate_hz=_WARM_HZ)
    with suppress(AntiphonError):
        black = np.zeros((_WARM_S * _WARM_FRAMES_PER_S, 64, 64, 3), np.uint8)
        model.encode_video(black, frames_per_s=_WARM_FRAMES_PER_S)


def loaded(run: str, fingerprint: str) -> "DualEncoder":
    """Load the model of a run, which must be that of the index.

    Raises
    ------
    StaleIndexError
        The index was built with another model.
    """
    from antiphon.dual_encoder import DualEncoder

    model = DualEncoder.load(run, "cpu")
    if model.fingerprint != fingerprint:
        raise StaleIndexError("The run has been trained again since its index was built.")
    return model


def _encode(model: "DualEncoder", job: EncodingJob) -> Iterator[FileFacts | Encodings]:
    try:
        if job.tells:
            info = probe_media(job.path)
            yield FileFacts(info.start_s, info.duration_s, info.has_audio, info.has_video)
        yield model.encode_file(job.path, job.modalities)
    except DecodeError as error:
        # Clients must not see the path.
        raise DecodeError(without_folders(unnamed(job.path, str(error)))) from None
