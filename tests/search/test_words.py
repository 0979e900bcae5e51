"""Searching an index by words, alone and beside a music video; what is kept beside it, and what is told."""

from concurrent.futures import ThreadPoolExecutor
from time import sleep

import numpy as np
import pyarrow as pa
import pytest

from antiphon.errors import ConfigError, SearchError
from antiphon.search import Index, Query, Where, answering, knowing
from antiphon.search import index as index_module
from antiphon.search.heard import Heard
from antiphon.search.storage import Place
from antiphon.tables import ATTRIBUTES, write_table
from antiphon.words import knowledge
from antiphon.words.recent import Recent

ROWS = [
    {"tags": ["piano", "calm"], "genre": "jazz", "artist": "Ann", "year": 1994, "title": "One"},
    {"tags": ["drums"], "genre": "rock", "artist": "Ann", "year": 1985, "title": "Two"},
    {"tags": ["piano"], "genre": "rock", "artist": "Bea", "year": 1999, "title": "Three"},
    {"tags": [], "genre": "folk", "artist": "Cy", "year": None, "title": "Four"},
]
IDS = ["a", "b", "c", "d"]


@pytest.fixture
def index(tmp_path):
    """Four vectors with metadata, in a folder that may have a table of measurements."""
    return Index.from_vectors(IDS, np.eye(4, 6) + 0.1, path=tmp_path / "index", metadata=ROWS)


def found(index, text, **options):
    return [hit.id for hit in index.search(Query.from_text(index, text), **options)]


def test_words_find_music_videos_and_say_why(index):
    hits = index.search(Query.from_text(index, "piano, 90s, xyzzy"), k=2)
    assert {hit.id for hit in hits} == {"a", "c"}
    assert hits[0].reasons == ("piano: tag piano", "1990–1999: " + str(hits[0].metadata["year"]))
    assert hits.words.unknown == ("xyzzy",)
    assert [term.name for term in hits.words.terms] == ["piano", "1990–1999"]
    assert hits.heading == "For the words “piano, 90s, xyzzy”"
    assert 0.5 < hits[1].score <= hits[0].score < 1


def test_a_label_and_years_joined_by_or_are_found(index):
    assert found(index, "jazz")[0] == "a" and set(found(index, "rock")[:2]) == {"b", "c"}
    assert found(index, "before 1990 or after 1998")[:2] == ["b", "c"]


def test_conditions_hold_for_words_too(index):
    assert found(index, "piano", where=Where(genre="rock"))[0] == "c"
    assert "a" not in found(index, "piano", where=Where(genre="rock"))
    assert set(found(index, "piano", where=Where(not_ids=("a",)))) == {"b", "c", "d"}
    # An artist fills no diverse list: Ann's other song comes last.
    assert found(index, "no folk", diversity=0.9)[-1] != found(index, "no folk")[-1]


def test_ties_are_ordered_by_id(index):
    assert found(index, "surely unknown, folk")[1:] == ["a", "b", "c"]


def test_words_that_mean_nothing_find_nothing(index):
    hits = index.search(Query.from_text(index, "xyzzy"))
    assert not hits and hits.words.unknown == ("xyzzy",)
    dark = index.search(Query.from_text(index, "dark"))
    assert not dark and [term.name for term in dark.silent] == ["dark"]


def test_words_alone_have_no_sound_and_no_pictures(index):
    query = Query.from_text(index, "piano")
    for options in ({"target": "audio"}, {"by": "video"}, {"weight": 0.2}, {"rerank": True}, {"other_artists": True}):
        with pytest.raises(ConfigError, match="words alone have neither sound nor pictures"):
            index.search(query, **options)


def test_words_beside_a_music_video_bring_forward_what_suits_them(index):
    query = Query.from_id(index, "d")
    plain = [hit.id for hit in index.search(query)]
    assert plain == ["a", "b", "c"]  # all as similar
    hits = index.search(query.and_words(index, "drums"))
    assert hits[0].id == "b"
    assert hits[0].reasons == ("drums: tag drums",)
    words = index.known().suits(index.known().suiting(hits.words))
    similar = {hit.id: hit.score for hit in index.search(query)}
    for hit in hits:
        assert hit.score == pytest.approx((similar[hit.id] + words(hit.id)) / 2)


def test_words_that_tell_nothing_change_no_score_beside_a_music_video(index):
    query = Query.from_id(index, "d")
    scores = [(hit.id, hit.score) for hit in index.search(query)]
    for text in ("xyzzy", "dark"):  # not understood; understood, but nothing tells of it
        assert [(hit.id, hit.score) for hit in index.search(query.and_words(index, text))] == scores


def test_beside_words_only_the_best_are_compared_moment_by_moment(tmp_path, monkeypatch):
    monkeypatch.setattr(answering, "_POOL", 5)
    compared = []

    def in_order(candidates, comparisons, score):
        compared.append(len(candidates := list(candidates)))
        return ordered(candidates, comparisons, score)

    ordered = answering.in_order
    monkeypatch.setattr(answering, "in_order", in_order)
    tags = [{"tags": ["drums"] if number >= 30 else []} for number in range(40)]
    vectors = np.eye(40)[0] + 0.01 * np.arange(40)[:, None] * np.eye(40)
    index = Index.from_vectors([f"{number:02d}" for number in range(40)], vectors, path=tmp_path, metadata=tags)
    hits = index.search(Query.from_id(index, "00").and_words(index, "drums"), k=5, rerank=True)
    assert len(compared) == 2 and compared[0] > 5 and compared[1] == 5
    assert all(hit.metadata["tags"] == ["drums"] for hit in hits)


def test_words_alone_cannot_be_nudged(index):
    with pytest.raises(ConfigError, match="'guitar' has nothing that could be made more live: name a music video"):
        Query.from_text(index, "guitar").nudge(index, "more live")


def test_a_request_computes_each_term_and_reads_each_text_once(index, monkeypatch):
    told, read = [], []
    concept, interpret = knowledge._VALUES["concept"], knowing.interpret
    monkeypatch.setitem(
        knowledge._VALUES, "concept", lambda known, term: told.append(term.name) or concept(known, term)
    )
    monkeypatch.setattr(knowing, "interpret", lambda text, *more: read.append(text) or interpret(text, *more))
    for by in ("a", "b", "c"):
        index.search(Query.from_id(index, by).and_words(index, "no piano, drums"))
    index.known().suiting(index.known().read("drums, piano"))
    assert sorted(told) == ["drums", "piano"] and read == ["no piano, drums", "drums, piano"]


def test_what_is_silent_is_found_without_a_direction(index, monkeypatch):
    monkeypatch.setattr(knowledge.Knowledge, "value", lambda *_: pytest.fail("a term was valued"))
    assert [term.name for term in index.known().read("dark piano").terms] == ["dark", "piano"]


def test_several_threads_wait_for_what_one_of_them_computes(index, monkeypatch):
    made = []
    known_of = index_module.known_of
    monkeypatch.setattr(index_module, "known_of", lambda *given: (sleep(0.05), made.append(1), known_of(*given))[2])
    effects = []
    monkeypatch.setattr(knowing, "measured_effect", lambda *given: (sleep(0.05), effects.append(1), "effect")[2])
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: index.nudge_effect("more live"), range(4)))
    assert found == ["effect"] * 4 and made == [1] and effects == [1]


def test_only_the_last_are_kept():
    recent, asked = Recent(2), []
    for key in ("a", "b", "a", "c", "a", "b"):
        recent.get(key, lambda key=key: asked.append(key))
    assert asked == ["a", "b", "c", "b"]


def test_measurements_of_the_workspace_count_and_are_read_again_when_they_change(index, tmp_path):
    assert not found(index, "dark")
    write_table(measured({"a": 0.9, "b": 0.1, "c": 0.5}), tmp_path / "attributes.parquet")
    assert found(index, "dark")[0] == "b"
    write_table(measured({"a": 0.1, "b": 0.9, "c": 0.5}), tmp_path / "attributes.parquet")
    assert found(index, "dark")[0] == "a"
    (tmp_path / "attributes.parquet").write_bytes(b"damaged")
    assert not found(index, "dark")


def measured(luma):
    rows = [
        {"segment_id": f"{id}/{part}", "video_id": id, "window_start_s": 0.0, "window_end_s": 3.0, "saturation": 0.5}
        | {"black_and_white": False, "luma": value + part / 100, "motion": 0.1, "cuts_per_s": 0.0, "tempo_bpm": None}
        for id, value in luma.items()
        for part in range(2)
    ]
    return pa.Table.from_pylist(rows, schema=ATTRIBUTES)


def test_words_know_what_was_added_and_what_was_removed(index):
    assert found(index, "flute") == []
    index.add_vectors(["e"], np.ones((1, 6)), metadata=[{"tags": ["flute"], "title": "Five"}])
    assert found(index, "flute")[0] == "e"
    index.remove("e")
    assert found(index, "flute") == []


def test_heard_tags_survive_a_file_and_a_damaged_one_counts_as_none(tmp_path):
    place = Place(tmp_path)
    index = Index.from_vectors(IDS, np.eye(4), path=tmp_path)
    record = place.record()
    heard = Heard("mtt", {"a": np.linspace(0, 1, 50, dtype=np.float32), "b": np.zeros(50, np.float32)})
    place.write_heard(record, heard)
    read = place.heard(record)
    assert read.corpus == "mtt" and set(read.by_id) == {"a", "b"}
    np.testing.assert_array_equal(read.by_id["a"], heard.by_id["a"])
    assert np.isnan(read.by_tag(["c", "a"])["guitar"][0]) and read.by_tag(["c", "a"])["guitar"][1] == 0
    more = read.joined(Heard("mtt", {"b": np.ones(50, np.float32)}))
    assert more.by_id["b"][0] == 1 and more.by_id["a"][1] > 0
    (tmp_path / f"heard-{record.entries}.parquet").write_bytes(b"damaged")
    assert not place.heard(record).by_id
    assert index.search(Query.from_text(index, "guitar")) == []


def test_a_query_says_what_it_asks_for(index):
    assert repr(Query.from_text(index, "no drums")) == "Query(no drums: no drums)"
    assert repr(Query.from_id(index, "a").and_words(index, "calm")) == "Query(a, calm: vectors (0 segments), calm)"


class TextSide:
    """Knows one text, and where it lies by side."""

    def __init__(self, text, **vectors):
        self.text, self.vectors, self.asked = text, vectors, []

    def embed_text(self, text):
        self.asked.append(text)
        return self.vectors if text == self.text else {}


def test_a_text_side_asks_in_the_space_of_the_index_besides_the_words(tmp_path, music_videos, model):
    index = Index.build(model, music_videos(range(5, 11)), tmp_path / "built")
    like = index.item("v007").sides
    side = TextSide("anything", audio=3 * like["audio"].track, video=like["video"].track)
    hits = index.search(Query.from_text(index, "anything", side), k=6)
    assert hits[0].id == "v007" and hits[0].score > 0.5
    # By hand: cosines of each side, standardised, their mean standardised again, as one of its terms.
    ids, songs, _ = index.embeddings("audio")
    standard = [rows @ like[name].track for name, rows in (("audio", songs), ("video", index.embeddings("video")[1]))]
    mean = np.mean([(rows - rows.mean()) / rows.std() for rows in standard], axis=0)
    expected = dict(zip(ids, 1 / (1 + np.exp(-(mean - mean.mean()) / mean.std())), strict=True))
    assert {hit.id: hit.score for hit in hits} == pytest.approx(expected, abs=1e-5)
    beside = index.search(Query.from_id(index, "v006").and_words(index, "anything", side))
    similar = {hit.id: hit.score for hit in index.search(Query.from_id(index, "v006"))}
    assert {hit.id: hit.score for hit in beside} == pytest.approx(
        {id: (similar[id] + expected[id]) / 2 for id in similar}, abs=1e-5
    )


def test_networks_are_not_told_what_is_to_be_absent(index):
    side = TextSide("")
    for text, told in (
        ("calm, no drums", ["calm"]),
        ("no drums", []),
        ("no drums rather than piano", []),
        ("xyzzy", ["xyzzy"]),
    ):
        side.asked.clear()
        Query.from_text(index, text, side)
        assert side.asked == told
    with pytest.raises(SearchError, match="must have 6 values, as in this index, not 3"):
        index.search(Query.from_text(index, "odd", TextSide("odd", audio=np.ones(3))))
