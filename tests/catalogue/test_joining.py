"""Joining folders and tables to a catalogue whose files have other names, places or contents by now."""

import os
import shutil
import unicodedata
from pathlib import Path

import pytest

from antiphon.catalogue import Catalogue
from antiphon.catalogue.copies import copies, copies_in_two_splits
from antiphon.catalogue.identity import examine
from antiphon.catalogue.joining import join


def files(folder: Path, **contents: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / f"{name}.mp3").write_text(content)
    return folder


def joined(known: list[dict], folder: Path) -> list[dict]:
    return examined(join(known, Catalogue.from_folder(folder).records()).rows)


def examined(rows: list[dict]) -> list[dict]:
    rows = Catalogue(rows).records()
    examine(rows)
    return rows


def paths(rows: list[dict]) -> dict[str, str]:
    return {row["id"]: row["path"] for row in rows}


@pytest.fixture
def day_1(tmp_path) -> Path:
    return files(tmp_path / "d1", clip="the first clip", song="the first song")


@pytest.fixture
def known(day_1) -> list[dict]:
    return joined([], day_1)


def test_a_second_folder_with_the_same_names_gets_its_name_before_them(known, day_1, tmp_path):
    day_2 = files(tmp_path / "d2", clip="the second clip", other="another")
    found = join(known, Catalogue.from_folder(day_2).records())
    assert paths(found.rows) == {
        "clip.mp3": str(day_1 / "clip.mp3"),
        "song.mp3": str(day_1 / "song.mp3"),
        "d2/clip.mp3": str(day_2 / "clip.mp3"),
        "other.mp3": str(day_2 / "other.mp3"),
    }
    assert found.prefixed == ["d2/clip.mp3"]
    assert found.names == {"clip.mp3": "d2/clip.mp3", "other.mp3": "other.mp3"}
    assert paths(joined(found.rows, day_2)) == paths(found.rows)


def test_as_many_folders_as_are_needed_stand_before_an_id(known, tmp_path):
    rows = known
    for place in ("x/music", "y/music", "z/music/live"):
        folder = files(tmp_path / place, clip=place)
        rows = joined(rows, folder if place != "z/music/live" else folder.parent)
    assert [row["id"] for row in rows] == [
        "clip.mp3",
        "song.mp3",
        "music/clip.mp3",
        "y/music/clip.mp3",
        "live/clip.mp3",
    ]
    rows = joined(rows, files(tmp_path / "w" / "live", clip="w").parent)
    assert rows[-1]["id"] == "w/live/clip.mp3"


def test_an_id_that_no_folder_makes_free_gets_a_number():
    rows = [{"id": "x", "path": "s3://m/x"}, {"id": "o/x", "path": "s3://n/x"}]
    assert [row["id"] for row in join(rows, [{"id": "x", "path": "s3://o/x"}]).rows][-1] == "x (2)"


def test_a_moved_library_keeps_its_ids(known, day_1, tmp_path):
    known[0]["split"] = "test"
    shutil.move(day_1, tmp_path / "elsewhere")
    found = join(known, Catalogue.from_folder(tmp_path / "elsewhere").records())
    assert paths(found.rows) == {
        "clip.mp3": str(tmp_path / "elsewhere" / "clip.mp3"),
        "song.mp3": str(tmp_path / "elsewhere" / "song.mp3"),
    }
    assert set(found.moved) == {"clip.mp3", "song.mp3"}
    assert found.rows[0]["split"] == "test"


def test_a_moved_library_keeps_its_ids_when_a_folder_above_it_is_added(known, day_1, tmp_path):
    shutil.move(day_1, tmp_path / "new" / "deep")
    rows = joined(known, tmp_path / "new")
    assert paths(rows) == {name: str(tmp_path / "new" / "deep" / name) for name in ("clip.mp3", "song.mp3")}


def test_a_renamed_file_keeps_its_id(known, day_1):
    (day_1 / "clip.mp3").rename(day_1 / "better name.mp3")
    rows = joined(known, day_1)
    assert paths(rows) == {"clip.mp3": str(day_1 / "better name.mp3"), "song.mp3": str(day_1 / "song.mp3")}


def test_files_that_took_each_the_next_ones_name_keep_their_ids(known, day_1):
    (day_1 / "song.mp3").rename(day_1 / "track.mp3")
    (day_1 / "clip.mp3").rename(day_1 / "song.mp3")
    rows = joined(known, day_1)
    assert paths(rows) == {"clip.mp3": str(day_1 / "song.mp3"), "song.mp3": str(day_1 / "track.mp3")}


def test_a_replaced_file_whose_former_content_is_kept_beside_it_keeps_its_name(known, day_1):
    (day_1 / "clip.mp3").rename(day_1 / "clip old.mp3")
    (day_1 / "clip.mp3").write_text("a new clip")
    found = join(known, Catalogue.from_folder(day_1).records())
    assert paths(found.rows)["clip.mp3"] == str(day_1 / "clip.mp3")
    assert paths(found.rows)["clip old.mp3"] == str(day_1 / "clip old.mp3")
    assert examine(Catalogue(found.rows).records()).replaced == ["clip.mp3"]


def test_another_file_in_the_place_of_one_that_is_gone_is_another_video(known, day_1, tmp_path):
    shutil.rmtree(day_1)  # a disk that is not there
    rows = joined(known, files(tmp_path / "d2", clip="the second clip"))
    assert paths(rows)["clip.mp3"] == str(day_1 / "clip.mp3")
    assert paths(rows)["d2/clip.mp3"] == str(tmp_path / "d2" / "clip.mp3")


def test_a_table_says_where_a_video_is_now(known, day_1, tmp_path):
    known = [row | {"id": row["id"].removesuffix(".mp3")} for row in known]
    (day_1 / "clip.mp3").unlink()
    files(tmp_path / "new", converted="the clip, encoded anew")
    rows = join(known, [{"id": "clip", "path": str(tmp_path / "new" / "converted.mp3")}]).rows
    assert paths(rows)["clip"] == str(tmp_path / "new" / "converted.mp3")
    assert examine(Catalogue(rows).records()).replaced == ["clip"]


def test_a_path_without_a_file_does_not_take_the_place_of_one_that_is_there(known, day_1):
    known = [row | {"id": row["id"].removesuffix(".mp3")} for row in known]
    found = join(known, [{"id": "clip", "path": "/nowhere/c.mp3", "genre": "pop"}])
    assert paths(found.rows)["clip"] == str(day_1 / "clip.mp3")
    assert (found.unfound, found.rows[0]["genre"]) == (["/nowhere/c.mp3"], "pop")


def test_a_video_without_a_file_gets_one(tmp_path):
    folder = files(tmp_path / "d", a="content")
    rows = join([{"id": "a.mp3", "path": None, "genre": "pop"}], Catalogue.from_folder(folder).records()).rows
    assert (rows[0]["path"], rows[0]["genre"], len(rows)) == (str(folder / "a.mp3"), "pop", 1)


@pytest.mark.parametrize(
    "address", ["file://{}", "FILE://{}", "file://localhost{}", "file:{}", "file:///{}", "File://LocalHost{}"]
)
def test_an_address_of_a_file_is_the_file(tmp_path, address):
    folder = files(tmp_path / "a folder", **{"söng #1": "content"})
    known = joined([], folder)
    path = str(folder / "söng #1.mp3")
    escaped = path.replace(" ", "%20").replace("ö", "%C3%B6").replace("#", "%23")
    for written in (address.format(escaped), address.format(path)):
        found = join(known, [{"id": "x", "path": written, "genre": "pop"}])
        assert (len(found.rows), found.rows[0]["genre"], found.again) == (1, "pop", {"x": "söng #1.mp3"})
        assert join([], [{"id": "x", "path": written}]).rows[0]["path"] == path


def test_links_and_other_ways_of_writing_a_path_are_one_file(known, day_1, tmp_path):
    (tmp_path / "link.mp3").symlink_to(day_1 / "clip.mp3")
    os.link(day_1 / "clip.mp3", tmp_path / "hard.mp3")
    (tmp_path / "linked").symlink_to(day_1)
    for written in ("link.mp3", "hard.mp3", "linked/clip.mp3", "d1/../d1/./clip.mp3"):
        found = join(known, [{"id": "again", "path": f"{tmp_path}/{written}"}])
        assert paths(found.rows) == paths(known)
        assert found.again == {"again": "clip.mp3"}


def test_a_hard_link_in_the_same_folder_is_no_second_video(tmp_path):
    folder = files(tmp_path / "d", a="content", b="other")
    os.link(folder / "a.mp3", folder / "c.mp3")
    found = join([], Catalogue([{"id": name, "path": str(folder / f"{name}.mp3")} for name in "abc"]).records())
    assert ([row["id"] for row in found.rows], found.again) == (["a", "b"], {"c": "a"})


def test_many_copies_are_not_compared_with_each_other(tmp_path, monkeypatch):
    count, asked = 60, []
    found = Catalogue.from_folder(
        files(tmp_path / "d", **{f"n{number}": "the same" for number in range(count)})
    ).records()
    original = os.stat
    monkeypatch.setattr(os, "stat", lambda *where, **how: asked.append(where) or original(*where, **how))
    rows = join([], found).rows
    monkeypatch.undo()
    assert len(rows) == count
    assert len(asked) <= 12 * count


def test_a_library_copied_by_a_system_that_spells_letters_otherwise_keeps_its_ids(tmp_path):
    composed, apart = (unicodedata.normalize(form, "Beyoncé") for form in ("NFC", "NFD"))
    known = joined([], files(tmp_path / "one", **{composed: "content"}))
    shutil.rmtree(tmp_path / "one")
    rows = joined(known, files(tmp_path / "two", **{apart: "content"}))
    assert paths(rows) == {f"{composed}.mp3": str(tmp_path / "two" / f"{apart}.mp3")}


def test_a_moved_file_of_an_earlier_versions_catalogue_is_known_by_its_id(known, day_1, tmp_path):
    old = [row | {"size_bytes": None, "modified_ns": None, "content_hash": None} for row in known]
    shutil.move(day_1, tmp_path / "elsewhere")
    assert paths(joined(old, tmp_path / "elsewhere"))["clip.mp3"] == str(tmp_path / "elsewhere" / "clip.mp3")
    longer = [row | {"duration_s": 60.0} for row in old]  # the new file is not as long: it is no media file at all
    assert "elsewhere/clip.mp3" in paths(joined(longer, tmp_path / "elsewhere"))


def test_values_of_a_table_win_over_tags_and_tags_over_tags(known):
    known[0].update({"artist": "Of a tag", "title": "Of a table", "value_sources": ["file:artist"]})
    tagged = {"id": "clip.mp3", "artist": "New tag", "title": "New tag", "value_sources": ["file:artist", "file:title"]}
    row = join(known, [tagged]).rows[0]
    assert (row["artist"], row["title"], row["value_sources"]) == ("New tag", "Of a table", ["file:artist"])
    row = join(known, [{"id": "clip.mp3", "artist": "Corrected", "genre": None}]).rows[0]
    assert (row["artist"], row["value_sources"]) == ("Corrected", [])


def test_what_was_read_of_another_content_is_not_taken(known):
    stale = {"id": "clip.mp3", "content_hash": "other", "duration_s": 5.0, "genre": "pop"}
    row = join(known, [stale]).rows[0]
    assert (row["duration_s"], row["genre"], row["content_hash"]) == (None, "pop", known[0]["content_hash"])


def test_copies_are_named_and_share_a_split_in_either_order(tmp_path):
    names = [f"s{number}" for number in range(30)]
    rows = joined([], files(tmp_path / "d", **{name: name for name in names}))
    rows += joined([], files(tmp_path / "e", **{f"copy-{name}": name for name in names}))
    for order in (rows, rows[::-1]):
        found = Catalogue(order).split_missing().records()
        splits = {row["id"]: row["split"] for row in found}
        assert all(splits[f"{name}.mp3"] == splits[f"copy-{name}.mp3"] for name in names)
        assert len(set(splits.values())) == 3
        assert len(copies(found)) == 30
    assert copies_in_two_splits([row | {"split": row["id"]} for row in found]) == list(copies(found))


def test_a_copy_takes_the_split_of_its_original_whatever_its_artist(tmp_path):
    first, second = joined([], files(tmp_path / "d", a="same", b="same"))
    given = [first | {"split": "validation", "artist": "X"}, second | {"artist": "Y"}]
    given += [{"id": "c", "artist": "Y"}, {"id": "d", "artist": "Z", "split": "train"}]
    splits = {row["id"]: row["split"] for row in Catalogue(given).split_missing().records()}
    assert splits == {"a.mp3": "validation", "b.mp3": "validation", "c": "validation", "d": "train"}


def test_copies_link_their_artists(tmp_path):
    first, second = joined([], files(tmp_path / "d", a="same", b="same"))
    given = [first | {"artist": "X"}, second | {"artist": "Y"}, {"id": "c", "artist": "Y"}, {"id": "d", "artist": "X"}]
    for seed in range(8):
        assert len(set(Catalogue(given).split(seed=seed).table["split"].to_pylist())) == 1


def test_empty_files_are_no_copies_and_not_found_again(tmp_path):
    rows = joined([], files(tmp_path / "d", a="", b="", c="content"))
    assert copies(rows) == {}
    (tmp_path / "d" / "a.mp3").unlink()
    assert paths(joined(rows, files(tmp_path / "d", z="")))["a.mp3"] == str(tmp_path / "d" / "a.mp3")
    apart = [row | {"artist": row["id"]} for row in rows[:2]]
    splits = [Catalogue(apart).split(seed=seed).table["split"].to_pylist() for seed in range(20)]
    assert any(one != other for one, other in splits)
