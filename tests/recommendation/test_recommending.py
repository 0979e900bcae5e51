"""Recommending by content: the formula against a naive one, and what is never recommended."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import antiphon as ap
from antiphon.errors import ConfigError
from antiphon.recommendation.content import content_scores
from antiphon.recommendation.reasons import reasons
from antiphon.recommendation.space import Space
from antiphon.search.explaining import facts_of

pytestmark = pytest.mark.numeric


def unit(random, count, dim=5):
    rows = random.normal(size=(count, dim))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def space_of(random, count=12, silent=(), blind=()):
    names = [f"v{number:02d}" for number in range(count)]
    parts = {}
    for side, without in (("audio", silent), ("video", blind)):
        rows = [row for row in range(count) if row not in without]
        about = [{"genre": "jazz" if row % 2 else "rock"} for row in rows]
        parts[side] = ([names[row] for row in rows], unit(random, len(rows)), about)
    return Space.joined(parts)


class AnIndex:
    """Hands out embeddings as an index does."""

    correction_dim = 0

    def __init__(self, space):
        self.space = space

    def embeddings(self, side, level="track"):
        return list(self.space.ids), self.space.sides[side], list(self.space.about)


@given(seed=st.integers(0, 1000), weight=st.floats(0, 1), nearest=st.integers(1, 6))
def test_scores_are_the_formula(seed, weight, nearest):
    space = space_of(np.random.default_rng(seed))
    liked, candidates = [0, 3, 5, 7], [1, 2, 4]
    found = content_scores(space, np.array(liked), np.array(candidates), weight, nearest)
    for candidate, score in zip(candidates, found, strict=True):
        means = []
        for side in ("audio", "video"):
            rows = space.sides[side].astype(float)
            cosines = sorted((float(rows[candidate] @ rows[other]) for other in liked), reverse=True)[:nearest]
            means.append(sum(cosines) / len(cosines))
        assert score == pytest.approx(weight * means[0] + (1 - weight) * means[1])


def test_a_missing_side_leaves_the_other():
    space = space_of(np.random.default_rng(0), silent=[1, 2], blind=[3])
    liked = space.rows(["v00", "v05"])
    for rows, side in ((space.rows(["v02"]), "video"), (space.rows(["v03"]), "audio")):
        only = Space(space.ids, {side: space.sides[side]}, space.about)
        assert content_scores(space, liked, rows, 0.3) == pytest.approx(content_scores(only, liked, rows, 0.3))
    assert np.isnan(content_scores(space, space.rows(["v03"]), space.rows(["v02"]))).all()


def test_best_first_and_never_what_was_had():
    space = space_of(np.random.default_rng(1))
    hits = ap.recommend(AnIndex(space), ["v00", "v01"], k=20, exclude=["v05"])
    assert {hit.id for hit in hits} == {*space.ids} - {"v00", "v01", "v05"}
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert ap.recommend(space, ["v00", "v01"], k=3, exclude=["v05"]) == hits[:3]


def test_filters_look_at_what_is_known():
    hits = ap.recommend(space_of(np.random.default_rng(2)), ["v00"], where=ap.Where(genre=("jazz",)))
    assert {hit.metadata["genre"] for hit in hits} == {"jazz"}
    assert len(hits) == 6


def test_ids_and_vectors_do():
    vectors = np.array([[2.0, 0], [1, 0.1], [0, 1], [-1, 0]])
    assert [hit.id for hit in ap.recommend((list("abcd"), vectors), ["a", "unknown"], k=2)] == ["b", "c"]


def test_what_cannot_be_answered_is_refused():
    space = space_of(np.random.default_rng(3))
    with pytest.raises(ConfigError, match="history .nobody.: none of these tracks is known"):
        ap.recommend(space, ["nobody"])
    with pytest.raises(ConfigError, match="k must be at least 1 and weight from 0 to 1, not 0"):
        ap.recommend(space, ["v00"], k=0)
    with pytest.raises(ConfigError, match="weight"):
        ap.recommend(space, ["v00"], weight=1.5)
    with pytest.raises(ConfigError, match="one row for each of 3 ids"):
        ap.recommend((list("abc"), np.eye(2)), ["a"])
    with pytest.raises(ConfigError, match="duplicate ids"):
        ap.recommend((["a", "a"], np.eye(2)), ["a"])


def test_an_index_of_ready_made_vectors_recommends(tmp_path):
    index = ap.Index.from_vectors(["liked", "alike", "other"], [[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]], path=tmp_path)
    assert [hit.id for hit in ap.recommend(index, ["liked"], k=5)] == ["alike", "other"]
    assert [hit.id for hit in ap.recommend(index, "liked", exclude="alike")] == ["other"]


def test_one_track_with_pictures_has_reasons_by_its_sound():
    sides = {"audio": (["a", "b", "c"], np.eye(3) + 0.5, [{}] * 3), "video": (["a"], np.ones((1, 3)), [{}])}
    (reason,) = reasons(Space.joined(sides), ["a"], ["b"], facts_of([{"id": name} for name in "abc"]))
    assert reason.like == "a"


def test_equally_near_tracks_come_by_id():
    """Equal but for an error of float32, and given in another order."""
    random = np.random.default_rng(0)
    names = [f"v{number:02d}" for number in random.permutation(20)]
    vectors = np.repeat(unit(random, 2), 10, axis=0) + 1e-8 * random.normal(size=(20, 5))
    near, far = sorted(names[1:10]), sorted(names[10:])
    assert [hit.id for hit in ap.recommend((names, vectors), [names[0]], k=20)] == near + far
    assert [hit.id for hit in ap.recommend((names, vectors), [names[0]], k=12)] == (near + far)[:12]
