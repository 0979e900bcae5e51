"""Nudges: a planted direction is found and told from random ones, and one that leads nowhere is told too."""

from dataclasses import replace

import numpy as np
import pytest

from antiphon.errors import ConfigError, NotIndexedError
from antiphon.search import Index, Query
from antiphon.words import nudges
from antiphon.words.knowledge import Knowledge
from antiphon.words.nudges import NUDGES, direction, measured_effect, moved

COUNT = 150


def knowledge(planted=True, seed=0, dim=12):
    """Vectors whose first value follows the brightness, or nothing does; tempo is unknown."""
    random = np.random.default_rng(seed)
    luma = random.random(COUNT)
    vectors = random.normal(size=(COUNT, dim))
    if planted:
        vectors[:, 0] += 6 * (luma - 0.5)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = [f"{number:03d}" for number in range(COUNT)]
    return Knowledge(ids, [{}] * COUNT, measures={"luma": luma}, sides={"video": vectors.astype(np.float32)})


@pytest.mark.numeric
def test_a_planted_direction_is_found_and_brightens_what_is_nearest():
    known = knowledge()
    assert direction(known, "brighter")["video"][0] > 0.9
    brighter, darker = (measured_effect(known, name, np.random.default_rng(1)) for name in ("brighter", "darker"))
    assert brighter.works and darker.works
    assert brighter.measures["luma"] > 0.02 and darker.measures["luma"] < -0.02
    assert brighter.random[0] < 0 < brighter.random[1] < brighter.suits


def test_where_vectors_say_nothing_of_it_a_nudge_does_not_work():
    of_noise = [knowledge(planted=False, seed=seed, dim=64) for seed in range(6)]
    effects = [measured_effect(known, "brighter", np.random.default_rng(1)) for known in of_noise]
    assert not any(effect.works for effect in effects)
    assert abs(np.mean([effect.suits for effect in effects])) < 0.1
    assert measured_effect(knowledge(dim=64), "brighter", np.random.default_rng(1)).works


def test_tags_that_follow_nothing_are_no_evidence_of_themselves():
    """The direction that a tag is also told by was learned on all music videos, so it must not count."""
    tags = np.random.default_rng(3).random(COUNT) < 0.4
    known = replace(knowledge(planted=False, dim=64), rows=[{"tags": ["live"] if tag else []} for tag in tags])
    assert not measured_effect(known, "more live", np.random.default_rng(1)).works


def test_of_a_large_catalogue_a_part_is_measured(monkeypatch):
    monkeypatch.setattr(nudges, "_CANDIDATES", 40)
    monkeypatch.setattr(nudges, "_QUERIES", 15)
    effect = measured_effect(knowledge(), "brighter", np.random.default_rng(1))
    assert effect.queries == 30 and effect.works


def test_what_nothing_tells_of_is_no_nudge():
    with pytest.raises(NotIndexedError, match="Nothing in this catalogue tells which music videos are faster"):
        direction(knowledge(), "faster")
    with pytest.raises(ConfigError, match=r"No nudge 'brihter'. Did you mean brighter\?"):
        direction(knowledge(), "brihter")


def test_a_moved_vector_has_length_1_and_no_step_changes_nothing():
    rows = np.eye(3, 12, dtype=np.float32)
    along = np.eye(12)[5]
    np.testing.assert_allclose(np.linalg.norm(moved(rows, along, 0.5), axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(moved(rows, along, 0.0), rows)
    np.testing.assert_allclose(moved(rows, along, 0.5)[0, [0, 5]], np.array([1, 0.5]) / np.sqrt(1.25), rtol=1e-6)


def test_a_query_is_moved_towards_a_hit_and_away_from_it(tmp_path):
    index = Index.from_vectors(["a", "b", "c"], [[1, 0, 0], [0.6, 0.8, 0], [0.6, 0, 0.8]], path=tmp_path)
    query = Query.from_id(index, "a")
    towards = query.towards(index, "b")
    np.testing.assert_allclose(towards.vectors.track, np.array([1.3, 0.4, 0]) / np.hypot(1.3, 0.4), rtol=1e-6)
    assert [hit.id for hit in index.search(towards)] == ["b", "c"] and towards.name == "a, more like b"
    assert [hit.id for hit in index.search(query.towards(index, "b", -0.5))] == ["c", "b"]
    with pytest.raises(NotIndexedError, match="'x' is not in the index"):
        query.towards(index, "x")
    with pytest.raises(ConfigError, match="'piano' has nothing that could be made more like 'b': search with a music"):
        Query.from_text(index, "piano").towards(index, "b")


def test_a_query_is_nudged_there_and_back(tmp_path):
    tags = [["live"] if number % 3 == 0 else [] for number in range(90)]
    vectors = np.random.default_rng(0).normal(size=(90, 6)) + 2 * np.array([[bool(row)] for row in tags]) * np.eye(6)[0]
    ids = [f"{number:02d}" for number in range(90)]
    index = Index.from_vectors(ids, vectors, path=tmp_path, metadata=[{"tags": row} for row in tags])
    query = Query.from_id(index, "01")
    live = query.nudge(index, "more live", 2.0)

    def share(asked):
        return np.mean([hit.metadata["tags"] == ["live"] for hit in index.search(asked, k=8)])

    assert share(live) > share(query) and share(query.nudge(index, "more live", -2.0)) <= share(query)
    assert live.name == "01, more live" and "01" not in [hit.id for hit in index.search(live)]
    assert index.nudge_effect("more live").works
    assert index.nudge_effect("more live") is index.nudge_effect("more live")
    assert "more live" in NUDGES
