"""Scores that differ by rounding alone: one order however rows lie, in blocks of any size, and by any question."""

import numpy as np
import pytest

from antiphon.embeddings import ModalityEmbeddings
from antiphon.search import Index, blocks
from antiphon.search.ranking import Candidate, ComparedSide, best_moments, in_order, in_sequence

from .conftest import DIM, unit

pytestmark = pytest.mark.numeric

LEVELS = (0.75, 0.500003, 0.500002, 0.25)
A_LEVEL = 60
QUERY = np.eye(1, DIM)


def nearly_equal() -> tuple[list[str], np.ndarray]:
    """Rows whose cosines with the query lie within 1e-7 of a level each, in no order."""
    random = np.random.default_rng(0)
    aside = unit(random.normal(size=(len(LEVELS) * A_LEVEL, DIM)) * (np.arange(DIM) > 0))
    cosines = np.repeat(LEVELS, A_LEVEL) + random.uniform(-1e-7, 1e-7, len(aside))
    vectors = cosines[:, None] * QUERY + np.sqrt(1 - cosines[:, None] ** 2) * aside
    ids = [f"v{number:03d}" for number in random.permutation(len(vectors))]
    order = random.permutation(len(vectors))
    return [ids[row] for row in order], vectors[order]


def expected(ids: list[str], vectors: np.ndarray) -> list[str]:
    """By level, and in each by id."""
    level = [int(np.argmin(np.abs(np.array(LEVELS) - row[0]))) for row in vectors]
    return [name for _, name in sorted(zip(level, ids, strict=True))]


def test_it_is_the_last_bits_that_differ() -> None:
    ids, vectors = nearly_equal()
    plain = [ids[row] for row in np.argsort(-(vectors.astype(np.float32) @ QUERY[0]), kind="stable")]
    assert plain != expected(ids, vectors)
    assert [name for name in plain if name in plain[:A_LEVEL]] == plain[:A_LEVEL]


@pytest.mark.parametrize("k", [10, 100, 240])
def test_lists_are_by_id(tmp_path, layout: str, k: int) -> None:
    ids, vectors = nearly_equal()
    index = Index.from_vectors(ids[:150], vectors[:150], tmp_path)
    index.add_vectors(ids[150:], vectors[150:])
    assert [hit.id for hit in index.search(QUERY, k=k)[0]] == expected(ids, vectors)[:k]


@pytest.mark.parametrize("rows", [1, 7, 64, 1000])
@pytest.mark.parametrize("queries", [1, 3, 300])
def test_in_blocks_of_any_size(tmp_path, monkeypatch, rows: int, queries: int) -> None:
    """One query, a few, and more than are scored at a time."""
    monkeypatch.setattr(blocks, "_BLOCK_ROWS", rows)
    ids, vectors = nearly_equal()
    index = Index.from_vectors(ids, vectors, tmp_path)
    asked = np.concatenate([np.random.default_rng(1).normal(size=(queries - 1, DIM)), QUERY])
    assert [hit.id for hit in index.search(asked, k=100)[-1]] == expected(ids, vectors)[:100]


@pytest.mark.parametrize("matcher", [best_moments, in_sequence])
def test_moments_and_whole_lists_too(matcher) -> None:
    """Music videos that are scored by their segments."""
    ids, vectors = nearly_equal()
    rows = vectors.astype(np.float32)
    found = {
        name: Candidate(name, {}, {"video": ModalityEmbeddings(row, np.stack([row, row]), (0.0, 5.0), (3.0, 8.0))})
        for name, row in zip(ids, rows, strict=True)
    }
    query = QUERY.astype(np.float32)
    asked = ComparedSide(ModalityEmbeddings(query[0], np.repeat(query, 2, axis=0), (0.0, 5.0), (3.0, 8.0)), "video")
    assert [one.candidate.id for one in in_order(found.values(), [asked], matcher)] == expected(ids, vectors)
