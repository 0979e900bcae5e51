"""Attributes of a workspace's segments: each once, whatever happens on the way."""

from pathlib import Path

import numpy as np
import pytest

from antiphon.catalogue import Catalogue
from antiphon.features import attributes
from antiphon.features.attributes import AttributesTable, measure_attributes, read_attributes
from antiphon.features.computed_videos import VideoAttributes, computed_videos
from antiphon.features.planning import plan_segments, read_segments
from antiphon.media.appearance import ATTRIBUTES_LAYOUT, attribute_row, frame_attributes
from antiphon.media.decoding import decode_stretches
from antiphon.media.windows import WindowsJob, decode_windows
from antiphon.segments.sampling import SamplingConfig
from antiphon.tables import ATTRIBUTES, SEGMENTS, read_table, write_table
from antiphon.workspace import Failure, Workspace

from ..media.media_files import make_video


def make_workspace(root: Path, table: Path) -> tuple[Workspace, Catalogue]:
    workspace = Workspace(root)
    catalogue, _ = Catalogue.from_csv(table).probe()
    catalogue.save(workspace.catalogue)
    plan_segments(workspace, catalogue, SamplingConfig(sections=2))
    return workspace, catalogue


@pytest.fixture(scope="module")
def measured(synthetic_table, tmp_path_factory):
    workspace, catalogue = make_workspace(tmp_path_factory.mktemp("attributes") / "w", synthetic_table)
    told = []
    measure_attributes(workspace, catalogue, workers=2, progress=lambda *state: told.append(state))
    assert [state[:2] for state in told] == [(done, 12) for done in range(1, 13)]
    return workspace, catalogue


def test_every_segment_once_and_of_its_window(measured):
    workspace, catalogue = measured
    table = read_table(workspace.attributes, ATTRIBUTES)
    segments = read_table(workspace.segments, SEGMENTS).to_pylist()
    assert sorted(table["segment_id"].to_pylist()) == sorted(row["segment_id"] for row in segments)
    row = segments[7]
    path = {record["id"]: record["path"] for record in catalogue.records()}[row["video_id"]]
    (window,) = decode_stretches(
        path, [(row["window_start_s"], row["window_end_s"])], [ATTRIBUTES_LAYOUT], rate_hz=None
    )
    expected = attribute_row(frame_attributes(window.frames[ATTRIBUTES_LAYOUT]))
    assert read_attributes(workspace, [row["segment_id"]])[0].tolist() == list(expected)
    assert workspace.read_failures() == []


def test_read_in_the_order_asked_for_and_nan_where_unknown(measured):
    workspace, _ = measured
    names = read_table(workspace.segments, SEGMENTS)["segment_id"].to_pylist()
    found = read_attributes(workspace, [names[3], "nobody", names[0]])
    assert np.isnan(found).tolist() == [[False] * 5, [True] * 5, [False] * 5]
    assert np.array_equal(found[[2, 0]], read_attributes(workspace, [names[0], names[3]]))
    assert read_attributes(workspace, []).shape == (0, 5)


def test_only_what_is_missing_is_measured(synthetic_table, tmp_path, monkeypatch):
    workspace, catalogue = make_workspace(tmp_path / "w", synthetic_table)
    measure_attributes(workspace, catalogue, catalogue.ids[:2], workers=1)
    first = read_table(workspace.attributes)
    assert set(first["video_id"].to_pylist()) == set(catalogue.ids[:2])
    asked = []

    def noting(jobs, *others):
        asked.extend(job.video_id for job in jobs)
        return computed_videos(jobs, *others)

    monkeypatch.setattr(attributes, "computed_videos", noting)
    measure_attributes(workspace, catalogue, catalogue.ids[:3], workers=1)
    assert asked == [catalogue.ids[2]]
    assert read_table(workspace.attributes).slice(0, 4).equals(first)
    monkeypatch.setattr(attributes, "_MADE_BY", {b"measured": b"otherwise"})
    measure_attributes(workspace, catalogue, catalogue.ids[:3], workers=1)
    assert asked[1:] == catalogue.ids[:3]


@pytest.mark.parametrize("other", [{"seed": 1}, {"sections": 1}, {"window_s": 2.0}], ids=str)
def test_segments_drawn_anew_are_measured_anew(synthetic_table, tmp_path, monkeypatch, other):
    workspace, catalogue = make_workspace(tmp_path / "w", synthetic_table)
    one = catalogue.ids[:1]
    measure_attributes(workspace, catalogue, one)
    before = read_attributes(workspace, [f"{one[0]}#0"])
    assert np.isfinite(before).all()
    workspace.segments.unlink()
    plan_segments(workspace, catalogue, SamplingConfig(**{"sections": 2} | other))
    assert np.isnan(read_attributes(workspace, [f"{one[0]}#0"])).all()  # the same id, another window
    measure_attributes(workspace, catalogue, one)
    assert not np.array_equal(read_attributes(workspace, [f"{one[0]}#0"]), before)
    fields = ["segment_id", "window_start_s", "window_end_s"]
    planned = [row for row in read_table(workspace.segments, SEGMENTS).to_pylist() if row["video_id"] == one[0]]
    stored = read_table(workspace.attributes, ATTRIBUTES).select(fields).to_pylist()
    assert stored == [{name: row[name] for name in fields} for row in planned]


def test_an_older_table_without_windows_is_measured_anew(synthetic_table, tmp_path, monkeypatch):
    workspace, catalogue = make_workspace(tmp_path / "w", synthetic_table)
    measure_attributes(workspace, catalogue, catalogue.ids[:1])
    table = read_table(workspace.attributes)
    older = table.drop_columns(["window_start_s", "window_end_s"])
    for metadata in (table.schema.metadata, {b"measured": b"96 px, 10 frames per second, 1"}):
        write_table(older.replace_schema_metadata(metadata), workspace.attributes)
        assert np.isnan(read_attributes(workspace, table["segment_id"].to_pylist())).all()
        measure_attributes(workspace, catalogue, catalogue.ids[:1])
        assert read_table(workspace.attributes).equals(table)


def test_stopped_it_keeps_what_it_has(synthetic_table, tmp_path, monkeypatch):
    workspace, catalogue = make_workspace(tmp_path / "w", synthetic_table)

    def interrupt(done, total, note):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_attributes(workspace, catalogue, workers=1, progress=interrupt)
    assert set(read_table(workspace.attributes)["video_id"].to_pylist()) == set(catalogue.ids[:2])
    with workspace.lock():  # it was let go
        pass


def test_a_bad_file_is_a_row_of_failures_until_it_is_mended(synthetic_table, tmp_path, monkeypatch):
    workspace, catalogue = make_workspace(tmp_path / "w", synthetic_table)
    good = catalogue.records()[0]["path"]
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"nothing")
    rows = catalogue.records()[:2]
    other = Failure("elsewhere", "extract", "DecodeError", "cut short")
    workspace.write_failures([other])
    measure_attributes(workspace, Catalogue([rows[0] | {"path": str(bad)}, rows[1]]))
    assert set(read_table(workspace.attributes)["video_id"].to_pylist()) == {rows[1]["id"]}
    kept, failure = sorted(workspace.read_failures(), key=lambda item: item.stage, reverse=True)
    assert kept == other
    assert (failure.video_id, failure.stage) == (rows[0]["id"], "attributes")
    assert "bad.mp4" in failure.message
    measure_attributes(workspace, Catalogue([rows[0] | {"path": good}, rows[1]]))
    assert workspace.read_failures() == [other]


def test_without_media_or_segments_there_is_nothing_to_do(synthetic_table, tmp_path):
    workspace, catalogue = make_workspace(tmp_path / "w", synthetic_table)
    measure_attributes(workspace, Catalogue([row | {"path": None} for row in catalogue.records()]))
    workspace.segments.unlink()
    measure_attributes(workspace, catalogue)
    assert not workspace.attributes.exists()
    assert np.isnan(read_attributes(workspace, ["a"])).all()


def test_every_segment_has_its_tracks_tempo(measured):
    workspace, catalogue = measured
    rows = read_table(workspace.attributes, ATTRIBUTES).to_pylist()
    tempos = {name: {row["tempo_bpm"] for row in rows if row["video_id"] == name} for name in catalogue.ids}
    assert all(len(found) == 1 for found in tempos.values())
    known = [tempo for found in tempos.values() for tempo in found if tempo is not None]
    assert len(known) >= 6
    assert all(40 <= tempo <= 240 for tempo in known)


def test_without_sound_the_tempo_is_unknown(tmp_path):
    film = make_video(tmp_path / "film.mp4", 40, "10")
    (window,) = decode_windows(WindowsJob("v", str(film), ((0.5, 3.5),), (), None, 0, segments=((0.0, 4.0),)))
    assert window.attributes is not None
    assert window.tempo_bpm is None
    assert window.frames == {}


def test_windows_with_a_single_picture_are_too_short(tmp_path):
    workspace = Workspace(tmp_path / "w")
    film = make_video(tmp_path / "film.mp4", 40, "10")
    catalogue, _ = Catalogue([{"id": "film", "path": str(film)}]).split().probe()
    plan_segments(workspace, catalogue, SamplingConfig(sections=1, segment_s=1.0, window_s=0.1))
    measure_attributes(workspace, catalogue, workers=1)
    assert not workspace.attributes.exists()
    (failure,) = workspace.read_failures()
    assert "film.mp4: its windows have fewer than two pictures" in failure.message


def test_the_table_is_written_when_a_tenth_of_it_waits(measured, tmp_path, monkeypatch):
    monkeypatch.setattr(attributes, "_FLUSH_S", -1.0)
    workspace, _ = measured
    table = read_table(workspace.attributes)
    segments = read_segments(workspace).by_video
    rows = next(iter(segments.values()))
    more = {name: [row | {"video_id": name} for row in rows] for name in ("new 0", "new 1", "new 2")}
    other = Workspace(tmp_path / "w")
    other.root.mkdir()
    write_table(table, other.attributes)
    grown = AttributesTable(other, segments | more)
    lengths = []
    for name in more:
        grown.add(name, VideoAttributes({0: (0.5, 0.0, 0.5, 0.1, 0.2)}, 120.0))
        grown.flush()
        lengths.append(len(read_table(other.attributes)))
    assert lengths == [24, 24, 27]  # 2 of 24 rows wait, but 3 are written
    grown.flush(at_once=True)
    assert read_table(other.attributes).slice(0, 24).equals(table)
    assert grown.videos == {*segments, *more}


def test_interrupted_while_it_writes_it_loses_nothing(measured, tmp_path, monkeypatch):
    workspace, _ = measured
    other = Workspace(tmp_path / "w")
    other.root.mkdir()
    segments = read_segments(workspace).by_video
    grown = AttributesTable(other, segments)
    for name in segments:
        grown.add(name, VideoAttributes({0: (0.5, 0.0, 0.5, 0.1, 0.2)}, 120.0))

    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(attributes, "write_table", interrupt)
        with pytest.raises(KeyboardInterrupt):
            grown.flush(at_once=True)
    grown.flush(at_once=True)
    assert len(read_table(other.attributes)) == len(segments)
