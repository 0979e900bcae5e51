"""More like this, songs for pictures and pictures for songs, against naive loops."""

from dataclasses import replace

import numpy as np
import pytest

from antiphon.errors import SearchError
from antiphon.search import Index, Where
from antiphon.segments.sampling import SamplingConfig

pytestmark = pytest.mark.numeric


@pytest.fixture
def features(music_videos):
    return music_videos(range(14))


@pytest.fixture
def index(tmp_path, kind, model, features):
    return Index.build(model, features, tmp_path, kind=kind)


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
    hits = index.match("v006", target, k=5)
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
    moments = [moment for hit in index.match("v006", "audio", k=100) for moment in hit.moments]
    assert {moment.end_s - moment.start_s for moment in moments} == {4.5}


def test_its_own_other_side_is_left_out_unless_asked_for(index):
    assert "v006" not in [hit.id for hit in index.match("v006", "audio", k=100)]
    assert "v006" in [hit.id for hit in index.match("v006", "audio", k=100, own=True)]


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
    hits = index.similar("v006", k=100, weight=weight)
    assert [hit.id for hit in hits] == _ranking(expected)
    assert np.allclose([hit.score for hit in hits], [expected[hit.id] for hit in hits], atol=1e-5)


def test_a_video_of_one_side_is_found_and_asked_by_what_it_has(index):
    silent = index.similar("v004", k=100, weight=0.9)
    assert {moment.side for hit in silent for moment in hit.moments} == {"video"}
    assert "v003" not in [hit.id for hit in silent]
    assert "v003" in [hit.id for hit in index.similar("v006", k=100)]
    with pytest.raises(SearchError, match="'v004' has no sound in the index"):
        index.similar("v004", by="audio")
    with pytest.raises(SearchError, match="'v004' has no sound in the index"):
        index.match("v004", target="video")


def test_a_file_is_answered_as_the_same_video_of_the_index_is(index, model, features):
    rows = features.groups == "v006"
    audio, video = (side[rows] for side in model.embed(features))
    starts = features.starts_s[rows].tolist()
    where = Where(not_ids=("v006",))
    assert _same(index.search(audio, target="video", where=where, starts_s=starts), index.match("v006", "video"))
    both = index.similar_to(audio, video, weight=0.3, where=where, audio_starts_s=starts, video_starts_s=starts)
    assert _same(both, index.similar("v006", weight=0.3))
    sound = index.similar_to(audio, weight=0.3, where=where, audio_starts_s=starts)
    assert _same(sound, index.similar("v006", by="audio"))


def _same(hits, others):
    assert [(hit.id, hit.metadata) for hit in hits] == [(hit.id, hit.metadata) for hit in others]
    assert np.allclose([hit.score for hit in hits], [hit.score for hit in others], atol=1e-5)
    for hit, other in zip(hits, others, strict=True):
        assert [one.query_start_s for one in hit.moments] == [one.query_start_s for one in other.moments]
    return True


def test_conditions_hold_for_tracks_and_segments(index):
    where = Where(genre=("rock",), not_artist=("artist 0",))
    found = {hit.id for hit in index.match("v006", "video", k=100, where=where)}
    assert found == {"v009", "v012"}
    assert {hit.id for hit in index.similar("v006", k=100, where=where)} == {"v009", "v012"}


def test_in_sequence_the_same_order_of_moments_comes_first(tmp_path, kind, model, music_videos):
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
    index = Index.build(model, features, tmp_path, kind=kind)
    index.add(model, twice)
    assert [hit.id for hit in index.similar("v005", by="audio", k=2)] == ["reversed", "forwards"]
    hits = index.similar("v005", by="audio", k=2, rerank=True)
    assert hits[0].id == "forwards"
    assert all(moment.query_start_s == moment.start_s for moment in hits[0].moments)


def test_diversity_keeps_an_artist_from_filling_the_list(tmp_path, kind):
    draw = np.random.default_rng(0)
    seed = draw.normal(size=16)
    near, far = (seed + scale * draw.normal(size=(6, 16)) for scale in (0.1, 0.6))
    ids = ["seed", *(f"same{row}" for row in range(6)), *(f"other{row}" for row in range(6))]
    artists = ["seed", *["one"] * 6, *(f"artist {row}" for row in range(6))]
    metadata = [{"artist": artist} for artist in artists]
    index = Index.from_vectors(ids, np.concatenate([seed[None], near, far]), tmp_path, kind=kind, metadata=metadata)
    plain = [hit.metadata["artist"] for hit in index.similar("seed", k=6)]
    spread = [hit.metadata["artist"] for hit in index.similar("seed", k=6, diversity=0.5)]
    assert plain == ["one"] * 6
    assert spread[:4].count("one") == 1


def test_what_cannot_be_asked_is_refused(index, model, features):
    audio = model.embed(features)[0][features.groups == "v006"]
    for call, message in (
        (lambda: index.similar("nobody"), "no 'nobody' in this index"),
        (lambda: index.match("nobody", "audio"), "no 'nobody' in this index"),
        (lambda: index.match("v006", "smell"), "'smell' is no side"),
        (lambda: index.similar("v006", by="smell"), "'smell' is no side"),
        (lambda: index.similar("v006", weight=1.5), r"weight is 1\.5"),
        (lambda: index.similar("v006", diversity=-1), "diversity is -1"),
        (lambda: index.similar("v006", k=0), "k is 0"),
        (lambda: index.search(audio, target="smell"), "'smell' is no side"),
        (lambda: index.search(audio, target="video", starts_s=[1.0]), "3 segments and 1 starts"),
        (lambda: index.search(audio[:0], target="video"), "0 segments"),
        (lambda: index.search(np.stack([audio[0], -audio[0]]), target="video"), "cancel out"),
        (index.similar_to, "Neither sound nor pictures"),
    ):
        with pytest.raises(SearchError, match=message):
            call()


def test_the_track_of_a_file_is_taken_as_given(index, model, features):
    """As of a track model: whatever the segments' mean is, the whole is compared with the tracks."""
    sides = _sides(model, features)
    segments, _ = sides["v006", "audio"]
    whole = sides["v009", "audio"][1]
    scores = {video: _score((segments, whole), rows) for (video, side), rows in sides.items() if side == "video"}
    hits = index.search(segments, k=100, target="video", track=5 * whole[None])
    assert [hit.id for hit in hits] == _ranking(scores)
    assert np.allclose([hit.score for hit in hits], [scores[hit.id] for hit in hits], atol=1e-5)
    alike = index.similar_to(audio=segments, audio_track=whole[None], k=1)[0]
    assert alike.score == pytest.approx(
        max(_score((segments, whole), sides[key]) for key in sides if key[1] == "audio")
    )
    with pytest.raises(SearchError, match="track: has 3 rows"):
        index.search(segments, target="video", track=segments)


@pytest.mark.parametrize(
    "option",
    [{"diversity": 0.4}, {"rerank": True}, {"starts_s": [0.0]}, {"track": np.ones((1, 16))}, {"starts_s": []}],
)
def test_without_a_target_options_that_need_one_are_refused(tmp_path, option):
    index = Index.from_vectors(["a", "b"], np.eye(2, 16), tmp_path)
    with pytest.raises(SearchError, match=rf"^{next(iter(option))} needs a target: give target="):
        index.search(np.ones((1, 16)), **option)
    assert len(index.search(np.ones((1, 16)), diversity=0.0, rerank=False)[0]) == 2
