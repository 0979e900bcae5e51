"""Pulling a workspace: what stands here stays, nothing is missing, and no name of a store leads elsewhere."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from antiphon.catalogue import Catalogue
from antiphon.errors import ConfigError, FeatureStoreError
from antiphon.features.planning import plan_segments, read_segments
from antiphon.features.pulling import pull
from antiphon.features.store import FeatureStore, VideoFeatures
from antiphon.places import Address, place
from antiphon.segments.sampling import SamplingConfig
from antiphon.tables import ATTRIBUTES, read_table, write_table
from antiphon.workspace import Failure, Workspace

MADE_BY = {"weights": "w"}


@pytest.fixture
def there(root: str) -> Workspace:
    return Workspace(place(root))


@pytest.fixture
def here(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "w")


def save(workspace: Workspace, **videos: dict[str, Any]) -> None:
    Catalogue([{"id": name, **values} for name, values in videos.items()]).save(workspace.catalogue)


def by_id(workspace: Workspace, *columns: str) -> dict[str, tuple[Any, ...]]:
    return {
        row["id"]: tuple(row[column] for column in columns) for row in Catalogue.load(workspace.catalogue).records()
    }


def add_features(workspace: Workspace, value: float, *videos: str, made_by: dict[str, str] = MADE_BY) -> None:
    vectors = np.full((1, 3), value, np.float32)
    store = FeatureStore(workspace.features / "x", made_by)
    store.append([VideoFeatures(name, [f"{name}#0"], vectors) for name in videos])


def features(workspace: Workspace) -> dict[str, float]:
    rows = FeatureStore.existing(workspace.features / "x").read()
    return dict(zip(rows.segment_ids, rows.vectors[:, 0].tolist(), strict=True))


def test_videos_values_and_splits_that_stand_here_stay(there: Workspace, here: Workspace) -> None:
    save(here, a={"split": "test", "title": "corrected here"}, c={"split": "train"}, d={})
    save(
        there,
        a={"split": "train", "title": "of the store", "artist": "A"},
        b={"split": "test"},
        d={"split": "validation"},
    )
    with pytest.warns(UserWarning, match="1 video has another split in memory://.* 'a' is test, there train"):
        assert pull(there, here)["videos"] == 4
    expected = {
        "a": ("test", "corrected here", "A"),
        "b": ("test", None, None),
        "d": ("validation", None, None),
        "c": ("train", None, None),
    }
    assert by_id(here, "split", "title", "artist") == expected
    assert by_id(there, "split") == {"a": ("train",), "b": ("test",), "d": ("validation",)}


def test_artists_that_come_to_stand_in_two_splits_are_told(there: Workspace, here: Workspace) -> None:
    save(here, a={"split": "test", "artist": "Band"})
    save(there, a={"split": None, "artist": "Band"}, b={"split": "train", "artist": "Band"})
    with pytest.warns(UserWarning, match="1 artist has videos in several splits now.*band"):
        pull(there, here)


@pytest.mark.parametrize("other", [{"z": "s3://bucket/a.mp4"}, {"a": "s3://bucket/z.mp4"}], ids=["name", "file"])
def test_a_catalogue_in_which_names_mean_other_files_is_refused(
    there: Workspace, here: Workspace, other: dict[str, str]
) -> None:
    same = {"b": {"path": "s3://bucket/b.mp4"}}
    save(there, a={"path": "s3://bucket/a.mp4"}, **same)
    save(here, **{name: {"path": path} for name, path in other.items()}, **same)
    before = Path(str(here.catalogue)).read_bytes()
    with pytest.raises(ConfigError, match="'z' is 'a' there|'a' is another file there"):
        pull(there, here)
    assert Path(str(here.catalogue)).read_bytes() == before


def plan(workspace: Workspace, seed: int, **durations_s: float) -> None:
    rows = [
        {"id": name, "path": f"s3://bucket/{name}.mp4", "duration_s": duration}
        for name, duration in durations_s.items()
    ]
    Catalogue(rows).save(workspace.catalogue)
    plan_segments(workspace, Catalogue(rows), SamplingConfig(seed=seed))


def test_segments_come_from_where_the_features_were_computed(there: Workspace, here: Workspace) -> None:
    plan(here, 0, a=600.0, c=600.0, d=600.0)
    plan(there, 0, a=1200.0, b=1200.0, d=1200.0)
    own = read_segments(here).by_video
    add_features(here, 1, "a")
    add_features(there, 2, "a", "b", "d")
    pull(there, here)
    found, theirs = read_segments(here).by_video, read_segments(there).by_video
    assert found == {"a": own["a"], "c": own["c"], "b": theirs["b"], "d": theirs["d"]}
    assert features(here) == {"a#0": 1, "b#0": 2, "d#0": 2}


def test_segments_drawn_otherwise_are_refused(there: Workspace, here: Workspace) -> None:
    plan(here, 0, a=600.0)
    plan(there, 1, a=600.0)
    add_features(there, 1, "a")
    with pytest.raises(ConfigError, match="segments were drawn with .*seed=0.*seed=1"):
        pull(there, here)
    assert not Path(str(here.features)).exists()


def test_features_made_otherwise_are_refused_before_any_is_brought(there: Workspace, here: Workspace) -> None:
    for workspace, weights in ((here, "mine"), (there, "other")):
        save(workspace, a={})
        add_features(workspace, 1, "a", made_by={"weights": weights})
    with pytest.raises(FeatureStoreError, match="was made with weights = mine, not other"):
        pull(there, here)
    assert features(here) == {"a#0": 1}


def test_attributes_and_failures_that_stand_here_stay(there: Workspace, here: Workspace) -> None:
    def attributes(luma: float, *videos: str) -> pa.Table:
        values = {"window_start_s": 0.0, "window_end_s": 3.0, "saturation": 0.0, "black_and_white": False}
        more = {"luma": luma, "motion": 0.0, "cuts_per_s": 0.0, "tempo_bpm": None}
        rows = [{"segment_id": f"{name}#0", "video_id": name, **values, **more} for name in videos]
        return pa.Table.from_pylist(rows, ATTRIBUTES)

    save(here, a={}, b={}, c={}, d={})
    save(there, a={}, b={}, d={})
    add_features(here, 1, "a")
    add_features(there, 2, "b")
    write_table(attributes(1, "a", "b", "c"), here.attributes)
    write_table(attributes(2, "a", "b", "d"), there.attributes)
    here.write_failures([Failure(name, "extract", "E", "here") for name in "bc"])
    there.write_failures([Failure(name, "extract", "E", "there") for name in "ad"])
    pull(there, here)
    luma = {row["video_id"]: row["luma"] for row in read_table(here.attributes).to_pylist()}
    assert luma == {"a": 1, "b": 2, "c": 1, "d": 2}
    # b has features in the store by now, and a was computed here.
    assert {(one.video_id, one.message) for one in here.read_failures()} == {("c", "here"), ("d", "there")}


def test_numbered_parts_of_a_copied_workspace_are_brought_beside_those_computed_here(
    there: Workspace, here: Workspace, tmp_path: Path
) -> None:
    save(here, a={}, b={})
    save(there, a={}, b={})
    add_features(here, 1, "a")
    elsewhere = Workspace(tmp_path / "elsewhere")
    add_features(elsewhere, 2, "b")
    copied = there.features / "x" / "part-000000.parquet"
    assert isinstance(copied, Address)
    copied.write_bytes((elsewhere.folder / "features/x/part-000000.parquet").read_bytes())
    assert pull(there, here)["parts"] == 1
    assert features(here) == {"a#0": 1, "b#0": 2}
    assert pull(there, here)["parts"] == 0
    FeatureStore(there.features / "x", MADE_BY).drop(["b"])
    add_features(there, 3, "b")
    assert pull(there, here)["parts"] == 1
    assert features(here) == {"a#0": 1, "b#0": 3}


def test_a_numbered_part_that_was_copied_from_here_is_not_brought_again(there: Workspace, here: Workspace) -> None:
    for workspace in (here, there):
        save(workspace, a={})
    add_features(here, 1, "a")
    part = here.folder / "features/x/part-000000.parquet"
    Address(f"{there.features}/x/{part.name}").write_bytes(part.read_bytes())
    assert pull(there, here)["parts"] == 0
    assert list(part.parent.iterdir()) == [part]


def test_a_part_that_is_dropped_while_the_parts_are_brought_is_listed_again(
    there: Workspace, here: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(there, a={}, b={})
    add_features(there, 1, "a", "b")
    reading, dropped = Address.read_bytes, [False]

    def read_bytes(self: Address) -> bytes:
        if "part-" in self.name and not dropped[0]:
            dropped[0] = True
            FeatureStore(there.features / "x", MADE_BY).drop(["a"])
        return reading(self)

    monkeypatch.setattr(Address, "read_bytes", read_bytes)
    pull(there, here)
    assert features(here) == {"b#0": 1}


def test_a_name_that_leads_out_of_the_features_is_refused(
    there: Workspace, here: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(there, a={})
    add_features(there, 1, "a")
    part = next(iter(Address(f"{there.features}/x").iterdir()))
    listing = Address.iterdir

    def iterdir(self: Address) -> list[Address]:
        if self.text == f"{there.root}/features":
            return [self / ".."]
        return [self / part.name] if self.name == ".." else listing(self)

    monkeypatch.setattr(Address, "iterdir", iterdir)
    with pytest.raises(ConfigError, match=r"'\.\.' cannot name a backbone"):
        pull(there, here)
    assert {path.name for path in here.folder.iterdir()} <= {".lock"}


def test_what_is_no_part_is_not_brought(there: Workspace, here: Workspace) -> None:
    save(there, a={})
    add_features(there, 1, "a")
    for name in ("evil.parquet", "part-1.parquet.exe", "part-x.parquet"):
        Address(f"{there.features}/x/{name}").write_bytes(b"x")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert pull(there, here)["parts"] == 1
    names = {path.name for path in (here.folder / "features" / "x").iterdir()}
    assert len(names) == 1
    assert "evil.parquet" not in names
