"""Files that were touched, replaced, renamed or removed since they were catalogued."""

import os
from pathlib import Path

import pytest

from antiphon.catalogue import Catalogue
from antiphon.catalogue.identity import PROBED, examine


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "songs").mkdir()
    for name in ("a.mp3", "b.mp3", "c.mp3"):
        (tmp_path / "songs" / name).write_bytes(name.encode() * 100)
    return tmp_path / "songs"


def looked_at(folder: Path) -> list[dict]:
    """Rows of the folder's files, as if they had been probed."""
    rows = Catalogue.from_folder(folder).records()
    examine(rows)
    for row in rows:
        row.update({"duration_s": 9.0, "start_s": 0.0, "has_audio": True, "has_video": False, "audio_end_s": 9.0})
    return rows


def by_id(rows: list[dict]) -> dict[str, dict]:
    return {row["id"]: row for row in rows}


def paths(rows: list[dict]) -> dict[str, str]:
    return {row["id"]: Path(row["path"]).name for row in rows}


def test_nothing_is_read_of_files_that_are_as_they_were(folder, monkeypatch):
    rows = looked_at(folder)
    before = [dict(row) for row in rows]
    monkeypatch.setattr("antiphon.catalogue.identity.identify", lambda path: pytest.fail(f"{path} was read"))
    found = examine(rows)
    assert (found.replaced, found.gone, found.unread, found.moved) == ([], [], [], {})
    assert rows == before


def test_a_touched_file_keeps_what_is_known_of_it(folder):
    rows = looked_at(folder)
    os.utime(folder / "a.mp3", ns=(5, 5))
    assert examine(rows).replaced == []
    assert (by_id(rows)["a.mp3"]["modified_ns"], by_id(rows)["a.mp3"]["duration_s"]) == (5, 9.0)


@pytest.mark.parametrize("content", [b"x.mp3" * 100, b"short"])
def test_a_replaced_file_is_probed_again_and_keeps_its_row(folder, content):
    rows = looked_at(folder)
    by_id(rows)["a.mp3"].update({"artist": "Told", "title": "Tag", "value_sources": ["file:title"], "split": "test"})
    before = by_id(rows)["a.mp3"]["content_hash"]
    (folder / "a.mp3").write_bytes(content)
    found = examine(rows)
    row = by_id(rows)["a.mp3"]
    assert found.replaced == ["a.mp3"]
    assert all(row[name] is None for name in PROBED)
    assert (row["artist"], row["title"], row["split"]) == ("Told", None, "test")
    assert row["content_hash"] != before
    assert examine(rows).replaced == []


def test_a_file_of_the_same_size_and_time_is_found_out_where_all_are_read(folder):
    rows = looked_at(folder)
    about = (folder / "a.mp3").stat()
    (folder / "a.mp3").write_bytes(b"x.mp3" * 100)
    os.utime(folder / "a.mp3", ns=(about.st_atime_ns, about.st_mtime_ns))
    assert examine(rows).replaced == []
    assert examine(rows, read_all=True).replaced == ["a.mp3"]


def test_a_file_that_is_gone_keeps_what_is_known_of_it(folder):
    rows = looked_at(folder)
    (folder / "b.mp3").unlink()
    found = examine(rows)
    assert (found.gone, found.replaced) == (["b.mp3"], [])
    assert by_id(rows)["b.mp3"]["duration_s"] == 9.0
    assert by_id(rows)["b.mp3"]["content_hash"]


def test_a_file_that_was_never_there_is_not_gone(tmp_path):
    rows = Catalogue([{"id": "x", "path": str(tmp_path / "x.mp3")}, {"id": "y", "path": "s3://far/y.mp3"}]).records()
    assert examine(rows).gone == []


def test_a_file_that_cannot_be_read_is_told_apart(folder, monkeypatch):
    rows = looked_at(folder)
    monkeypatch.setattr("antiphon.catalogue.identity.identify", lambda _: None)
    found = examine(rows, read_all=True)
    assert found.unread == ["a.mp3", "b.mp3", "c.mp3"]
    assert by_id(rows)["a.mp3"]["content_hash"]


def test_files_that_exchanged_their_names_keep_their_ids(folder):
    rows = looked_at(folder)
    hashes = {row["id"]: row["content_hash"] for row in rows}
    (folder / "a.mp3").rename(folder / "kept")
    (folder / "b.mp3").rename(folder / "a.mp3")
    (folder / "kept").rename(folder / "b.mp3")
    found = examine(rows)
    assert (found.replaced, found.gone) == ([], [])
    assert paths(rows) == {"a.mp3": "b.mp3", "b.mp3": "a.mp3", "c.mp3": "c.mp3"}
    assert {row["id"]: row["content_hash"] for row in rows} == hashes
    assert all(row["duration_s"] == 9.0 for row in rows)


def test_a_file_with_the_name_of_another_that_is_no_more_replaces_it(folder):
    rows = looked_at(folder)
    (folder / "a.mp3").rename(folder / "b.mp3")
    found = examine(rows)
    assert (found.replaced, found.gone, found.moved) == (["b.mp3"], ["a.mp3"], {})
    assert paths(rows)["b.mp3"] == "b.mp3"


def test_a_file_replaced_by_a_copy_of_another_joins_its_split(folder):
    rows = looked_at(folder)
    for row, split in zip(rows, ("train", "test", "validation"), strict=True):
        row["split"] = split
    (folder / "a.mp3").write_bytes((folder / "b.mp3").read_bytes())
    assert examine(rows).replaced == ["a.mp3"]
    assert by_id(rows)["a.mp3"]["split"] == "test"


def test_a_catalogue_hands_out_another_one(folder):
    catalogue = Catalogue(looked_at(folder))
    (folder / "a.mp3").write_bytes(b"other")
    now, found = catalogue.examined()
    assert found.replaced == ["a.mp3"]
    assert now.records()[0]["duration_s"] is None
    assert catalogue.records()[0]["duration_s"] == 9.0
