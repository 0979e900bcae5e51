"""Features computed elsewhere: Parquet, YouTube-8M's TFRecords, and into a workspace."""

import struct
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from antiphon.catalogue import Catalogue
from antiphon.errors import CatalogueError, FeatureStoreError
from antiphon.features import Features
from antiphon.features.assembly import assemble
from antiphon.features.importing import from_parquet, from_yt8m, import_features
from antiphon.features.tfrecord import read_examples
from antiphon.workspace import Workspace

YT8M = Path(__file__).parents[3] / "shared" / "data" / "yt8m"
needs_yt8m = pytest.mark.skipif(not YT8M.exists(), reason="the YouTube-8M sample is not beside this checkout")


def varint(value):
    value &= (1 << 64) - 1
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def example(**features):
    kinds = {name: field(2, field(1, np.asarray(v, "<f4").tobytes())) for name, v in features.items() if name != "id"}
    if "labels" in features:
        kinds["labels"] = field(3, field(1, b"".join(varint(label) for label in features["labels"])))
    if "id" in features:
        kinds["id"] = field(1, field(1, features["id"].encode()))
    return field(1, b"".join(field(1, field(1, name.encode()) + field(2, kind)) for name, kind in kinds.items()))


def shard(path, *examples):
    records = [struct.pack("<QI", len(body), 0) + body + bytes(4) for body in examples]
    path.write_bytes(b"".join(records))
    return path


def test_a_record_written_by_hand_is_read_back(tmp_path):
    body = example(id="abcd", labels=[3, 300, -1], mean_rgb=[0.5, -2], mean_audio=[1.0])
    (found,) = read_examples(shard(tmp_path / "s.tfrecord", body))
    assert found["id"] == [b"abcd"]
    np.testing.assert_array_equal(found["labels"], [3, 300, -1])
    np.testing.assert_array_equal(found["mean_rgb"], np.array([0.5, -2], np.float32))


def test_values_that_are_not_packed_are_read_too(tmp_path):
    labels = field(1, field(1, field(1, b"labels") + field(2, field(3, b"\x08\x05\x08\x07"))))
    floats = field(1, field(1, field(1, b"x") + field(2, field(2, b"\x0d" + struct.pack("<f", 2.5)))))
    first, second = read_examples(shard(tmp_path / "s.tfrecord", labels, floats))
    assert first["labels"].tolist() == [5, 7]
    assert second["x"].tolist() == [2.5]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (field(1, field(1, b"\x08\x05")), "field 1 is a number, not bytes"),
        (field(1, field(1, field(1, b"x") + field(2, b"\x18\x05"))), "a list of values is a number"),
        (
            field(1, field(1, field(1, b"x") + field(2, field(3, field(1, b"\xff" * 9 + b"\x7f"))))),
            "a number is longer than 64",
        ),
    ],
)
def test_messages_of_another_kind_are_refused(tmp_path, message, reason):
    with pytest.raises(FeatureStoreError, match=rf"record 1 is not a tf.train.Example message \({reason}"):
        list(read_examples(shard(tmp_path / "s.tfrecord", message)))


@needs_yt8m
def test_real_shards_hold_the_vectors_of_the_published_features():
    """Every shard has 1024 + 128 values a video in [-2, 2], the quantiser's range, and several labels."""
    features = from_yt8m(sorted((YT8M / "raw").glob("*.tfrecord")))
    assert (features.audio.shape[1], features.video.shape[1]) == (128, 1024)
    assert len(features) == len(set(features.ids)) == 589
    assert np.abs(features.video).max() <= 2.01
    assert 0.1 < features.video.std() < 1
    assert all(0 <= int(label) < 3862 for labels in features.labels for label in labels)
    assert 2 < np.mean([len(labels) for labels in features.labels]) < 5


def test_damaged_and_other_files_are_named(tmp_path):
    good = example(id="a", mean_rgb=[0.0], mean_audio=[0.0])
    cut = shard(tmp_path / "cut.tfrecord", good, good)
    cut.write_bytes(cut.read_bytes()[:-9])
    (tmp_path / "text.tfrecord").write_text("this is no record at all, it is text")
    shard(tmp_path / "junk.tfrecord", b"\x0f\x03junk")
    shard(tmp_path / "lacks.tfrecord", example(id="a", mean_rgb=[0.0]))
    shard(tmp_path / "none.tfrecord")
    for name, message in (
        ("cut", "record 2 is cut short"),
        ("text", "record 1 is cut short or this is not a TFRecord"),
        ("junk", "record 1 is not a tf.train.Example"),
        ("lacks", "record 1 lacks mean_audio"),
        ("none", "no records"),
        ("gone", "cannot be read: No such file"),
    ):
        with pytest.raises(FeatureStoreError, match=message):
            from_yt8m([tmp_path / f"{name}.tfrecord"])


@pytest.fixture
def table(tmp_path):
    frame = pl.DataFrame(
        {
            "id": [f"s{n}" for n in range(60)],
            "song": [[float(n), 1.0] for n in range(60)],
            "look": [None if n == 5 else [float(n), 2.0, 3.0] for n in range(60)],
            "video": [f"v{n // 2}" for n in range(60)],
            "labels": [[n % 3] for n in range(60)],
        }
    )
    frame.write_parquet(tmp_path / "t.parquet")
    return tmp_path / "t.parquet"


def test_columns_of_vectors_become_features(table):
    features = from_parquet([table], audio="song", video="look", groups="video", labels="labels")
    assert features.audio[7].tolist() == [7.0, 1.0]
    assert not features.has_video[5]
    assert features.groups[7] == "v3"
    assert features.labels[4] == ("1",)


def test_columns_that_are_missing_or_no_vectors_are_named(table, tmp_path):
    with pytest.raises(FeatureStoreError, match="has no column sound; its columns are id, song"):
        from_parquet([table], audio="sound", video="look")
    with pytest.raises(FeatureStoreError, match="column 'video': holds String, not vectors"):
        from_parquet([table], audio="song", video="video")
    pl.DataFrame({"id": ["a", "b"], "x": [[1.0], [1.0, 2.0]], "y": [[1.0], [2.0]]}).write_parquet(
        tmp_path / "r.parquet"
    )
    with pytest.raises(FeatureStoreError, match=r"column 'x': holds vectors of \[1, 2\] values"):
        from_parquet([tmp_path / "r.parquet"], audio="x", video="y")


def test_imported_features_come_back_from_the_workspace(table, tmp_path):
    workspace = Workspace(tmp_path / "w")
    features = from_parquet([table], audio="song", video="look", groups="video", labels="labels")
    catalogue = import_features(features, workspace)
    again = import_features(features, workspace)
    assert again.records() == catalogue.records()
    back = assemble(workspace, Catalogue.load(workspace.catalogue), "song", "look")
    assert sorted(back.ids) == sorted(features.ids)
    order = [back.ids.tolist().index(name) for name in features.ids]
    np.testing.assert_array_equal(back.audio[order], features.audio)
    np.testing.assert_array_equal(back.video[order], features.video)
    assert set(back.splits) == {"train", "validation", "test"}
    changed = Features.from_arrays(
        audio=features.audio + 1, video=features.video, ids=features.ids, audio_name="song", video_name="look"
    )
    with pytest.raises(FeatureStoreError, match="made with imported"):
        import_features(changed, workspace)


def test_features_do_not_join_a_catalogue_of_files(table, tmp_path):
    workspace = Workspace(tmp_path / "w")
    Catalogue([{"id": "x", "path": "/x.mp4"}]).save(workspace.catalogue)
    with pytest.raises(CatalogueError, match="holds a catalogue of media files"):
        import_features(from_parquet([table], audio="song", video="look"), workspace)
