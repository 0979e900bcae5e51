"""A library that was moved as a whole."""

import os
import shutil
import unicodedata
from pathlib import Path

import pytest

from antiphon.catalogue import Catalogue
from antiphon.catalogue.identity import examine
from antiphon.catalogue.moving import move
from antiphon.errors import CatalogueError


@pytest.fixture
def library(tmp_path) -> Path:
    for name in ("a.mp3", "live/b.mp3", "live/c.mp3"):
        path = tmp_path / "old" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "old"


@pytest.fixture
def rows(library) -> list[dict]:
    rows = Catalogue.from_folder(library).records()
    examine(rows)
    return rows


def paths(rows: list[dict]) -> dict[str, str]:
    return {row["id"]: row["path"] for row in rows}


@pytest.mark.parametrize("written", ["{}", "{}/", "file://{}", "{}/live/.."])
def test_paths_below_a_folder_are_those_below_another(library, rows, tmp_path, written):
    shutil.copytree(library, tmp_path / "new")
    found = move(rows, written.format(library), str(tmp_path / "new"))
    assert paths(rows) == {name: str(tmp_path / "new" / name) for name in ("a.mp3", "live/b.mp3", "live/c.mp3")}
    assert found.moved == paths(rows)
    assert not found.missing
    assert not found.different
    assert not examine(rows).replaced


def test_what_is_missing_or_another_file_keeps_its_path(library, rows, tmp_path):
    shutil.move(library, tmp_path / "new")
    (tmp_path / "new" / "a.mp3").write_text("A.mp3")
    (tmp_path / "new" / "live" / "b.mp3").unlink()
    found = move(rows, str(library), str(tmp_path / "new"))
    assert found.moved == {"live/c.mp3": str(tmp_path / "new" / "live" / "c.mp3")}
    assert found.missing == {"live/b.mp3": str(tmp_path / "new" / "live" / "b.mp3")}
    assert found.different == {"a.mp3": str(tmp_path / "new" / "a.mp3")}
    assert paths(rows)["a.mp3"] == str(library / "a.mp3")


def test_only_whole_names_of_folders_count(library, rows, tmp_path):
    shutil.copytree(library / "live", tmp_path / "new")
    assert set(move(rows, str(library / "live"), str(tmp_path / "new")).moved) == {"live/b.mp3", "live/c.mp3"}
    with pytest.raises(CatalogueError, match=rf"old/l: no music video .* lies there. The first one is {library}/a.mp3"):
        move(rows, str(library / "l"), str(tmp_path / "new"))


def test_a_single_file_is_moved(library, rows, tmp_path):
    (library / "a.mp3").rename(tmp_path / "song.mp3")
    assert move(rows, str(library / "a.mp3"), str(tmp_path / "song.mp3")).moved == {"a.mp3": str(tmp_path / "song.mp3")}


def test_a_file_of_another_row_is_not_taken(library, rows, tmp_path):
    shutil.copytree(library, tmp_path / "new")
    rows.append({"id": "z", "path": str(tmp_path / "new" / "a.mp3")})
    assert set(move(rows, str(library), str(tmp_path / "new")).different) == {"a.mp3"}


def test_names_are_found_as_the_other_disk_spells_them(tmp_path):
    composed, apart = (unicodedata.normalize(form, "é.mp3") for form in ("NFC", "NFD"))
    for place, name in (("old", composed), ("new", apart)):
        (tmp_path / place).mkdir()
        (tmp_path / place / name).write_text("content")
    rows = Catalogue.from_folder(tmp_path / "old").records()
    examine(rows)
    assert move(rows, str(tmp_path / "old"), str(tmp_path / "new")).moved == {composed: str(tmp_path / "new" / apart)}


def test_a_linked_folder_is_known_by_either_name(library, rows, tmp_path):
    (tmp_path / "link").symlink_to(library)
    shutil.copytree(library, tmp_path / "new")
    assert len(move(rows, str(tmp_path / "link"), os.path.relpath(tmp_path / "new")).moved) == 3


def test_addresses_of_other_machines_are_not_compared(library, rows):
    found = move(rows, str(library), "s3://bucket/songs/")
    assert found.moved["live/b.mp3"] == "s3://bucket/songs/live/b.mp3"
    assert len(found.unchecked) == 3
    assert rows[0]["content_hash"] is None
    assert len(move(rows, "s3://bucket/songs", str(library)).moved) == 3
    assert paths(rows)["a.mp3"] == str(library / "a.mp3")


def test_a_row_of_an_earlier_version_is_compared_by_its_length(library, rows, tmp_path):
    shutil.copytree(library, tmp_path / "new")
    for row in rows:
        row.update({"content_hash": None, "duration_s": 5.0 if row["id"] == "a.mp3" else None})
    found = move(rows, str(library), str(tmp_path / "new"))
    assert set(found.moved) == {"live/b.mp3", "live/c.mp3"}
    assert set(found.different) == {"a.mp3"}


def test_a_catalogue_without_files_says_so(tmp_path):
    with pytest.raises(CatalogueError, match="It has no files"):
        move([{"id": "x", "path": None}], str(tmp_path), str(tmp_path))
