"""`antiphon index map`: places what is new, and lays all out anew when asked."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from antiphon.app.layout import Layout
from antiphon.catalogue import Catalogue
from antiphon.cli.app import run
from antiphon.search import Index
from antiphon.workspace import Workspace


def called(capsys: pytest.CaptureFixture[str], place: Workspace, *more: str) -> dict[str, Any]:
    """The answer of the verb."""
    assert run(["--workspace", str(place.root), "--json", "index", "map", *more]) == 0
    return json.loads(capsys.readouterr().out)


def test_positions_stay_until_a_new_layout_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = Workspace(tmp_path)
    vectors = np.random.default_rng(0).normal(size=(30, 6)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = [f"v{number:02d}" for number in range(30)]
    Catalogue([{"id": id, "path": None, "genre": "<jazz>"} for id in ids]).save(place.catalogue)
    Index.from_vectors(ids[:24], vectors[:24], path=place.index)
    first = called(capsys, place)
    assert (first["videos"], first["placed_later"]) == (24, 0)
    assert sum(one["videos"] for one in first["clusters"]) == 24
    before = Layout.read(place.page / "map.parquet")
    Index.from_vectors(ids, vectors, path=place.index)
    second = called(capsys, place)
    assert (second["videos"], second["placed_later"], second["made"]) == (30, 6, first["made"])
    after = Layout.read(place.page / "map.parquet")
    assert before is not None and after is not None
    np.testing.assert_array_equal(after.places[:24], before.places)
    assert called(capsys, place, "--anew")["placed_later"] == 0
    anew = Layout.read(place.page / "map.parquet")
    assert anew is not None and (anew.places[:24] != before.places).any()
    assert run(["--workspace", str(place.root), "index", "map"]) == 0
    assert "30 music videos on the map; laid out" in capsys.readouterr().out
