"""Files at addresses, given to verbs or catalogued: used like others, never shown with what gives access to them."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from antiphon.catalogue import Catalogue
from antiphon.cli import train
from antiphon.cli.app import run
from antiphon.places import place
from antiphon.workspace import Workspace

from ..media.range_server import Served, range_server

pytestmark = pytest.mark.usefixtures("quick_default")

USER, SIGNED = "s3cret", "1f2e3d4c"


@pytest.fixture(scope="module")
def served(synthetic_table: Path) -> Iterator[Served]:
    with range_server(synthetic_table.parent) as server:
        yield server


@pytest.fixture(scope="module")
def trained(extracted: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with a run and an index."""
    own = Workspace(tmp_path_factory.mktemp("addresses") / "w")
    shutil.copytree(extracted, own.folder)
    for arguments in (["train", "--no-learning-curve", "--name", "base"], ["index", "build"]):
        assert run(["-w", str(own.root), *arguments]) == 0
    return own


def open_to(served: Served, name: str) -> str:
    """Address of a file with everything that gives access to it."""
    return f"{served.url.replace('://', f'://me:{USER}@')}/{name}?X-Amz-Signature={SIGNED}"


def call(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> str:
    """Standard output of a call that shows nothing that gives access, there or on standard error."""
    found = run([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    assert found == code, captured.err
    for secret in (USER, SIGNED):
        assert secret not in captured.out, arguments
        assert secret not in captured.err, arguments
    return captured.out


def test_a_file_at_an_address_is_embedded_tagged_and_searched_with(
    trained: Workspace, served: Served, synthetic_table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = min(synthetic_table.parent.glob("*.mp4"))
    address, shown = open_to(served, video.name), f"http://…@{served.url.partition('://')[2]}/{video.name}?…"
    tables = {name: tmp_path / f"{name}.parquet" for name in ("here", "there")}
    call(capsys, "-w", trained.root, "embed", video, "--out", tables["here"])
    call(capsys, "-w", trained.root, "embed", address, "--out", tables["there"])
    here, there = (pl.read_parquet(table) for table in tables.values())
    assert set(there["file"]) == {shown}
    np.testing.assert_array_equal(here["vector"].to_numpy(), there["vector"].to_numpy())
    tags = json.loads(call(capsys, "--json", "tag", address))
    assert tags == json.loads(call(capsys, "--json", "tag", video)) | {"file": shown}
    found = call(capsys, "-w", trained.root, "search", address)
    assert video.name in found.splitlines()[0]
    assert found == call(capsys, "-w", trained.root, "search", video)


def test_addresses_that_fail_are_listed_like_files(
    trained: Workspace, served: Served, synthetic_table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone, video = open_to(served, "gone.mp4"), min(synthetic_table.parent.glob("*.mp4"))
    for arguments in (["embed", gone, video, "--out", tmp_path / "e.parquet"], ["tag", gone, video]):
        found = json.loads(call(capsys, "-w", trained.root, "--json", *arguments, code=1))
        ((name, reason),) = found["failures"].items()
        assert name.endswith("/gone.mp4?…")
        assert reason == f"{name}: cannot be opened: no such file."
    call(capsys, "-w", trained.root, "search", gone, code=1)


def test_no_verb_shows_what_gives_access_to_catalogued_files(
    trained: Workspace, served: Served, synthetic_table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither for people nor as data, and nothing that is written but the catalogue has it."""
    own = Workspace(tmp_path / "w")
    shutil.copytree(trained.folder, own.folder)
    rows = Catalogue.load(own.catalogue).records()
    for row in rows:
        row["path"] = open_to(served, Path(row["path"]).name)
    rows[0]["path"] = rows[0]["path"].replace(".mp4", "-gone.mp4")
    Catalogue(rows).save(own.catalogue)
    (tmp_path / "more.csv").write_text(f"path\n{open_to(served, 'more.mp4')}\n")
    shutil.copy(min(synthetic_table.parent.glob("*.mp4")), tmp_path / "more.mp4")
    you, me = (served.url.replace("://", f"://{name}:{USER}@") for name in ("you", "me"))
    for arguments in (
        ["catalogue", "move", me, you],
        ["catalogue", "move", you, me, "--json"],
        ["catalogue", "refresh"],
        ["catalogue", "add", tmp_path / "more.csv"],
        ["extract", "--sections", "2", "--again", rows[0]["id"], rows[1]["id"], "--json"],
        ["evaluate"],
        ["report"],
        ["gallery"],
    ):
        call(capsys, "-w", own.root, *arguments)
    call(capsys, "-w", own.root, "catalogue", "move", f"{you}/x", tmp_path, code=1)
    assert len(served.asked) > len(rows)
    for path in own.folder.rglob("*"):
        if path.is_file() and path != own.catalogue:
            assert not any(secret.encode() in path.read_bytes() for secret in (USER, SIGNED)), path


def test_training_at_an_address_is_refused_before_features_are_read(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: object, **__: object) -> None:
        raise AssertionError("features are read")

    monkeypatch.setattr(train, "workspace_features", read)
    address = "memory://training-is-refused/work"
    Catalogue([{"id": "a", "split": "train"}]).save(Workspace(place(address)).catalogue)
    assert run(["-w", address, "train"]) == 1
    assert f"antiphon --workspace FOLDER pull {address}" in " ".join(capsys.readouterr().err.split())
