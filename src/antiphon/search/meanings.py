"""Vectors of the names of an index, kept beside it: they are computed once."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.errors import AntiphonError
from antiphon.tables import read_table, write_table
from antiphon.words.meanings import Meanings
from antiphon.words.sentences import SENTENCE_WEIGHTS, Sentences

_KEPT = pa.schema(
    [pa.field("name", pa.string(), nullable=False), pa.field("vector", pa.list_(pa.float32()), nullable=False)]
)


def meanings_of(names: Sequence[str], kept: Path) -> Meanings | None:
    """Return names by meaning; None where the sentence encoder is not in the cache: nothing is downloaded.

    Parameters
    ----------
    names : sequence of str
        The names.
    kept : Path
        File of vectors that were computed before; it is written anew when some are missing, if it can be.
    """
    if not SENTENCE_WEIGHTS.cached:
        return None
    try:
        sentences = Sentences(SENTENCE_WEIGHTS.read()[0])
    except AntiphonError:  # damaged weights spoil no search
        return None
    vectors = _read(kept, sentences.dim)
    missing = [name for name in names if name not in vectors]
    if missing:
        vectors |= dict(zip(missing, sentences.encode(missing), strict=True))
        _write(kept, {name: vectors[name] for name in names})
    return Meanings({name: vectors[name] for name in names}, sentences)


def _read(path: Path, dim: int) -> dict[str, npt.NDArray[np.floating]]:
    if not path.exists():
        return {}
    try:
        table = read_table(path, _KEPT)
    except AntiphonError:
        return {}
    rows: list[list[float]] = table["vector"].to_pylist()
    return {
        name: np.array(row, dtype=np.float32)
        for name, row in zip(table["name"].to_pylist(), rows, strict=True)
        if len(row) == dim
    }


def _write(path: Path, vectors: Mapping[str, npt.NDArray[np.floating]]) -> None:
    columns = [pa.array(list(vectors), pa.string()), pa.array(list(vectors.values()), pa.list_(pa.float32()))]
    try:
        write_table(pa.Table.from_arrays(columns, schema=_KEPT), path)
    except (AntiphonError, OSError):  # a folder that is read alone, or a full disk
        return
