"""Links that lead out of a folder are left out where they are not followed, and so are files that become such links."""

import json
from pathlib import Path

import pytest

from antiphon.catalogue import Catalogue
from antiphon.catalogue.outward_links import led_out
from antiphon.catalogue.reading import left_out, read_folder
from antiphon.cli.app import run
from antiphon.errors import CatalogueError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two files, and links within it, out of it and to nowhere; reached by a link itself."""
    (tmp_path / "secret").mkdir()
    for name in ("private.mp4", "one.mp4"):
        (tmp_path / "secret" / name).write_bytes(b"private " + name.encode())
    real = tmp_path / "real"
    (real / "sub").mkdir(parents=True)
    (real / "one.mp4").write_bytes(b"one")
    (real / "sub" / "one.mp4").write_bytes(b"another")
    (real / "sub" / "out.mp4").symlink_to("../../secret/private.mp4")
    (real / "away.mp4").symlink_to(tmp_path / "secret" / "not-yet.mp4")
    (real / "lost.mp4").symlink_to(real / "nothing.mp4")
    (real / "round.mp4").symlink_to("round.mp4")
    (tmp_path / "videos").symlink_to(real)
    return tmp_path / "videos"


def test_what_leads_out_is_left_out_and_said_without_its_target(folder: Path) -> None:
    ids = ["away.mp4", "lost.mp4", "one.mp4", "round.mp4", "sub/one.mp4", "sub/out.mp4"]
    assert [row["id"] for row in read_folder(folder, None)] == ids
    assert [row["id"] for row in read_folder(folder, None, follow=False)] == ids[1:-1]
    (said,) = left_out(folder, follow=False)
    assert said.startswith("2 links that lead out of the folder: ") and "secret" not in said and "private" not in said
    assert left_out(folder) == []


def test_a_folder_of_such_links_alone_says_so(folder: Path) -> None:
    for name in ("one.mp4", "sub/one.mp4", "lost.mp4", "round.mp4"):
        (folder / name).unlink()
    with pytest.raises(CatalogueError, match="in it or below but links that lead out of it"):
        read_folder(folder, None, follow=False)


def test_files_that_become_such_links_leave_the_catalogue(folder: Path, tmp_path: Path, capsys) -> None:
    place = tmp_path / "work"

    def add(*more: str) -> dict[str, str]:
        assert run(["-w", str(place), "--json", "catalogue", "add", str(folder), *more]) == 0
        capsys.readouterr()
        return {row["id"]: row["path"] for row in Catalogue.load(place / "catalogue.parquet").records()}

    (folder / "away.mp4").unlink()
    assert set(add("--no-follow")) == {"lost.mp4", "one.mp4", "round.mp4", "sub/one.mp4"}
    by_hand = add()
    assert by_hand["sub/out.mp4"] == str(tmp_path / "secret" / "private.mp4")
    assert add("--no-follow") == by_hand  # What was added by hand stays.
    (folder / "one.mp4").unlink()
    (folder / "one.mp4").symlink_to(tmp_path / "secret" / "one.mp4")
    assert run(["-w", str(place), "--json", "catalogue", "add", str(folder), "--no-follow"]) == 0
    printed = capsys.readouterr()
    assert "1 file has become a link out of the folder, and left the catalogue: one.mp4." in printed.err
    assert "1 link" not in json.dumps(json.loads(printed.out)["left_out"])  # two, with sub/out.mp4
    assert set(add("--no-follow")) == set(by_hand) - {"one.mp4"}


def test_files_in_a_place_that_becomes_a_link_are_found(folder: Path, tmp_path: Path) -> None:
    rows = read_folder(folder, None, follow=False)
    assert led_out(rows, folder) == []
    (folder / "sub" / "one.mp4").unlink()
    (folder / "sub" / "out.mp4").unlink()
    (folder / "sub").rmdir()
    (folder / "sub").symlink_to(tmp_path / "secret")
    rows += [{"id": "elsewhere", "path": str(tmp_path / "secret" / "one.mp4")}, {"id": "bare", "path": None}]
    rows += [{"id": "stored", "path": "s3://bucket/one.mp4"}]
    assert led_out(rows, folder) == ["sub/one.mp4"]
