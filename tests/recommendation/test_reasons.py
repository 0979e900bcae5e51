"""The liked track that is named is the nearest, and what is said of it is what the two share."""

import numpy as np

from antiphon.recommendation.content import content_scores
from antiphon.recommendation.reasons import Reason, reasons, usual_cosines
from antiphon.recommendation.space import Space
from antiphon.search.explaining import facts_of


def test_the_nearest_liked_track_gives_the_reason():
    random = np.random.default_rng(0)
    names = [f"v{n}" for n in range(40)]
    rows = random.normal(size=(40, 8))
    rows[1] = rows[2] + 0.01
    genres = ["jazz" if n in {1, 2} else f"genre {n}" for n in range(40)]
    records = [{"id": name, "genre": genre} for name, genre in zip(names, genres, strict=True)]
    space = Space.joined(dict.fromkeys(("audio", "video"), (names, rows, records)))
    # One pair in 780 is this one: no more than 99.87% are less alike.
    (found,) = reasons(space, ["v0", "v1", "v3"], ["v2"], facts_of(records))
    assert found == Reason(
        "v1", ("same genre (jazz)", "sound closer than 99.8% of pairs", "pictures closer than 99.8% of pairs")
    )


def test_a_side_that_one_track_has_is_not_spoken_of():
    random = np.random.default_rng(1)
    names, records = ["a", "b", "c"], [{"id": name} for name in "abc"]
    space = Space.joined(
        {"audio": (names, random.normal(size=(3, 4)), records), "video": (["a"], random.normal(size=(1, 4)), [{}])}
    )
    (found,) = reasons(space, ["a"], ["b"], facts_of(records))
    assert found.like == "a"


def test_the_nearest_is_that_of_a_naive_search():
    random = np.random.default_rng(2)
    names = [f"v{n}" for n in range(30)]
    seen = [name for n, name in enumerate(names) if n % 3]
    space = Space.joined(
        {
            "audio": (names, random.normal(size=(30, 4)), [{}] * 30),
            "video": (seen, random.normal(size=(len(seen), 4)), [{}] * len(seen)),
        }
    )
    for name, reason in zip(names[10:], reasons(space, names[:10], names[10:], facts_of([]), 0.3), strict=True):
        scores = [content_scores(space, np.array([row]), space.rows([name]), 0.3)[0] for row in range(10)]
        assert reason.like == names[int(np.argmax(scores))]


def test_usual_cosines_that_are_known_change_nothing() -> None:
    random = np.random.default_rng(3)
    names = [f"v{number}" for number in range(30)]
    rows = random.normal(size=(30, 4)).astype(np.float32)
    space = Space.joined({"audio": (names, rows, [{}] * 30), "video": (names[:1], rows[:1], [{}])})
    asked = (space, names[:5], names[5:], facts_of([]))
    assert reasons(*asked, levels=usual_cosines(space)) == reasons(*asked)
    assert set(usual_cosines(space).by_side) == {"audio"}
