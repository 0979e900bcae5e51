"""The index in memory answers as if every segment asked a question of its own and every music video were compared."""

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from antiphon.ordering import rounded
from antiphon.search import Index, Query, Where, shelves, store
from antiphon.search.ranking import (
    best_moments,
    in_order,
    in_sequence,
    maximal_marginal_relevance,
    mutual_similarity,
)
from antiphon.tables import read_table, write_table

VIDEOS = 60


@pytest.fixture
def index(tmp_path: Path, model, music_videos, layout: str) -> Index:
    """Sixty music videos in three parts, one of which has lost two of them; some lack a side."""
    made = Index.build(model, music_videos(range(20, VIDEOS)), tmp_path / "index")
    made.add(model, music_videos(range(5)))
    made.add(model, music_videos(range(5, 20), segments=5))
    assert made.remove(["v030", "v031"]) == ["v030", "v031"]
    return made


def nearest(index: Index, vector: np.ndarray, side: Any, level: Any, count: int, allowed: set[str]) -> set[str]:
    """The videos of the nearest rows, by comparing all."""
    ids, rows, _ = index.embeddings(side, level)
    scores = rounded(rows.astype(np.float64) @ vector.astype(np.float64))
    order = sorted((-score, name) for name, score in zip(ids, scores, strict=True) if name in allowed)
    return {name for _, name in order[:count]}


def naive(index: Index, query: Query, target: str, weight: float, k: int, allowed: set[str], how: str) -> list[Any]:
    """Hits, with everything compared one by one."""
    comparisons = query.comparisons(target, "both", weight)
    found: set[str] = set()
    for one in comparisons:
        for level, vectors in (("track", one.query.track[None]), ("segment", one.query.segments)):
            for vector in vectors:
                found |= nearest(index, vector, one.target, level, max(100, 10 * k), allowed)
    candidates = [index.item(name) for name in sorted(found)]
    ranked = in_order(candidates, comparisons, best_moments)
    if how == "rerank":
        ranked = in_order([one.candidate for one in ranked[:100]], comparisons, in_sequence)
    if how == "diversity":
        alike = mutual_similarity([one.candidate for one in ranked[:100]], comparisons)
        scores = np.array([one.score for one in ranked[:100]])
        ranked = [ranked[row] for row in maximal_marginal_relevance(scores, alike, 0.5, k)]
    return [one.hit for one in ranked[:k]]


HOW = ("", "rerank", "diversity")
ASKED = [
    *product(("v010",), ("both", "audio", "video"), HOW, (None, "jazz")),
    *product(("v044", "v003", "v004"), ("both",), HOW, (None,)),  # of another part; without a side
]


@pytest.mark.parametrize(("name", "target", "how", "genre"), ASKED)
def test_answers_are_those_of_the_naive_way(index: Index, name: str, target: Any, how: str, genre: str | None) -> None:
    query = Query.from_id(index, name)
    options: dict[str, Any] = {"rerank": {"rerank": True}, "diversity": {"diversity": 0.5}}.get(how, {})
    weight = 0.3 if target == "both" else 0.5
    allowed = {id for id in index.ids if id != name and genre in (None, index.item(id).metadata["genre"])}
    expected = naive(index, query, target, weight, 7, allowed, how)
    found = index.search(
        query, target=target, weight=weight, k=7, where=Where(genre=(genre,) if genre else ()), **options
    )
    assert [hit.id for hit in found] == [hit.id for hit in expected]
    for hit, wanted in zip(found, expected, strict=True):
        assert hit.score == pytest.approx(wanted.score, abs=1e-9)
        assert hit.metadata == wanted.metadata
        assert [(one.start_s, one.query_start_s, one.side) for one in hit.moments] == [
            (one.start_s, one.query_start_s, one.side) for one in wanted.moments
        ]


@pytest.mark.numeric
@pytest.mark.parametrize("k", [1, 3, 5])
def test_where_a_list_ends_amid_ties_they_go_by_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, k: int) -> None:
    """Rows that float32 cannot tell apart, in blocks and parts of any size."""
    monkeypatch.setattr(shelves, "_BLOCK_ROWS", 3)
    near = np.array([[1.0, 1e-4 * sign, 0.0] for sign in (1, -1, 1, -1, 1, -1, 1)])
    ids = ["g", "c", "e", "a", "f", "b", "d"]
    index = Index.from_vectors(ids[:4], near[:4], tmp_path)
    index.add_vectors(ids[4:], near[4:])
    view = index._current()  # pyright: ignore[reportPrivateUsage]
    query = Query(vectors=view.items(["g"])["g"].sides[""])
    asked = query.comparisons("both", "both", 0.5)
    assert set(view.best(asked, k, 100, Where())) == set(sorted(ids)[:k])
    assert [hit.id for hit in index.search(query, k=k)] == sorted(ids)[:k]


def test_nothing_is_read_again_until_something_is_written(
    tmp_path: Path, model, music_videos, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []

    def counting(name: str) -> Any:
        original = getattr(store, name)

        def counted(path: Path, *given: Any) -> Any:
            reads.append(path.name)
            return original(path, *given)

        return counted

    Index.build(model, music_videos(range(5, 30)), tmp_path)
    index = Index.open(tmp_path)
    for name in ("read_document", "open_table"):
        monkeypatch.setattr(store, name, counting(name))
    index.search(Query.from_id(index, "v010"))
    assert reads == ["manifest.json", "part-000000.parquet"]
    for name in ("v010", "v011"):
        index.search(Query.from_id(index, name), k=3, other_artists=True, diversity=0.3)
    assert reads == ["manifest.json", "part-000000.parquet"]
    Index.open(tmp_path).add(model, music_videos([40, 41]))
    reads.clear()
    assert "v040" in {hit.id for hit in index.search(Query.from_id(index, "v010"), k=100)}
    assert reads == ["manifest.json", "part-000001.parquet"]
    Index.open(tmp_path).remove(["v040"])
    assert "v040" not in {hit.id for hit in index.search(Query.from_id(index, "v010"), k=100)}


def test_a_part_whose_rows_lie_in_another_order_is_put_in_order(tmp_path: Path, model, music_videos) -> None:
    index = Index.build(model, music_videos(range(5, 30)), tmp_path)
    expected = index.search(Query.from_id(index, "v010"), k=20)
    (part,) = tmp_path.glob("entries-*/part-*.parquet")
    table = read_table(part, pq.read_schema(part).remove_metadata())
    write_table(table.take(np.random.default_rng(0).permutation(table.num_rows)), part)
    again = Index.open(tmp_path)
    assert list(again.search(Query.from_id(again, "v010"), k=20)) == list(expected)
