"""The command line where nobody looks: pipes, files, other encodings, machines."""

import io
import json
import os
import subprocess
import sys
import time

import pytest
from rich.cells import cell_len
from rich.console import Console

from antiphon.cli.app import _VERBS, app, run
from antiphon.cli.console import Heartbeat, degrade_gracefully
from antiphon.cli.search import _show
from antiphon.search.hits import Hit, Hits, Moment

ANTIPHON = [sys.executable, "-m", "antiphon"]
HEAVY = ("polars", "pyarrow", "av", "torch", "numpy", "fastapi")


def test_help_imports_nothing_heavy():
    found = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "antiphon", "--help"], capture_output=True, text=True, check=True
    )
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in found.stderr.splitlines()}
    assert "cyclopts" in imported
    assert imported.isdisjoint(HEAVY)
    for name in _VERBS:
        assert f" {name} " in found.stdout


@pytest.mark.parametrize("verb", _VERBS)
def test_every_verb_is_there_and_has_help(verb, capsys):
    assert run([verb, "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"Usage: antiphon {verb}" in shown
    found = app[verb].default_command
    if found is not None:
        assert found.__doc__.split()[:4] == shown.split("\n\n", 1)[1].split()[:4]


@pytest.mark.parametrize(
    ("arguments", "code", "kind"),
    [
        (["search", "x"], 1, "SearchError"),
        (["report", "--run", "../x"], 1, "ConfigError"),
        (["train", "--epochs"], 2, ""),
    ],
)
def test_errors_are_json_where_results_are(arguments, code, kind, tmp_path, capsys):
    assert run(["--workspace", str(tmp_path), "--json", *arguments]) == code
    out, err = capsys.readouterr()
    said = json.loads(out)["error"]
    assert said["message"]
    assert kind in said["type"]
    assert err == ""
    assert run(["--workspace", str(tmp_path), *arguments]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("antiphon: ")


def test_a_closed_pipe_is_no_error():
    """Its reader ends before anything is written."""
    reading, writing = os.pipe()
    os.close(reading)
    found = subprocess.run([*ANTIPHON, "datasets", "list"], stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (found.returncode, found.stderr) == (0, b"")


def test_output_that_is_not_utf_8_degrades():
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    found = subprocess.run([*ANTIPHON, "datasets", "list"], env=environment, capture_output=True, check=False)
    assert found.returncode == 0, found.stderr
    assert found.stdout.decode("ascii")


def test_what_an_encoding_cannot_hold_is_written_plainly():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    degrade_gracefully(stream)
    stream.write("sound → pictures, 10–20 “live” − Ω")
    stream.flush()
    assert stream.buffer.getvalue() == b'sound -> pictures, 10-20 "live" - ?'


def test_long_work_says_now_and_then_how_far_it_is_where_there_is_no_terminal():
    out = io.StringIO()
    heartbeat = Heartbeat(Console(file=out), "Auditing", every_s=0.02)
    with heartbeat.beating():
        heartbeat.report(1, 2, "looking")
        while out.getvalue().count("\n") < 2:
            time.sleep(0.01)
    assert out.getvalue().splitlines()[0] == "Auditing: 1 of 2 (looking), 0:00"


def test_short_work_says_nothing_where_there_is_no_terminal():
    out = io.StringIO()
    with Heartbeat(Console(file=out), "Auditing").beating():
        pass
    assert out.getvalue() == ""


def test_json_is_valid_in_every_encoding(tmp_path):
    """Characters that the encoding lacks are escaped in JSON: a look-alike of a quotation mark would end the text."""
    outputs = []
    for encoding in ("ascii", "utf-8"):
        environment = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
        call = [*ANTIPHON, "-w", str(tmp_path / "“live” – Ω"), "--json", "catalogue", "describe"]
        found = subprocess.run(call, env=environment, capture_output=True, check=False)
        outputs.append(json.loads(found.stdout.decode(encoding)))
    assert outputs[0] == outputs[1]
    assert "“live” – Ω" in outputs[0]["error"]["message"]


@pytest.mark.parametrize("arguments", [["--help"], ["search", "--help"]])
def test_help_into_a_closed_pipe_is_no_error(arguments):
    reading, writing = os.pipe()
    os.close(reading)
    found = subprocess.run([*ANTIPHON, *arguments], stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (found.returncode, found.stderr) == (0, b"")


def test_a_table_of_hits_keeps_ids_ranks_and_moments_whole():
    """However narrow the terminal: only titles, artists and genres are shortened."""
    ids = [f"an/id/that/is/for/copying/{number:030}.mp4" for number in range(3)]
    about = {"title": "a long title " * 5, "artist": "日本の長い名前" * 4, "genre": "ambient", "year": 1983}
    moments = (Moment(3.0, 71.5, 74.5, 0.8, "audio"),)
    hits = Hits([Hit(id, 0.5, about, moments) for id in ids], query="q")
    for width in (20, 80, 200):
        out = Console(file=io.StringIO(), width=width)
        _show(hits, out)
        _, header, *rows = out.file.getvalue().splitlines()
        assert header.split() == ["rank", "score", "id", "title", "artist", "genre", "year", "best", "moment"]
        for rank, (id, row) in enumerate(zip(ids, rows, strict=True), start=1):
            assert row.split()[:3] == [str(rank), "0.500", id]
            assert row.rstrip().endswith("1983 0:03 → 1:11 sound")
    assert cell_len(rows[0].rstrip()) <= 200
