"""Files that were touched, replaced, renamed or removed since they were catalogued."""

import os
import wave
from pathlib import Path

import pytest

from antiphon.catalogue import Catalogue, identity
from antiphon.catalogue.identity import PROBED, Examination, Place, examine
from antiphon.catalogue.joining import join
from antiphon.cli.file_changes import FileChanges
from antiphon.media.identity import FileIdentity


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


def renumbered(folder: Path, count: int) -> list[dict]:
    """Delete the first of numbered files, and give each of the others the name of the one before it."""
    for number in range(count):
        (folder / f"{number:04}.mp3").write_text(f"song {number}")
    rows = looked_at(folder)
    for number in range(1, count):
        (folder / f"{number:04}.mp3").replace(folder / f"{number - 1:04}.mp3")
    return rows


def test_renumbered_files_keep_their_ids_when_the_first_is_deleted(folder):
    rows = renumbered(folder, 6)
    hashes = {row["id"]: row["content_hash"] for row in rows}
    found = examine(rows)
    assert (found.replaced, found.gone) == ([], ["0000.mp3"])
    assert len(found.moved) == 5
    expected = {f"{number:04}.mp3": f"{number - 1:04}.mp3" for number in range(1, 6)}
    assert {row["id"]: row["path"] and Path(row["path"]).name for row in rows if row["id"] < "a"} == {
        "0000.mp3": None
    } | expected
    assert {row["id"]: row["content_hash"] for row in Catalogue(rows).records()} == hashes
    assert examine(rows).gone == ["0000.mp3"]


def test_a_new_file_behind_renumbered_ones_changes_nothing_of_them(folder):
    rows = renumbered(folder, 6)
    (folder / "0005.mp3").write_text("a new song")
    found = examine(rows)
    assert (found.replaced, found.gone, len(found.moved)) == ([], ["0000.mp3"], 5)
    joined = join(rows, Catalogue.from_folder(folder).records())
    assert [row["id"] for row in joined.rows if row["path"] == str(folder / "0005.mp3")] == ["songs/0005.mp3"]


def test_a_deleted_file_whose_name_another_took_is_found_again_when_it_is_back(folder):
    rows = renumbered(folder, 4)
    examine(rows)
    (folder / "back.mp3").write_text("song 0")
    joined = join(rows, Catalogue.from_folder(folder).records())
    assert joined.moved == {"0000.mp3": ("", str(folder / "back.mp3"))}
    assert "0000.mp3 is" in FileChanges.of(joined.rows, set(), joined, Examination(), {}).sentences()[0]


def test_matching_renumbered_files_compares_each_with_few_others(monkeypatch):
    count, calls = 400, []
    identities = [FileIdentity(9, 9, f"hash {number}") for number in range(count)]
    rows = [{"id": str(n), "path": f"/{n}", **vars(one)} for n, one in enumerate(identities)]
    places = {f"/{n - 1}": Place(str(n - 1), identities[n]) for n in range(count - 1, 0, -1)}
    original = identity._by_name
    monkeypatch.setattr(identity, "_by_name", lambda *pair: calls.append(pair) or original(*pair))
    moved = identity.find_again(rows, {row["id"] for row in rows}, places)
    assert (len(moved), rows[0]["path"], rows[1]["path"]) == (count - 1, None, "/0")
    assert len(calls) <= 2 * count


def test_files_of_rows_without_an_identity_are_probed_in_another_process(folder, tmp_path, monkeypatch):
    def fail(path):
        raise SystemExit(path)

    song = tmp_path / "two_seconds.wav"
    with wave.open(str(song), "wb") as file:
        file.setparams((1, 2, 8000, 16_000, "NONE", ""))
        file.writeframes(bytes(32_000))
    monkeypatch.setattr(identity, "probe_media", fail)
    with identity.comparing_lengths() as may_be:
        compared = [
            may_be({"id": "a", "duration_s": length_s}, str(path))
            for length_s, path in [(2.0, song), (2.2, song), (2.0, folder / "a.mp3"), (None, folder / "a.mp3")]
        ]
    assert compared == [True, False, False, True]


def test_an_empty_file_that_another_was_renamed_to_is_replaced(folder):
    (folder / "b.mp3").write_bytes(b"")
    rows = looked_at(folder)
    (folder / "a.mp3").replace(folder / "b.mp3")
    assert examine(rows).replaced == ["b.mp3"]
    assert len(Catalogue(rows)) == 3


def test_a_file_replaced_by_a_copy_of_another_joins_its_split(folder):
    rows = looked_at(folder)
    for row, split in zip(rows, ("train", "test", "validation"), strict=True):
        row["split"] = split
    (folder / "a.mp3").write_bytes((folder / "b.mp3").read_bytes())
    found = examine(rows)
    assert found.replaced == ["a.mp3"]
    assert found.resplit == {"a.mp3": ("train", "test")}
    assert by_id(rows)["a.mp3"]["split"] == "test"
    said = FileChanges.of(rows, {row["id"] for row in rows}, join(rows, []), found, {}).sentences()
    assert any(sentence.endswith("have to be evaluated again: a.mp3 from train to test") for sentence in said)


def test_a_catalogue_hands_out_another_one(folder):
    catalogue = Catalogue(looked_at(folder))
    (folder / "a.mp3").write_bytes(b"other")
    now, found = catalogue.examined()
    assert found.replaced == ["a.mp3"]
    assert now.records()[0]["duration_s"] is None
    assert catalogue.records()[0]["duration_s"] == 9.0
