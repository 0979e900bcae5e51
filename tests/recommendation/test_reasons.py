"""The liked track that is named is the nearest, and what is said of it is what the two share."""

import numpy as np

from antiphon.recommendation.reasons import Reason, reasons
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
