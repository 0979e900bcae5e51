"""Tables and features in a store whose other writers are killed, or replace what is being read."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from antiphon import shared_tables
from antiphon.errors import FeatureStoreError, StorageError
from antiphon.features.store import FeatureStore, VideoFeatures, flags_of_segments
from antiphon.places import Address, place
from antiphon.tables import read_schema, read_table
from antiphon.workspace import Failure, Workspace


class _Killed(BaseException):
    """The process ends here."""


def failures(names: str) -> list[Failure]:
    return [Failure(name, "extract", "DecodeError", "m") for name in names]


@pytest.mark.parametrize("deleted_before", [0, 1])
def test_rows_that_a_killed_writer_replaced_stay_away(
    root: str, deleted_before: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = Workspace(place(root))

    def write(names: str, *, killed: bool = False) -> None:
        """Read and write as a process of its own, which may be killed while it deletes what it replaced."""
        deleted: list[Address] = []
        delete = Address.unlink

        def unlink(self: Address, missing_ok: bool = False) -> None:
            if killed and len(deleted) == deleted_before:
                raise _Killed
            deleted.append(self)
            delete(self, missing_ok)

        with monkeypatch.context() as patch:
            patch.setattr(shared_tables, "_known", {})
            patch.setattr(Address, "unlink", unlink)
            try:
                space.read_failures()
                space.write_failures(failures(names))
            except _Killed:
                pass

    write("ab")
    write("b", killed=True)
    write("bd", killed=True)
    write("bc")
    write("c")
    assert space.read_failures() == failures("c")
    assert len(Address(f"{root}/failures.parquet").iterdir()) == 1


def test_rows_stay_away_where_deleting_failed_and_the_process_writes_on(
    root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = Workspace(place(root))
    space.write_failures(failures("a"))

    def refuse(self: Address, missing_ok: bool = False) -> None:
        raise StorageError(f"{self}: cannot be deleted.")

    with monkeypatch.context() as patch:
        patch.setattr(Address, "unlink", refuse)
        with pytest.raises(StorageError):
            space.write_failures(failures("b"))
    space.write_failures(failures("c"))
    assert space.read_failures() == failures("c")


def after_listing(monkeypatch: pytest.MonkeyPatch, folder: str, act: Callable[[], object], number: int = 1) -> None:
    """Let something happen right after a folder has been listed for the first, or another, time."""
    listing, listed = Address.iterdir, [0]

    def iterdir(self: Address) -> list[Address]:
        found = listing(self)
        if str(self).endswith(folder):
            listed[0] += 1
            if listed[0] == number:
                act()
        return found

    monkeypatch.setattr(Address, "iterdir", iterdir)


def store_of(root: str) -> FeatureStore:
    store = FeatureStore(Address(f"{root}/features/x"), {"weights": "w"})
    for name in ("a", "b"):
        store.append([VideoFeatures(name, [f"{name}#0"], np.ones((1, 3), np.float32), [["silent"]])])
    return store


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (lambda store: store.done(), {"b"}),
        (lambda store: store.read().segment_ids, ["b#0"]),
        (lambda store: store.drop(["a"]), None),
        (lambda store: store.arithmetics(), {"torch float32"}),
        (lambda store: FeatureStore.existing(store.folder).made_by, {"weights": "w"}),
    ],
    ids=["done", "read", "drop", "arithmetics", "existing"],
)
def test_a_part_that_is_dropped_since_it_was_listed_is_not_missed(
    root: str, read: Callable[[FeatureStore], Any], expected: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_of(root)
    after_listing(monkeypatch, "features/x", lambda: FeatureStore(store.folder, store.made_by).drop(["a"]))
    assert read(store) == expected
    assert store.done() == {"b"}


def test_flags_of_a_part_that_is_dropped_since_it_was_listed_do_not_count(
    root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_of(root)
    drop = FeatureStore(store.folder, store.made_by).drop
    after_listing(monkeypatch, "features/x", lambda: drop(["a"]), number=2)  # The first one is for the stores' names.
    assert flags_of_segments(Address(f"{root}/features")) == {"b#0": ("silent",)}


def test_features_that_change_at_every_listing_are_given_up(root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_of(root)
    listing = Address.iterdir
    monkeypatch.setattr(Address, "iterdir", lambda self: [*listing(self), self / "part-000000.parquet"])
    with pytest.raises(FeatureStoreError, match="is being changed all the time"):
        store.done()


@pytest.mark.parametrize("how", ["rows", "columns"])
def test_a_table_that_is_replaced_since_it_was_listed_is_listed_again(
    root: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = Workspace(place(root))
    space.write_failures(failures("a"))
    after_listing(monkeypatch, "failures.parquet", lambda: space.write_failures(failures("b")))
    if how == "rows":
        assert space.read_failures() == failures("b")
    else:
        assert read_schema(space.failures).names == ["video_id", "stage", "error", "message"]


def test_an_object_that_is_deleted_since_it_was_opened_is_gone(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_of(bucket)
    part = next(iter(Address(str(store.folder)).iterdir()))
    opening = Address.open

    def open_and_delete(self: Address) -> Any:
        opened = opening(self)
        self.unlink()
        return opened

    monkeypatch.setattr(Address, "open", open_and_delete)
    with pytest.raises(FileNotFoundError):
        read_schema(part)


def test_a_whole_table_is_fetched_in_one_request(root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    part = store_of(root).folder / next(iter(Address(f"{root}/features/x").iterdir())).name
    monkeypatch.delattr(Address, "open")
    assert read_table(part)["video_id"].to_pylist() == ["a"]
