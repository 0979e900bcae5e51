"""What is added while the service runs is found, without a restart."""

from pathlib import Path

import pytest

from antiphon.app.answers import Wish
from antiphon.app.current import Current
from antiphon.catalogue import Catalogue
from antiphon.cli.index import indexed
from antiphon.search import Index
from antiphon.workspace import Workspace

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
    current = Current(place, index, every_s=0)
    seed, before = index.ids[0], current.answers
    assert current.answers is before
    assert "plain" not in {one.video.id for one in before.recommend([seed], 20)}
    model, features, about = indexed(place, RUN)
    Index.open(place.index).add(model, features, **about)
    assert "plain" in {one.video.id for one in current.answers.recommend([seed], 20)}
    assert "plain" in {one.video.id for one in current.answers.similar(seed, "both", Wish(20))}


def test_videos_that_left_the_catalogue_take_no_place_in_a_list(place: Workspace) -> None:
    index = Index.open(place.index)
    current = Current(place, index, every_s=0)
    seed = index.ids[0]
    first, second, *_ = (one.video.id for one in current.answers.similar(seed, "both", Wish(3)))
    catalogue = Catalogue.load(place.catalogue)
    kept = [row for row in catalogue.records() if row["id"] != first]
    Catalogue(kept).save(place.catalogue)
    assert [one.video.id for one in current.answers.similar(seed, "both", Wish(1))] == [second]
