"""Embedding of clients' files, in a process of its own."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from antiphon.embeddings import Modality, ModalityEmbeddings
from antiphon.errors import DecodeError, StaleIndexError
from antiphon.report.file_names import without_folders
from antiphon.workers.limits import WorkerLimits
from antiphon.workers.reasons import unnamed
from antiphon.workers.worker import Worker

if TYPE_CHECKING:
    from antiphon.dual_encoder import DualEncoder


class EncodingJob(NamedTuple):
    """A file to embed, and the modalities to embed."""

    path: str
    modalities: tuple[Modality, ...]


_LIMITS = WorkerLimits(step_s=120.0, job_s=120.0, memory_bytes=3_000_000_000)

Encodings = dict[Modality, ModalityEmbeddings]
Encoder = Worker[EncodingJob, Encodings]


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


def prepare_model(run: str, fingerprint: str) -> Callable[[EncodingJob], Encodings]:
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
        Embeds the file of a job.

    Raises
    ------
    StaleIndexError
        The index was built with another model.
    """
    return partial(_encode, loaded(run, fingerprint))


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


def _encode(model: "DualEncoder", job: EncodingJob) -> Encodings:
    try:
        return model.encode_file(job.path, job.modalities)
    except DecodeError as error:
        # Clients must not see the path.
        raise DecodeError(without_folders(unnamed(job.path, str(error)))) from None
