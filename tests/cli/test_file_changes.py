"""`antiphon catalogue` and files that were renamed, moved, copied, replaced or tagged anew."""

import json
import shutil
from pathlib import Path

import av
import numpy as np
import pytest

from antiphon.catalogue import Catalogue, tagging
from antiphon.cli.app import run
from antiphon.features.store import FeatureStore
from antiphon.search import Index
from antiphon.workspace import Workspace


@pytest.fixture
def place(tmp_path) -> Workspace:
    for name in ("d1/clip", "d1/song", "d2/clip", "d2/more"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.mp4").write_text(name)
    return Workspace(tmp_path / "w")


def call(capsys, place: Workspace, *arguments: object, code: int = 0) -> tuple[dict, str]:
    assert run(["-w", str(place.root), *map(str, arguments), "--json"]) == code
    captured = capsys.readouterr()
    return json.loads(captured.out), captured.err


def shown(capsys, place: Workspace, *arguments: object, code: int = 0) -> str:
    assert run(["-w", str(place.root), *map(str, arguments)]) == code
    return capsys.readouterr().out


def paths(place: Workspace) -> dict[str, str]:
    return {row["id"]: row["path"] for row in Catalogue.load(place.catalogue).records()}


def test_two_days_with_the_same_names(place, tmp_path, capsys):
    call(capsys, place, "catalogue", "add", tmp_path / "d1")
    found, _ = call(capsys, place, "catalogue", "add", tmp_path / "d2")
    assert (found["prefixed"], found["videos"]) == (["d2/clip.mp4"], 4)
    found, _ = call(capsys, place, "catalogue", "add", tmp_path / "d2")
    assert (found["prefixed"], found["videos"]) == ([], 4)
    assert paths(place)["d2/clip.mp4"] == str(tmp_path / "d2" / "clip.mp4")


def test_renamed_copied_and_lost_files_are_said(place, tmp_path, capsys):
    call(capsys, place, "catalogue", "add", tmp_path / "d1")
    (tmp_path / "d1" / "clip.mp4").rename(tmp_path / "d1" / "renamed.mp4")
    shutil.copy(tmp_path / "d1" / "song.mp4", tmp_path / "d1" / "again.mp4")
    out = " ".join(shown(capsys, place, "catalogue", "add", tmp_path / "d1").split())
    assert "1 file has another path now; its id stays" in out
    assert "1 file is an exact copy, and shares a split: again.mp4 of song.mp4" in out
    splits = {row["id"]: row["split"] for row in Catalogue.load(place.catalogue).records()}
    assert splits["again.mp4"] == splits["song.mp4"]
    (tmp_path / "d1" / "song.mp4").unlink()
    assert call(capsys, place, "catalogue", "add", tmp_path / "d1")[0]["gone"] == ["song.mp4"]


def test_copies_that_tables_put_apart_are_warned_of(place, tmp_path, capsys):
    shutil.copy(tmp_path / "d1" / "clip.mp4", tmp_path / "d2" / "copy.mp4")
    (tmp_path / "t.csv").write_text("id,path,split\na,d1/clip.mp4,train\nb,d2/copy.mp4,test\n")
    found, err = call(capsys, place, "catalogue", "add", tmp_path / "t.csv")
    assert found["copies"] == {"b": "a"}
    assert "1 copy is in another split than the original, such as 'b'" in err


def test_a_library_is_moved(place, tmp_path, capsys):
    call(capsys, place, "catalogue", "add", tmp_path / "d1")
    (tmp_path / "d1").rename(tmp_path / "new")
    (tmp_path / "new" / "song.mp4").unlink()
    out = shown(capsys, place, "catalogue", "move", tmp_path / "d1", tmp_path / "new")
    assert "1 file moved." in out
    assert "1 are not there, and keep their former path" in out
    assert paths(place)["clip.mp4"] == str(tmp_path / "new" / "clip.mp4")
    found, _ = call(capsys, place, "catalogue", "move", tmp_path / "new", tmp_path / "gone", code=1)
    assert set(found["missing"]) == {"clip.mp4"}
    assert "were not compared" in shown(capsys, place, "catalogue", "move", tmp_path / "new", "s3://far/songs")


def test_many_missing_files_are_shortened(place, tmp_path, capsys):
    for number in range(12):
        (tmp_path / "d1" / f"{number}.mp4").write_text(str(number))
    call(capsys, place, "catalogue", "add", tmp_path / "d1")
    out = shown(capsys, place, "catalogue", "move", tmp_path / "d1", tmp_path / "gone", code=1)
    assert "14 are not there" in out
    assert "… and 4 more" in out


def test_values_of_files_tags_are_refreshed_and_those_of_tables_stay(
    place, synthetic_table, tmp_path, capsys, monkeypatch
):
    (tmp_path / "real").mkdir()
    shutil.copy(next(synthetic_table.parent.glob("*.mp4")), tmp_path / "real" / "a.mp4")
    tags = {"artist": "First", "title": "Tag"}
    monkeypatch.setattr(tagging, "inspect_files", lambda _, rows, *__: ((row, dict(tags)) for row in rows))
    (tmp_path / "t.csv").write_text("id,title\na.mp4,Corrected\n")
    call(capsys, place, "catalogue", "add", tmp_path / "real", "--metadata", tmp_path / "t.csv")
    tags["artist"] = "Second"
    found, _ = call(capsys, place, "catalogue", "refresh")
    assert found["tags_changed"] == ["a.mp4"]
    (row,) = Catalogue.load(place.catalogue).records()
    assert (row["artist"], row["title"]) == ("Second", "Corrected")
    (tmp_path / "t.csv").write_text("id,artist,title\na.mp4,Mine,\n")
    call(capsys, place, "catalogue", "add", tmp_path / "t.csv")
    assert "0 have new values" in shown(capsys, place, "catalogue", "refresh")
    (row,) = Catalogue.load(place.catalogue).records()
    assert (row["artist"], row["title"]) == ("Mine", "Corrected")


def test_refreshing_finds_replaced_files_also_of_the_same_size_and_time(place, tmp_path, capsys):
    import os

    call(capsys, place, "catalogue", "add", tmp_path / "d1")
    clip: Path = tmp_path / "d1" / "clip.mp4"
    about = clip.stat()
    clip.write_text("D1/clip")
    os.utime(clip, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert call(capsys, place, "catalogue", "refresh")[0]["replaced"] == ["clip.mp4"]


def test_refreshing_reads_files_within_the_limits_that_it_is_given(place, tmp_path, capsys, monkeypatch):
    call(capsys, place, "catalogue", "add", tmp_path / "d1")
    given = []
    monkeypatch.setattr(tagging, "inspect_files", lambda _, __, ___, limits: given.append(limits) or iter(()))
    call(capsys, place, "catalogue", "refresh", "--max-decoding-s", "7")
    assert {limits.step_s for limits in given} == {7}


def test_a_catalogue_written_as_a_table_can_be_corrected_and_added(place, tmp_path, capsys):
    import polars as pl

    call(capsys, place, "catalogue", "add", tmp_path / "d1")
    frame = pl.read_parquet(place.catalogue).with_columns(genre=pl.lit("folk"))
    frame.write_parquet(tmp_path / "t.parquet")
    frame.drop("tags", "value_sources").write_csv(tmp_path / "t.csv")
    before = Catalogue.load(place.catalogue).records()
    for name in ("t.parquet", "t.csv"):
        call(capsys, place, "catalogue", "add", tmp_path / name)
        assert Catalogue.load(place.catalogue).records() == [row | {"genre": "folk"} for row in before]


def test_videos_are_extracted_again_and_leave_the_index(extracted, tmp_path, capsys):
    shutil.copytree(extracted, tmp_path / "w")
    place = Workspace(tmp_path / "w")
    first, second = Catalogue.load(place.catalogue).ids[:2]
    Index.from_vectors([first, second], [[1.0, 0.0], [0.0, 1.0]], place.index)
    arguments = ("extract", "--sections", "2", "--video", "none", "--again", first)
    _, err = call(capsys, place, *arguments)
    assert "1 music video left the index; to add what is there again" in err
    assert Index.open(place.index).ids == [second]
    assert first in FeatureStore.existing(place.features / "musicnn-mtt").done()
    assert run(["-w", str(place.root), *arguments[:-1], "unheard"]) == 1
    assert "'unheard': no such video in the catalogue" in capsys.readouterr().err
    (place.index / "index.toml").write_text("no record")
    _, err = call(capsys, place, *arguments)
    assert "The index still has 1 video as before" in err


def test_several_files_are_said_in_the_plural(place, tmp_path, capsys):
    call(capsys, place, "catalogue", "add", tmp_path / "d1")
    for name in ("clip", "song"):
        (tmp_path / "d1" / f"{name}.mp4").unlink()
    out = " ".join(shown(capsys, place, "catalogue", "refresh").split())
    assert "2 files are gone; what was computed of them stays" in out


def tagged(path: Path, **tags: str) -> None:
    """Write a short song with tags of its own."""
    with av.open(str(path), "w") as container:
        container.metadata.update(tags)
        stream = container.add_stream("flac", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 2000), dtype=np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux([*stream.encode(frame), *stream.encode(None)])


def test_a_file_that_was_tagged_anew_is_named_though_its_bytes_are_others(place, tmp_path, capsys):
    (tmp_path / "real").mkdir()
    tagged(tmp_path / "real" / "a.flac", artist="First", title="Tag")
    tagged(tmp_path / "real" / "b.flac", artist="Bea")
    call(capsys, place, "catalogue", "add", tmp_path / "real")
    tagged(tmp_path / "real" / "a.flac", artist="Second")
    found, _ = call(capsys, place, "catalogue", "refresh")
    assert (found["tags_changed"], found["replaced"]) == (["a.flac"], ["a.flac"])
    row = Catalogue.load(place.catalogue).records()[0]
    assert (row["artist"], row["title"]) == ("Second", None)
    assert call(capsys, place, "catalogue", "refresh")[0]["tags_changed"] == []


def test_a_folder_below_home_is_found(place, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert call(capsys, place, "catalogue", "add", "~/d1")[0]["videos"] == 2
