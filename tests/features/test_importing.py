"""Features computed elsewhere: Parquet, YouTube-8M's TFRecords, and into a workspace."""

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from antiphon.catalogue import Catalogue
from antiphon.checksums import masked_crc32c
from antiphon.errors import CatalogueError, FeatureStoreError
from antiphon.features import Features
from antiphon.features.assembly import assemble
from antiphon.features.importing import from_yt8m, import_features
from antiphon.features.tfrecord import is_shard, read_examples
from antiphon.protobuf import byte_fields
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


def record(body):
    length = struct.pack("<Q", len(body))
    return b"".join(part + struct.pack("<I", masked_crc32c(part)) for part in (length, body))


def shard(path, *examples):
    path.write_bytes(b"".join(map(record, examples)))
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
        (field(1, field(1, b"\x08\x05")), "field 1 is a varint, expected bytes"),
        (field(1, field(1, field(1, b"x") + field(2, b"\x18\x05"))), "expected a list of values, found a number"),
        (
            field(1, field(1, field(1, b"x") + field(2, field(3, field(1, b"\xff" * 9 + b"\x7f"))))),
            "a varint has more than 64",
        ),
    ],
)
def test_messages_of_another_kind_are_refused(tmp_path, message, reason):
    with pytest.raises(FeatureStoreError, match=rf"record 1 is not a tf.train.Example message \({reason}"):
        list(read_examples(shard(tmp_path / "s.tfrecord", message)))


def test_one_flipped_bit_anywhere_in_a_shard_is_noticed(tmp_path):
    whole = shard(
        tmp_path / "s.tfrecord", *(example(id=f"v{n}", mean_rgb=[0.5], mean_audio=[-0.085]) for n in range(2))
    )
    content = whole.read_bytes()
    for bit in range(8 * len(content)):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        whole.write_bytes(flipped)
        record_number = 1 + (bit // 8 >= len(content) // 2)
        with pytest.raises(FeatureStoreError, match=f"record {record_number} is damaged"):
            list(read_examples(whole))


@pytest.mark.parametrize("name", ["s.tfrecord", "s.tfrecords", "s.tfrecord.gz", "s-00000-of-00010", "s.TFRecord"])
@pytest.mark.parametrize("packed", [lambda content: content, gzip.compress, zlib.compress])
def test_shards_are_known_by_their_names_and_unpacked_by_their_content(tmp_path, name, packed):
    path = shard(tmp_path / name, *(example(id=f"v{n}", mean_rgb=[n, 1], mean_audio=[n]) for n in range(3)))
    path.write_bytes(packed(path.read_bytes()))
    assert is_shard(path)
    np.testing.assert_array_equal(from_yt8m([path]).video, [[0, 1], [1, 1], [2, 1]])


def test_joined_gzip_files_are_read_on_and_truncated_ones_refused(tmp_path):
    content = b"".join(record(example(id=name, mean_rgb=[1], mean_audio=[1])) for name in "ab")
    path = tmp_path / "s.tfrecord.gz"
    path.write_bytes(gzip.compress(content[: len(content) // 2]) + gzip.compress(content[len(content) // 2 :]))
    assert from_yt8m([path]).ids.tolist() == ["a", "b"]
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(FeatureStoreError, match=r"cannot be read: the compressed data end too early"):
        from_yt8m([path])
    path.write_bytes(gzip.compress(content)[:10] + b"\xff" * 20)
    with pytest.raises(FeatureStoreError, match="cannot be read: Error -3"):
        from_yt8m([path])


def test_a_small_file_that_unpacks_to_a_large_one_is_refused(tmp_path):
    path = tmp_path / "bomb.tfrecord.gz"
    one = record(example(id="v", mean_rgb=[0.0] * 100_000, mean_audio=[0.0]))
    path.write_bytes(gzip.compress(one * 100))
    with pytest.raises(FeatureStoreError, match="unpacks to over 100 times its size"):
        list(read_examples(path))


def test_a_record_of_an_absurd_length_is_refused_unread(tmp_path):
    length = struct.pack("<Q", 1 << 40)
    (tmp_path / "s.tfrecord").write_bytes(length + struct.pack("<I", masked_crc32c(length)))
    with pytest.raises(FeatureStoreError, match=r"record 1 has 1,099,511,627,776 bytes, more than"):
        list(read_examples(tmp_path / "s.tfrecord"))


GOOD = {"id": "a", "mean_rgb": [1, 2], "mean_audio": [3]}


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"mean_rgb": [1, 2, 3]}, r"two.tfrecord: record 2: mean_rgb has 3 values, expected 2"),
        ({"mean_audio": []}, r"two.tfrecord: record 2: mean_audio has 0 values, expected 1"),
        ({"mean_audio": [np.nan]}, r"two.tfrecord: record 2: mean_audio has values that are not finite"),
        ({"mean_rgb": [1e30, 0]}, r"two.tfrecord: record 2: mean_rgb has values that are not finite, or beyond 1e\+15"),
        ({"id": ""}, r"ids: row 2 is empty"),
        ({"id": "a\0b"}, r"ids: row 2 has control characters"),
    ],
)
def test_a_record_that_differs_from_the_others_is_named(tmp_path, other, message):
    paths = [
        shard(tmp_path / "one.tfrecord", example(**GOOD)),
        shard(tmp_path / "two.tfrecord", example(**GOOD | {"id": "b"}), example(**GOOD | {"id": "c"} | other)),
    ]
    with pytest.raises(FeatureStoreError, match=message):
        from_yt8m(paths)


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("mean_audio", field(1, field(1, b"text")), "mean_audio must be float values"),
        ("labels", field(1, field(1, b"text")), "labels must be integers"),
        ("id", field(2, field(1, bytes(4))), "id must be one text"),
        ("id", field(1, field(1, b"\xff\xfe")), "id is not text in UTF-8"),
    ],
)
def test_a_feature_of_another_type_is_refused(tmp_path, name, kind, message):
    body = example(**{key: value for key, value in GOOD.items() if key != name})
    (features,) = byte_fields(body, 1)
    other = field(1, features + field(1, field(1, name.encode()) + field(2, kind)))
    with pytest.raises(FeatureStoreError, match=f"record 1: {message}"):
        from_yt8m([shard(tmp_path / "s.tfrecord", other)])


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
        ("cut", "record 2 is truncated"),
        ("text", "record 1 is damaged or truncated .* or this is not a TFRecord"),
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
    features = Features.from_parquet(table, audio="song", video="look", groups="video", labels="labels")
    assert features.audio[7].tolist() == [7.0, 1.0]
    assert not features.has_video[5]
    assert features.groups[7] == "v3"
    assert features.labels[4] == ("1",)


def test_columns_that_are_missing_or_no_vectors_are_named(table, tmp_path):
    with pytest.raises(FeatureStoreError, match="has no column sound; its columns are id, song"):
        Features.from_parquet(table, audio="sound", video="look")
    with pytest.raises(FeatureStoreError, match="column 'video': must be vectors of numbers, not String"):
        Features.from_parquet(table, audio="song", video="video")
    pl.DataFrame({"id": ["a", "b"], "x": [[1.0], [1.0, 2.0]], "y": [[1.0], [2.0]]}).write_parquet(
        tmp_path / "r.parquet"
    )
    with pytest.raises(
        FeatureStoreError, match=r"column 'x': all vectors must have one length above 0; row \d has \d values"
    ):
        Features.from_parquet([tmp_path / "r.parquet"], audio="x", video="y")


def test_several_tables_and_either_side(table, tmp_path):
    pl.read_parquet(table).with_columns(
        ("t" + pl.col("id")).alias("id"), pl.col("song").cast(pl.Array(pl.Float64, 2))
    ).write_parquet(tmp_path / "more.parquet")
    both = Features.from_parquet([table, str(tmp_path / "more.parquet")], audio="song", groups="id")
    assert (len(both), both.audio_name, both.video_name) == (120, "song", "")
    assert (both.has_audio.all(), both.has_video.any()) == (True, False)
    assert both.ids[60] == both.groups[60] == "ts0"
    seen = Features.from_parquet(str(table), video="look")
    assert (seen.has_audio.any(), seen.has_video.sum(), seen.video_name) == (False, 59, "look")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "audio and video are both missing. Name the column"),
        ({"audio": "song", "video": "song"}, "audio and video are both the column 'song'"),
        ({"audio": "song", "ids": "gaps"}, "column 'gaps': 1 rows are empty .row 1 is the first"),
        ({"audio": "song", "groups": "gaps"}, "column 'gaps': 1 rows are empty"),
        ({"audio": "song", "paths": []}, "paths: is empty"),
        ({"audio": "x", "ids": "x", "paths": ["a.parquet", "b.parquet"]}, "the tables have different columns"),
    ],
)
def test_what_makes_no_features_is_refused(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    pl.DataFrame({"id": ["a", "b"], "song": [[1.0], [2.0]], "gaps": ["a", None]}).write_parquet("t.parquet")
    pl.DataFrame({"x": ["a"]}).write_parquet("a.parquet")
    pl.DataFrame({"x": [[1.0]]}).write_parquet("b.parquet")
    with pytest.raises(FeatureStoreError, match=message):
        Features.from_parquet(**{"paths": "t.parquet"} | arguments)


def test_imported_features_come_back_from_the_workspace(table, tmp_path):
    workspace = Workspace(tmp_path / "w")
    features = Features.from_parquet(table, audio="song", video="look", groups="video", labels="labels")
    catalogue = import_features(features, workspace)
    again = import_features(features, workspace)
    assert again.records() == catalogue.records()
    back = assemble(workspace, Catalogue.load(workspace.catalogue), "song", "look")
    assert sorted(back.ids) == sorted(features.ids)
    order = [back.ids.tolist().index(name) for name in features.ids]
    np.testing.assert_array_equal(back.audio[order], features.audio)
    np.testing.assert_array_equal(back.video[order], features.video)
    assert set(back.splits) == {"train", "validation", "test"}


def some(first, last, shift=0.0, ids="s", groups="v", **names):
    """Two rows a video, whose vectors tell their number."""
    numbers = np.arange(2 * first, 2 * last)
    return Features.from_arrays(
        audio=numbers[:, None] + np.array([shift, 1.0]),
        video=numbers[:, None] + np.array([shift, 1.0, 2.0]),
        ids=[f"{ids}{number}" for number in numbers],
        groups=[f"{groups}{number // 2}" for number in numbers],
        **{"audio_name": "song", "video_name": "look"} | names,
    )


def test_more_videos_join_those_that_were_imported(tmp_path):
    workspace = Workspace(tmp_path / "w")
    import_features(some(0, 20), workspace)
    splits = {row["id"]: row["split"] for row in Catalogue.load(workspace.catalogue).records()}
    catalogue = import_features(some(10, 30), workspace)
    assert {row["id"]: row["split"] for row in catalogue.records()}.items() >= splits.items()
    back = assemble(workspace, Catalogue.load(workspace.catalogue), "song", "look")
    assert len(back) == len(back.paired) == 60
    assert dict(zip(back.ids, back.audio[:, 0].tolist(), strict=True)) == {f"s{n}": float(n) for n in range(60)}
    assert len(list((workspace.features / "song").iterdir())) == 2
    import_features(some(0, 30), workspace)
    assert len(list((workspace.features / "song").iterdir())) == 2


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (some(10, 30, shift=0.5), "video 'v10' is stored with other rows or vectors"),
        (some(10, 30, ids="t"), "video 'v10' is stored with other rows or vectors"),
        (some(10, 30, groups="w"), "row 's20' is stored as one of video 'v10', not of 'w10'"),
        (some(10, 30).take(np.arange(1, 40)), "video 'v10' is stored with other rows or vectors"),
        (some(20, 30, audio_name="look", video_name="song"), "was made with "),
        (some(20, 30, audio_name=""), "audio_name: is empty. Name what computed these vectors"),
        (some(20, 30, video_name=""), "video_name: is empty"),
        (some(20, 30, video_name="song"), "audio_name and video_name are both 'song'"),
    ],
)
def test_what_contradicts_the_workspace_is_refused_and_nothing_is_written(tmp_path, features, message):
    workspace = Workspace(tmp_path / "w")
    import_features(some(0, 20), workspace)
    before = {path: path.read_bytes() for path in workspace.root.rglob("*") if path.is_file()}
    with pytest.raises(FeatureStoreError, match=message):
        import_features(features, workspace)
    assert {path: path.read_bytes() for path in workspace.root.rglob("*") if path.is_file()} == before


def test_other_pictures_do_not_leave_the_sound_behind(tmp_path):
    workspace = Workspace(tmp_path / "w")
    import_features(some(0, 20), workspace)
    changed = some(0, 30)
    changed.video[3] += 1
    with pytest.raises(FeatureStoreError, match=r"look: video 'v1' is stored with other rows"):
        import_features(changed, workspace)
    assert len(list((workspace.features / "song").iterdir())) == 1


def test_rows_without_vectors_and_splits(tmp_path):
    """A row with neither side is no video of the catalogue; a video in no split is given one."""
    workspace = Workspace(tmp_path / "w")
    features = Features.from_arrays(
        audio=[[1.0], [np.nan], [3.0]], splits=["test", "train", ""], ids=["a", "b", "c"], audio_name="song"
    )
    rows = {row["id"]: row["split"] for row in import_features(features, workspace).records()}
    assert rows.keys() == {"a", "c"}
    assert rows["a"] == "test"
    assert rows["c"] in {"train", "validation", "test"}


def test_features_do_not_join_a_catalogue_of_files(table, tmp_path):
    workspace = Workspace(tmp_path / "w")
    Catalogue([{"id": "x", "path": "/x.mp4"}]).save(workspace.catalogue)
    with pytest.raises(CatalogueError, match="has a catalogue of media files"):
        import_features(Features.from_parquet(table, audio="song", video="look"), workspace)


def test_genres_and_artists_come_along_and_artists_stay_in_one_split(tmp_path: Path) -> None:
    count = 60
    features = Features.from_arrays(
        audio=np.random.default_rng(0).normal(size=(count, 3)),
        genres=["rock", "soul"] * (count // 2),
        artists=[f"artist {number % 12}" for number in range(count)],
        audio_name="mine",
    )
    catalogue = import_features(features, Workspace(tmp_path), (0.5, 0.2, 0.3))
    assert not catalogue.artists_in_two_splits()
    back = assemble(Workspace(tmp_path), catalogue, "mine", None)
    assert dict(zip(back.ids, back.genres, strict=True)) == dict(zip(features.ids, features.genres, strict=True))
    assert dict(zip(back.ids, back.artists, strict=True)) == dict(zip(features.ids, features.artists, strict=True))
