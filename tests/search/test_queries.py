"""More like this, songs for pictures and pictures for songs, against naive loops."""

import pickle
from copy import copy
from dataclasses import replace

import numpy as np
import pytest

from antiphon.embeddings import ModalityEmbeddings
from antiphon.errors import AntiphonError, ConfigError, NotIndexedError
from antiphon.search import Index, Query, Where
from antiphon.segments.sampling import SamplingConfig

pytestmark = pytest.mark.numeric


@pytest.fixture
def features(music_videos):
    return music_videos(range(14))


@pytest.fixture
def index(tmp_path, layout, model, features):
    return Index.build(model, features, tmp_path)


def _sides(model, features):
    """For each video and side (segments, track) as the model has them; sides that are missing are left out."""
    segments, tracks = model.embed(features), model.embed(features, per="track")
    found = {}
    for number, video in enumerate(np.unique(features.groups)):
        for side, rows, wholes in zip(("audio", "video"), segments, tracks, strict=True):
            if not np.isnan(wholes[number]).any():
                found[str(video), side] = (rows[features.groups == video], wholes[number])
    return found


def _score(query, candidate):
    (asked, whole), (segments, track) = query, candidate
    best = [max(float(one @ other) for other in segments) for one in asked]
    return (float(whole @ track) + sum(best) / len(best)) / 2


def _ranking(scores):
    return sorted(scores, key=lambda video: (-scores[video], video))


@pytest.mark.parametrize(("target", "asked"), [("audio", "video"), ("video", "audio")])
def test_match_is_the_naive_ranking_with_its_moments(index, model, features, target, asked):
    sides = _sides(model, features)
    query = sides["v006", asked]
    scores = {video: _score(query, rows) for (video, side), rows in sides.items() if side == target and video != "v006"}
    hits = index.search(Query.from_id(index, "v006"), target=target, k=5)
    assert [hit.id for hit in hits] == _ranking(scores)[:5]
    assert np.allclose([hit.score for hit in hits], [scores[hit.id] for hit in hits], atol=1e-5)
    for hit in hits:
        cosines = query[0] @ sides[hit.id, target][0].T
        assert [moment.query_start_s / 10 for moment in hit.moments] == np.argsort(-cosines.max(axis=1)).tolist()
        best = hit.moments[0]
        assert best.score == pytest.approx(cosines.max(), abs=1e-5)
        assert (best.start_s, best.end_s, best.side) == (10 * (cosines.max(axis=0).argmax()), best.start_s + 3, target)


def test_moments_last_as_long_as_the_windows_of_the_features(tmp_path, model, features):
    longer = replace(features, sampling=SamplingConfig(segment_s=8.0, window_s=4.5))
    index = Index.build(model, longer.take(longer.groups != "v009"), tmp_path)
    index.add(model, longer)
    moments = [
        moment for hit in index.search(Query.from_id(index, "v006"), target="audio", k=100) for moment in hit.moments
    ]
    assert {moment.end_s - moment.start_s for moment in moments} == {4.5}


def test_its_own_other_side_is_left_out_unless_asked_for(index):
    assert "v006" not in [hit.id for hit in index.search(Query.from_id(index, "v006"), target="audio", k=100)]
    assert "v006" in [
        hit.id for hit in index.search(replace(Query.from_id(index, "v006"), id=None), target="audio", k=100)
    ]


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_similar_weighs_sound_and_pictures_and_compares_what_both_have(index, model, features, weight):
    sides = _sides(model, features)
    expected = {}
    for video in {name for name, _ in sides} - {"v006"}:
        shares = {"audio": weight, "video": 1 - weight}
        there = {side: share for side, share in shares.items() if (video, side) in sides and share}
        if there:
            parts = {side: _score(sides["v006", side], sides[video, side]) for side in there}
            expected[video] = sum(there[side] * parts[side] for side in there) / sum(there.values())
    hits = index.search(Query.from_id(index, "v006"), k=100, weight=weight)
    assert [hit.id for hit in hits] == _ranking(expected)
    assert np.allclose([hit.score for hit in hits], [expected[hit.id] for hit in hits], atol=1e-5)


def test_a_video_of_one_side_is_found_and_asked_by_what_it_has(index):
    silent = index.search(Query.from_id(index, "v004"), k=100, weight=0.9)
    assert {moment.side for hit in silent for moment in hit.moments} == {"video"}
    assert "v003" not in [hit.id for hit in silent]
    assert "v003" in [hit.id for hit in index.search(Query.from_id(index, "v006"), k=100)]
    with pytest.raises(NotIndexedError, match="'v004' has no sound to search by"):
        index.search(Query.from_id(index, "v004"), by="audio")
    with pytest.raises(NotIndexedError, match="'v004' has no sound to search by"):
        index.search(Query.from_id(index, "v004"), target="video")


def test_a_query_from_elsewhere_is_answered_as_the_same_video_of_the_index_is(index, model, features):
    rows = features.groups == "v006"
    starts = features.starts_s[rows].tolist()
    audio, video = (ModalityEmbeddings.from_segments(3 * side[rows], starts_s=starts) for side in model.embed(features))
    own, where = Query.from_id(index, "v006"), Where(not_ids=("v006",))
    assert _same(index.search(Query(audio), target="video", where=where), index.search(own, target="video"))
    assert _same(index.search(Query(audio, video), weight=0.3, where=where), index.search(own, weight=0.3))
    assert _same(index.search(Query(audio), where=where), index.search(own, by="audio"))


def _same(hits, others):
    assert [(hit.id, hit.metadata) for hit in hits] == [(hit.id, hit.metadata) for hit in others]
    assert np.allclose([hit.score for hit in hits], [hit.score for hit in others], atol=1e-5)
    for hit, other in zip(hits, others, strict=True):
        assert [one.query_start_s for one in hit.moments] == [one.query_start_s for one in other.moments]
    return True


def test_conditions_hold_for_tracks_and_segments(index):
    where = Where(genre=("rock",), not_artist=("artist 0",))
    found = {hit.id for hit in index.search(Query.from_id(index, "v006"), target="video", k=100, where=where)}
    assert found == {"v009", "v012"}
    assert {hit.id for hit in index.search(Query.from_id(index, "v006"), k=100, where=where)} == {"v009", "v012"}


def test_in_sequence_the_same_order_of_moments_comes_first(tmp_path, layout, model, music_videos):
    features = music_videos(range(5, 8), segments=4)
    order = np.concatenate([np.flatnonzero(features.groups == "v005")] * 2)
    twice = features.take(order)
    noise = np.random.default_rng(0).normal(size=twice.audio.shape).astype(np.float32)
    audio = twice.audio + np.where(np.arange(8) < 4, 0.05, 0.2)[:, None] * noise
    audio[:4] = audio[:4][::-1]
    twice = replace(
        twice,
        audio=audio,
        groups=np.array(["reversed"] * 4 + ["forwards"] * 4),
        ids=np.array([f"x{row}" for row in range(8)]),
    )
    index = Index.build(model, features, tmp_path)
    index.add(model, twice)
    assert [hit.id for hit in index.search(Query.from_id(index, "v005"), by="audio", k=2)] == ["reversed", "forwards"]
    hits = index.search(Query.from_id(index, "v005"), by="audio", k=2, rerank=True)
    assert hits[0].id == "forwards"
    assert all(moment.query_start_s == moment.start_s for moment in hits[0].moments)


def test_diversity_keeps_an_artist_from_filling_the_list(tmp_path, layout):
    draw = np.random.default_rng(0)
    seed = draw.normal(size=16)
    near, far = (seed + scale * draw.normal(size=(6, 16)) for scale in (0.1, 0.6))
    ids = ["seed", *(f"same{row}" for row in range(6)), *(f"other{row}" for row in range(6))]
    artists = ["seed", *["one"] * 6, *(f"artist {row}" for row in range(6))]
    metadata = [{"artist": artist} for artist in artists]
    index = Index.from_vectors(ids, np.concatenate([seed[None], near, far]), tmp_path, metadata=metadata)
    plain = [hit.metadata["artist"] for hit in index.search(Query.from_id(index, "seed"), k=6)]
    spread = [hit.metadata["artist"] for hit in index.search(Query.from_id(index, "seed"), k=6, diversity=0.5)]
    assert plain == ["one"] * 6
    assert spread[:4].count("one") == 1


def test_what_cannot_be_asked_is_refused(index, model, features):
    audio = model.embed(features)[0][features.groups == "v006"]
    query = Query.from_id(index, "v006")
    for call, message in (
        (lambda: Query.from_id(index, "nobody"), "'nobody' is not in the index"),
        (lambda: index.search(query, target="smell"), "target must be 'audio', 'video' or 'both', not 'smell'"),
        (lambda: index.search(query, by="smell"), "by must be 'audio', 'video' or 'both', not 'smell'"),
        (lambda: index.search(query, target="audio", by="video"), "by and weight need target 'both'"),
        (lambda: index.search(query, target="audio", weight=0.2), "by and weight need target 'both'"),
        (lambda: index.search(query, weight=1.5), r"weight must be between 0 and 1, not 1\.5"),
        (lambda: index.search(query, diversity=-1), "diversity must be between 0 and 1, not -1"),
        (lambda: index.search(query, k=0), "k must be at least 1, not 0"),
        (lambda: index.search(Query()), "neither sound nor pictures"),
        (lambda: index.search(Query(ModalityEmbeddings.from_segments(np.eye(2, 5)))), "not 5"),
        (lambda: ModalityEmbeddings.from_segments(audio, starts_s=[1.0]), "3 segments, 1 starts"),
        (lambda: ModalityEmbeddings.from_segments(audio[:0]), "0 segments"),
        (lambda: ModalityEmbeddings.from_segments(np.stack([audio[0], -audio[0]])), "cancel out"),
        (lambda: ModalityEmbeddings.from_segments(audio, track=audio), "track: 3 rows"),
        (lambda: ModalityEmbeddings.from_segments(audio, track=np.ones(5)), "track has 5 values"),
    ):
        with pytest.raises(AntiphonError, match=message):
            call()


def test_the_track_of_a_query_is_taken_as_given(index, model, features):
    """As of a track model: whatever the segments' mean is, the whole is compared with the tracks."""
    sides = _sides(model, features)
    segments, _ = sides["v006", "audio"]
    whole = sides["v009", "audio"][1]
    query = Query(ModalityEmbeddings.from_segments(segments, track=5 * whole[None]))
    scores = {video: _score((segments, whole), rows) for (video, side), rows in sides.items() if side == "video"}
    hits = index.search(query, k=100, target="video")
    assert [hit.id for hit in hits] == _ranking(scores)
    assert np.allclose([hit.score for hit in hits], [scores[hit.id] for hit in hits], atol=1e-5)
    assert index.search(query, k=1)[0].score == pytest.approx(
        max(_score((segments, whole), sides[key]) for key in sides if key[1] == "audio")
    )


@pytest.mark.parametrize(
    "option",
    [
        {"diversity": 0.4},
        {"rerank": True},
        {"target": "audio"},
        {"by": "video"},
        {"weight": 1},
        {"other_artists": True},
    ],
)
def test_options_of_a_query_are_refused_for_arrays(tmp_path, option):
    index = Index.from_vectors(["a", "b"], np.eye(2, 16), tmp_path)
    with pytest.raises(ConfigError, match=rf"^{next(iter(option))} needs a Query"):
        index.search(np.ones((1, 16)), **option)
    assert len(index.search(np.ones((1, 16)), diversity=0.0, rerank=False)[0]) == 2


def test_the_querys_own_artist_can_be_left_out(index):
    query = Query.from_id(index, "v006")
    assert query.artist == "artist 1"
    every, others = (index.search(query, k=100, other_artists=wanted) for wanted in (False, True))
    assert [hit for hit in every if hit.artist != "artist 1"] == others
    assert len(others) < len(every)


def test_nothing_found_is_explained_by_what_there_is(index):
    assert index.explain(Where(genre="rok")) == (
        "No music video of the index has the genre 'rok'. Did you mean rock? It has: rock, jazz."
    )
    assert "meets all of these conditions" in index.explain(Where(genre="rock", not_artist="artist 0"))
    assert index.explain(Where(min_year=1990)) == "No music video of the index has a year."


def test_hits_are_a_list_that_prints_as_a_table_and_goes_into_a_frame(index):
    hits = index.search(Query.from_id(index, "v006"), target="audio", k=3)
    assert isinstance(hits, list)
    heading, columns, *lines = repr(hits).splitlines()
    assert heading == "Songs for the pictures of v006"
    assert columns.split()[:2] == ["score", "id"]
    assert [line.split()[2] for line in lines] == [hit.id for hit in hits]
    frame = hits.to_frame()
    assert frame["id"].to_list() == [hit.id for hit in hits]
    assert frame["start_s"].to_list() == [hit.moments[0].start_s for hit in hits]
    assert index.search(Query.from_id(index, "v006"), where=Where(genre="none")).to_frame().is_empty()
    assert [set(row) for row in hits.to_dicts()] == 3 * [
        {"id", "title", "artist", "genre", "tags", "year", "score", "moments"}
    ]


def test_hits_are_pickled_without_their_index(index):
    hits = index.search(Query.from_id(index, "v000"), k=3)
    again = copy(hits)
    assert again == hits and (again.query, again.target) == ("v000", "both")
    assert len(pickle.dumps(hits)) < 20_000
    assert hits.to_frame().equals(again.to_frame())


def test_an_id_alone_is_no_query(index):
    with pytest.raises(ConfigError, match=r"Use Query\.from_text, Query\.from_id or Query\.from_file"):
        index.search("v000")


@pytest.mark.parametrize("years", [{"min_year": -1}, {"max_year": 10**20}])
def test_years_are_years(years):
    with pytest.raises(ConfigError, match="must be between 0 and 9999"):
        Where(**years)
