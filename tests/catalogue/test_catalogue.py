"""Reading folders and tables, and refusing what is wrong with file, row and column."""

import json
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from antiphon.catalogue import Catalogue
from antiphon.catalogue.description import describe
from antiphon.catalogue.reading import left_out
from antiphon.errors import CatalogueError


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "videos"
    for name in ("a/one.mp4", "b/one.webm", "b/two.MKV", ".hidden.mp4", "notes.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"not looked at yet")
    return root


def write_csv(path, *lines):
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_folder_gives_its_media_files_and_ids_that_do_not_depend_on_the_others(folder):
    assert Catalogue.from_folder(folder).ids == ["a/one.mp4", "b/one.webm", "b/two.MKV"]
    (folder / "b" / "one.webm").unlink()
    assert Catalogue.from_folder(folder).ids == ["a/one.mp4", "b/two.MKV"]


def test_metadata_is_matched_by_path_by_name_and_by_stem(folder, tmp_path):
    table = write_csv(
        tmp_path / "m.csv", "filename,artist,tags,label", "a/one.mp4,Ann,x;y,L1", "one.webm,Ben,,L2", "two,Cy,z,L3"
    )
    rows = {row["id"]: row for row in Catalogue.from_folder(folder, table).records()}
    assert [rows[name]["artist"] for name in ("a/one.mp4", "b/one.webm", "b/two.MKV")] == ["Ann", "Ben", "Cy"]
    assert rows["a/one.mp4"]["tags"] == ["x", "y"]
    assert rows["a/one.mp4"]["label"] == "L1"
    assert rows["a/one.mp4"]["path"] == str(folder / "a" / "one.mp4")


def test_metadata_that_fits_several_files_or_none_is_named(folder, tmp_path):
    table = write_csv(tmp_path / "m.csv", "id,genre", "one,pop", "two,jazz")
    with pytest.warns(
        UserWarning, match=r"(?s)skipped 1 row that matches several files.*row 1: 'one' matches a/one.mp4, b/one.webm"
    ):
        rows = Catalogue.from_folder(folder, table).records()
    assert [row["genre"] for row in rows] == [None, None, "jazz"]
    with pytest.raises(CatalogueError, match="row 2: 'a/one' is the file of .*row 1 too"):
        Catalogue.from_folder(folder, write_csv(tmp_path / "m.csv", "id,genre", "a/one.mp4,pop", "a/one,pop"))
    with pytest.raises(CatalogueError, match="names no file in the folder .1 row."):
        Catalogue.from_folder(folder, write_csv(tmp_path / "m.csv", "id,genre", "other,pop"))
    table = write_csv(tmp_path / "m.csv", "id,genre", "two,pop", "gone,pop")
    with pytest.warns(UserWarning, match=r"1 row names no file in the folder; .*row 2 \('gone'\) is the first"):
        Catalogue.from_folder(folder, table)


@pytest.mark.parametrize("absolute", [False, True])
def test_the_path_of_a_file_goes_before_the_bare_name_of_another(folder, tmp_path, absolute):
    for name in ("frog.mp4", "sub/frog.mp4", "sub/deep/frog.mp4"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"not looked at yet")
    root = f"{folder}/" if absolute else ""
    table = write_csv(tmp_path / "m.csv", "filename,genre", f"{root}frog.mp4,pop", f"{root}sub/frog.mp4,jazz")
    genres = {row["id"]: row["genre"] for row in Catalogue.from_folder(folder, table).records()}
    assert (genres["frog.mp4"], genres["sub/frog.mp4"], genres["sub/deep/frog.mp4"]) == ("pop", "jazz", None)
    with pytest.warns(UserWarning, match="row 1: 'frog' matches frog.mp4, sub/deep/frog.mp4, sub/frog.mp4"):
        Catalogue.from_folder(folder, write_csv(tmp_path / "m.csv", "filename,genre", "frog,pop"))


def test_links_are_followed_out_of_the_folder_and_named_where_they_lead_nowhere(folder, tmp_path):
    target = tmp_path / "elsewhere" / "far.mp4"
    target.parent.mkdir()
    target.write_bytes(b"not looked at yet")
    (folder / "near.mp4").symlink_to(target)
    (folder / "lost.mp4").symlink_to(tmp_path / "gone.mp4")
    (folder / "round.mp4").symlink_to(folder / "round.mp4")
    found = Catalogue.from_folder(folder)
    paths = {row["id"]: row["path"] for row in found.records()}
    assert paths["near.mp4"] == str(target)
    assert paths["lost.mp4"] == str(folder / "lost.mp4")
    _, reasons = found.probe()
    assert reasons["lost.mp4"] == f"{folder / 'lost.mp4'}: is a link to {tmp_path / 'gone.mp4'}, which does not exist."
    assert "round.mp4: cannot be opened" in reasons["round.mp4"]
    (tmp_path / "gone.mp4").write_bytes(b"back")
    target.unlink()
    later = {row["id"]: row["path"] for row in found.extended(Catalogue.from_folder(folder)).records()}
    assert (later["lost.mp4"], later["near.mp4"]) == (str(tmp_path / "gone.mp4"), str(folder / "near.mp4"))


def test_a_link_to_a_file_of_the_same_folder_does_not_end_the_add(folder):
    (folder / "a" / "again.mp4").symlink_to(folder / "a" / "one.mp4")
    with pytest.warns(UserWarning, match=r"Skipped 1 link to a file that is listed already: .*again"):
        found = Catalogue.from_folder(folder)
    assert found.ids == ["a/one.mp4", "b/one.webm", "b/two.MKV"]


def test_hidden_files_and_links_to_folders_are_left_out_and_said(folder, tmp_path):
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "three.mp4").write_bytes(b"not looked at yet")
    (folder / "linked").symlink_to(tmp_path / "more")
    assert Catalogue.from_folder(folder).ids == ["a/one.mp4", "b/one.webm", "b/two.MKV"]
    hidden, linked = left_out(folder)
    assert hidden.startswith("1 hidden media file")
    assert linked.startswith(f"1 link to a folder: {folder / 'linked'}.")


def test_a_table_keeps_other_columns_and_resolves_paths_from_its_own_folder(tmp_path):
    table = write_csv(
        tmp_path / "c.csv",
        "id,path,title,tags,year,mood",
        'x,media/x.mp4,"A, B","[""live"", ""solo""]",1999,calm',
        "y,s3://bucket/y.mp4,,,,",
    )
    first, second = Catalogue.from_csv(table).records()
    assert first["path"] == str(tmp_path / "media" / "x.mp4")
    assert (first["title"], first["tags"], first["year"], first["mood"]) == ("A, B", ["live", "solo"], 1999, "calm")
    assert second["path"] == "s3://bucket/y.mp4"
    assert second["year"] is None
    assert second["title"] is None


def test_parquet_and_csv_say_the_same(tmp_path):
    frame = pl.DataFrame({"id": ["x", "y"], "genre": ["pop", None], "tags": [["a", "b"], []], "year": [2001, None]})
    frame.write_parquet(tmp_path / "c.parquet")
    write_csv(tmp_path / "c.csv", "id,genre,tags,year", "x,pop,a;b,2001", "y,,,")
    parquet, csv = (
        Catalogue.from_parquet(tmp_path / "c.parquet").records(),
        Catalogue.from_csv(tmp_path / "c.csv").records(),
    )
    csv[1]["tags"] = []
    assert parquet == csv


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["id,genre", "x,pop", "y,7"], "c.csv, row 2, column 'genre': '7' is a number"),
        (["id,year", "x,nineties"], "row 1, column 'year': 'nineties' is not a year"),
        (["id,title", "x,a\0b"], "row 1, column 'title': .* has a NUL character"),
        (["id,path", "x,a\0b.mp4"], "row 1, column 'path': .* has a NUL character"),
        (["id,duration_s", "x,1e30"], "row 1, column 'duration_s': '1e30' is not a duration"),
        (["id,tags", "x," + "[" * 3000], "row 1, column 'tags': .* is not a valid JSON list"),
        (["id,tags", f"x,[{'7' * 5000}]"], "row 1, column 'tags': .* is not a valid JSON list"),
        (["id,title", f"x,{'a' * 5000}"], "row 1, column 'title': 'a.*… has 5,000 characters"),
        (["id,year", "x,99"], "column 'year': '99' is not a year"),
        (["id,split", "x,dev"], "column 'split': must be one of train, validation, test, not 'dev'"),
        (["id,tags", 'x,"[1, 2]"'], "column 'tags': .* not a list of names"),
        (["id,tags", "x,[oops"], "column 'tags': .* is not a valid JSON list"),
        (["id,duration_s", "x,-3"], "column 'duration_s': '-3' is not a duration"),
        (["id,has_audio", "x,maybe"], "column 'has_audio': must be true or false, not 'maybe'"),
        (["id,title", "x,A", ",B"], "row 2: has neither an id nor a path"),
        (["id,title", "x,A", "y,B", "x,C"], "id 'x' is in rows 1 and 3"),
        (["id,title"], "has no rows"),
        (["name,title", "x,A"], "needs a column id, path or filename; its columns are name, title"),
    ],
)
def test_a_wrong_value_is_named_with_file_row_and_column(tmp_path, lines, message):
    with pytest.raises(CatalogueError, match=message):
        Catalogue.from_csv(write_csv(tmp_path / "c.csv", *lines))


def test_a_genre_given_as_a_number_in_parquet_is_refused(tmp_path):
    pl.DataFrame({"id": ["x"], "genre": [7]}).write_parquet(tmp_path / "c.parquet")
    with pytest.raises(CatalogueError, match="row 1, column 'genre': 7 is a number"):
        Catalogue.from_parquet(tmp_path / "c.parquet")


def test_files_that_are_no_tables_are_refused(tmp_path):
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "odd.parquet").write_text("id,genre")
    (tmp_path / "russian.csv").write_bytes("id,title\nx,Земфира\n".encode("cp1251"))
    for name, message in (
        ("gone.csv", "no such file"),
        ("empty.csv", "is empty"),
        ("odd.parquet", "cannot be read as Parquet"),
        ("russian.csv", "cannot be read as CSV in UTF-8"),
    ):
        with pytest.raises(CatalogueError, match=message):
            (Catalogue.from_parquet if name.endswith("parquet") else Catalogue.from_csv)(tmp_path / name)
    with pytest.raises(CatalogueError, match="no such folder"):
        Catalogue.from_folder(tmp_path / "gone")
    with pytest.raises(CatalogueError, match="no media files"):
        Catalogue.from_folder(tmp_path)


def test_saving_and_loading_keeps_everything(tmp_path):
    catalogue = Catalogue([{"id": "x", "tags": ["a"], "year": 1990, "extra": 3}, {"id": "y", "genre": "pop"}]).split()
    catalogue.save(tmp_path / "c.parquet")
    assert Catalogue.load(tmp_path / "c.parquet").records() == catalogue.records()


def test_joining_catalogues_takes_the_newer_row():
    old = Catalogue([{"id": "x", "path": "/a", "genre": "pop", "split": "train"}])
    joined = old.extended(Catalogue([{"id": "x", "path": "/a", "genre": "rock"}, {"id": "y"}]))
    assert joined.records()[0] | {"id": "x", "genre": "rock", "split": "train"} == joined.records()[0]
    assert joined.ids == ["x", "y"]


def test_a_file_keeps_its_id_when_another_name_of_it_joins():
    old = Catalogue([{"id": "b.mp4", "path": "/far.mp4"}])
    with pytest.warns(UserWarning, match=r"1 file has another id already: 'a.mp4' is 'b.mp4'"):
        joined = old.extended(
            Catalogue([{"id": "a.mp4", "path": "/far.mp4", "genre": "pop"}, {"id": "c", "path": "/c"}])
        )
    assert joined.ids == ["b.mp4", "c"]
    assert joined.records()[0]["genre"] == "pop"


def test_one_file_under_two_ids_is_refused():
    with pytest.raises(CatalogueError, match="/a.mp4: is the file of both 'x' and 'y'"):
        Catalogue([{"id": "x", "path": "/a.mp4"}, {"id": "y", "path": "/a.mp4"}])


def test_a_file_name_that_is_no_text_is_left_out_with_a_warning(folder):
    (folder / os.fsdecode(b"caf\xe9.mp4")).write_bytes(b"x")
    (folder / "line\nbreak.mp4").write_bytes(b"x")
    with (
        pytest.warns(UserWarning, match=r"Skipped 1 file whose name is not UTF-8; .*caf\\udce9.mp4"),
        pytest.warns(UserWarning, match=r"Skipped 1 file whose name has control characters; .*line\\nbreak.mp4"),
    ):
        catalogue = Catalogue.from_folder(folder)
    assert len(catalogue) == 3


def test_a_damaged_catalogue_is_named_and_not_to_be_deleted(tmp_path):
    (tmp_path / "c.parquet").write_text("no table")
    with pytest.raises(CatalogueError, match="c.parquet: is not readable as a catalogue .*Restore it from a copy"):
        Catalogue.load(tmp_path / "c.parquet")


def test_probing_finds_what_can_be_read_and_why_the_rest_cannot(folder):
    catalogue, reasons = Catalogue.from_folder(folder).probe()
    assert set(reasons) == set(catalogue.ids)
    assert all("not a media file" in reason for reason in reasons.values())
    assert catalogue.table["has_audio"].to_pylist() == [None] * 3


def test_a_description_counts_what_is_there():
    catalogue = Catalogue(
        [
            {"id": "x", "artist": "A", "genre": "pop", "tags": ["a", "b"], "year": 1994, "split": "train"}
            | {"duration_s": 200.0, "has_audio": True, "has_video": True},
            {"id": "y", "artist": "A", "genre": "pop", "tags": ["a"], "year": 1999, "split": "test"}
            | {"duration_s": 20.0, "has_audio": True, "has_video": False},
            {"id": "z"},
        ]
    )
    found = describe(catalogue)
    assert found["videos"] == 3
    assert found["artists"] == 1
    assert found["splits"] == {"train": 1, "test": 1, "unsplit": 1}
    assert found["duration_s"] == {"total": 220.0, "histogram": {"0–30 s": 1, "180–240 s": 1}}
    assert found["year"] == {"1990s": 2}
    assert found["genres"] == {"pop": {"total": 2, "train": 1, "validation": 0, "test": 1}}
    assert next(iter(found["tags"].items())) == ("a", {"total": 2, "train": 1, "validation": 0, "test": 1})
    assert found["media"] == {
        "with sound and pictures": 1,
        "with sound only": 1,
        "with pictures only": 0,
        "not readable or not looked at": 1,
    }
    assert found["missing"]["artist"] == 1
    assert found["missing"]["path"] == 3
    json.dumps(found)


def test_looking_at_files_gives_them_an_identity_also_in_catalogues_of_earlier_versions(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"RIFF" + bytes(100))
    known = {"id": "a", "path": str(tmp_path / "a.wav"), "has_audio": True, "has_video": False, "duration_s": 1.0}
    gone = known | {"id": "gone", "path": str(tmp_path / "gone.wav")}
    found, reasons = Catalogue([known, gone]).probe()
    first, second = found.records()
    assert not reasons
    assert first["size_bytes"] == 104 and first["modified_ns"] == (tmp_path / "a.wav").stat().st_mtime_ns
    assert len(first["content_hash"]) == 32
    assert second["content_hash"] is None


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"id": "a"}, {"id": ""}], "row 2: the id is empty"),
        ([{"id": "a"}, {"title": "b"}], "row 2: the id is missing"),
        ([{"id": "a\0"}], "row 1: the id has control characters"),
        ([{"id": float("nan")}], "row 1: the id is missing"),
        ([{"id": 10**5000}], "row 1: the id cannot be text"),
        ([{"id": b"a"}], "row 1: the id is bytes, not text"),
        ([{"id": "a", "year": 10**30}], "column 'year': a value is not int32"),
        ([{"id": "a", "title": "\ud800"}], "column 'title': a value is not string"),
        ([{"id": "a", "further": "\ud800"}], "column 'further': a value is not string"),
    ],
)
def test_rows_that_no_table_can_hold_are_refused(rows, message):
    with pytest.raises(CatalogueError, match=message):
        Catalogue(rows)


class NAType:
    """As pandas' NA: no comparison with it is true or false."""

    def __ne__(self, other):
        return self

    def __bool__(self):
        raise TypeError("boolean value of NA is ambiguous")


def test_records_of_programs_are_as_good_as_tables():
    given = {
        "id": 7.0,
        "path": Path("/music/a.mp4"),
        "artist": ["Ann", "Bea", float("nan")],
        "title": np.int64(1999),
        "tags": pl.Series(["live", None, "N/A"]),
        "year": "1999-05-01",
        "split": "Train",
    }
    others = [{"id": "x", "tags": "live; solo", "path": NAType()}, {"id": "y", "tags": ("a",), "year": 2001.0}]
    row = Catalogue(iter([given, *others])).records()
    assert row[1]["path"] is None
    wanted = {"id": "7", "path": "/music/a.mp4", "artist": "Ann; Bea", "title": "1999", "year": 1999, "split": "train"}
    assert row[0] | wanted == row[0]
    assert [each["tags"] for each in row] == [["live"], ["live", "solo"], ["a"]]
    assert row[2]["year"] == 2001


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"split": ["train"]}, "row 2, column 'split': must be one of .*, not .'train'."),
        ({"split": pl.Series(["train"])}, "row 2, column 'split': must be one of"),
        ({"mood": 10**5000}, "row 2, column 'mood': a very long int cannot be kept"),
        ({"split": "val"}, "row 2, column 'split': must be one of train, validation, test, not 'val'"),
        ({"year": 1999.5}, "row 2, column 'year': 1999.5 is not a year"),
        ({"tags": [1, 2]}, "row 2, column 'tags': .* is not a list of names"),
        ({"artist": {"name": "Ann"}}, "row 2, column 'artist': must be text"),
    ],
)
def test_a_value_of_a_program_that_fits_no_column_is_named(value, words):
    with pytest.raises(CatalogueError, match=words):
        Catalogue([{"id": "x"}, {"id": "y"} | value])
