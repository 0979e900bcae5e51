"""Whether the nearest are of the same genre, against a naive count."""

import numpy as np

from antiphon.evaluation.neighbours import neighbour_precision
from antiphon.features import Features


class Itself:
    """A model whose embeddings are the features."""

    correction_dim = 0

    def embed(self, features, per="segment"):
        assert per == "track"
        first = np.unique(features.groups, return_index=True)[1]
        return features.audio[first], features.video[first]


def pool(artists):
    random = np.random.default_rng(0)
    audio, video = random.normal(size=(2, len(artists), 6)).astype(np.float32)
    audio, video = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (audio, video))
    genres = [("rock", "pop", "jazz")[number % 3] for number in range(len(artists))]
    return Features.from_arrays(
        audio=audio,
        video=video,
        ids=[f"v{number:02d}" for number in range(len(artists))],
        artists=artists,
        genres=genres,
    )


def test_neighbours_of_other_artists_are_counted_as_by_hand():
    features = pool([f"artist {number // 3}" for number in range(15)])
    found = neighbour_precision(Itself(), features, k=2)
    both = np.concatenate([features.audio, features.video], axis=1)
    for way, vectors in (("audio", features.audio), ("video", features.video), ("aggregated", both)):
        shares = []
        for row in range(15):
            others = [one for one in range(15) if features.artists[one] != features.artists[row]]
            best = sorted(others, key=lambda one, row=row: -float(vectors[row] @ vectors[one]))[:2]
            shares += [features.genres[one] == features.genres[row] for one in best]
        assert np.isclose(found["genre"][way]["value"], np.mean(shares))
    assert found["tags"]["audio"] is None
    assert (found["k"], found["videos"]) == (2, 15)


def test_one_artist_has_no_neighbours():
    assert neighbour_precision(Itself(), pool(["same"] * 5)) is None
