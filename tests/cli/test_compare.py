"""`antiphon compare`: sources of all kinds, the files it writes, and wrong calls."""

import json

import numpy as np
import polars as pl
import pytest

from antiphon.cli.app import run
from antiphon.features import Features
from antiphon.features.importing import import_features
from antiphon.workspace import Workspace

VIDEOS = 40


def vectors(seed, size):
    hidden = np.random.default_rng(1).normal(size=(VIDEOS, 4))
    random = np.random.default_rng(seed)
    return (hidden @ random.normal(size=(4, size)) + 0.2 * random.normal(size=(VIDEOS, size))).astype(np.float32)


@pytest.fixture
def workspace(tmp_path):
    """A workspace with imported features, and a table of vectors from elsewhere."""
    ids = [f"video-{number:02d}" for number in range(VIDEOS)]
    features = Features.from_arrays(
        audio=vectors(2, 7), video=vectors(3, 9), ids=ids, audio_name="hearing", video_name="seeing"
    )
    import_features(features, Workspace(tmp_path / "work"))
    table = {"id": ids, "audio": vectors(4, 5), "video": vectors(4, 5)}
    pl.DataFrame(table).write_parquet(tmp_path / "api.parquet")
    return tmp_path


def called(workspace, *arguments):
    return run(["--workspace", str(workspace / "work"), "--json", "compare", *map(str, arguments)])


QUICK = ("--methods", "zero-shot", "cca", "--draws", "2")


def test_features_of_the_workspace_and_vectors_from_elsewhere_stand_in_one_table(workspace, capsys):
    assert called(workspace, "hearing+seeing", f"API={workspace / 'api.parquet'}", *QUICK) == 0
    found = json.loads(capsys.readouterr().out)
    assert {row["backbones"] for row in found["rows"]} == {"hearing+seeing", "API"}
    assert {row["n"] for row in found["rows"] if row["trainings"]} == {VIDEOS / 2}
    folder = workspace / "work" / "compare"
    kept = json.loads((folder / "compare.json").read_text())
    assert kept["rows"] == found["rows"] and kept["source"] == "the workspace; api.parquet"
    assert pl.read_csv(folder / "compare.csv").height == 2 * sum(bool(row["trainings"]) for row in found["rows"])
    assert found["verdict"]["sentence"] in (folder / "compare.html").read_text()
    assert sorted(found["files"]) == sorted(str(path) for path in folder.glob("compare.*"))
    # Imported vectors have no files to measure on, nor have those of a table.
    assert [cost["backbone"] for cost in found["costs"]] == ["hearing", "seeing", "API"]
    assert ["files of the catalogue" in cost["reason"] for cost in found["costs"]] == [True, True, False]


def test_every_file_that_was_written_is_named_and_why_costs_are_not_known(workspace, capsys):
    call = ["-w", str(workspace / "work"), "compare", "hearing+seeing", f"API={workspace / 'api.parquet'}", *QUICK]
    assert run([*call, "--out", str(workspace / "out")]) == 0
    lines = capsys.readouterr().out.splitlines()
    named = {line.strip() for line in lines[lines.index("Files:") + 1 : -1]}
    assert named == {str(workspace / "out" / f"compare.{end}") for end in ("html", "md", "csv", "tex", "json")}
    assert named == {str(path) for path in (workspace / "out").glob("compare.*")}
    assert any(line.startswith("hearing, seeing: cost of a music video not measured: fewer") for line in lines)
    assert "API: cost of a music video not measured: vectors from elsewhere" in "\n".join(lines)


def test_without_sources_all_features_of_the_workspace_are_compared(workspace, capsys):
    assert called(workspace, "--out", workspace / "out", "--no-costs", *QUICK) == 0
    assert {row["backbones"] for row in json.loads(capsys.readouterr().out)["rows"]} == {"hearing+seeing"}
    assert (workspace / "out" / "compare.html").exists()


def test_people_get_the_answer_and_the_page(workspace, capsys):
    assert run(["-w", str(workspace / "work"), "compare", "--no-costs", *QUICK]) == 0
    out = capsys.readouterr().out
    assert "hearing+seeing, cca" in out and "no method with contrastive training was among" in " ".join(out.split())
    assert out.splitlines()[-1].startswith("Page: file://")


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        (["hearing"], "hearing: neither AUDIO+VIDEO, nor a .parquet table, nor a workspace, nor yt8m:FILES"),
        (["hearing+nothing"], "nothing"),
        (["A=hearing+seeing", "A=hearing+seeing"], "A: named twice"),
        (["none.parquet"], "none.parquet: no such file."),
        (["yt8m:none.parquet"], "none.parquet: no such files"),
    ],
)
def test_a_wrong_source_is_said(workspace, sources, message, capsys):
    assert called(workspace, *sources, *QUICK) == 1
    said = "".join(capsys.readouterr())
    assert message in said and "Traceback" not in said


@pytest.mark.parametrize(("option", "value"), [("--draws", "0"), ("--seeds", "0"), ("--jobs", "0")])
def test_a_number_out_of_range_is_wrong_usage(workspace, option, value):
    assert called(workspace, option, value) == 2
