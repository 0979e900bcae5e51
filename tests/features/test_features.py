"""Features in memory: what is refused, what is missing, and what a split or a pair is."""

import numpy as np
import polars as pl
import pytest

from antiphon.errors import FeatureStoreError
from antiphon.features import Features


def rows(count, dim=2):
    return np.arange(count * dim, dtype=np.float64).reshape(count, dim)


def test_arrays_become_float32_rows_with_names():
    features = Features.from_arrays(audio=rows(3), video=rows(3, 5), ids=[10, 11, 12], groups=["a", "a", "b"])
    assert features.audio.dtype == features.video.dtype == np.float32
    assert features.ids.tolist() == ["10", "11", "12"]
    assert features.groups.tolist() == ["a", "a", "b"]
    assert len(features) == 3
    assert repr(features).splitlines() == [
        "Features of 3 segments of 2 music videos",
        "  audio   2 values",
        "  video   5 values",
        "  splits  none",
    ]
    assert Features.from_arrays(audio=rows(2)).groups.tolist() == ["0", "1"]


def test_a_row_of_nan_is_a_missing_side_and_not_paired():
    audio, video = rows(4), rows(4)
    audio[1], video[2] = np.nan, np.nan
    features = Features.from_arrays(audio=audio, video=video)
    assert features.has_audio.tolist() == [True, False, True, True]
    assert features.has_video.tolist() == [True, True, False, True]
    assert features.paired.ids.tolist() == ["0", "3"]
    assert not len(Features.from_arrays(audio=audio).paired)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "both missing or empty"),
        ({"audio": rows(0)}, "both missing or empty"),
        ({"audio": rows(3), "video": rows(2)}, "video: has 2 rows, expected 3"),
        ({"audio": np.arange(3.0)}, r"audio: must have shape \(n, dim\), not \(3,\)"),
        ({"audio": [["a"], ["b"]]}, "audio: must be a matrix of numbers"),
        (
            {"audio": np.array([[1.0, np.inf], [1.0, 2.0]])},
            "audio: 1 rows have values that are not finite .row 0 is the first",
        ),
        ({"audio": np.array([[1.0, 2.0], [np.nan, 2.0]])}, "audio: 1 rows .*row 1 is the first"),
        ({"audio": rows(2), "ids": ["x", "x"]}, "ids: 'x' occurs more than once"),
        ({"audio": rows(2), "ids": ["x"]}, "ids: has 1 entries, expected one for each of 2"),
        ({"audio": rows(2), "groups": ["x"]}, "groups: has 1 entries"),
        ({"audio": [[1.0], [1e30]]}, r"audio: 1 rows have values beyond 1e\+15.*row 1 is the first"),
        ({"audio": [[1.0], [-1e30]]}, r"audio: 1 rows have values beyond 1e\+15.*row 1 is the first"),
        ({"audio": [[1.0], [1e300]]}, "audio: 1 rows have values that are not finite .row 1 is the first"),
        ({"audio": [[1], [10**400]]}, "audio: must be a matrix of numbers"),
        ({"audio": [[1], [2, 3]]}, "audio: must be a matrix of numbers"),
        ({"audio": [[1j]]}, "audio: must be a matrix of numbers .values of type complex128"),
        ({"audio": 1.0}, r"audio: must have shape \(n, dim\), not \(\)"),
        ({"audio": rows(2), "ids": ["x", ""]}, "ids: row 1 is empty"),
        ({"audio": rows(2), "ids": ["x", None]}, "ids: row 1 is missing"),
        ({"audio": rows(2), "ids": ["x", np.float32("nan")]}, "ids: row 1 is missing"),
        ({"audio": rows(2), "ids": ["x", "y\0"]}, "ids: row 1 has control characters"),
        ({"audio": rows(2), "ids": np.array([b"x", b"y"])}, "ids: row 0 is bytes, not text"),
        ({"audio": rows(2), "ids": ["x", "y" * 5000]}, "ids: row 1 has 5,000 characters"),
        ({"audio": rows(2), "ids": 7}, "ids: must be a list with one entry for each of 2 rows"),
        ({"audio": rows(2), "groups": ["x", " "]}, "groups: row 1 is empty"),
        ({"audio": rows(2), "artists": ["x", "\0"]}, "artists: row 1 has a NUL character"),
        ({"audio": rows(2), "genres": ["x", "\ud800"]}, "genres: row 1 is not valid Unicode"),
        ({"audio": rows(2), "splits": ["train", "dev"]}, "splits: must be one of .*, not 'dev'"),
        ({"audio": rows(2), "starts_s": [1, 10**5000]}, "starts_s: must be numbers of seconds"),
        ({"audio": rows(2), "labels": ["x"]}, "labels: has 1 entries"),
    ],
)
def test_unusable_input_is_refused_by_name(arguments, message):
    with pytest.raises(FeatureStoreError, match=message):
        Features.from_arrays(**arguments)


def test_labels_may_be_names_lists_or_a_matrix():
    def labels(values):
        return Features.from_arrays(audio=rows(2), labels=values).labels

    assert labels(["pop", "rock"]) == (("pop",), ("rock",))
    assert labels([["pop", "live"], None]) == (("pop", "live"), ())
    assert labels(np.array([[0, 1, 1], [0, 0, 0]])) == (("1", "2"), ())
    assert labels(np.array([3, 4])) == (("3",), ("4",))


def test_splits_hold_videos_together_and_must_exist():
    features = Features.from_arrays(audio=rows(400), groups=np.repeat(np.arange(100), 4))
    with pytest.raises(FeatureStoreError, match=r"have no splits. Assign them with features.split\(\)"):
        features["train"]
    with pytest.raises(FeatureStoreError, match="must be one of .*, not 'dev'"):
        features["dev"]
    split = features.split((0.5, 0.25, 0.25))
    parts = [split[name] for name in ("train", "validation", "test")]
    assert sum(map(len, parts)) == 400
    groups = [set(part.groups) for part in parts]
    assert all(groups)
    assert not groups[0] & groups[1] | groups[0] & groups[2] | groups[1] & groups[2]


def test_taking_rows_keeps_all_columns_together():
    features = Features.from_arrays(audio=rows(3), video=rows(3), labels=["a", "b", "c"], groups=["x", "y", "z"])
    part = features.take(np.array([2, 0]))
    assert part.ids.tolist() == ["2", "0"]
    assert part.labels == (("c",), ("a",))
    assert part.groups.tolist() == ["z", "x"]
    np.testing.assert_array_equal(part.audio, features.audio[[2, 0]])


def test_genres_and_artists_travel_with_their_rows() -> None:
    features = Features.from_arrays(audio=np.eye(3), genres=["rock", None, "soul"], artists=["A", "B", ""])
    taken = features.take(np.array([2, 0]))
    assert taken.genres.tolist() == ["soul", "rock"]
    assert taken.artists.tolist() == ["", "A"]
    assert features.genres[1] == ""


def test_a_split_keeps_an_artist_together() -> None:
    artists = [f"artist {number % 20}" for number in range(100)]
    features = Features.from_arrays(audio=np.eye(100), artists=artists).split((0.5, 0.2, 0.3), seed=3)
    splits = {
        artist: {split for split, name in zip(features.splits, artists, strict=True) if name == artist}
        for artist in artists
    }
    assert all(len(found) == 1 for found in splits.values())
    assert len({split for found in splits.values() for split in found}) == 3


def test_starts_are_seconds_or_unknown_and_go_with_their_rows(tmp_path):
    features = Features.from_arrays(audio=rows(3), starts_s=[4.0, None, 0])
    np.testing.assert_array_equal(features.starts_s, [4.0, np.nan, 0.0])
    np.testing.assert_array_equal(features.take(np.array([2, 0])).starts_s, [0.0, 4.0])
    assert np.isnan(Features.from_arrays(audio=rows(3)).starts_s).all()
    assert Features.from_arrays(audio=rows(3)).fingerprint() != features.fingerprint()
    path = tmp_path / "rows.parquet"
    pl.DataFrame({"id": ["a", "b"], "v": [[1.0], [2.0]], "at": [2.5, None]}).write_parquet(path)
    np.testing.assert_array_equal(Features.from_parquet(path, audio="v", starts_s="at").starts_s, [2.5, np.nan])


@pytest.mark.parametrize(
    ("starts", "message"),
    [
        ([1.0], r"starts_s: must have shape \(3,\), not \(1,\)"),
        ([0.0, 1.0, np.inf], "starts_s: row 2 is infinite"),
        ([0.0, "late", 1.0], "starts_s: must be numbers of seconds"),
    ],
)
def test_starts_that_cannot_be_are_refused(starts, message):
    with pytest.raises(FeatureStoreError, match=message):
        Features.from_arrays(audio=rows(3), starts_s=starts)
