"""Catalogue, workspace and media in a store: the rows of a disk, whoever writes at once, and however they end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import fsspec
import numpy as np
import pytest

import antiphon as ap
from antiphon.catalogue import Catalogue
from antiphon.cli.app import run
from antiphon.features.store import FeatureStore
from antiphon.places import place
from antiphon.segments.sampling import SamplingConfig
from antiphon.tables import read_table
from antiphon.workspace import Workspace

NUM_SONGS = 14
SAMPLING = SamplingConfig(sections=2)
WRITER = """
import sys
import antiphon as ap
from antiphon.features import recording
from antiphon.segments.sampling import SamplingConfig

recording.FLUSH_TO_STORE_S = 0.0
catalogue = ap.Catalogue.load(sys.argv[1] + "/catalogue.parquet")
first, last = int(sys.argv[2]), int(sys.argv[3])
share = ap.Catalogue(catalogue.records()[first:last])
features = ap.extract(share, video=None, workspace=sys.argv[1], sampling=SamplingConfig(sections=2), workers=1)
print(len(features), flush=True)
"""


def system() -> "fsspec.AbstractFileSystem":
    return fsspec.filesystem("s3", use_listings_cache=False)


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory, synthetic_table: Path) -> Path:
    """Fourteen files: short cuts of the sound of the synthetic videos."""
    import av

    folder = tmp_path_factory.mktemp("songs")
    sources = sorted(synthetic_table.parent.rglob("*.mp4"))
    for number in range(NUM_SONGS):
        with av.open(str(sources[number % len(sources)])) as source:
            stream = source.streams.audio[0]
            source.seek(int((number // len(sources)) / stream.time_base), stream=stream)
            with av.open(str(folder / f"{number:02d}.m4a"), "w", format="mp4") as target:
                copy = target.add_stream_from_template(stream)
                zero = None
                for packet in source.demux(stream):
                    if packet.dts is None or (zero is not None and packet.dts - zero > 7 / stream.time_base):
                        continue
                    zero = packet.dts if zero is None else zero
                    packet.pts, packet.dts, packet.stream = packet.pts - zero, packet.dts - zero, copy
                    target.mux(packet)
    return folder


def features_of(workspace: str | Path) -> dict[str, np.ndarray]:
    stored = FeatureStore.existing(Workspace(place(workspace)).features / "musicnn-mtt").read()
    return dict(zip(stored.segment_ids, stored.vectors, strict=True))


def test_files_in_a_store_have_the_rows_of_the_disk(bucket: str, songs: Path, tmp_path: Path) -> None:
    system().put(f"{songs}/", f"{bucket}/songs/", recursive=True)
    (tmp_path / "songs").symlink_to(songs)
    for workspace, source in ((f"{bucket}/work", f"{bucket}/songs"), (tmp_path / "work", songs)):
        for verb in (
            ["catalogue", "add", str(source), "--seed", "1"],
            ["extract", "--video", "none", "--sections", "2"],
        ):
            assert run(["--workspace", str(workspace), *verb]) == 0
    here, there = Workspace(tmp_path / "work"), Workspace(place(f"{bucket}/work"))
    left_out = ["path", "size_bytes", "modified_ns", "content_hash"]
    assert Catalogue.load(there.catalogue).table.drop_columns(left_out) == Catalogue.load(
        here.catalogue
    ).table.drop_columns(left_out)
    assert read_table(there.segments).sort_by("segment_id") == read_table(here.segments).sort_by("segment_id")
    assert there.read_failures() == here.read_failures() == []
    one, other = features_of(f"{bucket}/work"), features_of(tmp_path / "work")
    assert one.keys() == other.keys()
    assert len(one) == NUM_SONGS  # 7 s have room for one segment
    for name, vector in one.items():
        np.testing.assert_array_equal(vector, other[name])
    # What is on the disk of one machine trains from there.
    assert run(["--workspace", str(tmp_path / "pulled"), "pull", f"{bucket}/work"]) == 0
    pulled = features_of(tmp_path / "pulled")
    assert pulled.keys() == one.keys()
    parts = {path: path.stat().st_mtime_ns for path in (tmp_path / "pulled").rglob("part-*")}
    assert run(["--workspace", str(tmp_path / "pulled"), "pull", f"{bucket}/work"]) == 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "pulled").rglob("part-*")} == parts


@pytest.fixture
def work(bucket: str, songs: Path) -> str:
    """A workspace in a store with the catalogue of eight songs on this disk."""
    rows = Catalogue.from_folder(songs).split(seed=1).probe()[0].records()[:8]
    Catalogue(rows).save(Workspace(place(f"{bucket}/work")).catalogue)
    return f"{bucket}/work"


def writer(work: str, first: int, last: int) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-c", WRITER, work, str(first), str(last)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)


def test_two_writers_at_once_and_one_that_is_killed_leave_whole_rows(work: str, tmp_path: Path, songs: Path) -> None:
    """Shares that overlap: nothing is lost, and what both computed is read once."""
    store = Workspace(place(work)).features / "musicnn-mtt"
    killed, other = writer(work, 0, 6), writer(work, 3, 8)
    give_up = time.monotonic() + 120
    while len(store.iterdir()) < 3 and time.monotonic() < give_up:
        time.sleep(0.2)
    assert killed.poll() is None
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert other.wait(timeout=120) == 0
    catalogue = Catalogue.load(f"{work}/catalogue.parquet")
    share = Catalogue(catalogue.records()[:6])
    ap.extract(share, video=None, workspace=work, sampling=SAMPLING)
    expected = ap.extract(catalogue, video=None, workspace=tmp_path / "local", sampling=SAMPLING)
    found = features_of(work)
    assert sorted(found) == sorted(expected.ids.tolist())
    for name, vector in zip(expected.ids, expected.audio, strict=True):
        np.testing.assert_array_equal(found[name], vector)
    tables = Workspace(place(work))
    assert read_table(tables.segments).num_rows == 8
    assert len(Catalogue.load(tables.catalogue)) == 8
    again = ap.extract(Catalogue.load(tables.catalogue), video=None, workspace=work, sampling=SAMPLING)
    np.testing.assert_array_equal(again.audio, expected.audio)
