"""Catalogue, workspace and media in a store: the rows of a disk, whoever writes at once, and however they end."""

from pathlib import Path

import fsspec
import numpy as np
import pyarrow as pa
import pytest

import antiphon as ap
from antiphon.catalogue import Catalogue
from antiphon.errors import CatalogueError, ConfigError, StorageError
from antiphon.features.pulling import pull
from antiphon.features.store import FeatureStore, VideoFeatures
from antiphon.places import Address, SharedTable, place
from antiphon.tables import read_table, write_table
from antiphon.workspace import Failure, Workspace


def system() -> "fsspec.AbstractFileSystem":
    return fsspec.filesystem("s3", use_listings_cache=False)


def test_what_two_computed_of_one_video_is_read_once(bucket: str) -> None:
    folder = Address(f"{bucket}/features/x")
    one, other = (FeatureStore(folder, {"weights": "w"}) for _ in range(2))
    one.append([VideoFeatures("a", ["a#0"], np.zeros((1, 3), np.float32))])
    rows = [VideoFeatures(name, [f"{name}#0"], np.ones((1, 3), np.float32)) for name in ("a", "b")]
    other.append(rows)
    stored = one.read()
    assert stored.segment_ids == ["a#0", "b#0"]
    np.testing.assert_array_equal(stored.vectors, [[0, 0, 0], [1, 1, 1]])
    other.drop(["b"])
    assert one.read().segment_ids == ["a#0"]
    assert other.done() == {"a"}


def failure(name: str, message: str = "m") -> Failure:
    return Failure(name, "extract", "DecodeError", message)


def test_tables_that_two_wrote_at_once_are_joined(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from antiphon import shared_tables

    states: list[dict[str, object]] = [{}, {}]
    space = Workspace(place(bucket))

    def as_machine(number: int) -> Workspace:
        monkeypatch.setattr(shared_tables, "_known", states[number])
        return space

    as_machine(0).write_failures([failure("a")])
    assert as_machine(1).read_failures() == [failure("a")]
    as_machine(0).write_failures([failure("a"), failure("b")])
    as_machine(1).write_failures([failure("a", "later"), failure("c")])
    assert len(Address(f"{bucket}/failures.parquet").iterdir()) == 2
    joined = sorted(as_machine(0).read_failures(), key=lambda one: one.video_id)
    assert joined == [failure("a", "later"), failure("b"), failure("c")]
    as_machine(0).write_failures([failure("b")])
    assert len(Address(f"{bucket}/failures.parquet").iterdir()) == 1
    assert as_machine(1).read_failures() == [failure("b")]


def test_an_object_that_is_replaced_does_not_count_where_it_could_not_be_deleted(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = Workspace(place(bucket))
    space.write_failures([failure("a")])
    monkeypatch.setattr(Address, "unlink", lambda *_, **__: None)
    space.write_failures([failure("b")])
    assert len(Address(f"{bucket}/failures.parquet").iterdir()) == 2
    assert space.read_failures() == [failure("b")]


def test_one_table_at_an_address_is_one_object(bucket: str) -> None:
    catalogue = Catalogue([{"id": "a"}, {"id": "b"}])
    catalogue.save(f"{bucket}/c.parquet")
    assert system().isfile(f"{bucket}/c.parquet")
    assert Catalogue.load(f"{bucket}/c.parquet").table == catalogue.table
    with pytest.raises(CatalogueError, match=r"s3://.*/none\.parquet: no such file"):
        Catalogue.load(f"{bucket}/none.parquet")


def test_damage_is_damage_and_a_store_that_fails_is_not(bucket: str) -> None:
    table = Address(f"{bucket}/t.parquet")
    write_table(pa.table({"id": ["a"]}), table)
    content = bytearray(table.read_bytes())
    content[10] ^= 255
    table.write_bytes(bytes(content))
    with pytest.raises(ap.errors.FeatureStoreError, match="is damaged"):
        read_table(table)
    with pytest.raises(StorageError, match="no such bucket"):
        Address("s3://no-such-bucket-of-ours/a.parquet").write_bytes(b"x")


@pytest.mark.parametrize("part", ["runs", "index", "judgements", "kept", "page", "folder"])
def test_what_needs_a_disk_says_what_to_do(part: str) -> None:
    with pytest.raises(ConfigError, match="antiphon --workspace FOLDER pull s3://bucket/work"):
        getattr(Workspace(place("s3://bucket/work")), part)


def test_a_workspace_in_a_store_is_pulled_and_pulled_again(bucket: str, tmp_path: Path) -> None:
    there = Workspace(place(f"{bucket}/work"))
    Catalogue([{"id": "a", "split": "train"}, {"id": "b", "split": "test"}]).save(there.catalogue)
    there.write_failures([failure("b")])
    store = FeatureStore(there.features / "x", {"weights": "w"})
    store.append([VideoFeatures("a", ["a#0"], np.arange(3, dtype=np.float32)[None])])
    for parts in (1, 0):
        assert pull(there, Workspace(tmp_path / "w")) == {"videos": 2, "parts": parts}
        here = Workspace(tmp_path / "w")
        assert Catalogue.load(here.catalogue).table == Catalogue.load(f"{bucket}/work/catalogue.parquet").table
        assert here.read_failures() == [failure("b")]
        np.testing.assert_array_equal(FeatureStore.existing(here.folder / "features" / "x").read().vectors, [[0, 1, 2]])
    with pytest.raises(ConfigError, match="has another catalogue"):
        Catalogue([{"id": "z"}]).save(tmp_path / "o" / "catalogue.parquet")
        pull(there, Workspace(tmp_path / "o"))


def test_a_folder_of_this_machine_is_not_pulled(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no address"):
        pull(Workspace(tmp_path), Workspace(tmp_path / "w"))
    assert not isinstance(place("a/b"), SharedTable)
