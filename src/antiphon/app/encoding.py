"""Embeddings of clients' files, made by a process of its own."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from antiphon.app.worker import Worker, WorkerLimits
from antiphon.embeddings import Modality, ModalityEmbeddings
from antiphon.errors import DecodeError, StaleIndexError

if TYPE_CHECKING:
    from antiphon.dual_encoder import DualEncoder


class EncodingJob(NamedTuple):
    """Which file to embed, and which sides of it."""

    path: str
    modalities: tuple[Modality, ...]


Encodings = dict[Modality, ModalityEmbeddings]
Encoder = Worker[EncodingJob, Encodings]


def encoder(run: Path, fingerprint: str, limits: WorkerLimits | None = None) -> Encoder:
    """Return a process that embeds files with the model of a run's folder, which must have this fingerprint."""
    return Worker(prepare_model, (str(run), fingerprint), limits)


def prepare_model(run: str, fingerprint: str) -> Callable[[EncodingJob], Encodings]:
    """Load a model and return what the process does with its jobs.

    Raises
    ------
    StaleIndexError
        The model is not the one that the index was built with.
    """
    from antiphon.dual_encoder import DualEncoder

    model = DualEncoder.load(run, "cpu")
    if model.fingerprint != fingerprint:
        raise StaleIndexError("The run has been trained again since its index was built.")
    return partial(_encode, model)


def _encode(model: "DualEncoder", job: EncodingJob) -> Encodings:
    try:
        return model.encode_file(job.path, job.modalities)
    except DecodeError as error:
        # Where the file lay is nobody's business.
        raise DecodeError(str(error).replace(f"{job.path}: ", "The file ").replace(job.path, "the file")) from None
