"""Tables about music videos as people write them: values, names of files, and what is said of the rest."""

import datetime
import unicodedata
from urllib.request import pathname2url

import polars as pl
import pytest

from antiphon.catalogue import Catalogue
from antiphon.catalogue.dates import year_of
from antiphon.catalogue.file_names import NearestNames
from antiphon.cli.app import run
from antiphon.errors import CatalogueError


def written(folder, text, name="songs.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def rows(path):
    return Catalogue.from_csv(path).records()


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "videos"
    for name in ("a/one.mp4", "a/Two.mp4", "b/one.mp4", f"b/{unicodedata.normalize('NFD', 'Café')}.mp4"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"not looked at")
    return root


@pytest.mark.parametrize(
    "text",
    [
        "1999", "1999.0", "1999,0", "1999-05", "1999-05-01", "1999/5/1", "1999.05.01", "1999_05_01", "19990501",
        "1999-05-01T00:00:00Z", "1999-05-01 12:30", "01.05.1999", "5/1/1999", "1. 5. 1999", "05/1999", "1999-00-00",
        "May 1999", "May 1, 1999", "May 1st, 1999", "1 May 1999", "1st of May 1999", "1. Mai 1999", "1er mai 1999",
        "01-May-1999", "Sat, 01 May 1999 12:00:00 GMT", "1999-May-01", "1 de mayo de 1999", "1999年5月1日", "(1999)",
        "[1999]", "ca. 1999", "c1999", "circa 1999", "~1999", "1999?", "© 1999", " 1999 ", "(c) 1999", "(P)1999",
        "1999. 5. 1.", "1999.05.01.", "1999년 5월 1일", "1999년", "1999:05:01 12:00:00", "1999г.", "１９９９",
        "１９９９年５月", "١٩٩٩",
    ],
)  # fmt: skip
def test_a_date_stands_for_its_year(text):
    assert year_of(text) == 1999


@pytest.mark.parametrize("value", [1999, 1999.0, datetime.date(1999, 5, 1), datetime.datetime(1999, 5, 1)])
def test_a_typed_date_stands_for_its_year(value):
    assert year_of(value) == 1999


@pytest.mark.parametrize("text", ["0", "0000", "0000-00-00", "n/a", "?", "unknown", "-", "nan", "NaT"])
def test_a_date_may_say_that_it_is_unknown(text):
    assert year_of(text) is None


@pytest.mark.parametrize(
    "text",
    [
        *(
            "99",
            "'99",
            "nineties",
            "1999-2000",
            "1999/2000",
            "5/1/99",
            "19999",
            "199x",
            "12345678",
            "-1999",
            "1e3",
            True,
        ),
        *(1999.5, float("inf"), "1.999", "1,999"),
    ],
)
def test_what_names_no_single_year_is_refused(text):
    with pytest.raises(ValueError, match="is not a year. Give four digits"):
        year_of(text)


@pytest.mark.parametrize("value", ["36281", 36281, 36281.75, "36281,5"])
def test_a_day_of_excel_is_recognised(value):
    with pytest.raises(ValueError, match="As a day's number in Excel it would be 1999-05-01"):
        year_of(value)


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("a;b", ["a", "b"]),
        ("a; b ;", ["a", "b"]),
        ("a|b", ["a", "b"]),
        ("a, b", ["a", "b"]),
        ("a\nb", ["a", "b"]),
        ('["a", "b"]', ["a", "b"]),
        ("['a', 'b, c']", ["a", "b, c"]),
        ("['a' 'b']", ["a", "b"]),
        ("[a, b]", ["a", "b"]),
        ("[]", []),
        ("nan", []),
        ("a;N/A;-;b;a", ["a", "b"]),
        ('["a", null]', ["a"]),
    ],
)
def test_tags_are_separated_in_many_ways(tmp_path, text, tags):
    quoted = text.replace('"', '""')
    assert rows(written(tmp_path, f'id,tags\nx,"{quoted}"\n'))[0]["tags"] == tags


@pytest.mark.parametrize(
    ("text", "seconds"), [("3,5", 3.5), ("3.5", 3.5), ("3:45", 225.0), ("1:02:03,5", 3723.5), ("n/a", None)]
)
def test_durations_as_people_write_them(tmp_path, text, seconds):
    assert rows(written(tmp_path, f"id;duration_s\nx;{text}\n"))[0]["duration_s"] == seconds


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("x;;;1,234;", "'1,234' may be a thousand or a decimal"),
        ("x;;;1e999;", "'1e999' is not a duration"),
        ("x;;;;maybe", "must be true or false, not 'maybe'"),
        ("x;;val;;", "not 'val'. Did you mean validation?"),
        ("x;" + "[" * 5_000 + ";;;", "is not a valid JSON list"),
        ("x;[1, 2];;;", "is not a list of names"),
    ],
)
def test_a_value_that_fits_no_column_is_shown_with_its_row(tmp_path, line, words):
    with pytest.raises(CatalogueError) as error:
        rows(written(tmp_path, f"id;tags;split;duration_s;has_audio\n{line}\n"))
    assert words in str(error.value)
    assert f"The row: '{line[:60]}" in str(error.value)
    assert len(str(error.value)) < 500


def test_all_wrong_rows_are_named_at_once(tmp_path):
    text = "id,genre,year\nx,7,1999\n\ny,pop,99\n" + "".join(f"z{n},5,\n" for n in range(20))
    with pytest.raises(CatalogueError) as error:
        rows(written(tmp_path, text))
    said = str(error.value)
    assert "row 1, column 'genre': '7' is a number" in said
    assert "row 3, column 'year': '99' is not a year. Give four digits, or leave it empty. The row: 'y,pop,99'" in said
    assert said.endswith("And 12 more rows.")


def test_values_of_parquet_are_as_good_as_those_of_text(tmp_path):
    frame = pl.DataFrame(
        {
            "Id": [1.0, 2.0],
            "artist": pl.Series([["A", "B"], ["N/A"]], dtype=pl.List(pl.Categorical)),
            "title": [1999, None],
            "genre": [["rock"], []],
            "year": [datetime.datetime(1999, 5, 1, tzinfo=datetime.UTC), None],
            "duration_s": [datetime.timedelta(seconds=3.5), None],
            "has_audio": [1.0, float("nan")],
            "split": ["Train", "nan"],
            "start_s": [datetime.time(0, 1, 2), None],
        }
    )
    frame.write_parquet(tmp_path / "songs.parquet")
    first, second = Catalogue.from_parquet(tmp_path / "songs.parquet").records()
    wanted = {"id": "1", "artist": "A; B", "title": "1999", "genre": "rock", "year": 1999, "duration_s": 3.5}
    assert first | wanted | {"has_audio": True, "split": "train", "start_s": 62.0} == first
    assert second["id"] == "2"
    assert {second[name] for name in ("artist", "title", "genre", "year", "duration_s", "has_audio", "split")} == {None}


@pytest.mark.parametrize("value", [True, ["a", "b"], {"a": 1}])
def test_a_genre_is_one_name(tmp_path, value):
    pl.DataFrame({"id": ["x"], "genre": [value]}).write_parquet(tmp_path / "songs.parquet")
    with pytest.raises(CatalogueError, match="row 1, column 'genre': .* is no name"):
        Catalogue.from_parquet(tmp_path / "songs.parquet")


def test_what_a_catalogue_measured_comes_back_from_text(tmp_path):
    first = rows(written(tmp_path, "id,audio_start_s,audio_end_s,size_bytes\nx,-0.5,3.25,17\n"))[0]
    assert (first["audio_start_s"], first["audio_end_s"], first["size_bytes"]) == (-0.5, 3.25, 17)
    for line, words in (("inf,,", "is not a time in seconds"), (",,many", "is not a whole number")):
        with pytest.raises(CatalogueError, match=words):
            rows(written(tmp_path, f"id,audio_start_s,audio_end_s,size_bytes\nx,{line}\n"))


def test_rows_that_stand_there_twice_are_read_once_and_said(tmp_path):
    with pytest.warns(UserWarning, match="1 row repeats an earlier one; .*row 2 is the first"):
        assert [row["id"] for row in rows(written(tmp_path, "id,title\nx,A\nx,A\ny,A\n"))] == ["x", "y"]
    with pytest.raises(CatalogueError, match="id 'x' is in rows 1 and 2"):
        rows(written(tmp_path, "id,title\nx,A\nx,B\n"))


def test_cells_of_several_lines_and_zero_bytes(tmp_path):
    assert rows(written(tmp_path, 'id,title\nx,"A\n b\tc"\n'))[0]["title"] == "A b c"
    pl.DataFrame({"id": ["x"], "title": ["A\0b"]}).write_parquet(tmp_path / "songs.parquet")
    with pytest.raises(CatalogueError, match="row 1, column 'title': .* has a NUL character"):
        Catalogue.from_parquet(tmp_path / "songs.parquet")


def test_entities_of_html_are_the_letters_that_they_stand_for(tmp_path):
    text = "id\tartist\ttitle\tgenre\ttags\nx\tSimon &amp; Garfunkel\tDon&#39;t\tR&amp;B\tR&amp;B;soul\n"
    row = rows(written(tmp_path, text + "y\t&lt;unknown&gt;\tAT&T;\t&nbsp;\t\n"))
    wanted = {"artist": "Simon & Garfunkel", "title": "Don't", "genre": "R&B", "tags": ["R&B", "soul"]}
    assert row[0] | wanted == row[0]
    assert (row[1]["artist"], row[1]["title"], row[1]["genre"]) == (None, "AT&T;", None)


@pytest.mark.parametrize("name", ["nan", "N/A", "-", "None", "#REF!", "NaT"])
def test_what_stands_for_no_id_or_path_is_none(tmp_path, name):
    first, second = rows(written(tmp_path, f"id,path,artist\n{name},a.mp4,Ann\nx,{name},Bea\n"))
    assert (first["id"], second["path"]) == ("a.mp4", None)
    with pytest.raises(CatalogueError, match="row 1: has neither an id nor a path"):
        rows(written(tmp_path, f"id,artist\n{name},Ann\n"))


@pytest.mark.parametrize("text", ["x,A\n\nSum: 2,\n", "x,A\ny,\nExported by me\n", "x,A\n,\n,\nEnde,\n"])
def test_a_note_below_the_rows_is_said(tmp_path, text):
    with pytest.warns(UserWarning, match="row . has nothing but an id, '.*'. If it is a note, remove it"):
        rows(written(tmp_path, f"id,title\n{text}"))


@pytest.mark.parametrize("number", range(4))
def test_rows_of_one_file_are_named(folder, number):
    (folder / "a" / "linked.mp4").symlink_to(folder / "a" / "one.mp4")
    (folder / "a" / "hard.mp4").hardlink_to(folder / "a" / "one.mp4")
    again = ("./a/one.mp4", "a/linked.mp4", "a/hard.mp4", (folder / "a" / "one.mp4").as_uri())[number]
    table = written(folder, f"path;title\na/one.mp4;A\n\n{again};B\n")
    with pytest.raises(CatalogueError, match=r"(one|hard).mp4 is in rows 1 and 3. Keep one row for each music video"):
        rows(table)


@pytest.mark.parametrize(
    ("written_so", "name"),
    [
        ("Caf%C3%A9.mp4", "Café.mp4"),
        ("x%20y", "x y.mp4"),
        ("O'Neil.mp4", "O’Neil.mp4"),
        ("“q”.mp4", '"q".mp4'),
        ("A-B.mp4", "A–B.mp4"),
        ("ISTANBUL.mp4", "İstanbul.mp4"),
        ("ISLAK", "ıslak.mp4"),
        ("ｶﾞ.mp4", "ガ.mp4"),
        ("日本\u3000語.mp4", "日本 語.mp4"),
        ("100%25.mp4", "100%25.mp4"),
    ],
)
def test_a_name_that_was_typed_or_copied_otherwise_is_found(tmp_path, written_so, name):
    (tmp_path / "v").mkdir()
    for each in (name, "100%.mp4"):
        (tmp_path / "v" / each).write_bytes(each.encode())
    quoted = written_so.replace('"', '""')
    about = Catalogue.from_folder(tmp_path / "v", written(tmp_path, f'path;genre\n"{quoted}";folk\n')).records()
    assert [row["id"] for row in about if row["genre"]] == [name]
    if written_so.endswith(".mp4"):
        assert rows(written(tmp_path / "v", f'path\n"{quoted}"\n'))[0]["path"] == str(tmp_path / "v" / name)


@pytest.mark.parametrize("column", ["path", "filename"])
@pytest.mark.parametrize(("path", "words"), [("x" * 300, "file name too long"), ("file:///a%00b.mp4", "null byte")])
def test_a_path_that_no_file_can_have_is_named_with_its_row(folder, tmp_path, column, path, words):
    with pytest.raises(CatalogueError, match=f"row 2: '.* is no path of a file: .*{words}"):
        rows(written(tmp_path, f"{column},title\na.mp4,A\n{path},B\n"))
    with pytest.warns(UserWarning, match="1 row names no file in the folder.*row 2"):
        Catalogue.from_folder(folder, written(tmp_path, f"{column},title\na/one.mp4,A\n{path},B\n"))


def test_a_stricter_way_of_writing_goes_before_a_looser_one(tmp_path):
    (tmp_path / "v").mkdir()
    for name in ("O’Neil.mp4", "O'neil.mp4", "x y.mp4", "x%20y.mp4"):
        (tmp_path / "v" / name).write_bytes(name.encode())
    table = written(tmp_path, "path;genre\nO'Neil.mp4;folk\nx%20y.mp4;folk\n")
    about = Catalogue.from_folder(tmp_path / "v", table).records()
    assert {row["id"] for row in about if row["genre"]} == {"O'neil.mp4", "x%20y.mp4"}


def test_an_address_of_this_machine_is_a_folder_or_a_table(folder, tmp_path, capsys):
    table = written(folder, "path\na/one.mp4\n")
    assert Catalogue.from_folder(folder.as_uri()).records() == Catalogue.from_folder(folder).records()
    assert run(["-w", str(tmp_path / "w"), "catalogue", "add", table.as_uri()]) == 0
    assert "1 video in " in capsys.readouterr().out


def test_a_table_is_named_from_home_or_by_an_address(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    table = written(folder, "path,genre\na/one.mp4,folk\n")
    for name in ("~/videos/songs.csv", table.as_uri()):
        assert rows(name)[0]["path"] == str(folder / "a" / "one.mp4")
        genres = [row["genre"] for row in Catalogue.from_folder("~/videos", name).records() if row["genre"]]
        assert genres == ["folk"]


def names_in(folder):
    """Ways of naming one of the files, each with its id."""
    return [
        ("./a/one.mp4", "a/one.mp4"),
        (r"a\one.mp4", "a/one.mp4"),
        (r".\a\one", "a/one.mp4"),
        ("videos/a/one.mp4", "a/one.mp4"),
        ("b/../a/one.mp4", "a/one.mp4"),
        ((folder / "a" / "one.mp4").as_uri(), "a/one.mp4"),
        (f"file:{pathname2url(str(folder / 'a' / 'one.mp4'))}", "a/one.mp4"),
        ("two.MP4", "a/Two.mp4"),
        ("A/TWO.mp4", "a/Two.mp4"),
        (unicodedata.normalize("NFC", "b/Café.mp4"), unicodedata.normalize("NFD", "b/Café.mp4")),
        (unicodedata.normalize("NFC", "café"), unicodedata.normalize("NFD", "b/Café.mp4")),
    ]


@pytest.mark.parametrize("number", range(11))
def test_a_file_is_found_however_its_name_is_written(folder, tmp_path, number):
    name, id = names_in(folder)[number]
    table = written(tmp_path, f"filename;genre\n{name};folk\n")
    genres = {row["id"]: row["genre"] for row in Catalogue.from_folder(folder, table).records()}
    assert {name for name, genre in genres.items() if genre} == {id}


@pytest.mark.parametrize("number", [*range(7), 8, 9])
def test_a_table_finds_its_files_however_their_names_are_written(folder, number):
    name, id = names_in(folder)[number]
    table = written(folder.parent if name.startswith("videos") else folder, f"path;genre\n{name};folk\n")
    path = rows(table)[0]["path"]
    assert path.startswith(str(folder / id).removesuffix(".mp4"))


def test_a_column_filename_alone_names_the_files(folder):
    table = written(folder, "File name,artist\na/one.mp4,Ann\n")
    row = rows(table)[0]
    assert (row["id"], row["path"], row["artist"]) == ("a/one.mp4", str(folder / "a/one.mp4"), "Ann")


def test_what_matched_nothing_is_shown_with_the_nearest_name(folder, tmp_path):
    table = written(tmp_path, "path,genre\na/one.mp4,pop\na/tow.mp4,pop\nzzz,pop\n")
    with pytest.warns(UserWarning) as said:
        Catalogue.from_folder(folder, table)
    text = str(said[0].message)
    assert "2 rows name no file in the folder" in text
    assert "row 2: 'a/tow.mp4'; the nearest name is 'a/Two.mp4'." in text
    assert "row 3: 'zzz'; no name is like it." in text
    with pytest.raises(
        CatalogueError,
        match=r"(?s)names no file in the folder .12 rows.*row 1: 'D:.songs.one0.mp4'; the nearest name is 'a/one",
    ):
        lines = "".join(f"D:\\songs\\one{n}.mp4,pop\n" for n in range(12))
        Catalogue.from_folder(folder, written(tmp_path, f"path,genre\n{lines}"))


def test_the_nearest_of_very_many_names_is_found():
    names = NearestNames(f"music/{n:05} song.mp4" for n in range(20_000))
    assert names.nearest("12354 sogn.mp4") == "music/12354 song.mp4"


def test_files_in_the_same_name_but_for_its_form_are_told_apart(folder, tmp_path):
    composed = unicodedata.normalize("NFC", "b/Café.mp4")
    (folder / composed).write_bytes(b"another")
    table = written(tmp_path, f"path,genre\n{composed},folk\n")
    genres = {row["id"]: row["genre"] for row in Catalogue.from_folder(folder, table).records()}
    assert {name for name, genre in genres.items() if genre} == {composed}


def test_the_command_says_what_nothing_reads_and_which_files_are_not_there(folder, tmp_path, capsys):
    table = written(
        folder, "Path;Artist;Stimmung;date\na/one.mp4;Ann;ruhig;1999\na/too.mp4;Bea;;\n", "songs.tsv", "utf-16"
    )
    assert run(["-w", str(tmp_path / "w"), "catalogue", "add", str(table)]) == 0
    out, err = capsys.readouterr()
    assert "nothing reads the columns Stimmung; they are kept as they are" in err
    assert "too.mp4: no such file" in out.replace("\n", " ")
    assert "The nearest name in that folder is 'Two.mp4'." in out.replace("\n", " ")


def test_a_workbook_is_told_how_to_become_a_table(tmp_path, capsys):
    (tmp_path / "songs.xlsx").write_bytes(b"PK\x03\x04rest")
    assert run(["-w", str(tmp_path / "w"), "catalogue", "add", str(tmp_path / "songs.xlsx")]) == 1
    assert "Save it as CSV in UTF-8" in capsys.readouterr().err


def test_an_address_names_its_video_without_what_gives_access_to_it(tmp_path):
    table = tmp_path / "songs.csv"
    addresses = [
        "https://me:secret@h.example/a.mp4?X-Amz-Signature=1f2e",
        "https://h.example/get?song=1",
        "https://h.example/get?song=2",
        "s3://bucket/b.mp4",
    ]
    table.write_text("path\n" + "\n".join(addresses) + "\n")
    catalogue = Catalogue.from_csv(table)
    first, one, two, last = catalogue.ids
    assert (first, last) == ("https://h.example/a.mp4", "s3://bucket/b.mp4")
    assert one != two
    assert all(name.startswith("https://h.example/get#") for name in (one, two))
    assert [row["path"] for row in catalogue.records()] == addresses
    # Signed anew it is the same video.
    table.write_text("path\n" + addresses[0].replace("1f2e", "9a9a") + "\n")
    assert list(Catalogue.from_csv(table).ids) == [first]


def test_a_release_date_tells_the_year_where_nothing_else_does(tmp_path):
    table = tmp_path / "songs.csv"
    table.write_text("id,path,Release Date,year\na,a.mp4,1999-05-01,\nb,b.mp4,2001,1985\nc,c.mp4,soon,\nd,d.mp4,,\n")
    rows = Catalogue.from_csv(table).records()
    assert [row["year"] for row in rows] == [1999, 1985, None, None]
    assert [row["release_date"] for row in rows] == ["1999-05-01", "2001", "soon", None]
    table.write_text("id,path,date\na,a.mp4,1999-05-01\n")  # Of what, nobody says.
    assert Catalogue.from_csv(table).records()[0]["year"] is None


def test_a_style_is_asked_about_unless_there_is_a_genre(tmp_path):
    table = tmp_path / "songs.csv"
    table.write_text("id,path,Style\na,a.mp4,rock\n")
    with pytest.raises(CatalogueError, match="'Style': did you mean genre"):
        Catalogue.from_csv(table)
    table.write_text("id,path,Style,Genre\na,a.mp4,sparse,rock\n")
    (row,) = Catalogue.from_csv(table).records()
    assert (row["genre"], row["Style"]) == ("rock", "sparse")
