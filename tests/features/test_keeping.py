"""Keeping a workspace's segments: each once, whole or not at all."""

import pytest

from antiphon.catalogue import Catalogue
from antiphon.features import keeping
from antiphon.features.extraction import extract
from antiphon.features.keeping import TYPICAL_BYTES, DiskUse, disk_use, keep_segments, keeping_jobs, kept_path
from antiphon.features.planning import plan_segments
from antiphon.segments.kept import decode_segments, encode_segment, read_kept
from antiphon.segments.sampling import SamplingConfig
from antiphon.tables import SEGMENTS, read_table
from antiphon.workspace import Failure, Workspace


def make_workspace(root, table, videos):
    workspace = Workspace(root)
    catalogue, _ = Catalogue.from_csv(table).probe()
    catalogue = Catalogue(catalogue.records()[:videos])
    catalogue.save(workspace.catalogue)
    plan_segments(workspace, catalogue, SamplingConfig(sections=2))
    return workspace, catalogue


@pytest.fixture(scope="module")
def kept(synthetic_table, tmp_path_factory):
    workspace, catalogue = make_workspace(tmp_path_factory.mktemp("kept") / "w", synthetic_table, 3)
    told = []
    keep_segments(workspace, catalogue, workers=2, progress=lambda *state: told.append(state))
    assert told == [(done, 0, len(catalogue)) for done in range(1, len(catalogue) + 1)]
    return workspace, catalogue


def test_every_segment_is_kept_as_it_is_decoded(kept):
    workspace, catalogue = kept
    rows = read_table(workspace.segments, SEGMENTS).to_pylist()
    assert {kept_path(workspace, row) for row in rows} == set(workspace.kept.glob("*/*.mkv"))
    row = rows[3]
    path = {record["id"]: record["path"] for record in catalogue.records()}[row["video_id"]]
    (expected,) = decode_segments(path, [(row["start_s"], row["end_s"])])
    assert kept_path(workspace, row).read_bytes() == encode_segment(expected)
    assert read_kept(kept_path(workspace, row)).waveform.shape == (80_000,)
    assert workspace.read_failures() == []
    assert keeping_jobs(workspace, catalogue) == []


def test_disk_use_is_what_the_files_take(kept):
    workspace, _ = kept
    use = disk_use(workspace)
    sizes = [len(path.read_bytes()) for path in workspace.kept.rglob("*.mkv")]
    assert use == DiskUse(len(sizes), sum(sizes))
    assert use.bytes_per_segment == sum(sizes) // len(sizes)
    assert disk_use(Workspace(workspace.root / "empty")).bytes_per_segment == TYPICAL_BYTES


def test_only_what_is_missing_is_kept_anew(kept):
    workspace, catalogue = kept
    row = read_table(workspace.segments, SEGMENTS).to_pylist()[2]
    path = kept_path(workspace, row)
    before = path.read_bytes()
    others = {other: other.stat().st_mtime_ns for other in workspace.kept.rglob("*.mkv") if other != path}
    path.unlink()
    half_written = path.parent / f".{path.name}.abcdefgh.partial"
    half_written.write_bytes(before[:100])
    (job,) = keeping_jobs(workspace, catalogue)
    assert (job.video_id, job.targets) == (row["video_id"], (path,))
    keep_segments(workspace, catalogue, workers=1)
    assert path.read_bytes() == before
    assert not half_written.exists()
    assert {other: other.stat().st_mtime_ns for other in others} == others


def test_a_segment_drawn_anew_is_another_file(kept):
    workspace, _ = kept
    row = read_table(workspace.segments, SEGMENTS).to_pylist()[0]
    moved = row | {"start_s": row["start_s"] + 0.5, "end_s": row["end_s"] + 0.5}
    assert kept_path(workspace, moved) != kept_path(workspace, row)


@pytest.mark.parametrize("video", ["../../outside", "/etc/passwd", "..", "", ".", "a" * 500, "ä/ö.mp4", "x\0y"])
def test_no_id_leads_out_of_the_folder(tmp_path, video):
    workspace = Workspace(tmp_path)
    path = kept_path(workspace, {"video_id": video, "section": 0, "start_s": 0.0, "end_s": 5.0})
    assert path.parent.parent == workspace.kept
    assert path.resolve().is_relative_to(workspace.kept.resolve())
    assert not path.parent.name.startswith(".")
    path.parent.mkdir(parents=True)
    other = kept_path(workspace, {"video_id": video + "x", "section": 0, "start_s": 0.0, "end_s": 5.0})
    assert other != path


def test_a_video_that_cannot_be_used_is_a_row(synthetic_table, tmp_path, monkeypatch):
    workspace, catalogue = make_workspace(tmp_path / "w", synthetic_table, 3)
    first, second = catalogue.ids[:2]
    jobs = [job for job in keeping_jobs(workspace, catalogue) if job.video_id in (first, second)]
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"\0" * 1000)
    damaged = [
        keeping.KeepingJob(**(vars(job) | ({"path": str(broken)} if job.video_id == first else {}))) for job in jobs
    ]
    monkeypatch.setattr(keeping, "keeping_jobs", lambda *_: damaged)
    workspace.write_failures([Failure(second, "keep", "DecodeError", "was so once"), Failure("c", "extract", "E", "m")])
    keep_segments(workspace, catalogue, workers=1)
    assert [(item.video_id, item.stage, item.error) for item in workspace.read_failures()] == [
        *sorted([(first, "keep", "DecodeError"), ("c", "extract", "E")])
    ]
    assert all(target.exists() == (job.video_id == second) for job in damaged for target in job.targets)


def test_extraction_keeps_them_when_asked(synthetic_table, tmp_path):
    catalogue = Catalogue(Catalogue.from_csv(synthetic_table).records()[:1])
    told = []
    options = {"video": None, "sampling": SamplingConfig(sections=1), "workers": 1, "progress": told.append}
    extract(catalogue, workspace=tmp_path / "w", keep_segments=True, **options)
    assert disk_use(Workspace(tmp_path / "w")).segments == 1
    assert [(state.done, state.failed, state.total) for state in told] == [(1, 0, 1)] * 2
