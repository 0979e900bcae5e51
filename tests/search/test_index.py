"""The index against naive numpy: what is found, added, removed, and refused."""

from dataclasses import replace

import numpy as np
import pytest

from antiphon.errors import AntiphonError, ConfigError, SearchError, StaleIndexError
from antiphon.search import Index, Where

DIM = 16


def _unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _vectors(count, seed=0):
    return np.random.default_rng(seed).normal(size=(count, DIM)).astype(np.float32)


def _names(count):
    return [f"id{number:04d}" for number in range(count)]


@pytest.mark.numeric
def test_search_is_the_naive_ranking(tmp_path, layout):
    vectors, queries = _vectors(300), _vectors(20, seed=1)
    index = Index.from_vectors(_names(300), 7 * vectors, tmp_path)
    scores = _unit(queries) @ _unit(vectors).T
    for line, hits in zip(scores, index.search(3 * queries, k=25), strict=True):
        assert [hit.id for hit in hits] == [f"id{row:04d}" for row in np.argsort(-line, kind="stable")[:25]]
        assert np.allclose([hit.score for hit in hits], np.sort(line)[::-1][:25], atol=1e-5)


@pytest.mark.numeric
def test_ties_go_by_id_wherever_the_rows_lie(tmp_path, layout):
    index = Index.from_vectors(["d", "b"], np.ones((2, DIM)), tmp_path)
    index.add_vectors(["c", "a"], np.ones((2, DIM)))
    assert [hit.id for hit in index.search(np.ones((1, DIM)), k=3)[0]] == ["a", "b", "c"]


def test_k_beyond_the_end_gives_all(tmp_path, layout):
    index = Index.from_vectors(_names(5), _vectors(5), tmp_path)
    assert len(index.search(_vectors(1), k=10**9)[0]) == 5


def test_an_empty_index_finds_nothing_and_can_be_added_to(tmp_path, layout):
    index = Index.from_vectors([], np.zeros((0, DIM)), tmp_path)
    assert index.search(_vectors(2)) == [[], []]
    assert len(index) == 0
    index.add_vectors(_names(2), _vectors(2))
    assert len(index.search(_vectors(1))[0]) == 2


@pytest.mark.parametrize(
    ("queries", "message"),
    [
        (np.ones(DIM), r"shape \(16,\)"),
        (np.ones((1, 3)), "must have 16 values, as in this index, not 3"),
        (np.full((1, DIM), np.nan), "row 0 holds values that are not finite"),
        (np.zeros((1, DIM)), "row 0 is all zeros"),
        ([["a"] * DIM], "not a matrix of numbers"),
    ],
)
def test_queries_without_direction_or_of_another_size_are_refused(tmp_path, layout, queries, message):
    index = Index.from_vectors(_names(3), _vectors(3), tmp_path)
    with pytest.raises(AntiphonError, match=message):
        index.search(queries)
    with pytest.raises(ConfigError, match="k must be at least 1, not 0"):
        index.search(np.ones((1, DIM)), k=0)


@pytest.mark.parametrize(
    ("ids", "vectors", "metadata", "message"),
    [
        (["a", "a"], np.ones((2, 3)), None, "'a' is repeated"),
        (["a", " "], np.ones((2, 3)), None, "ids: row 1 is empty"),
        (["a", None], np.ones((2, 3)), None, "ids: row 1 is missing"),
        (["a\0b"], np.ones((1, 3)), None, "ids: row 0 has control characters"),
        (["a", "b"], [[1, 0], [1e30, 0]], None, "the vector of 'b' holds values beyond 1e.15"),
        (["a"], [[1e300, 1]], None, "the vector of 'a' holds values that are not finite"),
        (["a"], [[10**400, 1]], None, "vectors: not a matrix of numbers"),
        (["a"], [[1, 2]], [{"artist": "x\0y"}], "metadata: artist of row 0 has a NUL character"),
        (["a"], [[1, 2]], [{"tags": ["x", "\ud800"]}], "metadata: tags of row 0 is not valid Unicode"),
        (["a"], [[1, 2]], [{"year": 10**30}], "metadata: a value has the wrong type"),
        (["a"], np.ones((2, 3)), None, "must have one entry for each of 2 vectors, not 1"),
        (["a", "b"], [[1, 0], [0, 0]], None, "the vector of 'b' is all zeros"),
        (["a", "b"], [[1, 0], [np.inf, 0]], None, "the vector of 'b' holds values that are not finite"),
        (["a"], [[1.0]], [{"artiste": "x"}], "unknown key 'artiste'; use artist"),
        (["a"], [[1.0]], [{"year": "then"}], "wrong type"),
    ],
)
def test_vectors_that_cannot_be_indexed_are_refused(tmp_path, ids, vectors, metadata, message):
    with pytest.raises(AntiphonError, match=message):
        Index.from_vectors(ids, vectors, tmp_path, metadata=metadata)
    with pytest.raises(SearchError, match="no index here"):
        Index.open(tmp_path)


def test_added_vectors_are_found_and_what_is_there_is_skipped(tmp_path, layout):
    vectors = _vectors(40)
    index = Index.from_vectors(_names(20), vectors[:20], tmp_path)
    other = Index.open(tmp_path)
    assert index.add_vectors(_names(40)[10:], -vectors[10:]) == _names(40)[20:]
    for reader in (index, other, Index.open(tmp_path)):
        assert len(reader) == 40
        assert reader.search(-vectors[30:31], k=1)[0][0].id == "id0030"
        assert reader.search(vectors[15:16], k=1)[0][0].id == "id0015"


def test_removed_vectors_are_gone_and_may_come_back_as_others(tmp_path, layout):
    vectors = _vectors(30)
    index = Index.from_vectors(_names(30), vectors, tmp_path)
    assert index.remove(["id0003", "it's not there", "id0004"]) == ["id0003", "id0004"]
    assert "id0003" not in index
    assert len(index.search(vectors[3:4], k=30)[0]) == 28
    assert index.add_vectors(["id0003"], -vectors[3:4]) == ["id0003"]
    index.compact()
    for reader in (index, Index.open(tmp_path)):
        assert len(reader) == 29
        assert reader.search(-vectors[3:4], k=1)[0][0].id == "id0003"
        assert reader.search(vectors[3:4], k=29)[0][-1].id == "id0003"
    assert index.remove("id0005") == ["id0005"]  # one id, not its letters


def test_many_adds_are_compacted_by_themselves(tmp_path, layout):
    vectors = _vectors(80)
    index = Index.from_vectors(_names(1), vectors[:1], tmp_path)
    for row in range(1, 80):
        index.add_vectors([_names(80)[row]], vectors[row : row + 1])
    assert index.ids == _names(80)
    assert index.stats()["parts"] < 40


def test_compaction_loses_nothing(tmp_path, layout, model, music_videos):
    index = Index.build(model, music_videos(range(8)), tmp_path)
    index.add(model, music_videos(range(6, 12)))
    before = {
        (side, level): index.embeddings(side, level) for side in ("audio", "video") for level in ("segment", "track")
    }
    index.compact()
    assert index.stats()["parts"] == 1
    for key, (ids, vectors, metadata) in before.items():
        found = Index.open(tmp_path).embeddings(*key)
        assert (found[0], found[2]) == (ids, metadata)
        assert np.array_equal(found[1], vectors)


def test_a_build_holds_every_side_that_there_is(tmp_path, layout, model, music_videos):
    features = music_videos(range(8))
    index = Index.build(model, features, tmp_path)
    rows = {(row["side"], row["level"]): row["count"] for row in index.stats()["rows"]}
    assert rows == {("audio", "segment"): 21, ("audio", "track"): 7, ("video", "segment"): 21, ("video", "track"): 7}
    audio, video = model.embed(features, per="track")
    for side, expected, missing in (("audio", audio, "v004"), ("video", video, "v003")):
        ids, vectors, metadata = index.embeddings(side)
        assert ids == [name for name in np.unique(features.groups).tolist() if name != missing]
        assert np.allclose(vectors, expected[np.isin(np.unique(features.groups), ids)], atol=1e-6)
        assert metadata[1] == {"artist": "artist 0", "title": None, "genre": "jazz", "tags": ["live"], "year": None}


def test_another_model_and_other_features_are_refused(tmp_path, layout, model, other_model, music_videos):
    features = music_videos(range(3))
    index = Index.build(model, features, tmp_path, made_by={"audio": "a"}, run="base")
    Index.open(tmp_path, model)
    with pytest.raises(StaleIndexError, match=r"another model \(base.*antiphon index build"):
        Index.open(tmp_path, other_model)
    with pytest.raises(StaleIndexError, match="another model"):
        index.add(other_model, music_videos(range(4)))
    with pytest.raises(StaleIndexError, match="features of ears, not of fingers"):
        index.add(model, replace(features, audio_name="fingers"))
    with pytest.raises(StaleIndexError, match="the audio features have been recomputed with other weights"):
        index.add(model, music_videos(range(4)), made_by={"audio": "b"})
    with pytest.raises(StaleIndexError, match="holds a model's embeddings, not vectors"):
        index.add_vectors(["x"], _vectors(1))
    assert index.add(model, music_videos(range(4)), made_by={"video": "v"}) == ["v003"]


def test_a_new_build_takes_the_place_of_the_old_one(tmp_path, layout):
    index = Index.from_vectors(_names(3), _vectors(3), tmp_path)
    Index.from_vectors(["new"], _vectors(1), tmp_path)
    assert index.ids == ["new"]
    assert len(list(tmp_path.glob("entries-*"))) == 1


def test_damage_is_named(tmp_path):
    Index.from_vectors(_names(3), _vectors(3), tmp_path)
    (part,) = tmp_path.glob("entries-*/part-*.parquet")
    part.write_bytes(b"PAR1")
    with pytest.raises(SearchError, match=r"part-000000.parquet: is damaged.*antiphon index build"):
        Index.open(tmp_path).search(_vectors(1))
    part.unlink()
    with pytest.raises(SearchError, match=r"part-000000.parquet: is missing"):
        Index.open(tmp_path).search(_vectors(1))
    (tmp_path / "index.toml").write_text("format = 1\n")
    with pytest.raises(SearchError, match="index.toml is damaged"):
        Index.open(tmp_path)
    (tmp_path / "index.toml").write_text("format = 9\n")
    with pytest.raises(SearchError, match="another format"):
        Index.open(tmp_path)


def test_a_second_writer_is_refused(tmp_path, layout):
    index = Index.from_vectors(_names(3), _vectors(3), tmp_path)
    with index._writing(), pytest.raises(SearchError, match="another process is writing"):
        Index.open(tmp_path).add_vectors(["x"], _vectors(1))


def _is_among(name, names):
    return name is not None and name.casefold() in [each.casefold() for each in names]


def _naive(about, where):
    return [
        name
        for name, row in about.items()
        if (not where.genre or _is_among(row["genre"], where.genre))
        and (not where.artist or _is_among(row["artist"], where.artist))
        and not _is_among(row["artist"], where.not_artist)
        and (where.min_year is None or (row["year"] is not None and row["year"] >= where.min_year))
        and (where.max_year is None or (row["year"] is not None and row["year"] <= where.max_year))
        and all(_is_among(tag, row.get("tags", ())) for tag in where.tag)
        and not any(_is_among(tag, row.get("tags", ())) for tag in where.not_tag)
        and name not in where.not_ids
    ]


@pytest.mark.parametrize(
    "where",
    [
        Where(),
        Where(genre=("rock",)),
        Where(genre=("ROCK", "chanson française")),
        Where(artist=("o'neil",)),
        Where(artist=("ΓΙΏΡΓΟΣ",)),
        Where(not_artist=("ΓΙΏΡΓΟΣ", "İlhan")),
        Where(artist=("İlhan",)),
        Where(not_artist=("O'NEIL",)),
        Where(genre=("rock", "Guns N' Roses' \"kind\"")),
        Where(artist=("x') OR ('1'='1",)),
        Where(artist=("a;--", "\\'", "%")),
        Where(not_artist=("a;--", "O'Neil")),
        Where(min_year=1990),
        Where(max_year=1999),
        Where(genre=("jazz",), not_artist=("O'Neil",), min_year=1985, max_year=2005, not_ids=("id0007", "it's")),
        Where(genre=("nobody's",)),
        Where(tag="LOUD"),
        Where(tag=("loud", "it's live")),
        Where(not_tag=("loud", "nobody's")),
        Where(tag="loud", not_tag="It's live", genre="jazz"),
    ],
)
def test_conditions_hold_before_the_nearest_are_counted(tmp_path, layout, where):
    draw = np.random.default_rng(3)
    about = {
        name: {
            "artist": (None, "O'Neil", "a;--", "\\'", "x') OR ('1'='1", "%", "ΓΙΏΡΓΟΣ", "İlhan")[draw.integers(8)],
            "genre": (None, "rock", "Rock", "Chanson Française", "jazz", "Guns N' Roses' \"kind\"")[draw.integers(6)],
            "year": (None, 1980, 1990, 2000, 2010)[draw.integers(5)],
            "tags": ([], ["Loud"], ["loud", "It's live"], ["quiet"])[draw.integers(4)],
        }
        for name in _names(120)
    }
    vectors = _vectors(120)
    index = Index.from_vectors(list(about), vectors, tmp_path, metadata=list(about.values()))
    index.add_vectors(["new"], _vectors(1, seed=9), metadata=[{"genre": "classical"}])
    about["new"] = {"artist": None, "genre": "classical", "year": None}
    passing = _naive(about, where)
    vectors = np.concatenate([vectors, _vectors(1, seed=9)])
    rows = [row for row, name in enumerate(about) if name in passing]
    for query, hits in zip(_vectors(3, seed=5), index.search(_vectors(3, seed=5), k=5, where=where), strict=True):
        scores = _unit(vectors[rows]) @ query
        assert [hit.id for hit in hits] == [list(about)[rows[row]] for row in np.argsort(-scores)[:5]]


def test_conditions_that_cannot_be_meant_are_refused():
    with pytest.raises(ConfigError, match="min_year 2000 is after max_year 1990"):
        Where(min_year=2000, max_year=1990)
    assert Where(genre="rock") == Where(genre=("rock",))
