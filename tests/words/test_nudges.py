"""Nudges: a planted direction is found and told from random ones, and one that leads nowhere is told too."""

import numpy as np
import pytest

from antiphon.errors import ConfigError, NotIndexedError
from antiphon.search import Index, Query
from antiphon.words.knowledge import Knowledge
from antiphon.words.nudges import NUDGES, direction, measured_effect, moved

COUNT = 150


def knowledge(planted=True):
    """Vectors whose first value follows the brightness, or nothing does; tempo is unknown."""
    random = np.random.default_rng(0)
    luma = random.random(COUNT)
    vectors = random.normal(size=(COUNT, 12))
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


def test_where_vectors_say_nothing_of_it_a_nudge_does_far_less():
    known = knowledge(planted=False)
    nothing, planted = (measured_effect(one, "brighter", np.random.default_rng(1)) for one in (known, knowledge()))
    assert nothing.suits < planted.suits / 2


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


def test_a_query_is_nudged_there_and_back(tmp_path):
    tags = [["live"] if number % 3 == 0 else [] for number in range(30)]
    vectors = np.random.default_rng(0).normal(size=(30, 6)) + 2 * np.array([[bool(row)] for row in tags]) * np.eye(6)[0]
    ids = [f"{number:02d}" for number in range(30)]
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
