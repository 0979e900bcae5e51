"""`antiphon up`: a folder becomes a page, and what is added to it is found, in real processes."""

import json
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from antiphon.app.upkeep import Upkeep, listing
from antiphon.app.verbs import Step
from antiphon.cli.app import run
from antiphon.cli.up import steps
from antiphon.search import Index
from antiphon.workspace import Workspace

RECIPE = """
inherits = "antiphon-base"
name = "short"
[head]
hidden = [32]
embedding_dim = 16
[training]
epochs = 2
min_steps = 0
"""


def status(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{url}api/status", timeout=60) as answer:
        return json.loads(answer.read())


def until(so: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    end = time.monotonic() + 600
    while not so():
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.5)


def test_a_folder_is_served_and_what_is_added_is_found(synthetic_table: Path, tmp_path: Path) -> None:
    films = sorted(synthetic_table.parent.glob("*.mp4"))
    folder = tmp_path / "videos"
    folder.mkdir()
    for film in films[:6]:
        shutil.copy(film, folder)
    (folder / "broken.mp4").write_bytes(b"not a film" * 100)
    (folder / "linked.mp4").symlink_to(films[7])  # It leads out of the folder: neither served nor named.
    (tmp_path / "short.toml").write_text(RECIPE)
    command = [sys.executable, "-m", "antiphon", "-w", "work", "--json", "up", "videos", "--recipe", "short.toml"]
    with subprocess.Popen(
        [*command, "--port", "0", "--every", "1"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        shown = ""
        while not shown.rstrip().endswith("}"):
            shown += process.stdout.readline()
        url = json.loads(shown)["url"]
        until(lambda: status(url)["searchable"] == 6 and status(url)["upkeep"]["doing"] == "waiting", process)
        found = status(url)
        assert (found["videos"], found["failed"], found["upkeep"]["fault"]) == (7, 1, "")
        assert found["failures"][0]["id"] == "broken.mp4"
        with urllib.request.urlopen(f"{url}evaluation", timeout=60) as page:
            assert b"median rank" in page.read().lower()
        shutil.copy(films[6], folder)
        until(lambda: status(url)["searchable"] == 7, process)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) in {0, 130}
        assert process.stderr is not None
        assert (
            "1 link that leads out of the folder will be left out" in (said := process.stderr.read())
            and films[7].name not in said
        )
    with pytest.raises(urllib.error.URLError):
        status(url)


def test_a_growing_file_is_another_listing(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"1")
    (tmp_path / ".hidden").write_bytes(b"1")
    before = listing(tmp_path)
    assert listing(tmp_path) == before
    (tmp_path / ".hidden").write_bytes(b"12")
    assert listing(tmp_path) == before
    (tmp_path / "a.mp4").write_bytes(b"12")
    assert listing(tmp_path) != before


def test_a_model_is_trained_once_and_what_is_missing_is_made_later(tmp_path: Path) -> None:
    place = Workspace(tmp_path)
    Index.from_vectors(["a", "b"], np.eye(2), path=place.index)
    record = place.index / "index.toml"
    known = [("catalogue", "add", "/films", "--no-follow", "--metadata", "/films.csv"), ("extract",), ("index", "add")]

    def verbs() -> list[tuple[str, ...]]:
        return [step.verb for step in steps(place, Path("/films"), [Path("/films.csv")], "antiphon-base")]

    assert verbs() == known
    record.write_text(record.read_text().replace('run = ""', 'run = "base"'))
    assert Index.open(place.index).origin.run == "base"
    place.run("base").mkdir(parents=True)
    assert verbs() == [*known, ("evaluate", "--run", "base"), ("report", "--run", "base")]
    (place.run("base") / "metrics.json").write_text("{}")
    assert verbs() == [*known, ("report", "--run", "base")]


def test_a_step_that_raises_is_told_and_tried_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def failing() -> Iterator[Step]:
        raise OSError("the disk is gone")
        yield

    (tmp_path / "videos").mkdir()
    upkeep = Upkeep(Workspace(tmp_path / "work"), tmp_path / "videos", failing, every_s=0.05)
    upkeep.start()
    end = time.monotonic() + 60
    while not upkeep.progress.fault:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert upkeep.progress.fault == "the disk is gone" and upkeep.progress.doing == "waiting"
    upkeep.stop()
    assert capsys.readouterr().err == "the disk is gone\n"


def test_a_folder_that_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-w", str(tmp_path / "w"), "up", str(tmp_path / "none")]) == 1
    assert "no such folder" in capsys.readouterr().err
    assert run(["-w", str(tmp_path / "w"), "up", str(tmp_path), "--metadata", str(tmp_path / "x.csv")]) == 1
    assert "x.csv: no such file" in capsys.readouterr().err
    assert not (tmp_path / "w").exists()
