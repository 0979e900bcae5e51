"""The folder: files that decode, a table that describes them, and what a second call does."""

import csv
import multiprocessing
import tomllib
from pathlib import Path

import av
import pytest

from antiphon.errors import CatalogueError
from antiphon.synthetic import SyntheticConfig, render_catalogue
from antiphon.synthetic import generation as catalogue
from antiphon.synthetic.generation import COLUMNS
from antiphon.synthetic.rendering import draw_video

TINY = SyntheticConfig(videos=3, duration_s=4, duration_spread_s=0.5, width_px=96, height_px=64, songs_per_artist=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("synthetic")
    render_catalogue(place, TINY, processes=1)
    return place


def rows(table: Path) -> list[dict[str, str]]:
    with table.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_videos_hold_h264_and_stereo_aac_of_the_right_length(folder: Path) -> None:
    for index in range(3):
        video = draw_video(TINY, index)
        with av.open(str(folder / f"{video.id}.mp4")) as container:
            pictures, sound = container.streams.video[0], container.streams.audio[0]
            assert pictures.codec_context.name == "h264"
            assert sound.codec_context.name == "aac"
            assert (sound.rate, sound.channels) == (44_100, 2)
            assert (pictures.width, pictures.height) == (96, 64)
            assert pictures.average_rate == TINY.frame_rate
            assert "ynthetic" in container.metadata["comment"]
            count = sum(1 for _ in container.decode(pictures))
            container.seek(0)
            heard = sum(frame.samples for frame in container.decode(sound))
        assert count == round(video.duration_s * 12.5)
        assert heard / 44_100 == pytest.approx(video.duration_s, abs=0.06)


def test_the_table_describes_every_video(folder: Path) -> None:
    table = rows(folder / "catalogue.csv")
    assert tuple(table[0]) == COLUMNS
    assert [row["id"] for row in table] == ["synthetic-0001", "synthetic-0002", "synthetic-0003"]
    for index, row in enumerate(table):
        style = draw_video(TINY, index).style
        assert (folder / row["path"]).is_file()
        assert (row["artist"], row["title"], row["genre"]) == (style.artist, style.title, style.genre.name)
        assert len(row["tags"].split(";")) >= 3
        assert int(row["year"]) == style.year
    assert table[0]["artist"] == table[1]["artist"] != table[2]["artist"]


def test_the_folder_says_that_it_is_synthetic(folder: Path) -> None:
    record = tomllib.loads((folder / "synthetic.toml").read_text())
    assert record["synthetic"]["coupling"] == TINY.coupling
    assert record["version"] == catalogue.VERSION
    assert "synthetic" in (folder / "README.txt").read_text()
    assert not list(folder.glob(".*"))


def test_a_second_call_makes_only_what_is_missing(folder: Path, tmp_path: Path) -> None:
    place = tmp_path / "copy"
    place.mkdir()
    for path in folder.iterdir():
        (place / path.name).write_bytes(path.read_bytes())
    (place / "synthetic-0002.mp4").unlink()
    (place / "catalogue.csv").unlink()
    (place / ".synthetic-0002.mp4.x.partial").write_bytes(b"half")
    kept = (place / "synthetic-0001.mp4").stat().st_mtime_ns
    calls: list[tuple[int, int]] = []
    render_catalogue(place, TINY, processes=1, progress=lambda done, of: calls.append((done, of)))
    assert calls == [(2, 3), (3, 3)]
    assert (place / "synthetic-0001.mp4").stat().st_mtime_ns == kept
    assert (place / "synthetic-0002.mp4").read_bytes() == (folder / "synthetic-0002.mp4").read_bytes()
    assert (place / "catalogue.csv").read_text() == (folder / "catalogue.csv").read_text()
    assert not list(place.glob(".*"))


def test_worker_processes_make_the_same_files(folder: Path, tmp_path: Path) -> None:
    render_catalogue(tmp_path, TINY, processes=2)
    for path in folder.glob("*.mp4"):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_another_configuration_renders_anew(tmp_path: Path) -> None:
    one = TINY.model_copy(update={"videos": 2})
    render_catalogue(tmp_path, one, processes=1)
    names = ("mine.mp4", "synthetic-love.mp4", "synthetic-00001.mp4", "synthetic-0000.mp4", ".mine.partial", "my.csv")
    mine = [tmp_path / name for name in names]
    for path in mine:
        path.write_bytes(b"not ours")
    before = (tmp_path / "synthetic-0001.mp4").read_bytes()
    calls: list[tuple[int, int]] = []
    other = one.model_copy(update={"seed": 5, "videos": 1})
    render_catalogue(tmp_path, other, processes=1, progress=lambda done, of: calls.append((done, of)))
    assert calls[0] == (0, 1)
    assert (tmp_path / "synthetic-0001.mp4").read_bytes() != before
    assert not (tmp_path / "synthetic-0002.mp4").exists()
    assert all(path.read_bytes() == b"not ours" for path in mine)


@pytest.mark.parametrize("name", ["synthetic-0001.mp4", "catalogue.csv", "README.txt", "song.mp3"])
def test_a_folder_of_other_things_is_refused_and_left_as_it_is(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"not ours")
    with pytest.raises(CatalogueError, match=rf"contains {name} but no synthetic\.toml.*Name a new or empty folder"):
        render_catalogue(tmp_path, TINY)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {name: b"not ours"}


def test_a_record_of_something_else_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    for name in ("synthetic.toml", "synthetic-0001.mp4"):
        (tmp_path / name).write_text("polymer = 'nylon'")
    with pytest.raises(CatalogueError, match="is not the record of a synthetic catalogue"):
        render_catalogue(tmp_path, TINY)
    assert {path.read_text() for path in tmp_path.iterdir()} == {"polymer = 'nylon'"}


def test_an_interrupted_render_leaves_whole_files_and_goes_on(tmp_path: Path) -> None:
    def interrupt(done: int, of: int) -> None:
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render_catalogue(tmp_path, TINY, processes=1, progress=interrupt)
    assert [path.name for path in tmp_path.glob("*.mp4")] == ["synthetic-0001.mp4"]
    assert not (tmp_path / "catalogue.csv").exists()
    calls: list[tuple[int, int]] = []
    render_catalogue(tmp_path, TINY, processes=1, progress=lambda done, of: calls.append((done, of)))
    assert calls[0] == (1, 3)
    assert len(rows(tmp_path / "catalogue.csv")) == 3


def test_an_interrupt_stops_the_workers_early(tmp_path: Path) -> None:
    def interrupt(done: int, of: int) -> None:
        if done == 1:
            raise KeyboardInterrupt

    many, before = TINY.model_copy(update={"videos": 16}), set(multiprocessing.active_children())
    with pytest.raises(KeyboardInterrupt):
        render_catalogue(tmp_path, many, processes=2, progress=interrupt)
    assert not set(multiprocessing.active_children()) - before
    assert 1 <= len(list(tmp_path.glob("*.mp4"))) < 12
    assert not list(tmp_path.glob(".*"))


def test_what_cannot_be_done_is_said(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(CatalogueError, match="is a file"):
        render_catalogue(file, TINY)
    with pytest.raises(CatalogueError, match="processes must be at least 1, not 0"):
        render_catalogue(tmp_path / "new", TINY, processes=0)
    (tmp_path / "synthetic.toml").write_text("not = = toml")
    with pytest.raises(CatalogueError, match=r"synthetic\.toml: is not readable.* Name a new or empty folder"):
        render_catalogue(tmp_path, TINY)
