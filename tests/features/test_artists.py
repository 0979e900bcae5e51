"""Arrays with unknown names, and one grouping by artist wherever the product holds artists together."""

import datetime
from dataclasses import replace

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from antiphon.errors import FeatureStoreError
from antiphon.evaluation.agreement import artists_or_ids
from antiphon.evaluation.auditing.leakage import _artists
from antiphon.evaluation.probes.dealing import by_folds
from antiphon.experiments.draws import drawn
from antiphon.experiments.study import DrawSettings
from antiphon.features import Features
from antiphon.features.artists import artist_parties, joined_credits, named_parties
from antiphon.features.unseen import unseen
from antiphon.judging.choosing import _artist_numbers
from antiphon.model.losses.scores import same_artist
from antiphon.recommendation.baselines import artist_popularity
from antiphon.search import Index, Query
from antiphon.training.data import TrainingData

NAN = float("nan")
NOBODY = [None, NAN, np.float64("nan"), "nan", "N/A", "[unknown]", "Various Artists", " ", "\u200b", "-"]


def features(artists, **more):
    sides = np.random.default_rng(0).normal(size=(2, len(artists), 3))
    return Features.from_arrays(*sides, artists=artists, **more)


@pytest.mark.parametrize("kind", [list, lambda values: np.array(values, dtype=object)])
def test_nobody_and_nothing_are_empty(kind):
    found = features(kind(NOBODY), genres=kind(NOBODY), labels=kind(NOBODY))
    assert set(found.artists) == set(found.genres) == {""}
    assert found.labels == ((),) * len(NOBODY)


def test_numbers_with_gaps_are_the_numbers_without():
    found = features(np.array([7.0, NAN, 8.5]), genres=np.array([1, 2, 3]), labels=np.array([14.0, NAN, 3.0]))
    assert found.artists.tolist() == ["7", "", "8.5"]
    assert found.genres.tolist() == ["1", "2", "3"]
    assert found.labels == (("14",), (), ("3",))


def test_labels_come_in_many_forms():
    marks = np.array([[1, 0, NAN], [0, 1, 1]])
    assert features(["a", "b"], labels=marks).labels == (("0",), ("1", "2"))
    names = np.array([["live", "nan"], ["solo", ""]])
    assert features(["a", "b"], labels=names).labels == (("live",), ("solo",))
    assert features(["a", "b"], labels=[["x", None, NAN, "N/A"], "unknown"]).labels == (("x",), ())


LISTS = [["Ann", "Bea", None], None]


@pytest.mark.parametrize(
    "column",
    [
        pl.Series(LISTS),
        pl.Series(LISTS, dtype=pl.List(pl.Categorical)),
        pa.array(LISTS),
        pa.chunked_array([LISTS[:1], LISTS[1:]], type=pa.list_(pa.string())),
        [np.array(LISTS[0], dtype=object), NAN],
        [{"Bea", "Ann"}, frozenset()],
        [[b"Ann", np.str_("Bea"), pa.scalar("nan")], pa.scalar(None)],
    ],
)
def test_lists_of_other_libraries_are_lists(column):
    found = features(column, labels=column)
    assert found.artists.tolist() == ["Ann; Bea", ""]
    assert found.labels == (("Ann", "Bea"), ())


def test_bytes_and_elements_of_other_libraries_are_text():
    for column in (np.array([b"Ann", b"unknown"]), [b"Ann", None], pa.array(["Ann", None]).dictionary_encode()):
        assert features(column).artists.tolist() == ["Ann", ""]
    assert features(np.ma.array(["Ann", "Bea"], mask=[0, 1])).artists.tolist() == ["Ann", ""]
    assert features(["a", "b"], splits=["Train", "TEST"]).splits.tolist() == ["train", "test"]


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (["Ann", {"name": "Bea"}], "row 1 is .*of type dict, which is no name"),
        (["Ann", [["Bea"]]], "row 1 is .*of type list, which is no name"),
        ([True, "Bea"], "row 0 is 'True', of type bool"),
        ([datetime.date(1975, 1, 1), "Bea"], "row 0 is '1975-01-01', of type date"),
        ([b"Bj\xf6rk", "Bea"], "row 0 is .*bytes that are not text in UTF-8"),
        ([object(), "Bea"], "row 0 is .*of type object"),
    ],
)
def test_what_is_no_name_is_refused_with_its_row(column, words):
    with pytest.raises(FeatureStoreError, match=f"artists: {words}"):
        features(column)
    with pytest.raises(FeatureStoreError, match=f"labels: {words}"):
        features(["a", "b"], labels=column)


def test_a_matrix_of_labels_has_marks_alone():
    with pytest.raises(FeatureStoreError, match="labels: row 1 has 0.9 in column 1, neither 0 nor 1"):
        features(["a", "b"], labels=np.array([[1, 0], [0, 0.9]]))
    hidden = np.ma.array([[1, 1], [0, 1]], mask=[[0, 1], [0, 0]])
    assert features(["a", "b"], labels=hidden).labels == (("0",), ("1",))


def test_a_row_may_list_several_artists():
    assert features([["Ann", "Bea", "N/A"], ("Cy",)]).artists.tolist() == ["Ann; Bea", "Cy"]


@pytest.mark.parametrize(
    "groups",
    [
        *(["a", "nan"], np.array(["a", NAN], dtype=object), np.array(["a", NAN]), ["a", None], ["a", "\u200b"]),
        *(["a", name] for name in ("N/A", "NaT", "-", "#REF!", "(null)")),
    ],
)
def test_rows_of_unknown_videos_are_no_video(groups):
    with pytest.raises(FeatureStoreError, match="groups: row 1 is (missing|empty|'.*', which names no video)"):
        features(["x", "y"], groups=groups)


def test_columns_of_parquet_with_gaps(tmp_path):
    frame = pl.DataFrame(
        {
            "id": ["a", "b", "c"],
            "audio": [[1.0], [2.0], [3.0]],
            "artist": [7.0, NAN, None],
            "genre": pl.Series(["rock", "Various", None], dtype=pl.Categorical),
            "split": ["train", None, "test"],
        }
    )
    frame.write_parquet(tmp_path / "features.parquet")
    found = Features.from_parquet(
        tmp_path / "features.parquet", audio="audio", artists="artist", genres="genre", splits="split"
    )
    assert (found.artists.tolist(), found.genres.tolist()) == (["7", "", ""], ["rock", "", ""])
    assert found.splits.tolist() == ["train", "", "test"]


def test_artists_with_works_in_common_share_a_split_and_others_stand_as_before():
    artists = [f"artist {n}" for n in range(60)]
    plain = features(artists).split(seed=1)
    joint = features([*artists[:58], "artist 0 feat. artist 1", "artist 2; ARTIST 3"]).split(seed=1)
    splits = dict(zip(artists[:58], joint.splits, strict=False))
    assert splits["artist 0"] == splits["artist 1"] == joint.splits[58]
    assert splits["artist 2"] == splits["artist 3"] == joint.splits[59]
    assert joint.splits[4:58].tolist() == plain.splits[4:58].tolist()


def test_a_video_whose_rows_name_several_stands_with_all_of_them():
    rows = features(["Ann", "Bea", "Ann", "Bea"], groups=["v", "v", "w", "x"])
    assert len(set(artist_parties(rows.groups, rows.artists))) == 1
    assert len(set(rows.split(seed=3).splits)) == 1


def test_parties_are_named_as_they_are_written():
    groups = np.array(["a", "b", "c", "d", "e"])
    artists = np.array(["Zed", "zed feat. Abba", "Abba", "", "Cy"])
    assert artist_parties(groups, artists).tolist() == ["artist:abba"] * 3 + ["video:d", "artist:cy"]
    assert named_parties(groups, artists).tolist() == ["Abba"] * 3 + ["\x1fd", "Cy"]


JOINT = ["A", "a feat. B", "B", "C & D", "C", "D", "E’s", "e's", "F", "G", "H", "I", "J"]
TOGETHER = [(0, 1, 2), (3, 4, 5), (6, 7)]


def same(values, rows):
    return len({values[row] for row in rows}) == 1


def test_folds_draws_neighbours_and_judging_hold_the_same_artists_together():
    made = features(JOINT)
    for deal in by_folds(replace(made, splits=np.full(len(made), "train")), folds=2, seed=0):
        parts = deal.train + 2 * deal.validation + 4 * deal.test
        assert all(same(parts.tolist(), rows) for rows in TOGETHER)
    for draw in range(2):
        settings = DrawSettings(test=3, count=2, seed=1)
        dealt = drawn(made, settings, draw, "all")
        assert all(same(dealt.splits.tolist(), rows) for rows in TOGETHER)
    for values in (artists_or_ids(made).tolist(), _artist_numbers(JOINT).tolist()):
        assert all(same(values, rows) for rows in TOGETHER)
        assert len(set(values)) == 8


def test_a_study_leaves_out_of_extra_features_who_is_held_out():
    extra = features(["a", "X feat. Q", "Y"], ids=["x1", "x2", "x3"])
    held = features(["A", "Q"], ids=["h1", "h2"])
    assert unseen(extra, [held], [held]).features.ids.tolist() == ["x3"]


def test_the_audit_finds_a_guest_in_another_split():
    made = features(["Ann", "Bea feat. Ann", "Cy"], splits=["train", "test", "train"])
    check = _artists(made)
    assert check.status == "fail"
    assert check.numbers["names"] == ["ann"]
    assert _artists(features(["Ann", "Bea"], splits=["train", "test"])).status == "pass"
    assert _artists(features(["N/A", "Various"], splits=["train", "test"])).status == "n/a"


def test_training_knows_who_shares_an_artist():
    made = features(["Ann", "ANN feat. Bea", "Bea", "Cy", "", ""])
    keys = TrainingData.of(made, "cpu").artists
    assert keys.tolist() == joined_credits(made.artists).tolist() == ["ann", "ann\x1fbea", "bea", "cy", "", ""]
    pairs = {(0, 1), (1, 0), (1, 2), (2, 1)}
    assert {tuple(pair) for pair in same_artist(keys).nonzero().tolist()} == pairs


def test_popularity_is_that_of_all_ways_of_writing_a_name():
    candidates = [{"artist": name} for name in ("ANN", "Bea; Ann", "Cy", None, "Various")]
    assert artist_popularity({"Ann": 3, "Ann feat. Bea": 2, "Various": 9}, candidates).tolist() == [5, 7, 0, 0, 0]


def test_a_search_for_others_leaves_out_all_ways_of_writing_a_name(tmp_path):
    names = ["Ann", "ANN", "Bea feat. Ann", "Bea", "Ann & Cy", "Cy", None]
    metadata = [{"artist": name} for name in names]
    vectors = np.random.default_rng(0).normal(size=(7, 8))
    index = Index.from_vectors([str(n) for n in range(7)], vectors, tmp_path, metadata=metadata)
    hits = index.search(Query.from_id(index, "0"), k=9, other_artists=True)
    assert {hit.id for hit in hits} == {"3", "5", "6"}
    index.remove(["5"])
    assert {hit.id for hit in index.search(Query.from_id(index, "0"), k=9, other_artists=True)} == {"3", "4", "6"}
