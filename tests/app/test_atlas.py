"""The map: who is on it stays where it is, who comes goes among its neighbours, and why it cannot be drawn is told."""

import threading
import time
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from antiphon.app import layout
from antiphon.app.application import create_app
from antiphon.app.atlas import Atlas, Drawn
from antiphon.app.layout import Layout, laid_out
from antiphon.app.library import Library
from antiphon.embeddings import MODALITIES, ModalityEmbeddings
from antiphon.locks import held
from antiphon.search import Index
from antiphon.workspace import Workspace

from .conftest import HOST, IDS, RUN
from .test_projection import clusters

pytestmark = pytest.mark.filterwarnings("error")


def fails(vectors: object) -> None:
    """Stands for the projection."""
    raise ValueError("no such plane")


def test_a_map_that_cannot_be_drawn_says_why(
    workspace: Workspace, index: Index, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace.page / "map.parquet").unlink(missing_ok=True)
    monkeypatch.setattr(layout, "project", fails)
    with TestClient(create_app(workspace, index, RUN), base_url=HOST) as client:
        until = time.monotonic() + 10
        while (found := client.get("/map.json")).status_code == 202 and time.monotonic() < until:
            time.sleep(0.02)
    assert found.status_code == 500
    assert found.json() == {"detail": "Computing the map failed: no such plane."}
    assert "no such plane" in capsys.readouterr().err


def grown() -> tuple[list[str], np.ndarray, np.ndarray]:
    """Ids, vectors in four groups, and which of them come later: every sixth."""
    vectors, _ = clusters(120)
    return [f"v{number:03d}" for number in range(120)], vectors.astype(np.float32), np.arange(120) % 6 == 0


def test_who_is_there_stays_and_who_comes_goes_among_its_neighbours() -> None:
    ids, vectors, later = grown()
    before = laid_out([id for id, new in zip(ids, later, strict=True) if not new], vectors[~later])
    after = laid_out(ids, vectors, before)
    np.testing.assert_array_equal(after.places[~later], before.places)
    np.testing.assert_array_equal(after.clusters[~later], before.clusters)
    np.testing.assert_array_equal(after.came_later, later)
    assert after.made == before.made
    for row in np.flatnonzero(later):
        near = np.argsort(-(vectors[~later] @ vectors[row]), kind="stable")[:3]
        weights = np.exp(10 * (vectors[~later] @ vectors[row])[near])
        naive = (weights[:, None] * before.places[near]).sum(axis=0) / weights.sum()
        assert after.places[row] == pytest.approx(naive, abs=1e-5)
        assert after.clusters[row] == before.clusters[near[0]]
    fewer = laid_out(ids[10:], vectors[10:], after)
    np.testing.assert_array_equal(fewer.places, after.places[10:])
    np.testing.assert_array_equal(fewer.came_later, later[10:])


def test_a_replaced_file_is_placed_again_and_another_model_s_map_is_laid_out_anew() -> None:
    ids, vectors, _ = grown()
    before = laid_out(ids, vectors)
    other = vectors.copy()
    other[7] = vectors[8]
    moved = laid_out(ids, other, before)
    assert np.flatnonzero((moved.places != before.places).any(axis=1)).tolist() == [7]
    assert np.flatnonzero(moved.came_later).tolist() == [7]
    turned = laid_out(ids, np.roll(vectors, 1, axis=0), before)
    assert not turned.came_later.any()
    assert (turned.places != before.places).any()
    # The same model on another processor rounds otherwise.
    rounded = laid_out(ids, vectors + np.float32(1e-6), before)
    np.testing.assert_array_equal(rounded.places, before.places)


def test_what_is_kept_is_read_as_it_was_and_nothing_else_is(tmp_path: Path) -> None:
    ids, vectors, _ = grown()
    made, path = laid_out(ids, vectors), tmp_path / "map.parquet"
    assert Layout.read(path) is None
    made.write(path)
    found = Layout.read(path)
    assert found is not None and found.is_of(ids, vectors)
    assert not found.is_of(ids[1:], vectors[1:])
    assert not found.is_of(ids, np.roll(vectors, 1, axis=0))
    for name in ("places", "clusters", "sketches", "came_later"):
        np.testing.assert_array_equal(getattr(found, name), getattr(made, name))
    for wrong in (
        {"places": made.places + 2},
        {"places": np.full_like(made.places, np.nan)},
        {"ids": ["v000"] * 120},
        {"clusters": made.clusters - 100},
        {"made": "yesterday"},
    ):
        replace(made, **wrong).write(path)
        assert Layout.read(path) is None, wrong
    path.write_bytes(b"damaged")
    assert Layout.read(path) is None


def drawn(index: Index, library: Library, folder: Path, *, anew: bool = False) -> Atlas:
    """An atlas with its map."""
    made = Atlas(index, library, folder)
    made.start(anew=anew)
    until = time.monotonic() + 20
    while made.drawn is None or made.is_being_made:
        assert time.monotonic() < until
        time.sleep(0.01)
    return made


def test_another_process_s_layout_is_shown_and_asking_anew_makes_one(
    workspace: Workspace, index: Index, tmp_path: Path
) -> None:
    library = Library.of(workspace)
    (tmp_path / "map-0123456789abcdef.npy").write_bytes(b"of an earlier version")
    one, other = (drawn(index, library, tmp_path) for _ in range(2))
    assert one.drawn is not None and other.drawn is not None
    assert one.drawn.version == other.drawn.version
    assert [path.name for path in tmp_path.glob("map*") if path.suffix != ".lock"] == ["map.parquet"]
    kept = Layout.read(tmp_path / "map.parquet")
    assert kept is not None
    replace(kept, places=-kept.places).write(tmp_path / "map.parquet")
    until = time.monotonic() + 20
    while other.drawn.version == one.drawn.version or other.is_being_made:
        other._checked_s = 0.0
        assert time.monotonic() < until
    assert Layout.read(tmp_path / "map.parquet").places.tolist() == (-kept.places).tolist()  # pyright: ignore
    assert other.compute(anew=True).version == one.compute().version != other.drawn.version


def test_a_layout_anew_is_made_after_one_that_is_under_way(
    workspace: Workspace, index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, asked, goes_on = drawn(index, Library.of(workspace), tmp_path), list[bool](), threading.Event()
    shown = made.drawn
    assert shown is not None

    def slow(*, anew: bool = False) -> Drawn:
        asked.append(anew)
        assert goes_on.wait(20)
        return shown

    def settle() -> None:
        goes_on.set()
        until = time.monotonic() + 20
        while made.is_being_made:
            assert time.monotonic() < until
            time.sleep(0.01)
        goes_on.clear()

    monkeypatch.setattr(made, "compute", slow)
    made.start()
    for _ in range(3):
        made.start(anew=True)
        made.start()
    settle()
    assert asked == [False, True]
    made.start(anew=True)
    made.start(anew=True)  # It is being laid out anew already.
    settle()
    assert asked == [False, True, True]


def test_who_asks_another_process_is_told_that_a_layout_is_under_way(
    workspace: Workspace, index: Index, tmp_path: Path
) -> None:
    made = drawn(index, Library.of(workspace), tmp_path)
    assert not made.is_being_made
    with held(tmp_path / "map.lock"):
        assert made.is_being_made
    assert not made.is_being_made


@pytest.mark.numeric
def test_a_file_stands_where_a_music_video_would_that_comes_later(
    workspace: Workspace, index: Index, tmp_path: Path
) -> None:
    made = drawn(index, Library.of(workspace), tmp_path)
    shown, (ids, vectors) = made.drawn, made._means()
    assert shown is not None and ids == [video.id for video in shown.videos]
    sides = {side: dict(zip(*index.embeddings(side)[:2], strict=True)) for side in MODALITIES}
    own = {side: ModalityEmbeddings.from_segments(sides[side]["plain"][None]) for side in MODALITIES}
    found = made.guest("plain", own, shown)
    assert found is not None and found.nearest[0].id == "plain"
    cosines = vectors @ vectors[ids.index("plain")]
    near = np.argsort(-cosines, kind="stable")[:3]
    places = np.frombuffer(shown.places, "<u2").reshape(-1, 2)[near] / 65535 * 2 - 1
    weights = np.exp(10 * cosines[near])
    assert found.place == pytest.approx((weights[:, None] * places).sum(axis=0) / weights.sum(), abs=1e-4)
    assert [one.id for one in found.nearest] == [ids[row] for row in near]
    assert found.group is not None and found.group.number == shown.clusters[ids.index("plain")]
    song = made.guest("song", {"audio": own["audio"]}, shown)
    assert song is not None and song.place != found.place
    assert made.guest("nothing", {}, shown) is None


def test_spellings_of_a_genre_have_one_colour(workspace: Workspace, index: Index, tmp_path: Path) -> None:
    videos = [
        replace(one, genre=genre)
        for one, genre in zip(Library.of(workspace).videos.values(), cycle(("Jazz", "jazz", "jazz")), strict=False)
    ]
    made = drawn(index, Library(videos), tmp_path)
    assert made.drawn is not None
    found = made.colouring("genre", made.drawn)
    assert [(entry.name, entry.count) for entry in found.entries] == [("jazz", len(IDS))]
    assert set(found.numbers.tolist()) == {0}


def test_rows_are_found_by_id(workspace: Workspace, index: Index, tmp_path: Path) -> None:
    made = drawn(index, Library.of(workspace), tmp_path).drawn
    assert made is not None
    assert [made.row(id) for id in sorted(IDS)] == list(range(len(IDS)))
    assert [made.row(id) for id in ("", "nobody", "\U0010ffff")] == [None, None, None]


def test_the_former_map_is_shown_until_the_new_one_is_laid_out(
    workspace: Workspace, index: Index, tmp_path: Path
) -> None:
    library = Library.of(workspace)
    former = drawn(index, library, tmp_path)
    gone = sorted(IDS)[2]
    fewer = Library([video for id, video in library.videos.items() if id != gone])
    shown = Atlas(index, fewer, tmp_path, former=former).drawn
    assert former.drawn is not None and shown is not None
    kept = [row for row, video in enumerate(former.drawn.videos) if video.id != gone]
    assert [video.id for video in shown.videos] == sorted(set(IDS) - {gone})
    before, after = (np.frombuffer(one.places, "<u2").reshape(-1, 2) for one in (former.drawn, shown))
    np.testing.assert_array_equal(after, before[kept])
    assert shown.version != former.drawn.version
    assert Atlas(index, library, tmp_path).drawn is None
