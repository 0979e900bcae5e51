"""What was computed of a file is forgotten when the file is replaced, and not before."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import antiphon as ap
from antiphon.catalogue import Catalogue
from antiphon.errors import ConfigError
from antiphon.features import forgetting
from antiphon.features.forgetting import bring_up_to_date, forget, forget_features
from antiphon.features.keeping import kept_folder
from antiphon.features.planning import read_segments
from antiphon.features.renewal import renew
from antiphon.features.store import FeatureStore, VideoFeatures
from antiphon.tables import ATTRIBUTES, read_table, write_table
from antiphon.workers.limits import WorkerLimits
from antiphon.workspace import Failure, Workspace

AUDIO, VIDEO = "musicnn-mtt", "efficientnet_lite0"


@pytest.fixture
def place(extracted: Path, synthetic_table: Path, tmp_path: Path) -> Workspace:
    """A copy of the extracted workspace, with a library of its own."""
    shutil.copytree(extracted, tmp_path / "w")
    shutil.copytree(synthetic_table.parent, tmp_path / "songs")
    workspace = Workspace(tmp_path / "w")
    rows = Catalogue.load(workspace.catalogue).records()
    for row in rows:
        row["path"] = str(tmp_path / "songs" / Path(row["path"]).name)
    Catalogue(rows).save(workspace.catalogue)
    return workspace


def file_of(place: Workspace, name: str) -> Path:
    return next(Path(row["path"]) for row in Catalogue.load(place.catalogue).records() if row["id"] == name)


def stored(place: Workspace) -> dict[str, set[str]]:
    return {name: FeatureStore.existing(place.features / name).done() for name in (AUDIO, VIDEO)}


def attributed(place: Workspace, videos: list[str]) -> None:
    numbers = ("window_start_s", "window_end_s", "saturation", "luma", "motion", "cuts_per_s")
    rows = [
        {"segment_id": f"{name}#0", "video_id": name, "black_and_white": False} | dict.fromkeys(numbers, 0.5)
        for name in videos
    ]
    write_table(ATTRIBUTES.empty_table().from_pylist(rows, ATTRIBUTES), place.attributes)


def test_a_replaced_file_is_computed_anew_and_the_others_stay(place):
    catalogue = Catalogue.load(place.catalogue)
    first, second, *_ = catalogue.ids
    before = ap.extract(catalogue, workspace=place.root)
    kept_folder(place, first).mkdir(parents=True)
    shutil.copy(file_of(place, second), file_of(place, first))
    states = []
    with pytest.warns(UserWarning, match=f"1 file was replaced since; .*: '{first}' is the first"):
        after = ap.extract(catalogue, workspace=place.root, progress=states.append)
    assert [state.total for state in states] == [1]
    of = {name: after.groups == name for name in (first, second)}
    np.testing.assert_array_equal(after.audio[of[first]], before.audio[before.groups == second])
    np.testing.assert_array_equal(after.video[of[first]], before.video[before.groups == second])
    others = before.groups != first
    np.testing.assert_array_equal(after.audio[~of[first]], before.audio[others])
    rows = {row["id"]: row for row in Catalogue.load(place.catalogue).records()}
    assert rows[first]["duration_s"] == rows[second]["duration_s"]
    assert rows[first]["content_hash"] == rows[second]["content_hash"]
    segments = read_segments(place).by_video
    assert [row["window_start_s"] for row in segments[first]] == [row["window_start_s"] for row in segments[second]]
    measured: dict[str, list[float]] = {}
    for row in read_table(place.attributes).to_pylist():
        measured.setdefault(row["video_id"], []).append(row["saturation"])
    assert set(measured) == set(catalogue.ids)
    assert measured[first] == measured[second]
    assert not kept_folder(place, first).exists()


def test_a_touched_file_is_not_computed_again(place):
    catalogue = Catalogue.load(place.catalogue)
    file_of(place, catalogue.ids[0]).touch()
    states = []
    ap.extract(catalogue, workspace=place.root, progress=states.append)
    assert states == []


def test_features_of_a_file_that_is_gone_stay_and_that_is_said(place):
    catalogue = Catalogue.load(place.catalogue)
    first = catalogue.ids[0]
    file_of(place, first).unlink()
    with pytest.warns(UserWarning, match=f"1 file is gone; what was computed of it stays: '{first}'"):
        features = ap.extract(catalogue, workspace=place.root)
    assert first in features.groups
    assert place.read_failures() == []


def test_killed_before_the_catalogue_was_saved_a_replaced_file_is_found_again(place, monkeypatch):
    catalogue = Catalogue.load(place.catalogue)
    first, second, *_ = catalogue.ids
    shutil.copy(file_of(place, second), file_of(place, first))
    for killed in ("forget", "save"):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(*((forgetting, "forget") if killed == "forget" else (Catalogue, "save")), _killed)
            bring_up_to_date(place, catalogue)
        assert (first in stored(place)[AUDIO]) == (killed == "forget")
    _, found, _ = bring_up_to_date(place, Catalogue.load(place.catalogue))
    assert found.replaced == [first]
    assert stored(place) == {name: set(catalogue.ids[1:]) for name in (AUDIO, VIDEO)}


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_videos_are_computed_again_on_request(place):
    catalogue = Catalogue.load(place.catalogue)
    first, second, *_ = catalogue.ids
    before = ap.extract(catalogue, workspace=place.root)
    attributed(place, [first])
    states = []
    after = ap.extract(catalogue, AUDIO, None, workspace=place.root, again=[first, second], progress=states.append)
    assert [state.total for state in states] == [2, 2]
    np.testing.assert_array_equal(after.audio, before.audio)
    assert first in stored(place)[VIDEO]
    assert read_table(place.attributes).num_rows == 1


def test_files_are_probed_again_within_the_limits(place):
    rows = Catalogue.load(place.catalogue).records()
    first, rows[0]["duration_s"] = rows[0]["id"], 8.0
    renewed = renew(place, Catalogue(rows), [first], [AUDIO], limits=WorkerLimits(step_s=1e-6))
    assert renewed.records()[0]["duration_s"] == 8.0, "what could not be probed stays"
    assert first in stored(place)[AUDIO]


def test_a_file_that_was_probed_otherwise_is_segmented_again_on_request(place):
    rows = Catalogue.load(place.catalogue).records()
    first = rows[0]["id"]
    rows[0]["duration_s"] = 8.0
    Catalogue(rows).save(place.catalogue)
    ap.extract(Catalogue.load(place.catalogue), AUDIO, None, workspace=place.root, again=[first])
    assert Catalogue.load(place.catalogue).records()[0]["duration_s"] > 10
    assert first not in stored(place)[VIDEO]
    assert first in stored(place)[AUDIO]


def test_unknown_ids_are_refused_and_files_that_are_gone_keep_their_features(place):
    catalogue = Catalogue.load(place.catalogue)
    first = catalogue.ids[0]
    with pytest.raises(ConfigError, match=f"'{first}x': no such video in the catalogue. Did you mean '?{first}"):
        ap.extract(catalogue, workspace=place.root, again=[f"{first}x"])
    file_of(place, first).unlink()
    with (
        pytest.warns(UserWarning, match="1 file is gone"),
        pytest.warns(UserWarning, match=f"Not computed again, since their files are gone: {first} "),
    ):
        ap.extract(catalogue, workspace=place.root, again=[first])
    assert first in stored(place)[AUDIO]


def test_imported_features_stay(tmp_path):
    place = Workspace(tmp_path)
    rows = VideoFeatures("a", ["a#0"], np.ones((1, 3), np.float32))
    FeatureStore(place.features / "mine", {"source": "import"}).append([rows])
    place.write_failures([Failure("a", "extract", "DecodeError", "x"), Failure("b", "extract", "DecodeError", "x")])
    forget(place, ["a"])
    forget_features(place, "missing", ["a"])
    assert FeatureStore.existing(place.features / "mine").done() == {"a"}
    assert [item.video_id for item in place.read_failures()] == ["b"]


def test_rows_are_dropped_from_every_part_of_a_store(tmp_path):
    store = FeatureStore(tmp_path / "x", {"weights": "w"})
    for part in (["a", "b"], ["a"], ["c"]):
        store.append([VideoFeatures(name, [f"{name}#0"], np.full((1, 2), ord(name), np.float32)) for name in part])
    store.drop(["a", "unknown"])
    assert store.read().video_ids == ["b", "c"]
    np.testing.assert_array_equal(store.read().vectors, [[98, 98], [99, 99]])
    assert [path.name for path in sorted((tmp_path / "x").iterdir())] == ["part-000000.parquet", "part-000002.parquet"]
    store.append([VideoFeatures("a", ["a#0"], np.zeros((1, 2), np.float32))])
    assert store.done() == {"a", "b", "c"}
