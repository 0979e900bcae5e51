"""What removing leaves on disk: a small manifest, and no parts of rows that are mostly gone."""

import json
from pathlib import Path

import numpy as np
import pytest

from antiphon.search import Index, lists

DIM = 16


def named(part: int, count: int) -> list[str]:
    return [f"{part:02d}/{number:03d}" for number in range(count)]


def drawn(part: int, count: int) -> np.ndarray:
    return np.random.default_rng(part).normal(size=(count, DIM)).astype(np.float32)


def manifest(index: Index) -> dict[str, list[str]]:
    """The removed videos by part, as they are named on disk."""
    (path,) = Path(index.path).glob("entries-*/manifest.json")
    return {part["file"]: part["removed"] for part in json.loads(path.read_text(encoding="utf-8"))["parts"]}


@pytest.fixture
def index(tmp_path: Path, layout: str) -> Index:
    """A part of 200 music videos and ten of 20."""
    made = Index.from_vectors(named(0, 200), drawn(0, 200), tmp_path / "index")
    for part in range(1, 11):
        made.add_vectors(named(part, 20), drawn(part, 20))
    assert len(manifest(made)) == 11
    return made


def assert_holds(index: Index, removed: set[str]) -> None:
    """Compare what is there and what is found with all rows but those removed, also by who opens it now."""
    parts = [(0, 200), *((part, 20) for part in range(1, 11))]
    rows = {name: row for part in parts for name, row in zip(named(*part), drawn(*part), strict=True)}
    left = sorted(rows.keys() - removed)
    unit = np.array([rows[name] / np.linalg.norm(rows[name]) for name in left]).reshape(-1, DIM)
    queries = drawn(99, 5)
    best = [[left[row] for row in np.argsort(-line)[:10]] for line in queries @ unit.T]
    for reader in (index, Index.open(index.path)):
        assert reader.ids == left
        assert [[hit.id for hit in hits] for hits in reader.search(queries)] == best


def test_the_manifest_names_removed_videos_once_with_their_part(index: Index) -> None:
    gone = named(0, 90) + named(3, 5)
    assert index.remove([*gone, "nobody"]) == sorted(gone)
    removed = manifest(index)
    assert sorted(map(len, removed.values())) == [0] * 9 + [5, 90]
    assert sorted(name for names in removed.values() for name in names) == sorted(gone)
    assert_holds(index, set(gone))


def test_a_part_is_written_anew_when_more_than_half_of_it_is_removed(index: Index) -> None:
    large, *others = manifest(index)
    index.remove(named(0, 100))
    assert (len(manifest(index)[large]), list(manifest(index))) == (100, [large, *others])
    before = index.stats()
    index.remove(named(0, 101)[100:])
    assert list(manifest(index))[:-1] == others
    assert set(map(len, manifest(index).values())) == {0}
    folder = next(Path(index.path).glob("entries-*"))
    assert {path.name for path in folder.iterdir()} == {"manifest.json", *manifest(index)}
    assert index.stats()["bytes"] < before["bytes"]
    assert_holds(index, set(named(0, 101)))


def test_small_parts_become_one_when_most_of_each_is_removed(index: Index) -> None:
    gone = [name for part in range(1, 6) for name in named(part, 15)]
    index.remove(gone)
    assert len(manifest(index)) == 7
    assert set(map(len, manifest(index).values())) == {0}
    assert_holds(index, set(gone))


def test_a_part_of_which_all_is_removed_is_dropped(index: Index) -> None:
    index.remove(named(0, 200))
    assert len(manifest(index)) == 10
    assert_holds(index, set(named(0, 200)))


def test_everything_can_be_removed_and_come_back(index: Index) -> None:
    vectors = dict(zip(*index.embeddings("")[:2], strict=True))
    held = Index.open(index.path)
    assert len(held) == 400
    index.remove(index.ids)
    assert manifest(index) == {}
    assert (len(held), held.search(drawn(99, 2))) == (0, [[], []])
    index.compact()
    index.remove("nobody")
    index.add_vectors(list(vectors), np.array(list(vectors.values())))
    assert_holds(index, set())
    assert len(held) == 400


def test_a_manifest_that_names_all_removed_videos_with_every_part_shrinks(index: Index) -> None:
    """As earlier versions wrote it."""
    (path,) = Path(index.path).glob("entries-*/manifest.json")
    written = json.loads(path.read_text(encoding="utf-8"))
    for part in written["parts"]:
        part["removed"] = named(0, 50)
    path.write_text(json.dumps(written), encoding="utf-8")
    index.remove("01/000")
    assert sorted(map(len, manifest(index).values())) == [0] * 9 + [1, 50]
    assert_holds(index, {*named(0, 50), "01/000"})


def test_a_removed_part_that_has_lists_gets_lists_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MIN_ROWS", 300)
    index = Index.from_vectors(named(0, 1_000), drawn(0, 1_000), tmp_path)
    index.remove(named(0, 600))
    assert (manifest(index), index.stats()["listed"]) == ({"part-000001.parquet": []}, 400)
