"""Rows and columns of tables, whatever separates, quotes and ends them."""

import pickle

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from antiphon.errors import CatalogueError
from antiphon.spreadsheets import read_spreadsheet
from antiphon.spreadsheets.headers import Words

KNOWN = ("id", "path", "artist", "title", "tags")
ASKED = {name: Words() for name in KNOWN} | {"title": Words(("titre",)), "path": Words(("file",), ("id",))}


def read(folder, text, name="songs.csv"):
    path = folder / name
    path.write_bytes(text.encode())
    return read_spreadsheet(path, KNOWN, ASKED)


def values(table):
    return [tuple(row.values.values()) for row in table.rows]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_header_tells_what_separates_and_any_line_end_ends(tmp_path, delimiter, end):
    lines = ["id,artist,tags", 'x,"Earth, Wind & Fire",a', '"y",Bea,"b;c\td|e"']
    text = end.join(
        [
            line.replace(",", delimiter) if '"E' not in line else f'x{delimiter}"Earth, Wind & Fire"{delimiter}a'
            for line in lines
        ]
    )
    assert values(read(tmp_path, text)) == [("x", "Earth, Wind & Fire", "a"), ("y", "Bea", "b;c\td|e")]


def test_a_single_column_needs_no_delimiter(tmp_path):
    assert values(read(tmp_path, "path\na, b.mp4\n".replace(", ", " "))) == [("a b.mp4",)]


def test_what_excel_writes(tmp_path):
    text = '\ufeffsep=;\r\n;;;\r\nid;artist;;\r\n;;;\r\n="0012";Ann;;\r\n\r\ny;Bea;;;;\r\n;;;\r\n'
    table = read(tmp_path, text)
    assert table.columns == ("id", "artist")
    assert values(table) == [("0012", "Ann"), ("y", "Bea")]
    assert [row.where.rsplit(", ", 1)[1] for row in table.rows] == ["row 2", "row 4"]


@pytest.mark.parametrize(
    "header", ["ID, Artist ,TITLE", "id,artist,title", '"Id"," artist","Title\u200b"', "i-d,ARTIST,ti tle"]
)
def test_case_and_space_make_no_other_column(tmp_path, header):
    assert read(tmp_path, f"{header}\nx,Ann,One\n").columns == ("id", "artist", "title")


@pytest.mark.parametrize(
    ("header", "questions"),
    [
        ("id,Titel", ["Column 'Titel': did you mean title?"]),
        ("id,Titre,artits", ["Column 'Titre': did you mean title?", "Column 'artits': did you mean artist?"]),
        ("id,tag", ["Column 'tag': did you mean tags?"]),
        ("file,title", ["Column 'file': did you mean path?"]),
        ("id,artist 1", ["Column 'artist 1': did you mean artist?"]),
    ],
)
def test_a_near_miss_is_asked_about(tmp_path, header, questions):
    with pytest.raises(CatalogueError) as error:
        read(tmp_path, f"{header}\n{','.join('x' for _ in header.split(','))}\n")
    assert all(question in str(error.value) for question in questions)


def test_nothing_is_asked_where_the_column_is_there(tmp_path):
    table = read(tmp_path, "id,title,Titel,file,mood\nx,One,Eins,f,calm\n")
    assert table.columns == ("id", "title", "Titel", "file", "mood")


def test_a_column_that_is_there_twice_is_refused_or_numbered(tmp_path):
    with pytest.raises(CatalogueError, match="columns 2 and 4 are both 'artist'"):
        read(tmp_path, "id,artist,title,Artist\nx,A,B,C\n")
    assert read(tmp_path, "id,mood,mood\nx,A,B\n").rows[0].values == {"id": "x", "mood": "A", "mood (2)": "B"}


def test_values_without_a_header_are_said_and_empty_ones_are_not(tmp_path):
    with pytest.warns(UserWarning, match="column 2 has no name, and is ignored"):
        assert read(tmp_path, "id,,artist\nx,lost,Ann\n").columns == ("id", "artist")
    assert read(tmp_path, "id,,artist\nx,,Ann\n").columns == ("id", "artist")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id,title\nx,One, Two\n", r"row 1: has more values \(3\) than there are columns \(2\): 'x,One, Two'"),
        ('id,title\nx,"One\ny,Two\n', r"""row 1: a quote is opened and never closed: 'x,"One'"""),
        ('id,title\nx,A\ny,"One" two\n', r'row 2: text follows a closing quote.*y,"One" two'),
        ('id,title\nx,"' + "a" * 200_000 + '"\n', "row 1: a value is longer than 131,072 characters"),
        ("id,artist,title\nx;Ann;One\ny;Bea;Two\n", "its header is separated by commas, its rows by semicolons"),
        ("/music/a.mp4,Ann,One\nb.mp4,Bea,Two\n", "looks like a row. Write the names of the columns above it"),
        ("My songs\n\nid,artist,title\nx,Ann,One\n", "its header seems to be line 3. Remove the lines above it"),
        ("My songs;;\nid;artist;title\nx;Ann;One\n", "its header seems to be line 2"),
        ('[{"id": "x"}]', "since it is JSON"),
        ("<!DOCTYPE html><p>", "since it is a web page"),
        ("", "is empty"),
        ("\n ,;\n\u200b\n", "is empty"),
        ("sep=;\n", "is empty below its first line"),
        ('"\x1c"\r\r', "is empty"),
    ],
)
def test_a_broken_row_is_named_with_its_text(tmp_path, text, words):
    with pytest.raises(CatalogueError, match=words):
        read(tmp_path, text)


def test_rows_are_counted_whatever_their_lines(tmp_path):
    table = read(tmp_path, 'id,title\nx,"One\nTwo"\n\ny,B\n')
    assert values(table) == [("x", "One\nTwo"), ("y", "B")]
    assert table.rows[1].where.endswith("row 3")
    assert table.rows[1].text == "'y,B'"


def test_parquet_of_any_types_gives_plain_values(tmp_path):
    frame = pl.DataFrame(
        {
            "ID": pl.Series([1, 2], dtype=pl.UInt8),
            "artist": pl.Series(["Ann", None], dtype=pl.Categorical),
            "price": pl.Series(["1.5", None]).cast(pl.Decimal(10, 2)),
            "nan": [float("nan"), 1.0],
            "list": pl.Series([["a"], None], dtype=pl.List(pl.Enum(["a"]))),
            "bytes": [b"abc", None],
            "struct": [{"a": 1.0}, {"a": float("nan")}],
        }
    )
    frame.write_parquet(tmp_path / "songs.parquet")
    rows = read_spreadsheet(tmp_path / "songs.parquet", KNOWN, ASKED).rows
    assert rows[0].values == {
        "id": 1,
        "artist": "Ann",
        "price": 1.5,
        "nan": None,
        "list": ["a"],
        "bytes": "abc",
        "struct": {"a": 1.0},
    }
    assert [rows[1].values[name] for name in ("artist", "price", "nan", "list", "struct")] == [
        None,
        None,
        1.0,
        None,
        {"a": None},
    ]
    assert rows[1].text[1:].startswith("2 |  |")


def test_parquet_is_known_by_its_content_and_csv_is_not_taken_for_it(tmp_path):
    pl.DataFrame({"id": ["x"]}).write_parquet(tmp_path / "songs.csv")
    assert read_spreadsheet(tmp_path / "songs.csv", KNOWN, ASKED).rows[0].values == {"id": "x"}
    whole = (tmp_path / "songs.csv").read_bytes()
    for content, words in (
        (b"id,artist\nx,Ann\n", "it starts with b'id,artist', as no Parquet file does"),
        (whole[:-30], "it is cut short or damaged"),
        (pickle.dumps("x"), "as no Parquet file does"),
    ):
        (tmp_path / "songs.parquet").write_bytes(content)
        with pytest.raises(CatalogueError, match=words) as error:
            read_spreadsheet(tmp_path / "songs.parquet", KNOWN, ASKED)
        assert not any(word in str(error.value).lower() for word in ("polars", "thrift", "arrow"))


def test_a_folder_or_nothing_is_no_table(tmp_path):
    (tmp_path / "songs.csv").mkdir()
    for name, words in (("songs.csv", "is a folder"), ("gone.csv", "no such file")):
        with pytest.raises(CatalogueError, match=f"{name}: {words}"):
            read_spreadsheet(tmp_path / name, KNOWN, ASKED)


def test_quotes_inside_of_quoted_values_need_not_be_doubled(tmp_path):
    text = 'id,title\n1,"Toys "R" Us"\n2,"plain, ""doubled"""\n3,\n"4","a "b", c"\n5,"x"\n'
    wanted = [("1", 'Toys "R" Us'), ("2", 'plain, "doubled"'), ("3", None), ("4", 'a "b", c'), ("5", "x")]
    with pytest.raises(CatalogueError, match="row 4: has more values|row 4: text follows a closing quote"):
        read(tmp_path, text)
    text, wanted = text.replace('"a "b", c"', '"a "b" c"'), [*wanted[:3], ("4", 'a "b" c'), wanted[4]]
    assert values(read(tmp_path, text)) == wanted


def test_lines_that_were_quoted_whole_are_read(tmp_path):
    table = read(tmp_path, '"id,artist,title"\n\n"x,""Earth, Wind & Fire"",One"\n"y,Ann,Two"\n')
    assert values(table) == [("x", "Earth, Wind & Fire", "One"), ("y", "Ann", "Two")]
    assert [row.where.rsplit(" ", 1)[1] for row in table.rows] == ["2", "3"]


def test_a_header_in_the_middle_is_left_out_and_said(tmp_path):
    with pytest.warns(UserWarning, match="row 2 is the header again, and is left out"):
        table = read(tmp_path, "id,artist\nx,Ann\n\ufeffID,Artist\ny,Bea\n")
    assert values(table) == [("x", "Ann"), ("y", "Bea")]
    assert [row.number for row in table.rows] == [1, 3]


@pytest.mark.parametrize("line", ["|----|:------:|", "|====|========|"])
def test_the_line_below_a_header_is_no_row(tmp_path, line):
    assert values(read(tmp_path, f"| id | artist |\n{line}\n| x | Ann |\n")) == [("x", "Ann")]


def test_a_single_row_that_is_separated_otherwise_is_named(tmp_path):
    with pytest.raises(CatalogueError, match="row 2: is separated by semicolons, the header by commas: 'y;Bea;Two'"):
        read(tmp_path, "id,artist,title\nx,Ann,One\ny;Bea;Two\n")
    text = "path;artist;title\nEarth, Wind & Fire.mp4\na.mp4;Ann;One\n"
    assert [row.values["path"] for row in read(tmp_path, text).rows] == ["Earth, Wind & Fire.mp4", "a.mp4"]


@pytest.mark.parametrize("header", ["id,Títré", "id,TITRE", "ID,títre"])
def test_accents_make_no_other_word(tmp_path, header):
    with pytest.raises(CatalogueError, match="did you mean title?"):
        read(tmp_path, f"{header}\nx,One\n")


def test_bytes_that_are_no_text_and_two_columns_of_one_name_are_said(tmp_path):
    pl.DataFrame({"id": ["x"], "artist": [b"Bj\xf6rk"]}).write_parquet(tmp_path / "songs.parquet")
    assert values(read_spreadsheet(tmp_path / "songs.parquet", KNOWN, ASKED)) == [("x", b"Bj\xf6rk")]
    twice = pa.Table.from_arrays([pa.array(["x"]), pa.array(["A"]), pa.array(["B"])], names=["id", "mood", "mood"])
    pq.write_table(twice, tmp_path / "songs.parquet")
    with pytest.raises(CatalogueError, match="two of its columns have one name"):
        read_spreadsheet(tmp_path / "songs.parquet", KNOWN, ASKED)
