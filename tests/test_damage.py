"""Whatever happened to a file, reading it answers with one of our errors, which names it, or is not changed by it.

`benchmarks/fuzz.py` looks for what these few hundred ways of damage do not find.
"""

import os
import tomllib
import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tomli_w

from antiphon import DualEncoder, Features, Index
from antiphon.catalogue import Catalogue
from antiphon.errors import AntiphonError, FeatureStoreError, ModelError, SearchError
from antiphon.features.store import FeatureStore, VideoFeatures
from antiphon.tables import SEGMENTS, read_table, write_table
from artefacts import ABSURD, RUN, Artefact, damaged, forged, make

TRIES = 12
TRIES_OF_PAGES = 2
MAY_BE_MISSING = {
    "cell.npz",
    "kept.json",
    "map.parquet",
    "job.json",
    "sent.json",
    "20260131T101500000000Z.json",
    "synthetic.toml",
    "metrics.json",
    "learning_curve.json",
} | {
    "audit.json",
    "attributes.parquet",
    "failures.parquet",
    "segments.parquet",
    "history.parquet",
    "judgements.sqlite",
    "shortlists.sqlite",
    "rejections.sqlite",
    "outline.json",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Artefact]]:
    root = tmp_path_factory.mktemp("artefacts")
    return root, make(root)


def answer(one: Artefact, root: Path) -> object:
    """What reading says, or the error of ours that it raises; any other error is a failure of the test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return str(one.read(root))
        except AntiphonError as error:
            return error


def is_page(one: Artefact) -> bool:
    return one.file.endswith((".json", "run.toml")) and one.file.startswith("runs")


@pytest.mark.parametrize("way", [damaged, forged])
def test_damaged_and_forged_files_are_answered_with_an_error_of_ours_or_read(made, way, record_property):
    root, artefacts = made
    tried = 0
    for one in artefacts:
        path = root / one.file
        if way is forged and path.suffix not in {".toml", ".json"}:
            continue
        whole, random, errors = path.read_bytes(), np.random.default_rng(len(one.file)), 0
        before = answer(one, root)
        assert not isinstance(before, AntiphonError), before
        try:
            for _ in range(TRIES_OF_PAGES if is_page(one) else TRIES):
                path.write_bytes(way(whole, random))
                found = answer(one, root)
                tried += 1
                errors += isinstance(found, AntiphonError)
                assert not one.sealed or isinstance(found, AntiphonError) or found == before, one.file
        finally:
            path.write_bytes(whole)
        assert errors or path.name in MAY_BE_MISSING, one.file
    record_property("tried: damaged artefacts", tried)


@pytest.mark.parametrize("kind", ["empty", "folder", "loop", "pipe", "foreign", "half"])
def test_a_file_replaced_by_something_else_is_named_and_never_waited_for(made, kind):
    root, artefacts = made
    for one in (one for one in artefacts if not one.file.endswith("checkpoint.index")):
        path = root / one.file
        whole = path.read_bytes()
        path.unlink()
        {
            "empty": path.touch,
            "folder": path.mkdir,
            "loop": lambda path=path: path.symlink_to(path),
            "pipe": lambda path=path: os.mkfifo(path),
            "foreign": lambda path=path: path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256))),
            "half": lambda path=path, whole=whole: path.write_bytes(whole[: len(whole) // 2]),
        }[kind]()
        try:
            found = answer(one, root)
        finally:
            path.rmdir() if kind == "folder" else path.unlink()
            path.write_bytes(whole)
        # Half a text or a segment can be a whole, shorter one.
        shorter = kind == "half" and path.suffix in {".toml", ".csv", ".mkv"}
        assert isinstance(found, AntiphonError) or shorter or path.name in MAY_BE_MISSING, one.file
        if isinstance(found, AntiphonError) and not one.file.startswith(("lists", "index")):
            assert path.name in str(found) or "run.toml" in one.file or one.file.endswith(".pth"), str(found)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="this user may read everything")
def test_a_file_that_may_not_be_read_is_named(made):
    root, artefacts = made
    for one in (one for one in artefacts if not one.file.endswith("checkpoint.index")):
        path = root / one.file
        path.chmod(0)
        try:
            found = answer(one, root)
        finally:
            path.chmod(0o644)
        assert isinstance(found, AntiphonError) or path.name in MAY_BE_MISSING, one.file


def test_every_flipped_bit_of_a_table_is_noticed_or_changes_nothing(tmp_path):
    table = pa.Table.from_pylist(
        [dict(zip(SEGMENTS.names, ("a/0", "a", 0, 1.0, 6.0, 2.0, 5.0, 7), strict=True))], SEGMENTS
    ).replace_schema_metadata({"sampling": '{"seed": 0}'})
    path = tmp_path / "t.parquet"
    write_table(table, path)
    whole = path.read_bytes()
    refused = 0
    for bit in range(0, 8 * len(whole), 13):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        try:
            found = read_table(path, SEGMENTS)
        except FeatureStoreError:
            refused += 1
            continue
        assert found.equals(table), f"bit {bit}"
        assert table.schema.metadata.items() <= found.schema.metadata.items(), f"bit {bit}"
    assert refused > 4 * len(whole) / 13


def test_tables_and_runs_without_checksums_are_read_as_before(made, tmp_path):
    root, _ = made
    folder = root / "runs" / RUN
    before = DualEncoder.load(folder).fingerprint
    record = folder / "run.toml"
    whole = record.read_text()
    try:
        values = tomllib.loads(whole)
        assert set(values.pop("sha256")) == {"model.safetensors"}
        record.write_text(tomli_w.dumps(values))
        assert DualEncoder.load(folder).fingerprint == before
    finally:
        record.write_text(whole)
    rows = Catalogue.load(root / "catalogue.parquet")
    pq.write_table(rows.table, tmp_path / "old.parquet")
    assert Catalogue.load(tmp_path / "old.parquet").records() == rows.records()


def test_the_weights_of_another_training_are_refused(made, tmp_path):
    root, _ = made
    folder = root / "runs" / RUN
    other = DualEncoder.load(folder)
    with np.errstate(all="ignore"):
        for parameter in other._towers.parameters():
            parameter.data.mul_(1.5)
    other.save(tmp_path)
    path = folder / "model.safetensors"
    whole = path.read_bytes()
    try:
        path.write_bytes((tmp_path / "model.safetensors").read_bytes())
        with pytest.raises(ModelError, match=r"model.safetensors: is damaged \(its SHA-256 is not the one in run.toml"):
            DualEncoder.load(folder)
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize("value", [10**12, 0, -1, 1.5, "eight"])
@pytest.mark.parametrize("key", ["audio_dim", "embedding_dim"])
def test_sizes_that_cannot_be_are_refused_before_there_is_memory_for_them(made, key, value):
    root, _ = made
    record = root / "runs" / RUN / "run.toml"
    whole = record.read_text()
    values = tomllib.loads(whole)
    (values["features"] if key == "audio_dim" else values["recipe"]["head"])[key] = value
    try:
        record.write_text(tomli_w.dumps(values))
        with pytest.raises(AntiphonError, match=rf"run.toml: .*{key}"):
            DualEncoder.load(root / "runs" / RUN)
        values["features"]["audio_dim"], values["recipe"]["head"]["hidden"] = 1 << 19, [1 << 19]
        values["recipe"]["head"]["embedding_dim"] = 4
        record.write_text(tomli_w.dumps(values))
        with pytest.raises(ModelError, match="does not match the recipe in its run.toml: .* has shape"):
            DualEncoder.load(root / "runs" / RUN)
    finally:
        record.write_text(whole)


def test_a_part_with_other_vectors_is_named(tmp_path):
    store = FeatureStore(tmp_path / "x", {"weights": "a"})
    store.append([VideoFeatures("a", ["a/0"], np.ones((1, 3), np.float32))])
    store.append([VideoFeatures("b", ["b/0"], np.ones((1, 4), np.float32))])
    with pytest.raises(FeatureStoreError, match=r"part-000001.parquet: has vectors of 4 values, and .* of 3"):
        store.read()
    (tmp_path / "x" / "part-000001.parquet").unlink()
    (tmp_path / "x" / "part-0 (copy).parquet").write_bytes(b"a copy that somebody made")
    assert store.done() == {"a"}
    store.append([VideoFeatures("c", ["c/0"], np.full((1, 3), 1e30, np.float32))])
    with pytest.raises(FeatureStoreError, match=r"part-000001.parquet: has values that are not finite, or beyond"):
        store.read()


def test_a_table_of_other_types_names_the_column(tmp_path):
    rows = pa.table({name: ["x"] for name in SEGMENTS.names})
    write_table(rows, tmp_path / "t.parquet")
    with pytest.raises(FeatureStoreError, match=r"t.parquet: the column section is string, expected int32"):
        read_table(tmp_path / "t.parquet", SEGMENTS)
    good = dict(zip(SEGMENTS.names, ("a/0", "a", 0, 1.0, 6.0, 2.0, 5.0, 7), strict=True))
    for change, message in (
        ({"video_id": None}, "the column video_id has empty rows"),
        ({"start_s": float("inf")}, "the column start_s has times that are not finite"),
    ):
        write_table(pa.Table.from_pylist([good | change]).select(SEGMENTS.names), tmp_path / "t.parquet")
        with pytest.raises(FeatureStoreError, match=message):
            read_table(tmp_path / "t.parquet", SEGMENTS.remove(2).append(SEGMENTS.field(2)))
    doubled = pa.Table.from_arrays([pa.array(["a"])] * 2, names=["id", "id"])
    pq.write_table(doubled, tmp_path / "t.parquet")
    with pytest.raises(FeatureStoreError, match="two columns have one name"):
        read_table(tmp_path / "t.parquet")


def test_more_values_than_a_file_can_hold_are_refused_unread(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"n": pa.nulls(100_000_000, pa.int8())}), path)
    assert path.stat().st_size < 300_000
    with pytest.raises(FeatureStoreError, match="100,000,000 values cannot be in"):
        read_table(path)


@pytest.mark.parametrize("value", ABSURD)
def test_absurd_records_of_an_index_are_refused(tmp_path, value):
    Index.from_vectors(["a"], np.eye(3)[:1], tmp_path)
    record = tmp_path / "index.toml"
    whole = record.read_text()
    record.write_text(whole.replace("dim = 3", f"dim = {value}"))
    with pytest.raises(SearchError, match=r"index.toml is damaged"):
        Index.open(tmp_path)


def test_an_index_of_vectors_that_are_not_units_is_refused(tmp_path):
    Index.from_vectors(["a", "b"], np.eye(3)[:2], tmp_path)
    (part,) = tmp_path.rglob("part-*.parquet")
    table = pq.read_table(part)
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(np.array([1, 0, 0, 2e37, 0, 0], np.float32)), 3)
    changed = table.set_column(table.column_names.index("vector"), table.schema.field("vector"), vectors)
    pq.write_table(changed, part, compression="NONE")
    with pytest.raises(SearchError, match=r"part-000000.parquet: is damaged .vectors that are not of length 1"):
        Index.open(tmp_path).search(np.eye(3)[:1])


def test_imported_tables_with_unusable_values_name_the_row(tmp_path):
    vectors = pa.array([[1.0, 2.0], [1e30, 0.0]])
    pq.write_table(pa.table({"id": ["a", "b"], "x": vectors}), tmp_path / "t.parquet")
    with pytest.raises(FeatureStoreError, match=r"audio: 1 rows have values beyond 1e\+15.*row 1 is the first"):
        Features.from_parquet(tmp_path / "t.parquet", audio="x")
