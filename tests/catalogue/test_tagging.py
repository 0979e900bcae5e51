"""Values that follow the files' own tags, and values that do not."""

import pytest

from antiphon.catalogue import Catalogue, tagging
from antiphon.errors import DecodeError
from antiphon.workers.limits import WorkerLimits


@pytest.fixture
def tags(monkeypatch) -> dict:
    said: dict[str, dict] = {}

    def inspect_here(function, rows, progress=None, limits=None):
        for done, row in enumerate(rows, start=1):
            yield row, said.get(row["path"], {})
            if progress is not None:
                progress(done, len(rows))

    monkeypatch.setattr(tagging, "inspect_files", inspect_here)
    return said


def catalogue(**values: object) -> Catalogue:
    return Catalogue([{"id": "a", "path": "/a.mp3", "has_audio": True, "duration_s": 5.0} | values])


def test_tags_fill_in_what_is_missing_and_that_is_noted(tags):
    tags["/a.mp3"] = {"artist": "Tag", "title": "Tag"}
    (row,) = catalogue(has_audio=None, title="Table").with_file_tags().records()
    assert (row["artist"], row["title"], row["value_sources"]) == ("Tag", "Table", ["file:artist"])


def test_what_came_from_a_tag_follows_it_and_what_a_table_gave_stays(tags):
    tags["/a.mp3"] = {"artist": "New", "title": "New", "year": 2001}
    old = catalogue(artist="Old", title="Table", genre="Gone", value_sources=["file:artist", "file:genre"])
    now, changed = old.refreshed()
    (row,) = now.records()
    assert (row["artist"], row["title"], row["year"], row["genre"]) == ("New", "Table", 2001, None)
    assert row["value_sources"] == ["file:artist", "file:year"]
    assert changed == ["a"]
    assert now.refreshed()[1] == []


def test_an_earlier_version_did_not_note_where_values_come_from(tags):
    tags["/a.mp3"] = {"artist": "Same", "title": "New"}
    (row,) = catalogue(artist="Same", title="Old").refreshed()[0].records()
    assert (row["artist"], row["title"], row["value_sources"]) == ("Same", "Old", ["file:artist"])


def test_files_that_cannot_be_read_keep_their_values(tags):
    old = catalogue(artist="Old", value_sources=["file:artist"])
    assert old.refreshed(without=["a"])[0].records()[0]["artist"] == "Old"
    unread = catalogue(artist="Old", value_sources=["file:artist"], has_audio=None)
    assert unread.refreshed()[0].records()[0]["artist"] == "Old"


def test_files_whose_tags_cannot_be_read_keep_their_values(tags):
    tags["/a.mp3"] = DecodeError("/a.mp3: took longer than 60 s.")
    now, changed = catalogue(artist="Old", value_sources=["file:artist"]).refreshed()
    assert (now.records()[0]["artist"], now.records()[0]["value_sources"], changed) == ("Old", ["file:artist"], [])
    assert catalogue(has_audio=None).with_file_tags().records()[0]["value_sources"] == []


def test_a_damaged_file_keeps_its_values(tmp_path):
    (tmp_path / "a.mp3").write_bytes(b"no song")
    old = catalogue(path=str(tmp_path / "a.mp3"), artist="Old", value_sources=["file:artist"])
    assert old.refreshed()[0].records()[0]["artist"] == "Old"


def test_progress_is_told(tags):
    seen: list[tuple[int, int]] = []
    catalogue().refreshed(progress=lambda *now: seen.append(now))
    assert seen == [(1, 1)]


def test_limits_are_passed_on(tags, monkeypatch):
    given: list[WorkerLimits | None] = []

    def inspect(function, rows, progress=None, limits=None):
        given.append(limits)
        return iter(())

    monkeypatch.setattr(tagging, "inspect_files", inspect)
    limits = WorkerLimits(step_s=5)
    catalogue().refreshed(limits=limits)
    assert given == [limits]
