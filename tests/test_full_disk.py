"""A disk that is full, then read-only, then has space again: a small file system in memory, mounted by root."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import kills
from antiphon.cli.app import run
from antiphon.disk import writing
from antiphon.errors import StorageError
from antiphon.tables import write_text


@contextmanager
def mounted(place: Path, size: str) -> Iterator[Path]:
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place]
    if os.geteuid() or subprocess.run(command, check=False).returncode:
        pytest.skip("only root can mount a file system in memory")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def fill(disk: Path, left_bytes: int) -> Path:
    """Leave so many bytes of a file system."""
    filler = disk / "filler"
    with filler.open("wb") as file:
        while (free := shutil.disk_usage(disk).free - left_bytes) > 0:
            file.write(bytes(min(free, 1 << 16)))
            file.flush()
    return filler


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("disk") / "made"
    kills.prepare(folder)
    return folder


def called(verb: kills.Verb, made: Path, work: Path) -> int:
    words = [word.format(films=made / "films", here=made, work=work) for word in verb.arguments]
    return run(["--workspace", str(work), *words])


@pytest.mark.parametrize("left_bytes", [0, 48 << 10])
@pytest.mark.parametrize("verb", kills.VERBS, ids=lambda verb: verb.name)
def test_a_full_disk_is_told_and_the_command_goes_on_when_there_is_space(
    verb: kills.Verb, left_bytes: int, made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with mounted(tmp_path / "disk", "16m") as disk:
        work = kills.begin(verb, made, disk / "work")
        filler = fill(disk, left_bytes)
        code = called(verb, made, work)
        told = capsys.readouterr().err
        assert code == 1 or (left_bytes and code == 0)
        assert code == 0 or "no space left" in told.lower() or "disk is full" in told
        assert "Traceback" not in told
        filler.unlink()
        assert called(verb, made, work) in verb.ends
        assert not [name for name, what in kills.contents(work).items() if what == "left over"]


@pytest.mark.parametrize("verb", kills.VERBS, ids=lambda verb: verb.name)
def test_a_read_only_disk_is_told(
    verb: kills.Verb, made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with mounted(tmp_path / "disk", "16m") as disk:
        work = kills.begin(verb, made, disk / "work")
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        assert called(verb, made, work) == 1
        told = capsys.readouterr().err.lower()
        assert "read-only" in told or "readonly" in told or "cannot be written" in told
        assert "traceback" not in told


def test_a_read_only_workspace_is_searched_and_described(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with mounted(tmp_path / "disk", "16m") as disk:
        shutil.copytree(made / "indexed", disk / "work")
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        for words in (["search", "v04"], ["catalogue", "describe"], ["features", "list"]):
            assert run(["--workspace", str(disk / "work"), *words]) == 0, capsys.readouterr().err


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        RuntimeError("I/O error: No space left on device (os error 28)"),
        OSError("[Errno 28] Error writing bytes to file. Detail: [errno 28] No space left on device"),
        RuntimeError("database or disk is full"),
    ],
)
def test_a_full_disk_is_known_whatever_says_it(error: Exception, tmp_path: Path) -> None:
    words = r"rows: cannot be written \(no space left on device\)\. Free some space"
    with pytest.raises(StorageError, match=words), writing(tmp_path / "rows"):
        raise error


@pytest.mark.parametrize("error", [RuntimeError("os error"), OSError(2, "No such file"), ValueError("28")])
def test_other_errors_pass(error: Exception, tmp_path: Path) -> None:
    with pytest.raises(type(error)) as told, writing(tmp_path / "rows"):
        raise error
    assert told.value is error


def test_the_run_trained_last_is_known_although_the_clock_was_set_back(tmp_path: Path) -> None:
    from antiphon.cli.opening import run_folder
    from antiphon.runs import write_run
    from antiphon.workspace import Workspace

    for name in ("first", "second", "third"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        write_run({"seed": 1}, tmp_path / "runs" / name)
        ahead = (tmp_path / "runs" / name / "run.toml").stat().st_mtime_ns + 3600 * 10**9
        os.utime(tmp_path / "runs" / name / "run.toml", ns=(ahead, ahead))
        assert run_folder(Workspace(tmp_path), None).name == name


def test_a_partial_file_is_gone_after_an_error(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "64k") as disk:
        with pytest.raises(StorageError, match="no space left"):
            write_text("x" * (1 << 20), disk / "notes.txt")
        assert list(disk.iterdir()) == []
