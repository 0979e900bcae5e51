"""What is added while the service runs is found, without a restart."""

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from antiphon.app.atlas import Atlas
from antiphon.app.served import Snapshot
from antiphon.catalogue import Catalogue
from antiphon.cli.opening import indexed
from antiphon.errors import StaleIndexError
from antiphon.search import Index
from antiphon.search.filters import Conditions
from antiphon.workspace import Failure, Workspace

from .conftest import RUN


@pytest.fixture
def place(workspace: Workspace, tmp_path: Path) -> Workspace:
    """The workspace with an index of its own, which lacks a video."""
    own = tmp_path / "work"
    own.mkdir()
    for path in workspace.root.iterdir():
        if path.name not in {"index", "page", "catalogue.parquet"}:
            (own / path.name).symlink_to(path)
    found = Workspace(own)
    Catalogue.load(workspace.catalogue).save(found.catalogue)
    model, features, about = indexed(found, RUN)
    Index.build(model, features, found.index, **about).remove(["plain"])
    return found


def test_a_new_video_is_found_and_recommended(place: Workspace) -> None:
    index = Index.open(place.index)
    snapshot = Snapshot(place, index, every_s=0)
    seed, before = index.ids[0], snapshot.searcher
    assert snapshot.searcher is before
    assert "plain" not in {one.video.id for one in before.recommend([seed], 20)}
    model, features, about = indexed(place, RUN)
    Index.open(place.index).add(model, features, **about)
    assert "plain" in {one.video.id for one in snapshot.searcher.recommend([seed], 20)}
    assert "plain" in {one.video.id for one in snapshot.searcher.by_id(seed, Conditions(20))}


def test_what_was_added_between_two_looks_harms_nobody(place: Workspace) -> None:
    snapshot = Snapshot(place, Index.open(place.index), every_s=1000)
    seed = Index.open(place.index).ids[0]
    assert snapshot.searcher.by_id(seed, Conditions(20))[0].reasons is not None
    model, features, about = indexed(place, RUN)
    Index.open(place.index).add(model, features, **about)
    found = {one.video.id: one for one in snapshot.searcher.by_id(seed, Conditions(20))}
    assert "plain" in found
    snapshot.searcher.library.videos.pop("plain")
    assert "plain" not in {one.video.id for one in snapshot.searcher.by_id(seed, Conditions(20))}


def test_an_index_of_another_model_stops_searching_and_nothing_else(place: Workspace) -> None:
    index = Index.open(place.index)
    snapshot = Snapshot(place, index, every_s=0)
    seed = index.ids[0]
    Index.from_vectors(index.ids, np.eye(len(index.ids)), path=place.index)
    assert snapshot.searcher.video(seed).id == seed
    with pytest.raises(StaleIndexError):
        snapshot.searcher.by_id(seed, Conditions(3))


def test_videos_that_left_the_catalogue_take_no_place_in_a_list(place: Workspace) -> None:
    index = Index.open(place.index)
    snapshot = Snapshot(place, index, every_s=0)
    seed = index.ids[0]
    first, second, *_ = (one.video.id for one in snapshot.searcher.by_id(seed, Conditions(3)))
    catalogue = Catalogue.load(place.catalogue)
    kept = [row for row in catalogue.records() if row["id"] != first]
    Catalogue(kept).save(place.catalogue)
    assert [one.video.id for one in snapshot.searcher.by_id(seed, Conditions(1))] == [second]


def test_while_one_request_reads_what_changed_the_others_are_answered(
    place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = Snapshot(place, Index.open(place.index), every_s=0)
    before, seen = snapshot.searcher, []
    original = Snapshot._read

    def read_slowly(self: Snapshot, former: Atlas | None) -> object:
        other = threading.Thread(target=lambda: seen.append(snapshot.searcher))
        other.start()
        other.join(30)
        return original(self, former)

    monkeypatch.setattr(Snapshot, "_read", read_slowly)
    Catalogue(Catalogue.load(place.catalogue).records()[1:]).save(place.catalogue)
    after = snapshot.searcher
    assert seen == [before]
    assert after is not before


def test_damaged_features_show_no_flags_and_end_no_page(place: Workspace) -> None:
    features = place.features
    original = features.resolve()
    features.unlink()
    shutil.copytree(original, features)
    for part in features.rglob("part-*.parquet"):
        part.write_bytes(part.read_bytes()[:-20])
    searcher = Snapshot(place, Index.open(place.index), every_s=0).searcher
    assert len(searcher.library.videos) == len(Catalogue.load(place.catalogue))


def test_failures_that_did_not_change_are_not_written_again(place: Workspace) -> None:
    failures = place.read_failures()
    other = Workspace(place.root / "other")
    other.root.mkdir()
    one = Failure("v", "extract", "DecodeError", "cut short")
    other.write_failures([*failures, one])
    written = other.failures.stat().st_mtime_ns, other.failures.stat().st_ino
    other.write_failures([one, *failures])
    assert (other.failures.stat().st_mtime_ns, other.failures.stat().st_ino) == written
    other.write_failures([])
    assert other.read_failures() == []
