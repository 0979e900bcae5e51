"""Splits hold artists together, keep their shares, and never move."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.catalogue import Catalogue
from antiphon.catalogue.artist_names import artist_key
from antiphon.catalogue.splits import assign_split
from antiphon.errors import ConfigError

FRACTIONS = (0.8, 0.1, 0.1)
names = st.text(min_size=1, max_size=12).filter(artist_key)


def rows(count, artists):
    return [{"id": f"v{n}", "artist": f"artist {n % artists}" if artists else None} for n in range(count)]


@given(names, names, names)
def test_all_videos_of_an_artist_stand_in_one_split(artist, one, other):
    assert assign_split(one, artist, FRACTIONS, 0) == assign_split(other, artist, FRACTIONS, 0)


def test_ways_of_writing_an_artist_are_one_artist():
    for written in (
        "Nova Lux",
        " nova  lux ",
        "NOVA LUX feat. Someone",
        "Nova Lux (ft. B)",
        "Ｎｏｖａ Lux featuring X",
    ):
        assert artist_key(written) == "nova lux", written
    assert artist_key("Featuring") == "featuring"
    assert artist_key("Daft Punk") != artist_key("Left Punk")


def test_shares_are_kept_over_many_artists_and_over_many_videos():
    for artist in (lambda n: f"artist {n}", lambda n: None):
        counts = Counter(assign_split(f"v{n}", artist(n), (0.7, 0.2, 0.1), 0) for n in range(20_000))
        assert counts["train"] / 20_000 == pytest.approx(0.7, abs=0.015)
        assert counts["validation"] / 20_000 == pytest.approx(0.2, abs=0.015)
        assert counts["test"] / 20_000 == pytest.approx(0.1, abs=0.015)


def test_a_growing_catalogue_moves_nothing():
    small = Catalogue(rows(50, 20)).split()
    large = Catalogue(rows(300, 20)[::-1]).split()
    before = {row["id"]: row["split"] for row in small.records()}
    after = {row["id"]: row["split"] for row in large.records()}
    assert all(after[video] == split for video, split in before.items())
    assert not large.artists_in_two_splits()


def test_joining_more_rows_moves_nothing_whatever_is_known_of_them_now():
    first = Catalogue(rows(60, 20)).split(seed=3)
    again = [{"id": f"v{n}"} for n in range(60)] + [{"id": f"w{n}", "artist": f"artist {n % 20}"} for n in range(60)]
    joined = first.extended(Catalogue(again)).split_missing(seed=8)
    before = {row["id"]: row["split"] for row in first.records()}
    after = {row["id"]: row["split"] for row in joined.records()}
    assert all(after[video] == split for video, split in before.items())
    assert not joined.artists_in_two_splits()
    assert all(after.values())
    other_splits = first.extended(Catalogue(rows(60, 20)).split(seed=4))
    assert other_splits.table["split"] == first.table["split"]


def test_splits_given_for_some_are_kept_and_the_others_filled_in():
    given = [{"id": "x", "artist": "A", "split": "test"}, {"id": "y", "artist": "a "}, {"id": "z"}]
    filled = Catalogue(given).split_missing()
    assert [row["split"] for row in filled.records()][:2] == ["test", "test"]
    assert filled.records()[2]["split"] is not None


def test_by_video_looks_past_the_artist_and_another_seed_assigns_otherwise():
    catalogue = Catalogue(rows(400, 1))
    assert set(catalogue.split().split_counts()) <= {"train"} | {"validation"} | {"test"}
    assert len(catalogue.split().split_counts()) == 1
    assert len(catalogue.split(by="video").split_counts()) == 3
    assert catalogue.split(by="video").records() != catalogue.split(by="video", seed=1).records()
    assert catalogue.split(by="video").artists_in_two_splits() == ["artist 0"]


@pytest.mark.parametrize("fractions", [(0.5, 0.5), (0.8, 0.1, 0.2), (1.2, -0.1, -0.1)])
def test_shares_that_do_not_sum_to_one_are_refused(fractions):
    with pytest.raises(ConfigError, match="three shares"):
        assign_split("v", None, fractions, 0)
