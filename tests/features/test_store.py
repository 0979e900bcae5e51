"""Features on disk: whole parts only, of one maker only."""

import numpy as np
import pytest

from antiphon.backbones.arithmetic import OPENVINO, TORCH
from antiphon.errors import FeatureStoreError
from antiphon.features.named_stores import store_names
from antiphon.features.store import FeatureStore, VideoFeatures

MADE_BY = {"backbone": "b", "weights": "1"}


def rows(video, count=2, dim=3):
    vectors = np.random.default_rng(abs(hash(video)) % 1000).normal(size=(count, dim)).astype(np.float32)
    return VideoFeatures(video, [f"{video}#{n}" for n in range(count)], vectors)


def test_what_was_appended_is_read_back_to_the_bit(tmp_path):
    store = FeatureStore(tmp_path / "b", MADE_BY)
    first, second, third = rows("x"), rows("y", 1), rows("z", 4)
    store.append([first, second])
    store.append([third])
    store.append([])
    segment_ids, video_ids, vectors, _ = FeatureStore(tmp_path / "b", MADE_BY).read()
    assert segment_ids == ["x#0", "x#1", "y#0", "z#0", "z#1", "z#2", "z#3"]
    assert video_ids == ["x", "x", "y", "z", "z", "z", "z"]
    np.testing.assert_array_equal(vectors, np.concatenate([first.vectors, second.vectors, third.vectors]))
    assert store.done() == {"x", "y", "z"}
    assert len(list((tmp_path / "b").iterdir())) == 2
    assert store_names(tmp_path) == ["b"]


def test_a_store_of_another_maker_is_refused(tmp_path):
    FeatureStore(tmp_path, MADE_BY).append([rows("x")])
    other = FeatureStore(tmp_path, MADE_BY | {"weights": "2"})
    for act in (other.done, other.read):
        with pytest.raises(FeatureStoreError, match="made with weights = 1, not 2. Use another workspace"):
            act()
    assert FeatureStore.existing(tmp_path).made_by == MADE_BY


def test_compatible_arithmetics_share_a_store_and_others_do_not(tmp_path):
    FeatureStore(tmp_path, MADE_BY).append([rows("x")])  # as versions did that recorded none
    assert FeatureStore(tmp_path, MADE_BY).arithmetics() == {TORCH}
    fast = FeatureStore(tmp_path, MADE_BY, OPENVINO)
    assert fast.done() == {"x"}
    fast.append([rows("y")])
    for store in (fast, FeatureStore(tmp_path, MADE_BY, TORCH), FeatureStore(tmp_path, MADE_BY)):
        assert store.read().video_ids == ["x", "x", "y", "y"]
        assert store.arithmetics() == {TORCH, OPENVINO}
    fast.drop(["x"])
    assert fast.arithmetics() == {OPENVINO}
    existing = FeatureStore.existing(tmp_path)
    assert (existing.made_by, existing.arithmetic) == (MADE_BY, OPENVINO)
    with pytest.raises(FeatureStoreError, match=f"computed in {OPENVINO}, and this is torch bfloat16"):
        FeatureStore(tmp_path, MADE_BY, "torch bfloat16").done()
    fast.drop(["y"])
    FeatureStore(tmp_path, MADE_BY, "torch bfloat16").append([rows("z")])
    with pytest.raises(FeatureStoreError, match=f"computed in torch bfloat16, and this is {TORCH}"):
        FeatureStore(tmp_path, MADE_BY).done()


def test_empty_and_damaged_stores_say_so(tmp_path):
    assert FeatureStore(tmp_path / "none", MADE_BY).done() == set()
    for act in (FeatureStore(tmp_path / "none", MADE_BY).read, lambda: FeatureStore.existing(tmp_path / "none")):
        with pytest.raises(FeatureStoreError, match="no features here"):
            act()
    store = FeatureStore(tmp_path / "b", MADE_BY)
    store.append([rows("x")])
    part = next((tmp_path / "b").iterdir())
    part.write_bytes(part.read_bytes()[:-40])
    with pytest.raises(FeatureStoreError, match="is damaged .* Delete it"):
        store.read()


def test_a_write_that_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError("No space left on device")

    monkeypatch.setattr("antiphon.tables.pq.write_table", full)
    with pytest.raises(OSError, match="No space left"):
        FeatureStore(tmp_path / "b", MADE_BY).append([rows("x")])
    assert list((tmp_path / "b").iterdir()) == []
