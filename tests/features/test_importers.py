"""Features in the layouts of other tools, and what is refused of them."""

import io
import json
import tarfile

import numpy as np
import pyarrow as pa
import pytest

from antiphon.cli.app import run
from antiphon.errors import FeatureStoreError
from antiphon.features.importers import from_arrow_folder, from_clip_retrieval, from_foreign, from_shards
from antiphon.features.importers.npy import read_npy
from foreign_artefacts import arrow, clip_retrieval, npy, shard

VECTORS = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)


@pytest.mark.parametrize("kind", ["<f4", ">f8", "<f2", "<i4"])
@pytest.mark.parametrize("in_columns", [False, True])
def test_npy_is_read_as_numpy_does(kind, in_columns):
    values = (VECTORS * 100).astype(kind)
    content = npy(np.asfortranarray(values) if in_columns else values)
    np.testing.assert_array_equal(read_npy(content, "x"), np.load(io.BytesIO(content)).astype(np.float32))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no .npy file"),
        (b"\x93NUMPY\x01\x00\x02\x00{}", "no .npy file"),
        (npy(VECTORS)[:-1], "cut short"),
        (npy(VECTORS) + b"x", "cut short"),
        (npy(np.zeros((2, 2, 2), np.float32)), "one or two axes"),
        (npy(np.array(1.0)), "one or two axes"),
        (npy(np.array(["a"])), "no numbers"),
        (npy(VECTORS).replace(b"(5, 3)", b"(9**9"), "no .npy file"),
        (npy(VECTORS).replace(b"(5, 3), }", b"(-5, 3),}"), "one or two axes"),
    ],
)
def test_what_is_no_npy_is_refused(content, said):
    with pytest.raises(FeatureStoreError, match=f"part: .*{said}"):
        read_npy(content, "part")


def test_pickled_objects_are_never_loaded():
    file = io.BytesIO()
    np.save(file, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(FeatureStoreError, match="holds object, no numbers"):
        read_npy(file.getvalue(), "part")


def test_a_huge_shape_allocates_nothing():
    header = npy(VECTORS).replace(b"(5, 3), }        ", b"(90000000000,3),}")
    with pytest.raises(FeatureStoreError, match="cut short"):
        read_npy(header, "part")


def test_members_of_one_name_are_one_item(tmp_path):
    shard(tmp_path / "0.tar", VECTORS, **{"00001.mp3": b"sound", "x/y.clap.npy": npy(VECTORS[:2])})
    found = from_shards([tmp_path / "0.tar"], "clap.npy", ".clip.npy")
    assert found.ids.tolist() == ["x/y/0", "x/y/1", "00000", "00001", "00002", "00003", "00004"]
    np.testing.assert_array_equal(found.audio[2:], VECTORS)
    np.testing.assert_array_equal(found.video[2:], VECTORS[:, ::-1])
    assert not found.has_video[:2].any() and found.groups[1] == "x/y"
    assert (found.artists[3], found.genres[3], found.labels[3]) == ("Artist 1", "rock", ("loud", "live"))
    assert (found.audio_name, found.video_name) == ("clap", "clip")


def tar(path, *members):
    with tarfile.open(path, "w") as file:
        for name, content, kind in members:
            member = tarfile.TarInfo(name)
            member.size, member.type = len(content), kind
            file.addfile(member, io.BytesIO(content))
    return path


def test_links_and_devices_of_a_tar_are_left_alone(tmp_path):
    link = tarfile.TarInfo("a.clap.npy")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with tarfile.open(tmp_path / "0.tar", "w") as file:
        file.addfile(link)
    with pytest.raises(FeatureStoreError, match="No item has vectors"):
        from_shards([tmp_path / "0.tar"], "clap.npy", None)


def test_what_is_wrong_with_a_shard_is_named(tmp_path, monkeypatch):
    file = (npy(VECTORS[0]), tarfile.REGTYPE)
    twice = [tar(tmp_path / name, ("a.clap.npy", *file)) for name in ("0.tar", "1.tar")]
    with pytest.raises(FeatureStoreError, match=r"1\.tar: a: another item has this name .*0\.tar"):
        from_shards(twice, "clap.npy", None)
    other = tar(tmp_path / "2.tar", ("a.clap.npy", *file), ("b.clap.npy", npy(VECTORS[0][:2]), tarfile.REGTYPE))
    with pytest.raises(FeatureStoreError, match=r"b: its audio vectors have 2 values, expected 3"):
        from_shards([other], "clap.npy", None)
    with pytest.raises(FeatureStoreError, match=r"read from \.npy members alone"):
        from_shards(twice, "clap.pth", None)
    with pytest.raises(FeatureStoreError, match="--audio ENDING or --video ENDING"):
        from_shards(twice, None, None)
    broken = tar(tmp_path / "3.tar", ("a.json", b"[1]", tarfile.REGTYPE))
    with pytest.raises(FeatureStoreError, match=r"a\.json: is no JSON object"):
        from_shards([broken], "clap.npy", None)
    (tmp_path / "4.tar").write_bytes(b"no tar")
    with pytest.raises(FeatureStoreError, match=r"4\.tar: cannot be read as a tar file"):
        from_shards([tmp_path / "4.tar"], "clap.npy", None)
    whole = twice[0].read_bytes()
    (tmp_path / "5.tar").write_bytes(whole[:1536])  # a header, its content, and nothing
    with pytest.raises(FeatureStoreError, match=r"5\.tar: is cut short"):
        from_shards([tmp_path / "5.tar"], "clap.npy", None)
    monkeypatch.setattr("antiphon.features.importers.webdataset._MAX_BYTES", 10)
    with pytest.raises(FeatureStoreError, match=r"a\.clap\.npy: has 140 bytes, more than 10"):
        from_shards(twice[:1], "clap.npy", None)


def test_parts_of_clip_retrieval_are_joined_by_their_number(tmp_path):
    clip_retrieval(tmp_path, VECTORS)
    found = from_clip_retrieval(tmp_path)
    np.testing.assert_array_equal(found.video, VECTORS)
    assert (found.ids[1], found.genres[1], found.video_name, found.audio.shape) == ("k1", "jazz", "img_emb", (5, 0))
    (tmp_path / "img_emb" / "img_emb_0.npy").write_bytes(npy(VECTORS[:4]))
    with pytest.raises(FeatureStoreError, match=r"img_emb_0\.npy: has the shape \(4, 3\), and its metadata 5 rows"):
        from_clip_retrieval(tmp_path)
    (tmp_path / "img_emb" / "img_emb_0.npy").unlink()
    with pytest.raises(FeatureStoreError, match=r"img_emb_0\.npy: cannot be read"):
        from_clip_retrieval(tmp_path)
    with pytest.raises(FeatureStoreError, match="is no name of vectors"):
        from_clip_retrieval(tmp_path, None, "../img")


def test_a_saved_data_set_and_its_splits(tmp_path):
    arrow(tmp_path / "train", VECTORS[:3])
    found = from_arrow_folder(tmp_path / "train", "sound", "pictures")
    np.testing.assert_array_equal(found.audio, VECTORS[:3])
    assert (found.ids.tolist(), found.splits.tolist()) == (["r0", "r1", "r2"], ["", "", ""])
    arrow(tmp_path / "dev", VECTORS[3:])
    (tmp_path / "dataset_dict.json").write_text(json.dumps({"splits": ["train", "dev"]}))
    table = pa.ipc.open_stream((tmp_path / "dev" / "data-00000-of-00001.arrow").read_bytes()).read_all()
    renamed = table.set_column(0, "id", pa.array(["s0", "s1"]))
    name = str(tmp_path / "dev" / "data-00000-of-00001.arrow")
    with pa.OSFile(name, "wb") as file, pa.ipc.new_stream(file, renamed.schema) as out:
        out.write_table(renamed)
    both = from_foreign([tmp_path], "sound", None)
    assert both.splits.tolist() == ["train"] * 3 + ["validation"] * 2
    np.testing.assert_array_equal(both.audio, VECTORS)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "..", "", 3, None])
def test_a_saved_data_set_names_no_file_elsewhere(name, tmp_path):
    arrow(tmp_path, VECTORS)
    (tmp_path / "state.json").write_text(json.dumps({"_data_files": [{"filename": name}]}))
    with pytest.raises(FeatureStoreError, match="which is no file in it"):
        from_arrow_folder(tmp_path, "sound", None)


def test_a_column_that_is_missing_is_named(tmp_path):
    arrow(tmp_path, VECTORS)
    with pytest.raises(FeatureStoreError, match="has no column noise; its columns are id, sound, pictures"):
        from_arrow_folder(tmp_path, "noise", None)
    with pytest.raises(FeatureStoreError, match="name the columns of the vectors"):
        from_arrow_folder(tmp_path, None, None)


def test_the_command_tells_them_apart_and_keeps_listed_videos(tmp_path, capsys):
    shard(tmp_path / "0.tar", VECTORS)
    (tmp_path / "list.csv").write_text("id\n00001\n00003\nelsewhere\n")
    base = ["-w", str(tmp_path / "w"), "--json", "features", "import", str(tmp_path / "0.tar")]
    sides = ["--audio", "clap.npy", "--video", "clip.npy"]
    assert run([*base, *sides, "--only", str(tmp_path / "list.csv")]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 2
    (tmp_path / "none.csv").write_text("id\nelsewhere\n")
    assert run([*base, *sides, "--only", str(tmp_path / "none.csv")]) == 1
    assert "none of its 1 ids is among the videos" in capsys.readouterr().out
    (tmp_path / "folder").mkdir()
    assert run([*base[:-1], str(tmp_path / "folder"), *sides]) == 1
    assert "Name shards, or one such folder" in capsys.readouterr().out


def sparse_tar(path):
    """A tar file with a member of 1 MiB that is a hole but for a few bytes, as GNU tar writes it."""
    info = tarfile.TarInfo("a.npy")
    info.pax_headers = {
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.size": str(1 << 20),
        "GNU.sparse.numblocks": "1",
        "GNU.sparse.map": "0,16",
    }
    info.size = 16
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(info, io.BytesIO(b"0" * 16))


def test_members_with_holes_are_refused_for_they_unpack_to_anything(tmp_path):
    sparse_tar(tmp_path / "a.tar")
    with pytest.raises(FeatureStoreError, match="has holes"):
        from_shards([tmp_path / "a.tar"], "npy", None)


def test_a_chain_of_long_names_is_refused(tmp_path):
    """Each header says that the next one has a long name; tarfile follows them by recursion."""
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1
    block = info.tobuf(tarfile.GNU_FORMAT) + b"a".ljust(512, b"\0")
    (tmp_path / "a.tar").write_bytes(block * 2000 + bytes(1024))
    with pytest.raises(FeatureStoreError):
        from_shards([tmp_path / "a.tar"], "npy", None)


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': (), 'fortran_order': False, 'shape': (1, 1)}",
        "{'descr': ('<f4',), 'fortran_order': False, 'shape': (1, 1)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (True, 1)}",
        f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({10**30}, 0)}}",
    ],
)
def test_hostile_headers_of_npy_are_refused(header):
    text = header.encode().ljust(117) + b"\n"
    content = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(4)
    with pytest.raises(FeatureStoreError, match="a.npy"):
        read_npy(content, "a.npy")


def test_an_arrow_stream_that_unpacks_to_much_more_is_refused(tmp_path):
    zeros = pa.table({"id": ["a"] * 1000, "x": [[0.0] * 1000] * 1000, "other": [b"0" * 1000] * 1000})
    packed = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(str(tmp_path / "d.arrow"), zeros.schema, options=packed) as writer:
        writer.write_table(zeros)
    (tmp_path / "state.json").write_text(json.dumps({"_data_files": [{"filename": "d.arrow"}]}))
    with pytest.raises(FeatureStoreError, match="50 times its size"):
        from_arrow_folder(tmp_path, "x", None)


def test_bare_arrays_are_refused_with_what_to_do(tmp_path, capsys):
    np.save(tmp_path / "a.npy", np.eye(3))
    assert run(["-w", str(tmp_path / "w"), "features", "import", str(tmp_path / "a.npy")]) == 1
    assert "Features.from_arrays(audio=" in capsys.readouterr().err
