"""What of a folder is a music video, and what is not."""

import os
from pathlib import Path

import pytest

from antiphon.catalogue import Catalogue
from antiphon.catalogue.listing import list_media
from antiphon.catalogue.reading import left_out
from antiphon.errors import CatalogueError

from ..media.media_files import ffmpeg


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())


TRASH = ("$RECYCLE.BIN", "$Recycle.Bin", ".Trash", ".Trash-1000", ".Trashes", "lost+found", "#recycle", "@Recycle")
THUMBNAILS = ("@eaDir", ".thumbnails", ".AppleDouble", "__MACOSX", "System Volume Information", "FOUND.000")


@pytest.mark.parametrize("name", TRASH + THUMBNAILS)
def test_trash_and_thumbnails_are_left_out_and_said(tmp_path, name):
    put(tmp_path, "a.mp4", f"{name}/b.mp4", f"live/{name}/deep/c.mp4")
    assert Catalogue.from_folder(tmp_path).ids == ["a.mp4"]
    (said,) = left_out(tmp_path)
    assert said.startswith("2 folders of trash, thumbnails and the like: ")


@pytest.mark.parametrize("name", ["Trash", "thumbnails", "recycle bin", "lost and found", "found.mp4s"])
def test_folders_with_similar_names_are_read(tmp_path, name):
    put(tmp_path, f"{name}/b.mp4")
    assert Catalogue.from_folder(tmp_path).ids == [f"{name}/b.mp4"]


@pytest.mark.parametrize("ending", [".part", ".crdownload", ".download", ".partial", ".!qB"])
def test_unfinished_downloads_are_counted(tmp_path, ending):
    put(tmp_path, "a.mp4", f"b.mp4{ending}", f"notes.txt{ending}")
    assert Catalogue.from_folder(tmp_path).ids == ["a.mp4"]
    assert left_out(tmp_path) == [f"1 unfinished download: {tmp_path / f'b.mp4{ending}'}."]


def test_what_lies_in_a_workspace_is_left_out(tmp_path):
    kept = "segments/12ab-a.mp4/0-from-0-to-5000-ms.mkv"
    put(tmp_path, "a.mp4", "w/catalogue.parquet", "w/.lock", f"w/{kept}", "w/b.mp4")
    assert Catalogue.from_folder(tmp_path).ids == ["a.mp4"]
    assert left_out(tmp_path) == [f"1 folder of Antiphon's own: {tmp_path / 'w'}."]


def test_a_folder_that_is_the_workspace_too_keeps_its_music_videos(tmp_path):
    put(
        tmp_path,
        "catalogue.parquet",
        "segments.parquet",
        "segments/x/0.mkv",
        "page/y.mp4",
        "live/segments/b.mp4",
        "a.mp4",
    )
    assert Catalogue.from_folder(tmp_path).ids == ["a.mp4", "live/segments/b.mp4"]
    with pytest.raises(CatalogueError, match=rf"segments/x: is part of the workspace {tmp_path}\."):
        Catalogue.from_folder(tmp_path / "segments" / "x")


def test_a_table_of_that_name_makes_no_workspace(tmp_path):
    put(tmp_path, "d/catalogue.parquet", "d/a.mp4", "segments/b.mp4")
    assert Catalogue.from_folder(tmp_path).ids == ["d/a.mp4", "segments/b.mp4"]


def test_hard_links_are_one_file(tmp_path):
    put(tmp_path, "a.mp4", "b.mp4")
    os.link(tmp_path / "a.mp4", tmp_path / "c.mp4")
    with pytest.warns(UserWarning, match=r"Skipped 1 link to a file that is listed already: .*c.mp4 is .*a"):
        assert Catalogue.from_folder(tmp_path).ids == ["a.mp4", "b.mp4"]


def test_folders_that_cannot_be_listed_are_said(tmp_path, monkeypatch):
    put(tmp_path, "a.mp4", "closed/b.mp4")
    scan = os.scandir

    def refusing(path: Path):
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refusing)
    found = list_media(tmp_path)
    assert found.files == [tmp_path / "a.mp4"]
    assert found.sentences() == [f"1 folder that cannot be listed: {tmp_path / 'closed'}."]


def test_a_pipe_with_the_name_of_a_media_file_is_left_out_and_named(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"x")
    os.mkfifo(tmp_path / "pipe.mp4")
    os.mkfifo(tmp_path / "pipe")
    assert left_out(tmp_path) == [f"1 pipe, socket or device: {tmp_path / 'pipe.mp4'}."]
    assert len(Catalogue.from_folder(tmp_path)) == 1


@pytest.mark.parametrize("ending", [".mts", ".vob", ".asf", ".caf", ".w64", ".mp2", ".m4b", ".ac3", ".aifc"])
def test_files_of_cameras_discs_and_audiobooks_are_found_and_read(tmp_path, ending):
    ffmpeg("-f", "lavfi", "-i", "sine=duration=4", tmp_path / f"a{ending}")
    catalogue, reasons = Catalogue.from_folder(tmp_path).probe()
    assert reasons == {}
    (row,) = catalogue.records()
    assert row["has_audio"]
    assert row["duration_s"] == pytest.approx(4, abs=0.1)
