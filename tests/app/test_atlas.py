"""The map's layout: kept, one alone, and when it cannot be made the reason is told."""

import time
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from antiphon.app import atlas
from antiphon.app.application import create_app
from antiphon.app.atlas import Atlas
from antiphon.app.library import Library
from antiphon.search import Index
from antiphon.workspace import Workspace

from .conftest import HOST, IDS, RUN

OLD = "map-0123456789abcdef.npy"


def fails(vectors: object) -> None:
    """Stands for the projection."""
    raise ValueError("no such plane")


def drawn(index: Index, workspace: Workspace, folder: Path) -> tuple[Atlas, Path]:
    """An atlas with its layout in a folder, and the file of the layout when it is alone there."""
    made = Atlas(index, Library.of(workspace), folder)
    made.start()
    until = time.monotonic() + 10
    while time.monotonic() < until:
        files = list(folder.glob("map-*.npy"))
        if made.points() is not None and len(files) == 1 and files[0].name != OLD:
            return made, files[0]
        time.sleep(0.02)
    raise AssertionError(list(folder.iterdir()))


def test_a_map_that_cannot_be_drawn_says_why(
    workspace: Workspace, index: Index, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for kept in workspace.page.glob("map-*.npy"):
        kept.unlink()
    monkeypatch.setattr(atlas, "project", fails)
    with TestClient(create_app(workspace, index, RUN), base_url=HOST) as client:
        until = time.monotonic() + 10
        while (found := client.get("/map.json")).status_code == 202 and time.monotonic() < until:
            time.sleep(0.02)
    assert found.status_code == 500
    assert found.json() == {"detail": "Computing the map failed: no such plane."}
    assert "no such plane" in capsys.readouterr().err


def test_spellings_of_a_genre_have_one_colour(workspace: Workspace, index: Index, tmp_path: Path) -> None:
    videos = [
        replace(one, genre=genre)
        for one, genre in zip(Library.of(workspace).videos.values(), cycle(("Jazz", "jazz", "jazz")), strict=False)
    ]
    made = Atlas(index, Library(videos), tmp_path)
    made._positions = np.zeros((len(IDS), 2), dtype=np.float32)
    found = made.points()
    assert found is not None and found["genres"] == ["jazz"]
    assert {point[2] for point in found["points"]} == {0}


def test_layouts_of_other_embeddings_are_removed(workspace: Workspace, index: Index, tmp_path: Path) -> None:
    for _ in ("computed", "read again"):
        (tmp_path / OLD).write_bytes(b"old")
        _, kept = drawn(index, workspace, tmp_path)
        assert np.load(kept).shape == (len(IDS), 2)


def test_a_damaged_layout_is_computed_again(workspace: Workspace, index: Index, tmp_path: Path) -> None:
    _, kept = drawn(index, workspace, tmp_path)
    kept.write_bytes(b"damaged")
    again, _ = drawn(index, workspace, tmp_path)
    assert len((again.points() or {})["points"]) == len(IDS)
