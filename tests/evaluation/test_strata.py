"""Ranks among alike tracks, where a variable that sound and pictures share tells all, nothing, or a part."""

import numpy as np
import pytest

from antiphon.evaluation.auditing.strata import strata_check
from antiphon.features import Features


def tracks(genres=None, artists=None, ends_s=None, count=60):
    """Two segments a track."""
    each = {"genres": genres, "artists": artists}
    starts_s = None if ends_s is None else np.stack([np.zeros(count), ends_s], axis=1).ravel()
    return Features.from_arrays(
        audio=np.ones((2 * count, 1)),
        video=np.ones((2 * count, 1)),
        groups=np.repeat([f"{number:03d}" for number in range(count)], 2),
        starts_s=starts_s,
        **{name: None if values is None else np.repeat(values, 2) for name, values in each.items()},
    )


def one_hot(values):
    return np.eye(len(np.unique(values)))[np.unique(values, return_inverse=True)[1]]


def test_a_model_that_knows_the_genre_alone_is_at_chance_within_it():
    genres = np.arange(60) % 6
    known = one_hot(genres)
    check = strata_check(known, known, tracks(genres=[f"genre {number}" for number in genres]))
    assert check.status == "warn"
    assert check.numbers["strata"]["genre"] == {
        **{"place": 0.5, "ci95": [0.5, 0.5], "n": 60, "median_candidates": 10},
        "alone": pytest.approx(9 / 2 / 59),
    }
    # Nine of the other 59 tie.
    assert check.numbers["all"] == pytest.approx(9 / 2 / 59)
    assert "same genre: it may be all" in check.finding


def test_a_model_that_knows_the_track_is_first_among_alike_ones_of_every_kind():
    known = np.eye(60)
    made = tracks(
        genres=["pop"] * 60, artists=[f"A{number // 2}" for number in range(60)], ends_s=100.0 + np.arange(60)
    )
    check = strata_check(known, known, made)
    assert check.status == "pass"
    assert {kind: (of["place"], of["median_candidates"]) for kind, of in check.numbers["strata"].items()} == {
        "genre": (0, 60),
        "artist": (0, 2),
        "length": (0, 30.5),
    }


def test_places_are_those_counted_one_by_one():
    random = np.random.default_rng(0)
    audio, video = random.normal(size=(60, 3)), random.normal(size=(60, 3))
    genres = random.integers(0, 4, 60)
    scores, places = audio @ video.T, []
    for track in range(60):
        others = [other for other in range(60) if genres[other] == genres[track] and other != track]
        above = sum(scores[track, other] > scores[track, track] for other in others)
        above += sum(scores[other, track] > scores[track, track] for other in others)
        places.append(above / 2 / len(others))
    check = strata_check(audio, video, tracks(genres=[f"genre {number}" for number in genres]))
    assert check.numbers["strata"]["genre"]["place"] == pytest.approx(np.mean(places))


def test_a_model_that_knows_the_encoder_alone_is_found_out():
    """Two encoders; a third of the files could not be read, and all have one size."""
    encoders = {f"{number:03d}": f"encoder {number % 2}" for number in range(40)}
    sizes = dict.fromkeys(encoders, "1280×720")
    known = one_hot(np.where(np.arange(60) < 40, np.arange(60) % 2, np.arange(60)))
    check = strata_check(known, known, tracks(), {"encoder": encoders, "picture size": sizes})
    assert check.status == "warn"
    assert set(check.numbers["strata"]) == {"encoder"}
    found = check.numbers["strata"]["encoder"]
    assert (found["place"], found["n"], found["median_candidates"]) == (0.5, 40, 20)
    assert found["alone"] == pytest.approx(19 / 2 / 39)
    assert "same encoder: it may be all" in check.finding


def test_tracks_that_share_nothing_are_not_checked():
    check = strata_check(np.eye(60), np.eye(60), tracks())
    assert check.status == "n/a"
    assert "Fewer than 20 test tracks share a genre, artist or length" in check.finding
