"""Writing: whole files only, and nothing left behind, not even by a killed process."""

import os
import signal
import subprocess
import sys

import pyarrow as pa
import pytest

from antiphon import parquet_files
from antiphon.tables import atomic_path, read_table, sweep_partials, write_table, write_text
from antiphon.workspace import Workspace

KILLED = """
import os, signal, sys
from pathlib import Path
from antiphon.tables import atomic_path
with atomic_path(Path(sys.argv[1])) as partial:
    partial.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def leftover(tmp_path):
    target = tmp_path / "runs" / "one" / "model.safetensors"
    done = subprocess.run([sys.executable, "-c", KILLED, target], check=False)
    assert done.returncode == -signal.SIGKILL
    (path,) = target.parent.iterdir()
    assert path.name.startswith(".model.safetensors.")
    assert path.name.endswith(".partial")
    return path


def test_a_block_that_fails_leaves_the_old_file_and_no_other(tmp_path):
    write_text("old", tmp_path / "a.txt")
    handles = len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0  # noqa: PTH208 (counted, not read)
    with pytest.raises(KeyboardInterrupt), atomic_path(tmp_path / "a.txt") as partial:
        partial.write_text("new")
        raise KeyboardInterrupt
    assert names(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"
    write_text("new", tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_text() == "new"
    assert not handles or len(os.listdir("/proc/self/fd")) == handles  # noqa: PTH208


def test_leftovers_go_and_files_being_written_stay(tmp_path, leftover):
    (tmp_path / ".mine.partial").write_text("not ours")
    (tmp_path / "b.txt.abcdefgh.partial").write_text("not ours")
    with atomic_path(tmp_path / "c.txt") as partial:
        partial.write_text("whole")
        sweep_partials(tmp_path)
    assert names(tmp_path) == [".mine.partial", "b.txt.abcdefgh.partial", "c.txt"]
    assert (tmp_path / "c.txt").read_text() == "whole"


def test_taking_the_workspace_removes_leftovers(tmp_path, leftover):
    with Workspace(tmp_path).lock():
        assert names(tmp_path) == [".lock"]


def test_a_table_that_is_replaced_while_it_is_read_is_the_old_one(tmp_path, monkeypatch):
    old, new = (pa.table({"id": list(range(count))}) for count in (2000, 1000))
    write_table(old, tmp_path / "rows.parquet")
    checked = parquet_files._refuse_other_seal

    def replaced(*arguments):
        checked(*arguments)
        write_table(new, tmp_path / "rows.parquet")

    monkeypatch.setattr(parquet_files, "_refuse_other_seal", replaced)
    assert read_table(tmp_path / "rows.parquet").equals(old)
    monkeypatch.undo()
    assert read_table(tmp_path / "rows.parquet").equals(new)
