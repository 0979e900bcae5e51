"""From files to features: everything once, whatever happens on the way."""

import os
import shutil
import signal
import subprocess
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pyarrow as pa
import pytest

import antiphon as ap
from antiphon import backbones
from antiphon.backbones.arithmetic import TORCH
from antiphon.catalogue import Catalogue
from antiphon.errors import CatalogueError, ConfigError, FeatureStoreError, WeightsError
from antiphon.features.single import file_features, predict_tags
from antiphon.features.store import FeatureStore
from antiphon.media.decoding import decode_stretches
from antiphon.media.probing import probe_media
from antiphon.segments.sampling import SamplingConfig
from antiphon.tables import SEGMENTS, read_table, write_table
from antiphon.workspace import Workspace

SAMPLING = SamplingConfig(sections=2)

EXTRACT = """
import antiphon as ap, sys
from antiphon.features import recording
from antiphon.segments.sampling import SamplingConfig
recording.FLUSH_S = 0.0
if __name__ == "__main__":
    catalogue = ap.Catalogue(ap.Catalogue.from_csv(sys.argv[1]).split(seed=1).records()[:8])
    ap.extract(catalogue, workspace=sys.argv[2], sampling=SamplingConfig(sections=2), workers=1)
"""


@pytest.fixture(scope="module")
def undisturbed(synthetic_table, tmp_path_factory):
    """Workspace and features of the synthetic catalogue."""
    place = tmp_path_factory.mktemp("undisturbed")
    states = []
    features = ap.extract(
        Catalogue.from_csv(synthetic_table).split(seed=1), workspace=place, sampling=SAMPLING, progress=states.append
    )
    assert [state.done for state in states] == list(range(1, 13))
    return place, features


def test_every_segment_has_both_features_and_its_videos_split(undisturbed, synthetic_table):
    place, features = undisturbed
    assert len(features) == 24
    assert features.audio.shape == (24, 1506)
    assert features.video.shape == (24, 2560)
    assert len(features.paired) == 24
    assert features.ids[0] == f"{features.groups[0]}#0"
    splits = dict(
        zip(
            Catalogue.from_csv(synthetic_table).ids,
            Catalogue.from_csv(synthetic_table).split(seed=1).table["split"].to_pylist(),
            strict=True,
        )
    )
    assert all(splits[group] == split for group, split in zip(features.groups, features.splits, strict=True))
    assert all(features.labels)
    assert Workspace(place).read_failures() == []


def test_features_are_those_of_the_windows_that_the_segments_name(undisturbed):
    """Decode one window by hand, run the backbones by hand."""
    place, features = undisturbed
    row = read_table(Workspace(place).segments, SEGMENTS).to_pylist()[5]
    path = {r["id"]: r["path"] for r in Catalogue.load(Workspace(place).catalogue).records()}[row["video_id"]]
    audio, video = backbones.load("musicnn-mtt"), backbones.load("efficientnet_lite0")
    window = (row["window_start_s"], row["window_end_s"])
    (decoded,) = decode_stretches(path, [window], [video.layout])
    at = features.ids.tolist().index(row["segment_id"])
    # AAC's noise substitution depends on where decoding started, hence the tolerance for the sound.
    np.testing.assert_allclose(audio(decoded.waveform[None])[0], features.audio[at], atol=0.05, rtol=0.01)
    np.testing.assert_allclose(video(decoded.frames[video.layout][None])[0], features.video[at], atol=1e-4)
    assert features.starts_s[at] == row["window_start_s"]
    others = np.delete(features.audio, at, axis=0)
    assert np.abs(others - features.audio[at]).max(axis=1).min() > 1


def test_asking_again_computes_nothing_and_gives_the_same(undisturbed, synthetic_table):
    place, features = undisturbed
    parts = {path: path.stat().st_mtime_ns for path in place.glob("features/*/*.parquet")}
    states = []
    again = ap.extract(
        Catalogue.from_csv(synthetic_table).split(seed=1), workspace=place, sampling=SAMPLING, progress=states.append
    )
    assert states == []
    assert {path: path.stat().st_mtime_ns for path in place.glob("features/*/*.parquet")} == parts
    np.testing.assert_array_equal(again.audio, features.audio)


def test_killed_and_started_again_it_has_the_rows_of_an_undisturbed_run(undisturbed, synthetic_table, tmp_path):
    _, expected = undisturbed
    expected = expected.take(np.isin(expected.groups, Catalogue.from_csv(synthetic_table).ids[:8]))
    script, place = tmp_path / "extract.py", tmp_path / "w"
    script.write_text(EXTRACT)
    command = [sys.executable, str(script), str(synthetic_table), str(place)]
    kills = 0
    for wanted in (1, 3):
        process = subprocess.Popen(command, start_new_session=True)
        give_up = time.monotonic() + 120
        while len(list(place.glob("features/efficientnet_lite0/part-*"))) < wanted and time.monotonic() < give_up:
            time.sleep(0.02)
        kills += process.poll() is None
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert kills == 2
    stored = FeatureStore.existing(place / "features" / "musicnn-mtt").done()
    assert 0 < len(stored) < 8
    subprocess.run(command, check=True, timeout=300)
    workspace = Workspace(place)
    for name, side in (("musicnn-mtt", expected.audio), ("efficientnet_lite0", expected.video)):
        segment_ids, _, vectors, _ = FeatureStore.existing(workspace.features / name).read()
        assert sorted(segment_ids) == sorted(expected.ids)
        order = [expected.ids.tolist().index(segment_id) for segment_id in segment_ids]
        np.testing.assert_array_equal(vectors, side[order])
    assert not list(place.rglob("*.partial"))


def test_a_second_backbone_decodes_only_for_itself(undisturbed, synthetic_table, tmp_path):
    place, features = undisturbed
    shutil.copytree(place, tmp_path / "w")
    catalogue = Catalogue.from_csv(synthetic_table).split(seed=1)
    other = ap.extract(catalogue, "musicnn-msd", None, tmp_path / "w", sampling=SAMPLING)
    assert other.audio.shape == features.audio.shape
    assert other.video.shape == (24, 0)
    assert np.abs(other.audio - features.audio).max() > 0.1


def test_a_growing_catalogue_keeps_what_it_has(undisturbed, synthetic_table, tmp_path):
    place, features = undisturbed
    shutil.copytree(place, tmp_path / "w")
    rows = Catalogue.from_csv(synthetic_table).split(seed=1).records()
    shutil.copy(rows[0]["path"], tmp_path / "newcomer.mp4")
    newcomer = rows[0] | {"id": "newcomer", "split": "test", "path": str(tmp_path / "newcomer.mp4")}
    states = []
    grown = ap.extract(
        Catalogue([*rows, newcomer]), workspace=tmp_path / "w", sampling=SAMPLING, progress=states.append
    )
    assert [state.total for state in states] == [1]
    np.testing.assert_array_equal(grown.audio[:24], features.audio)
    assert grown.ids[24:].tolist() == ["newcomer#0", "newcomer#1"]


def test_features_of_earlier_versions_and_of_torch_are_added_to_with_a_word(undisturbed, synthetic_table, tmp_path):
    place, features = undisturbed
    shutil.copytree(place, tmp_path / "w")
    rows = Catalogue.from_csv(synthetic_table).split(seed=1).records()
    for number, part in enumerate(sorted((tmp_path / "w" / "features" / "musicnn-mtt").glob("*.parquet"))):
        table = read_table(part)
        metadata = {key: value for key, value in table.schema.metadata.items() if key != b"arithmetic"}
        assert len(metadata) < len(table.schema.metadata)
        write_table(table.replace_schema_metadata(metadata | ({b"arithmetic": TORCH} if number else {})), part)
    with warnings.catch_warnings(action="error"):
        ap.extract(Catalogue(rows), workspace=tmp_path / "w", sampling=SAMPLING)
    shutil.copy(rows[0]["path"], tmp_path / "newcomer.mp4")
    newcomer = rows[0] | {"id": "newcomer", "split": "test", "path": str(tmp_path / "newcomer.mp4")}
    said = (
        "musicnn-mtt: the workspace has features in torch float32, and new ones are computed in openvino.* compatible"
    )
    with pytest.warns(UserWarning, match=said) as found:
        grown = ap.extract(Catalogue([*rows, newcomer]), workspace=tmp_path / "w", sampling=SAMPLING)
    assert len(found) == 1
    np.testing.assert_array_equal(grown.audio[:24], features.audio)
    np.testing.assert_array_equal(grown.audio[24:], features.audio[features.groups == rows[0]["id"]])


def test_other_settings_other_catalogues_and_unknown_backbones_are_refused(undisturbed, synthetic_table, tmp_path):
    place, features = undisturbed
    catalogue = Catalogue.from_csv(synthetic_table).split(seed=1)
    with pytest.raises(FeatureStoreError, match="was drawn with .*Use one workspace per sampling"):
        ap.extract(catalogue, workspace=place, sampling=SamplingConfig(sections=3))
    with pytest.raises(CatalogueError, match="has another catalogue"):
        ap.extract(Catalogue([{"id": "stranger", "path": "/x.mp4"}]), workspace=place, sampling=SAMPLING)
    moved = [row | {"path": f"/elsewhere/{row['id']}.mp4"} for row in catalogue.records()]
    same = ap.extract(Catalogue(moved), workspace=place, sampling=SAMPLING)
    np.testing.assert_array_equal(same.audio, features.audio)
    with pytest.raises(WeightsError, match="musicnn-mtx"):
        ap.extract(catalogue, "musicnn-mtx", workspace=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_bad_files_are_rows_with_reasons_and_never_the_end(synthetic_table, tmp_path):
    good = sorted(synthetic_table.parent.glob("*.mp4"))[0]
    folder = tmp_path / "videos"
    folder.mkdir()
    shutil.copy(good, folder / "good.mp4")
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("not a video at all, only words\n" * 30)
    (folder / "cut.mp4").write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    catalogue = Catalogue.from_folder(folder)
    catalogue = Catalogue([*catalogue.records(), {"id": "gone", "path": str(folder / "gone.mp4")}]).split()
    features = ap.extract(catalogue, workspace=tmp_path / "w", sampling=SAMPLING)
    assert set(features.groups) == {"good.mp4"}
    reasons = {failure.video_id: failure.message for failure in Workspace(tmp_path / "w").read_failures()}
    assert set(reasons) == {"empty.mp4", "text.mp4", "cut.mp4", "gone"}
    assert "empty" in reasons["empty.mp4"]
    assert "text" in reasons["text.mp4"]
    assert "no such file" in reasons["gone"]
    shutil.copy(good, folder / "empty.mp4")
    mended = ap.extract(catalogue, workspace=tmp_path / "w", sampling=SAMPLING)
    assert set(mended.groups) == {"good.mp4", "empty.mp4"}
    assert len(Workspace(tmp_path / "w").read_failures()) == 3


def test_songs_without_pictures_are_extracted_by_the_default_call(media_folder, tmp_path):
    features = ap.extract(Catalogue.from_folder(media_folder / "music").split(), workspace=tmp_path)
    assert len(np.unique(features.groups)) >= 4
    assert features.video.shape[1] == 0
    assert features.has_audio.all()


def test_when_nothing_can_be_used_the_error_says_why(tmp_path):
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(
        FeatureStoreError, match=r"No feature could be computed for any of 1 video; 1 failed:\n.*is empty"
    ):
        ap.extract(Catalogue.from_folder(tmp_path), workspace=tmp_path / "w")
    with pytest.raises(ConfigError, match="audio and video are both None"):
        ap.extract(Catalogue.from_folder(tmp_path), None, None, tmp_path / "w")


@pytest.mark.parametrize("modality", ["audio", "video"])
def test_the_word_of_the_command_line_for_no_backbone_is_answered_with_none(tmp_path, modality):
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(ConfigError, match=f"{modality}: there is no backbone 'none'. .*: {modality}=None"):
        ap.extract(Catalogue.from_folder(tmp_path), workspace=tmp_path / "w", **{modality: "none"})


def test_damaged_pictures_do_not_take_the_sound_with_them(synthetic_table, tmp_path):
    """The sound is copied, the packets of the pictures are noise."""
    good, bad = sorted(synthetic_table.parent.glob("*.mp4"))[0], tmp_path / "bad.mkv"
    random = np.random.default_rng(0)
    with av.open(str(good)) as source, av.open(str(bad), "w") as target:
        streams = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is None:
                continue
            if packet.stream.type == "video":
                noise = av.Packet(random.bytes(packet.size))
                noise.pts, noise.dts, noise.time_base = packet.pts, packet.dts, packet.time_base
                noise.is_keyframe = packet.is_keyframe
                noise.stream = streams[packet.stream.index]
                target.mux(noise)
            else:
                packet.stream = streams[packet.stream.index]
                target.mux(packet)
    features = ap.extract(Catalogue.from_folder(tmp_path), workspace=tmp_path / "w", sampling=SAMPLING)
    assert features.has_audio.all()
    assert not features.has_video.any()
    assert [failure.video_id for failure in Workspace(tmp_path / "w").read_failures()] == ["bad.mkv"]


def test_the_sample_of_real_files_gives_features_or_reasons(media_folder, tmp_path):
    catalogue = Catalogue.from_folder(media_folder).split()
    features = ap.extract(catalogue, workspace=tmp_path, sampling=SamplingConfig(sections=1))
    failed = {failure.video_id: failure for failure in Workspace(tmp_path).read_failures()}
    assert set(features.groups) | set(failed) == set(catalogue.ids)
    assert not set(features.groups) & set(failed)
    assert all(failure.message and failure.error == "DecodeError" for failure in failed.values())
    songs = [video for video in catalogue.ids if video.startswith("music/")]
    at = {group: row for row, group in enumerate(features.groups)}
    assert all(features.has_audio[at[song]] and not features.has_video[at[song]] for song in songs if song in at)
    assert len(features.paired) >= 6


def test_a_model_encodes_files_as_its_features_were_sampled(undisturbed, synthetic_table, tmp_path):
    _, features = undisturbed
    assert features.sampling == features.take(np.arange(5)).sampling == SAMPLING
    sampled = replace(features, sampling=SamplingConfig(every_s=3.0))
    validation = np.isin(sampled.groups, np.unique(sampled.groups)[:3])
    ap.DualEncoder("paper-base").fit(sampled.take(~validation), sampled.take(validation)).save(tmp_path)
    path = sorted(synthetic_table.parent.glob("*.mp4"))[0]
    found = ap.DualEncoder.load(tmp_path).encode_file(path, ["audio"])["audio"]
    windows, embeddings = found.windows, found.segments
    assert all(3 * n <= start <= 3 * n + 2 for n, (start, _) in enumerate(windows))  # each in its own 5 s
    assert len(embeddings) == len(windows) >= 3


def test_one_file_alone_gives_what_its_windows_hold(synthetic_table):
    path = sorted(synthetic_table.parent.glob("*.mp4"))[0]
    found = file_features(path, [backbones.load("musicnn-mtt"), backbones.load("efficientnet_lite0")])
    windows, vectors = found.windows, found.vectors["audio"]
    assert found.vectors["video"].shape == (len(windows), 2560)
    assert vectors.shape == (len(windows), 1506)
    assert len(windows) == 2
    assert all(end - start == pytest.approx(3.0) for start, end in windows)
    assert windows[-1][1] <= probe_media(path).duration_s + 1e-6


def test_tags_are_the_mean_over_the_track(synthetic_table):
    path = sorted(synthetic_table.parent.glob("*.mp4"))[0]
    network = backbones.load("musicnn-mtt")
    starts = np.arange(int(probe_media(path).duration_s // 3)) * 3.0 + probe_media(path).start_s
    windows = list(decode_stretches(str(path), [(float(s), float(s) + 3) for s in starts]))
    expected = np.mean([network.outputs(network.log_mel(w.waveform)).taggram[0] for w in windows], axis=0)
    found = predict_tags(path)
    assert len(found) == 50
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
    for name, score in found:
        assert score == pytest.approx(float(expected[network.tags.index(name)]), abs=1e-4)


def test_decoding_processes_load_no_torch():
    code = "import sys, antiphon.media.windows; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parent).returncode == 0


def test_an_extraction_reads_each_table_of_the_workspace_once(synthetic_table, tmp_path, monkeypatch):
    """What was read is passed on; `segments.parquet` was read five times."""
    catalogue = Catalogue.from_csv(synthetic_table)
    ap.extract(catalogue, video=None, workspace=tmp_path, sampling=SAMPLING)
    read = []
    original = pa.OSFile
    monkeypatch.setattr(pa, "OSFile", lambda path: read.append(Path(path)) or original(path))
    ap.extract(catalogue, video=None, workspace=tmp_path)
    assert read.count(tmp_path / "segments.parquet") == 1
    assert read.count(tmp_path / "catalogue.parquet") == 1
