"""`antiphon search --text`: reasons in the table, as CSV and in a frame, alone and beside a music video."""

import csv
import io

import numpy as np
import pytest

from antiphon.cli.app import run
from antiphon.search import Index, Query
from antiphon.words.matching import NO_MATCH
from antiphon.words.nudges import Effect

ROWS = [
    {"tags": ["piano", "calm"], "year": 1994, "title": "One"},
    {"tags": ["drums"], "year": 1985, "title": "Two"},
    {"tags": ["piano"], "year": 1999, "title": "Three"},
]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A workspace with an index of three vectors and their tags."""
    folder = tmp_path_factory.mktemp("words-cli")
    Index.from_vectors(["a", "b", "c"], np.eye(3, 4) + 0.2, path=folder / "index", metadata=ROWS)
    return folder


def said(capsys, place, *arguments):
    assert run(["--workspace", str(place), "search", *arguments]) == 0
    return capsys.readouterr().out


def test_csv_has_the_reasons_of_each_hit(capsys, place):
    rows = list(csv.DictReader(io.StringIO(said(capsys, place, "--text", "piano, 90s", "--csv"))))
    assert [row["reasons"] for row in rows[:2]] == [
        f"piano: tag piano; 1990–1999: {row['year']}" for row in rows[:2]
    ] and rows[2]["reasons"] == NO_MATCH
    beside = list(csv.DictReader(io.StringIO(said(capsys, place, "b", "--text", "piano", "--csv"))))
    assert [row["reasons"] for row in beside] == ["piano: tag piano"] * 2
    plain = list(csv.DictReader(io.StringIO(said(capsys, place, "b", "--csv"))))
    assert [row["reasons"] for row in plain] == ["", ""]


def test_the_table_says_why_beside_a_music_video_too(capsys, place):
    for arguments in (["--text", "piano"], ["b", "--text", "piano"]):
        out = said(capsys, place, *arguments)
        assert "why" in out and out.count("piano: tag piano") == 2
    assert "why" not in said(capsys, place, "b")


def test_reasons_stand_whole_below_a_line_that_is_too_long(capsys, place, monkeypatch):
    for columns, is_below in (("40", True), ("200", False)):
        monkeypatch.setenv("COLUMNS", columns)
        lines = said(capsys, place, "--text", "piano, 90s").splitlines()
        assert ("           piano: tag piano;" in "\n".join(lines)) is is_below
        assert "".join(lines).count("1994") == 1 + ("year" in "".join(lines)) and ("why" in "".join(lines)) != is_below
        assert not is_below or max(map(len, lines[1:])) <= 40


def test_where_nothing_was_understood_the_command_says_what_to_do(capsys, place):
    out = said(capsys, place, "--text", "xyzzy")
    assert "Nothing understood. Ask for a mood, an instrument" in out
    assert "Words that mean nothing here: xyzzy." in out


@pytest.mark.parametrize("arguments", [["--text", ""], ["b", "--text", " "]])
def test_no_words_are_wrong_usage(capsys, place, arguments):
    assert run(["--workspace", str(place), "search", *arguments]) == 2
    assert "is empty: say what to find" in capsys.readouterr().err


def test_a_nudge_that_does_nothing_here_is_told(capsys, place, monkeypatch):
    for suits, is_told in ((0.1, True), (0.9, False)):
        effect = Effect("calmer", suits, (-0.5, 0.5), {}, 3)
        monkeypatch.setattr(Index, "nudge_effect", lambda *_, effect=effect: effect)
        monkeypatch.setattr(Query, "nudge", lambda query, *_: query)
        assert run(["--workspace", str(place), "search", "a", "--nudge", "calmer"]) == 0
        told = " ".join(capsys.readouterr().err.split())
        assert ("Nudge calmer: on this catalogue it does no more than" in told) is is_told


def test_hits_have_their_reasons_in_python(place):
    index = Index.open(place / "index")
    hits = index.search(Query.from_text(index, "piano"))
    assert hits.to_frame()["reasons"].to_list() == [["piano: tag piano"], ["piano: tag piano"], [NO_MATCH]]
    assert "piano: tag piano" in repr(hits) and "piano: tag piano" in hits._repr_html_()
