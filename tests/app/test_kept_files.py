"""Small files that are kept, while other processes keep and remove some in the same folder."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from antiphon.app.kept_files import KeptFiles, file_version
from antiphon.media.opening import CataloguedFile

from .test_edits import video


def test_a_file_that_another_process_removes_meanwhile_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = KeptFiles(tmp_path, ".json", max_files=3)
    listed, found = Path.glob, Path.exists
    ghost = tmp_path / "ghost.json"

    def with_ghost(self: Path, pattern: str) -> Iterator[Path]:
        yield from (*listed(self, pattern), ghost)

    # It was listed, and was still there when it was looked for, but is gone when its age is asked for.
    monkeypatch.setattr(Path, "glob", with_ghost)
    monkeypatch.setattr(Path, "exists", lambda path, **given: path == ghost or found(path, **given))
    for number in range(5):
        files.write(str(number), b"{}")
        os.utime(tmp_path / f"{number}.json", ns=(number, number))
    assert files.read("4", 10) == b"{}"
    assert files.read("0", 10) is None
    assert len(list(listed(tmp_path, "*.json"))) <= 4


def test_a_version_does_not_need_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that vanishes between two looks at it is as one that was never there."""
    gone = replace(video("gone", 5.0), file=CataloguedFile(str(tmp_path / "gone.mp4")))
    before = file_version(gone)
    monkeypatch.setattr(Path, "is_file", lambda path, **given: True)
    assert file_version(gone) == before
    (tmp_path / "gone.mp4").write_bytes(b"film")
    assert file_version(gone) != before
