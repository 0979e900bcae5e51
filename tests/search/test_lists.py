"""Lists of rows: most of a large part is not looked at, what is found is scored exactly, and little is missed."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from antiphon.catalogue import Catalogue
from antiphon.embeddings import ModalityEmbeddings
from antiphon.errors import SearchError
from antiphon.features import Features
from antiphon.search import Index, Query, Where, lists
from antiphon.search.blocks import Block
from antiphon.tables import read_table, write_table

from .conftest import unit

DIM = 16
VIDEOS = 1_500
CLUSTERS = 75
MANY = 3_000
ROCK = range(300)
"""Which of many lie together: more than are compared with a vector."""


def drawn(count: int, seed: int) -> np.ndarray:
    """Vectors in clusters of about twenty."""
    centres = np.random.default_rng(0).normal(size=(CLUSTERS, DIM))
    random = np.random.default_rng([1, seed])
    return centres[random.integers(CLUSTERS, size=count)] + 0.6 * random.normal(size=(count, DIM))


def names(count: int, first: int = 0) -> list[str]:
    return [f"id{first + number:05d}" for number in range(count)]


@pytest.fixture
def few_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists from 1,000 rows on, of which a tenth is compared."""
    monkeypatch.setattr(lists, "MIN_ROWS", 1_000)
    monkeypatch.setattr(lists, "_MIN_COMPARED", 200)


@pytest.fixture
def both(tmp_path: Path, few_looked_at: None, monkeypatch: pytest.MonkeyPatch) -> list[Index]:
    """The same music videos, in lists and not."""
    about = [{"genre": f"genre {n % 10}", "artist": f"artist {n % 400}"} for n in range(VIDEOS)]
    made = [Index.from_vectors(names(VIDEOS), drawn(VIDEOS, 0), tmp_path / "lists", metadata=about)]
    monkeypatch.setattr(lists, "MIN_ROWS", 10**9)
    made.append(Index.from_vectors(names(VIDEOS), drawn(VIDEOS, 0), tmp_path / "order", metadata=about))
    assert [index.stats()["listed"] for index in made] == [VIDEOS, 0]
    return made


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many lists each question has looked at."""
    counts: list[int] = []
    original = lists.Lists.near

    def counted(self: lists.Lists, *given: object) -> list[np.ndarray]:
        found = original(self, *given)  # pyright: ignore[reportArgumentType]
        counts.extend(map(len, found))
        return found

    monkeypatch.setattr(lists.Lists, "near", counted)
    return counts


def recall(some: list, every: list) -> float:
    pairs = list(zip(some, every, strict=True))
    return sum(len({hit.id for hit in few} & {hit.id for hit in all}) for few, all in pairs) / sum(map(len, every))


WHERE = [Where(), Where(genre="genre 3"), Where(artist="artist 7"), Where(not_ids=tuple(names(1_000)))]


@pytest.mark.numeric
@pytest.mark.parametrize("where", WHERE)
def test_little_is_missed_and_scores_are_exact(both: list[Index], compared: list[int], where: Where) -> None:
    queries = drawn(40, seed=7)
    found, expected = (index.search(queries, where=where) for index in both)
    assert recall(found, expected) > 0.9
    assert [len(hits) for hits in found] == [len(hits) for hits in expected]
    scores = {hit.id: hit.score for hits in both[1].search(queries[:1], k=VIDEOS) for hit in hits}
    assert [hit.score for hit in found[0]] == pytest.approx([scores[hit.id] for hit in found[0]], abs=1e-9)
    if where == Where():
        assert len(compared) == 40
        assert max(compared) < round(lists._LISTS * VIDEOS**0.5) / 2


@pytest.fixture
def together(tmp_path: Path, few_looked_at: None, monkeypatch: pytest.MonkeyPatch) -> list[Index]:
    """In lists and not: rock, by one artist, is a tenth of the music videos, and lies together, apart from the rest."""
    vectors = drawn(MANY, 0)
    vectors[ROCK] = 2 * np.eye(1, DIM) + 0.2 * vectors[ROCK]
    rock = {"genre": "rock", "artist": "rocker"}
    about = [rock if n in ROCK else {"genre": "pop", "artist": f"artist {n % 400}"} for n in range(MANY)]
    made: list[Index] = []
    for folder, rows in (("lists/index", 1_000), ("order/index", 10**9)):
        monkeypatch.setattr(lists, "MIN_ROWS", rows)
        made.append(Index.from_vectors(names(MANY), vectors, tmp_path / folder, metadata=about))
    assert [index.stats()["listed"] for index in made] == [MANY, 0]
    return made


LEFT_OUT = [Where(genre="pop"), Where(not_artist=("rocker",)), Where(not_ids=tuple(names(len(ROCK)))), None]


@pytest.mark.numeric
@pytest.mark.parametrize("where", LEFT_OUT, ids=["genre", "artist", "ids", "removed"])
def test_what_may_not_be_found_can_fill_all_the_lists_nearby(together: list[Index], where: Where | None) -> None:
    """Ask for what is like the rock, and may not be rock."""
    queries = np.eye(1, DIM) + 0.1 * drawn(20, seed=7)
    for index in together:
        assert {hit.id for hits in index.search(queries) for hit in hits} <= set(names(len(ROCK)))
        if where is None:
            index.remove(names(len(ROCK)))
    found, expected = (index.search(queries, where=where or Where()) for index in together)
    assert {len(hits) for hits in found} == {10}
    assert not {hit.id for hits in found for hit in hits} & set(names(len(ROCK)))
    assert recall(found, expected) > 0.9


@pytest.mark.numeric
def test_what_left_the_catalogue_can_fill_all_the_lists_nearby(
    tmp_path: Path, few_looked_at: None, monkeypatch: pytest.MonkeyPatch, model
) -> None:
    """Only the sound counts; there are no pictures."""
    sound = np.random.default_rng(0).normal(size=(MANY, 12)).astype(np.float32)
    sound[ROCK] = 4 * np.eye(1, 12) + 0.2 * sound[ROCK]
    features = Features.from_arrays(
        audio=sound, video=np.full((MANY, 20), np.nan, np.float32), ids=names(MANY), groups=names(MANY)
    )
    catalogue = Catalogue([{"id": name} for name in names(MANY)])
    queries = model.embed(features)[0][ROCK[:20]]
    made: list[list] = []
    for folder, rows in (("lists", 1_000), ("order", 10**9)):
        monkeypatch.setattr(lists, "MIN_ROWS", rows)
        index = Index.build(model, features, tmp_path / folder / "index", catalogue)
        Catalogue(catalogue.records()[len(ROCK) :]).save(tmp_path / folder / "catalogue.parquet")
        made.append(index.search(queries))
        assert index.stats()["listed"] == (2 * MANY if rows == 1_000 else 0)
    found, expected = made
    assert {len(hits) for hits in found} == {10}
    assert recall(found, expected) > 0.9


@pytest.mark.numeric
def test_under_a_condition_more_lists_are_looked_at(both: list[Index], compared: list[int]) -> None:
    query, where = drawn(1, seed=7), Where(genre=("genre 3", "genre 4", "genre 5"))
    found, expected = (index.search(query, where=where) for index in both)
    assert recall(found, expected) > 0.7
    both[0].search(query)
    assert compared[0] > 2 * compared[1]


def test_more_is_looked_at_where_more_is_asked_for(both: list[Index]) -> None:
    queries = drawn(3, seed=8)
    for k in (100, 1_000, 10**9):
        found, expected = (index.search(queries, k=k) for index in both)
        assert recall(found, expected) > 0.99
        assert [len(hits) for hits in found] == [min(k, VIDEOS)] * 3


@pytest.mark.numeric
@pytest.mark.parametrize("options", [{}, {"rerank": True}, {"diversity": 0.4}, {"other_artists": True}])
def test_music_videos_with_segments(
    tmp_path: Path, few_looked_at: None, monkeypatch: pytest.MonkeyPatch, model, music_videos, options: dict
) -> None:
    """Every video asks as one of the index does: by its track and its segments, on both sides."""
    features = music_videos(range(200), segments=6)
    made = [Index.build(model, features, tmp_path / "lists")]
    assert made[0].stats()["listed"] == 2 * 199 * 6
    monkeypatch.setattr(lists, "MIN_ROWS", 10**9)
    made.append(Index.build(model, features, tmp_path / "order"))
    found, expected = (
        [index.search(Query.from_id(index, f"v{number:03d}"), **options) for number in range(5, 200, 15)]
        for index in made
    )
    assert recall(found, expected) > 0.9
    scores = {hit.id: (hit.score, hit.moments) for hit in expected[0]}
    shared = [hit for hit in found[0] if hit.id in scores]
    assert [hit.score for hit in shared] == pytest.approx([scores[hit.id][0] for hit in shared], abs=1e-9)
    assert [len(hit.moments) for hit in shared] == [len(scores[hit.id][1]) for hit in shared]


def test_what_was_added_is_compared_and_what_was_removed_is_not(both: list[Index]) -> None:
    new = drawn(100, seed=2)
    for index in both:
        index.add_vectors(names(100, VIDEOS), new)
        index.remove(names(50))
    queries = drawn(40, seed=7)
    assert both[0].stats()["listed"] == VIDEOS - 50
    assert len(both[0]) == VIDEOS + 50
    found, expected = (index.search(queries) for index in both)
    assert recall(found, expected) > 0.9
    added = both[0].search(new, k=1)
    assert [hits[0].id for hits in added] == names(100, VIDEOS)
    gone = both[0].search(drawn(VIDEOS, 0)[:50], k=5)
    assert not {hit.id for hits in gone for hit in hits} & set(names(50))


def test_one_that_was_removed_comes_back_as_another(both: list[Index]) -> None:
    both[0].remove("id00005")
    both[0].add_vectors(["id00005"], -drawn(VIDEOS, 0)[5:6])
    for index in (both[0], Index.open(both[0].path)):
        assert [hit.id for hit in index.search(-drawn(VIDEOS, 0)[5:6], k=1)[0]] == ["id00005"]
        assert index.search(drawn(VIDEOS, 0)[5:6], k=VIDEOS)[0][-1].id == "id00005"
        assert len(index) == VIDEOS


def test_a_large_part_stays_as_it_is_until_all_are_merged(both: list[Index], monkeypatch: pytest.MonkeyPatch) -> None:
    index = both[0]
    folder = next(Path(index.path).glob("entries-*"))
    (large,) = folder.glob("part-*.parquet")
    written = large.stat().st_mtime_ns
    for number in range(40):
        index.add_vectors([f"new {number:02d}"], drawn(1, 100 + number))
    assert large.stat().st_mtime_ns == written
    assert index.stats()["parts"] < 20
    assert len(Index.open(index.path)) == VIDEOS + 40
    queries = drawn(40, seed=7)
    expected = index.search(queries, k=VIDEOS)
    assert index.stats()["listed"] == VIDEOS
    monkeypatch.setattr(lists, "MIN_ROWS", 1_000)
    index.compact()
    assert (index.stats()["parts"], large.exists()) == (1, False)
    assert index.stats()["listed"] == VIDEOS + 40
    assert recall(index.search(queries), [hits[:10] for hits in expected]) > 0.9
    assert index.search(drawn(1, 139), k=1)[0][0].id == "new 39"


@pytest.mark.parametrize("numbers", ["zeros", "random", "none", "some", "negative"])
def test_whatever_the_column_of_lists_says_scores_are_exact(both: list[Index], numbers: str) -> None:
    """As a file may have it that was damaged, or that something else wrote."""
    (path,) = Path(both[0].path).glob("entries-*/part-*.parquet")
    table = read_table(path)
    random = np.random.default_rng(0).integers(-5, 2**31, size=table.num_rows)
    column = {
        "zeros": pa.array(np.zeros(table.num_rows), pa.int32()),
        "random": pa.array(np.abs(random), pa.int32()),
        "none": pa.nulls(table.num_rows, pa.int32()),
        "some": pa.array(random, pa.int32(), mask=random % 2 == 0),
        "negative": pa.array(random, pa.int32()),
    }[numbers]
    write_table(table.set_column(table.column_names.index("list"), table.schema.field("list"), column), path)
    queries = drawn(20, seed=7)
    every = [{hit.id: hit.score for hit in hits} for hits in both[1].search(queries, k=VIDEOS)]
    index = Index.open(both[0].path)
    for hits, scores in zip(index.search(queries), every, strict=True):
        assert [hit.score for hit in hits] == pytest.approx([scores[hit.id] for hit in hits], abs=1e-9)
    if numbers != "random":
        assert recall(index.search(queries), both[1].search(queries)) == 1
    assert index.ids == names(VIDEOS)
    stored = dict(zip(*index.embeddings("")[:2], strict=True))
    assert np.allclose([stored[name] for name in names(VIDEOS)], unit(drawn(VIDEOS, 0)), atol=1e-6)


@pytest.mark.numeric
def test_a_list_holds_what_is_near_its_centre() -> None:
    vectors = unit(drawn(2_000, 0)).astype(np.float32)
    numbers = lists.numbered(vectors)
    order = np.argsort(numbers, kind="stable")
    made = lists.Lists.of(numbers[order].astype(np.int64), vectors[order])
    assert len(made.centres) > 200
    assert np.diff(made.edges).min() > 0
    own = np.repeat(np.arange(len(made.centres)), np.diff(made.edges))
    nearest = (vectors[order] @ made.centres.T).argmax(axis=1)
    assert (nearest == own).mean() > 0.8
    for first, last, centre in zip(made.edges, made.edges[1:], made.centres, strict=False):
        total = vectors[order[first:last]].sum(axis=0)
        assert np.allclose(centre, total / np.linalg.norm(total), atol=1e-5)


@pytest.mark.numeric
@pytest.mark.parametrize("vectors", [np.ones((60, 4)), np.repeat([[1.0, 0], [-1.0, 0]], 30, axis=0)])
def test_rows_without_any_clusters_are_in_lists_too(vectors: np.ndarray) -> None:
    rows = unit(vectors).astype(np.float32)
    numbers = np.sort(lists.numbered(rows)).astype(np.int64)
    block = Block(np.arange(60), rows, None, lists.Lists.of(numbers, rows))
    (near,) = block.near(rows[:1], 3, None)
    assert len(near) >= 30


def test_a_part_of_which_nothing_may_be_found() -> None:
    rows = unit(drawn(60, 0)).astype(np.float32)
    numbers = lists.numbered(rows)
    order = np.argsort(numbers, kind="stable")
    block = Block(np.arange(60), rows[order], None, lists.Lists.of(numbers[order].astype(np.int64), rows[order]))
    for others in (6_000, 60):
        kept = np.arange(60 + others) >= 60
        assert [len(near) for near in block.near(rows[:2], 3, kept)] == [0, 0]


def test_an_index_at_an_address_is_refused(tmp_path: Path) -> None:
    for refused in (lambda: Index.open("s3://bucket/index"), lambda: Index.from_vectors(["a"], [[1.0]], "s3://b/i")):
        with pytest.raises(SearchError, match=r"s3://b.*: an index lies in a local folder"):
            refused()


def test_indexes_of_earlier_versions(tmp_path: Path) -> None:
    Index.from_vectors(["a", "b"], np.eye(2), tmp_path)
    record = tmp_path / "index.toml"
    text = record.read_text().replace("format = 2", 'format = 1\nkind = "exact"')
    record.write_text(text)
    index = Index.open(tmp_path)
    index.add_vectors(["c"], np.ones((1, 2)))
    assert Index.open(tmp_path).ids == ["a", "b", "c"]
    record.write_text(text.replace("exact", "lancedb"))
    with pytest.raises(SearchError, match=r"an earlier version with LanceDB.*antiphon index build"):
        Index.open(tmp_path)


def test_a_query_of_arrays_asks_lists_too(both: list[Index]) -> None:
    vectors = unit(drawn(5, seed=9)).astype(np.float32)
    found, expected = (
        [index.search(Query(vectors=ModalityEmbeddings.from_segments(vectors[n : n + 1])), k=5) for n in range(5)]
        for index in both
    )
    assert recall(found, expected) > 0.85
