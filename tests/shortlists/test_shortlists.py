"""Lists are kept as they were changed, can be undone, and are read by those who may."""

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.errors import ConfigError
from antiphon.shortlists import Shortlist, Shortlists, UnknownShortlistError, added, moved, noted, removed, renamed
from antiphon.shortlists.records import MAX_ENTRIES, Entry


@pytest.fixture
def store(tmp_path: Path) -> Shortlists:
    return Shortlists(tmp_path / "shortlists.sqlite")


def ids(shortlist: Shortlist) -> list[str]:
    return [entry.id for entry in shortlist.entries]


def test_what_is_changed_is_there_for_the_next_process(store: Shortlists) -> None:
    key = store.create(" Opening   titles ").key
    for id in ("a", "b", "c", "b"):
        store.change(key, lambda one, id=id: added(one, id))
    store.change(key, lambda one: moved(one, "c", -1))
    store.change(key, lambda one: noted(one, "c", " =for the\ncredits\u202e "))
    found = Shortlists(store.path).get(key)
    assert (found.name, ids(found), found.entries[1].note) == ("Opening titles", ["a", "c", "b"], "=for the\ncredits")
    assert [one.name for one in store.all()] == ["Opening titles"]
    assert store.shared(found.token) == found


def test_every_change_can_be_undone_and_deleting_too(store: Shortlists) -> None:
    made = store.create("One")
    store.change(made.key, lambda one: added(one, "a"))
    store.change(made.key, lambda one: added(one, "a"))  # Changes nothing, and is no version.
    store.change(made.key, lambda one: renamed(one, "Two"))
    assert store.delete(made.key).is_deleted
    assert store.all() == []
    with pytest.raises(UnknownShortlistError, match="deleted"):
        store.shared(made.token)
    assert store.undo(made.key).name == "Two"
    assert store.undo(made.key).name == "One"
    assert ids(store.undo(made.key)) == []
    assert store.undo(made.key) == made


def test_the_last_hundred_changes_can_be_undone(store: Shortlists) -> None:
    key = store.create("Long").key
    for number in range(130):
        store.change(key, lambda one, number=number: added(one, str(number)))
    assert store.get(key).changes == 100
    for _ in range(200):
        store.undo(key)
    assert len(store.get(key).entries) == 30


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from("abcdef"), unique=True, min_size=1),
    st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(-9, 9)), max_size=9),
)
def test_moving_keeps_all_and_moves_one(start: list[str], moves: list[tuple[str, int]]) -> None:
    one = Shortlist("k", "t", "n", tuple(map(Entry, start)))
    for id, step in moves:
        after = moved(one, id, step)
        assert sorted(ids(after)) == sorted(start)
        assert [x for x in ids(after) if x != id] == [x for x in ids(one) if x != id]
        if id in start:
            assert ids(after).index(id) == min(max(ids(one).index(id) + step, 0), len(start) - 1)
        one = after


def test_what_will_not_do_is_refused(store: Shortlists) -> None:
    for name in ("", "  ", "\u200b", "x" * 81):
        with pytest.raises(ConfigError, match="needs a name"):
            store.create(name)
    full = Shortlist("k", "t", "n", tuple(Entry(str(number)) for number in range(MAX_ENTRIES)))
    with pytest.raises(ConfigError, match="at most"):
        added(full, "one more")
    assert added(full, "7") == full
    with pytest.raises(ConfigError, match="1,000 characters"):
        noted(full, "7", "x" * 1001)
    assert removed(full, "nobody") == full
    for ask in (store.get, store.shared, store.undo, store.delete):
        with pytest.raises(UnknownShortlistError):
            ask("nobody")


def test_a_damaged_file_is_told(store: Shortlists) -> None:
    made = store.create("One")
    with sqlite3.connect(store.path) as database:
        database.execute("UPDATE versions SET state = '[[['")
    database.close()
    with pytest.raises(ConfigError, match="cannot be read"):
        store.get(made.key)
    store.path.write_bytes(b"no database at all, but long enough to be one " * 100)
    with pytest.raises(ConfigError, match=r"shortlists\.sqlite"):
        store.get(made.key)
