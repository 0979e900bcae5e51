"""Tables of interactions: what is kept, what is left out and said, what is refused."""

import re
import unicodedata
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from antiphon.errors import CatalogueError
from antiphon.recommendation import read_interactions

KNOWN = ["a", "b", "c"]


def write(folder, text, name="likes.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "header", ["user_id,video_id", "User,Video", "video_id,user_id", "userid,item_id", "user id,track-id,x"]
)
def test_usual_names_of_columns(tmp_path, header):
    cells = {name: ("u" if "user" in name.lower() else "a") for name in header.split(",")}
    found = read_interactions(write(tmp_path, f"{header}\n{','.join(cells.values())}\n"), KNOWN)
    assert found.users == ["u"]
    assert found.history("u") == ["a"]


def test_what_cannot_be_used_is_counted_and_named(tmp_path):
    text = "user_id,video_id\nu,a\nu,a\n,b\nu,\nv,gone\nv,lost\nv,c\n"
    found = read_interactions(write(tmp_path, text), KNOWN)
    assert found.table.rows() == [("u", "a", True), ("v", "c", True)]
    assert {(part.reason, part.rows) for part in found.left_out} == {
        ("no user", 1),
        ("no video", 1),
        ("not in the catalogue", 2),
        ("the same user and video again", 1),
    }
    assert "gone, lost" in " ".join(map(str, found.left_out))


@pytest.mark.parametrize(
    ("column", "values"), [("weight", ("3", "0", "-1")), ("liked", ("Yes", "false", "0")), ("plays", ("2.5", "0", "0"))]
)
def test_what_was_not_liked_is_had_all_the_same(tmp_path, column, values):
    rows = "".join(f"u,{name},{value}\n" for name, value in zip(KNOWN, values, strict=True))
    found = read_interactions(write(tmp_path, f"user_id,video_id,{column}\n{rows}"), KNOWN)
    assert found.history("u") == ["a"]
    assert found.interacted("u") == KNOWN


def test_times_in_every_usual_form(tmp_path):
    text = "user,video,timestamp\nu,a,2026-01-31\nu,b,2026-01-31T12:30:00Z\nu,c,1769817600\n"
    found = read_interactions(write(tmp_path, text), KNOWN)
    assert [str(moment) for moment in found.table["time"]] == [
        "2026-01-31 00:00:00",
        "2026-01-31 12:30:00",
        "2026-01-31 00:00:00",
    ]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026", "2026-01-01 00:00:00"),
        ("20260131", "2026-01-31 00:00:00"),
        ("1769817600", "2026-01-31 00:00:00"),
        ("1769817600000", "2026-01-31 00:00:00"),
        ("1769817600000000", "2026-01-31 00:00:00"),
        ("2026-01-31T01:30:00+02:00", "2026-01-30 23:30:00"),
        ("2026-01-31 01:30:00.25-0530", "2026-01-31 07:00:00"),
    ],
)
def test_times_are_not_misread(tmp_path, text, moment):
    found = read_interactions(write(tmp_path, f"user,video,time\nu,a,{text}\n"), KNOWN)
    assert str(found.table["time"][0])[:19] == moment


@pytest.mark.parametrize("text", ["33", "20261331", "202601", "2026-01-31T01:30:00 CET", "99999999999999999999"])
def test_times_of_no_usual_form_are_refused(tmp_path, text):
    with pytest.raises(CatalogueError, match=f"time is '{re.escape(text)}'"):
        read_interactions(write(tmp_path, f"user,video,time\nu,a,{text}\n"), KNOWN)


def test_times_of_a_zone_in_parquet_are_brought_to_utc(tmp_path):
    path = tmp_path / "likes.parquet"
    moment = datetime(2026, 1, 31, 1, 30, tzinfo=timezone(timedelta(hours=2))).astimezone(ZoneInfo("Europe/Amsterdam"))
    pl.DataFrame({"user_id": ["u"], "video_id": ["a"], "time": [moment]}).write_parquet(path)
    assert str(read_interactions(path, KNOWN).table["time"][0]) == "2026-01-30 23:30:00"


def test_a_like_is_as_old_as_the_first(tmp_path):
    text = "user,video,liked,time\nu,a,0,2020\nu,a,1,2021\nu,a,1,2022\nu,a,0,2023\nu,b,0,2024\n"
    found = read_interactions(write(tmp_path, text), KNOWN)
    assert [moment.year for moment in found.table["time"]] == [2021, 2024]


def test_parquet_is_read_too(tmp_path):
    path = tmp_path / "likes.parquet"
    pl.DataFrame({"user_id": [7, 7], "video_id": ["a", "b"], "liked": [True, False]}).write_parquet(path)
    assert read_interactions(path, KNOWN).history("7") == ["a"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("who,video_id\nu,a\n", "no column user_id .*Its columns are: who, video_id"),
        ("user_id,video_id,weight\nu,a,1\nu,b,much\n", "row 2: weight is 'much'"),
        ("user_id,video_id,weight\nu,a,nan\n", "weight is 'nan'"),
        ("user_id,video_id,liked\nu,a,perhaps\n", "liked is 'perhaps'"),
        ("user_id,video_id,timestamp\nu,a,yesterday\n", "time is 'yesterday'"),
        ("user_id,video_id\nu,x\n", "no interactions with videos of the catalogue"),
        ("user_id,video_id\n", "It has no rows"),
        ("", "not a readable table"),
    ],
)
def test_what_means_nothing_is_refused(tmp_path, text, words):
    with pytest.raises(CatalogueError, match=words):
        read_interactions(write(tmp_path, text), KNOWN)


def test_a_missing_file_and_an_unknown_user(tmp_path):
    with pytest.raises(CatalogueError, match="no such file"):
        read_interactions(tmp_path / "none.csv", KNOWN)
    found = read_interactions(write(tmp_path, "user_id,video_id\nu,a\n"), KNOWN)
    with pytest.raises(CatalogueError, match="user 'w'.*Known users: u"):
        found.history("w")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("User ID;Video ID;Plays\nu;a;3\nu;b;0\n", "utf-8"),
        ("user\tvideo\tplays\r\nu\ta\t3\r\nu\tb\t0\r\n", "utf-16"),
        ("sep=;\r\nuser;video;plays\r\nu;a;3\r\nu;b;0\r\n", "utf-8-sig"),
        ("\n\nuser|video|plays\nu|a|3\n\nu|b|0\n||\n", "utf-8"),
        ("user,video,plays,\nu,a,3,,,\n,,,\nu,b,0,\n", "utf-8"),
        ("user,video,plays\ru,a,3\ru,b,0\r", "utf-8"),
    ],
)
def test_tables_as_people_write_them(tmp_path, text, encoding):
    path = tmp_path / "likes.txt"
    path.write_bytes(text.encode(encoding))
    found = read_interactions(path, KNOWN)
    assert found.table.rows() == [("u", "a", True), ("u", "b", False)]
    assert found.left_out == ()


def test_latin_1_is_read_and_said(tmp_path):
    path = tmp_path / "likes.csv"
    path.write_bytes("user,video\nJörg,a\n".encode("latin-1"))
    with pytest.warns(UserWarning, match="was read as Latin-1"):
        assert read_interactions(path, KNOWN).users == ["Jörg"]


def test_ids_are_known_however_their_letters_are_composed(tmp_path):
    known = [unicodedata.normalize("NFD", "b/Café.mp4"), "c"]
    text = f"user,video\nu,{unicodedata.normalize('NFC', 'b/Café.mp4')}\nu,./c\nu,b/Cafe\n"
    found = read_interactions(write(tmp_path, text), known)
    assert set(found.history("u")) == set(known)
    assert f"The nearest name to 'b/Cafe' is '{known[0]}'." in str(found.left_out[0])


def test_columns_that_nothing_reads_are_named_and_misspelt_ones_asked_about(tmp_path):
    found = read_interactions(write(tmp_path, "user,video,device,mood\nu,a,phone,calm\n"), KNOWN)
    assert found.ignored == ("device", "mood")
    with pytest.raises(CatalogueError, match="column 'timestmp': did you mean timestamp?"):
        read_interactions(write(tmp_path, "user,video,timestmp\nu,a,2020\n"), KNOWN)


def test_a_broken_row_is_named_in_our_words(tmp_path):
    for text, words in (
        ("user,video\nu,a,b\n", r"row 1: has more values \(3\) than there are columns \(2\): 'u,a,b'"),
        ('user,video\nu,a\nu,"b\n', r"row 2: a quote is opened and never closed"),
    ):
        with pytest.raises(CatalogueError, match=words):
            read_interactions(write(tmp_path, text), KNOWN)
    (tmp_path / "likes.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(CatalogueError, match="not a readable table of interactions: it is damaged"):
        read_interactions(tmp_path / "likes.parquet", KNOWN)
    (tmp_path / "likes.parquet").write_bytes(b"user,video\nu,a\n")
    with pytest.raises(CatalogueError, match="it is no Parquet file"):
        read_interactions(tmp_path / "likes.parquet", KNOWN)


def test_numbers_with_gaps_in_parquet_are_whole(tmp_path):
    path = tmp_path / "likes.parquet"
    frame = pl.DataFrame({"user": [7.0, None, float("nan")], "video": ["a", "b", "c"], "plays": [1.0, 0.5, 2.0]})
    frame.write_parquet(path)
    found = read_interactions(path, KNOWN)
    assert found.table.rows() == [("7", "a", True)]
    assert [part.reason for part in found.left_out] == ["no user"]
