"""The index follows the catalogue: corrected metadata, removed videos and replaced files, without embedding again."""

import unicodedata

import numpy as np
import pytest

from antiphon.catalogue import Catalogue
from antiphon.errors import SearchError
from antiphon.search import Index, Query, Where
from antiphon.search import current as currents

from .conftest import Matrices, make_features

NUMBERS = range(30)


def rows(**changes: dict) -> list[dict]:
    """Rows of a catalogue: of three genres, four videos by each artist, from 1990 on."""
    found = [
        {
            "id": f"v{number:03d}",
            "artist": f"artist {number // 4}",
            "title": f"Title {number}",
            "genre": ("rock", "jazz", None)[number % 3],
            "tags": ["live"] if number % 2 else [],
            "year": 1990 + number,
            "content_hash": f"hash {number}",
        }
        for number in NUMBERS
    ]
    return [row | changes.get(row["id"], {}) for row in found]


@pytest.fixture
def place(tmp_path, layout):
    """A workspace's folder with a catalogue and an index."""
    Catalogue(rows()).save(tmp_path / "catalogue.parquet")
    features = make_features(NUMBERS)
    Index.build(Matrices(), features, tmp_path / "index", Catalogue(rows()))
    return tmp_path


def save(place, **changes: dict) -> None:
    Catalogue(rows(**changes)).save(place / "catalogue.parquet")


def found(index: Index, where: Where | None = None, k: int = 30) -> dict[str, dict]:
    return {hit.id: hit.metadata for hit in index.search(Query.from_id(index, "v000"), k=k, where=where or Where())}


def test_nothing_changes_while_the_catalogue_is_that_of_the_build(place):
    index = Index.open(place / "index")
    assert set(found(index, Where(genre="jazz"))) == {f"v{number:03d}" for number in NUMBERS if number % 3 == 1}
    assert len(found(index)) == 29


@pytest.mark.parametrize("reopened", [True, False])
def test_conditions_and_hits_have_the_metadata_of_today(place, reopened):
    index = Index.open(place / "index")
    before = found(index)
    save(
        place,
        v001={"genre": "folk", "title": "Corrected", "tags": ["a", "b"], "year": 2020},
        v002={"artist": "Somebody else", "genre": "folk"},
        v004={"genre": None, "year": None},
    )
    index = Index.open(place / "index") if reopened else index
    assert set(found(index, Where(genre="folk"))) == {"v001", "v002"}
    assert "v001" not in found(index, Where(genre="jazz"))
    assert "v004" not in found(index, Where(genre="jazz"))
    assert set(found(index, Where(artist="Somebody else"))) == {"v002"}
    assert set(found(index, Where(min_year=2020))) == {"v001"}
    assert "v004" not in found(index, Where(min_year=1900))
    assert "v002" not in found(index, Where(not_artist=("Somebody else",)))
    assert "v002" in found(index, Where(not_artist=("artist 0",)))
    now = found(index)
    assert now["v001"] == {
        "artist": "artist 0",
        "title": "Corrected",
        "genre": "folk",
        "tags": ["a", "b"],
        "year": 2020,
    }
    assert (now["v004"]["genre"], now["v004"]["year"]) == (None, None)
    assert {name: about for name, about in now.items() if name not in {"v001", "v002", "v004"}} == {
        name: about for name, about in before.items() if name not in {"v001", "v002", "v004"}
    }
    assert index.item("v001").metadata["title"] == "Corrected"
    assert index.titles()["v001"] == "Corrected"
    assert "folk" in index.explain(Where(genre="polka"))
    names, _, metadata = index.embeddings("audio")
    assert metadata[names.index("v001")]["title"] == "Corrected"


def test_letters_are_one_however_they_are_composed(place, tmp_path):
    apart = unicodedata.normalize("NFD", "Café")
    (tmp_path / "songs.csv").write_text(f"id,genre,artist,tags\nv001,{apart},{apart},{apart}\n", encoding="utf-8")
    (row,) = Catalogue.from_csv(tmp_path / "songs.csv").records()
    save(place, v001={name: row[name] for name in ("genre", "artist", "tags")})
    index = Index.open(place / "index")
    for name in ("Café", "CAFÉ", apart):
        for where in (Where(genre=name), Where(artist=name), Where(tag=name)):
            assert set(found(index, where)) == {"v001"}


def test_scores_and_order_do_not_change_with_metadata(place):
    index = Index.open(place / "index")
    query = Query.from_id(index, "v000")
    before = [(hit.id, hit.score) for hit in index.search(query, k=30)]
    save(place, **{f"v{number:03d}": {"genre": "folk"} for number in NUMBERS})
    assert [(hit.id, hit.score) for hit in index.search(query, k=30)] == before
    assert [(hit.id, hit.score) for hit in index.search(query, k=30, where=Where(genre="folk"))] == before


def test_removed_videos_are_not_found_and_come_back(place):
    index = Index.open(place / "index")
    Catalogue([row for row in rows() if row["id"] not in {"v001", "v005"}]).save(place / "catalogue.parquet")
    assert not {"v001", "v005"} & set(found(index))
    assert "v001" not in index
    assert len(index) == 28
    assert not {"v001", "v005"} & set(index.embeddings("video")[0])
    assert "v005" not in found(index, Where(genre=("rock", "jazz")))
    save(place)
    assert {"v001", "v005"} <= set(found(index))


def test_a_replaced_file_is_not_found_until_it_is_embedded_again(place):
    save(place, v001={"content_hash": "other"}, v002={"content_hash": "other"}, v003={"content_hash": None})
    index = Index.open(place / "index")
    assert not {"v001", "v002"} & set(found(index))
    assert "v003" in found(index)
    features = make_features(NUMBERS, seed=1)
    features = features.take(features.groups != "v002")  # which could not be computed yet
    now = Catalogue.load(place / "catalogue.parquet")
    assert index.add(Matrices(), features, now) == ["v001"]
    (expected,) = (vectors[features.groups == "v001"] for vectors in Matrices().embed(features)[:1])
    np.testing.assert_allclose(index.item("v001").sides["audio"].segments, expected, atol=1e-5)
    assert index.add(Matrices(), features, now) == []
    assert "v002" not in index
    assert index.add(Matrices(), make_features(NUMBERS, seed=1), now) == ["v002"]


def test_an_addition_that_was_killed_is_done_again(place, monkeypatch):
    save(place, v001={"content_hash": "other"})
    index, now = Index.open(place / "index"), Catalogue.load(place / "catalogue.parquet")
    for name in ("write_contents", "append"):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(index._place if name == "write_contents" else index._store, name, _killed)
            index.add(Matrices(), make_features(NUMBERS, seed=1), now)
        assert "v001" not in Index.open(place / "index")
    assert Index.open(place / "index").add(Matrices(), make_features(NUMBERS, seed=1), now) == ["v001"]


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_an_index_of_an_earlier_version_has_no_contents(place):
    for path in (place / "index").glob("contents-*"):
        path.unlink()
    save(place, v001={"content_hash": "other", "genre": "folk"})
    index = Index.open(place / "index")
    assert set(found(index, Where(genre="folk"))) == {"v001"}
    assert index.add(Matrices(), make_features(NUMBERS), Catalogue.load(place / "catalogue.parquet")) == []


def test_a_new_build_leaves_no_contents_behind(place, layout):
    Index.build(Matrices(), make_features(NUMBERS), place / "index", Catalogue(rows()))
    assert len(list((place / "index").glob("contents-*"))) == 1


def test_damaged_contents_are_named(place):
    (path,) = (place / "index").glob("contents-*")
    path.write_bytes(b"no table")
    with pytest.raises(SearchError, match=r"contents-.*: is damaged. Build it again"):
        Index.open(place / "index").ids  # noqa: B018


def test_the_catalogue_is_read_once_while_it_stays_the_same(place, monkeypatch):
    index, reads = Index.open(place / "index"), []
    monkeypatch.setattr(currents, "read_table", lambda *given: reads.append(given) or _read(*given))
    for _ in range(3):
        found(index)
    assert len(reads) == 1
    save(place, v001={"genre": "folk"})
    found(index)
    assert len(reads) == 2


_read = currents.read_table


def test_a_catalogue_that_cannot_be_read_spoils_no_search(place):
    (place / "catalogue.parquet").write_bytes(b"no table")
    assert len(found(Index.open(place / "index"))) == 29


def test_an_index_elsewhere_follows_a_catalogue_that_it_is_told_of(place, tmp_path, layout):
    Index.build(Matrices(), make_features(NUMBERS), tmp_path / "far" / "away", Catalogue(rows()))
    save(place, v001={"genre": "folk"})
    index = Index.open(tmp_path / "far" / "away")
    assert not found(index, Where(genre="folk"))
    index.follow(place / "catalogue.parquet")
    assert set(found(index, Where(genre="folk"))) == {"v001"}


def test_vectors_keep_their_ids_and_the_metadata_that_they_came_with(tmp_path, layout):
    Catalogue([{"id": "a", "genre": "pop"}, {"id": "b"}]).save(tmp_path / "catalogue.parquet")
    index = Index.from_vectors("abc", np.eye(3), tmp_path / "index", metadata=[{"genre": "own"}] * 3)
    hits = index.search(np.ones((1, 3)), k=3)[0]
    assert {hit.id: hit.metadata["genre"] for hit in hits} == {"a": "own", "b": "own", "c": "own"}
    assert (len(index), index.ids) == (3, ["a", "b", "c"])


def test_vectors_beside_a_catalogue_of_other_videos_are_found(tmp_path, layout):
    Catalogue([{"id": "other"}]).save(tmp_path / "catalogue.parquet")
    index = Index.from_vectors("abc", np.eye(3), tmp_path / "index")
    assert {hit.id for hit in index.search(np.ones((1, 3)), k=3)[0]} == {"a", "b", "c"}
    assert "a" in index
    assert len(index.embeddings("")[0]) == 3
