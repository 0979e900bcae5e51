"""Scores of sound with pictures are corrected for hubness, those within one side are plain cosines."""

from pathlib import Path

import numpy as np
import pytest

import antiphon as ap
from antiphon.embeddings import within_side
from antiphon.model.recipe import changed_recipe, load_recipe
from antiphon.recommendation.space import Space
from antiphon.search import Index, Query
from antiphon.search.ranking import ComparedSide, mutual_similarity

QUICK = {"head": {"hidden": [16], "embedding_dim": 8}, "training": {"epochs": 2, "min_steps": 0}}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    random = np.random.default_rng(0)
    shared = np.repeat(random.normal(size=(90, 8)), 2, axis=0)
    audio, video = (shared @ random.normal(size=(8, 12)) + random.normal(size=(180, 12)) for _ in range(2))
    groups = [f"v{row // 2:02d}" for row in range(180)]
    features = ap.Features.from_arrays(
        audio=audio, video=video, groups=groups, starts_s=[5.0 * (row % 2) for row in range(180)]
    )
    recipe = changed_recipe(load_recipe("antiphon-base"), QUICK, "quick")
    model = ap.DualEncoder(recipe).fit(features, verbose=False)
    assert model.correction_dim
    return model, features, Index.build(model, features, tmp_path_factory.mktemp("index") / "index")


def score(query, other):
    """Half the cosine of the tracks, half the mean of the best cosines of the query's segments."""
    (track, segments), (other_track, others) = query, other
    return (track @ other_track + (segments @ others.T).max(axis=1).mean()) / 2


def naive(rows, tracks, video):
    return tracks[video], rows[2 * video : 2 * video + 2]


@pytest.mark.parametrize("opened", [False, True])
def test_within_a_side_scores_are_those_without_the_correction(built, opened):
    model, features, index = built
    index = Index.open(index.path, model) if opened else index
    sides = [
        [within_side(rows, model.correction_dim) for rows in model.embed(features, per=per)]
        for per in ("segment", "track")
    ]
    for by, (rows, tracks) in zip(("audio", "video"), zip(*sides, strict=True), strict=True):
        for hit in index.search(Query.from_id(index, "v03"), by=by, k=5):
            assert hit.score == pytest.approx(
                score(naive(rows, tracks, 3), naive(rows, tracks, int(hit.id[1:]))), abs=1e-5
            )


def test_across_the_sides_scores_are_corrected(built):
    model, features, index = built
    rows, tracks = model.embed(features), model.embed(features, per="track")
    for hit in index.search(Query.from_id(index, "v03"), target="audio", k=5):
        other = naive(rows[0], tracks[0], int(hit.id[1:]))
        assert hit.score == pytest.approx(score(naive(rows[1], tracks[1], 3), other), abs=1e-5)


def test_diverse_lists_and_recommendations_know_no_correction(built):
    model, features, index = built
    tracks = within_side(model.embed(features, per="track")[0], model.correction_dim)
    np.testing.assert_allclose(Space.of(index).sides["audio"], tracks, atol=1e-6)
    candidates = [index.item(id) for id in ("v00", "v01", "v02")]
    compared = [ComparedSide(candidates[0].sides["audio"], "audio", correction_dim=index.correction_dim)]
    found = mutual_similarity(candidates, compared)
    np.testing.assert_allclose(found, tracks[:3] @ tracks[:3].T, atol=1e-5)


@pytest.mark.parametrize("value", ["-1", "4.5", "true", "9999"])
def test_a_damaged_record_is_refused(built, value, tmp_path):
    _, _, index = built
    text = (Path(index.path) / "index.toml").read_text()
    assert "correction_dim = 4" in text
    (tmp_path / "index.toml").write_text(text.replace("correction_dim = 4", f"correction_dim = {value}"))
    with pytest.raises(ap.AntiphonError, match="damaged"):
        Index.open(tmp_path)


def test_nudged_queries_move_without_the_correction(built):
    model, features, index = built
    query = Query.from_id(index, "v03").towards(index, "v07", strength=0.4)
    tracks = within_side(model.embed(features, per="track")[0], model.correction_dim)
    expected = tracks[3] + 0.4 * tracks[7]
    np.testing.assert_allclose(
        within_side(query.audio.track, model.correction_dim), expected / np.linalg.norm(expected), atol=1e-5
    )
    np.testing.assert_allclose(np.linalg.norm(query.audio.segments, axis=1), 1, atol=1e-5)
    moved = query.audio.track
    for hit in index.search(query, by="audio", k=5):
        found = index.item(hit.id).sides["audio"]
        (one, ones), (other, others) = (
            (within_side(track, model.correction_dim), within_side(rows, model.correction_dim))
            for track, rows in ((moved, query.audio.segments), (found.track, found.segments))
        )
        assert hit.score == pytest.approx(score((one, ones), (other, others)), abs=1e-5)


def test_vectors_of_the_model_ask_by_plain_cosines(built):
    model, features, index = built
    tracks = model.embed(features, per="track")
    plain = [within_side(side, model.correction_dim) for side in tracks]
    (hits,) = index.search(tracks[0][3:4], k=5)
    best = np.maximum(plain[0] @ plain[0][3], plain[1] @ plain[0][3])
    assert [hit.id for hit in hits] == [f"v{row:02d}" for row in np.argsort(-best)[:5]]
    np.testing.assert_allclose([hit.score for hit in hits], np.sort(best)[::-1][:5], atol=1e-5)


def test_a_vector_of_nothing_but_corrections_is_like_nothing(built):
    model, _, index = built
    alone = np.zeros((1, model.dim), dtype=np.float32)
    alone[0, -1] = 1
    (hits,) = index.search(alone, k=3)
    assert [hit.score for hit in hits] == [0, 0, 0]
