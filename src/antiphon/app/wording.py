"""Words in the space of the index, by the text sides of its model's backbones, in a process of its own."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from antiphon.app.encoding import loaded
from antiphon.backbones.hub.entries import is_of_hub
from antiphon.embeddings import Modality
from antiphon.errors import AntiphonError
from antiphon.search.record import Origin
from antiphon.words.recent import Recent
from antiphon.workers.limits import WorkerLimits
from antiphon.workers.worker import Worker

TextVectors = Mapping[Modality, Any]
"""Unit vectors (dim,) by the side that they are compared with."""
_LIMITS = WorkerLimits(step_s=60.0, job_s=60.0, memory_bytes=6_000_000_000)
_KEPT_TEXTS = 64
_MAX_FAILURES = 3
"""Failures in a row after which no more texts are embedded: one text must not take words from everybody."""


def prepare_text(run: str, fingerprint: str) -> Callable[[str], TextVectors]:
    """Load a model in the worker process, and return what embeds words.

    Raises
    ------
    StaleIndexError
        The index was built with another model.
    """
    return loaded(run, fingerprint).embed_text


class Wording:
    """Embeds words as the model of an index does; thread-safe. Where it cannot, words are read by terms alone.

    Parameters
    ----------
    worker : Worker
        Embeds a text; its process starts with the first one.
    """

    def __init__(self, worker: Worker[str, TextVectors]) -> None:
        self._worker = worker
        self._kept: Recent[str, TextVectors] = Recent(_KEPT_TEXTS)
        self._failures = 0
        self._knows_words = True

    @classmethod
    def of(cls, run: Path, origin: Origin) -> "Wording | None":
        """Return what embeds words for an index; None where none of its backbones may have a text side."""
        if not any(map(is_of_hub, (origin.audio, origin.video))):
            return None
        return cls(Worker(prepare_text, (str(run), origin.model), _LIMITS))

    def embed_text(self, text: str) -> TextVectors:
        """Return vectors of a text by side; none where the model knows no words, or cannot be run."""
        if not self._knows_words or self._failures >= _MAX_FAILURES:
            return {}
        return self._kept.get(text, lambda: self._embedded(text))

    def _embedded(self, text: str) -> TextVectors:
        try:
            found = self._worker.run(text)
        except (AntiphonError, OSError) as error:
            sys.stderr.write(f"Words are read without the model's text side: {error}\n")
            self._failures += 1
            return {}
        self._failures, self._knows_words = 0, bool(found)
        return found

    def close(self) -> None:
        """End the process."""
        self._worker.close()
