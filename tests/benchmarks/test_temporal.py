"""Tracks that only their order tells apart."""

import numpy as np
import pytest

from antiphon.model.recipe import Recipe, load_recipe, recipe_from
from temporal_tracks import TemporalConfig, compare, shuffled_in_time, temporal_features

CONFIG = TemporalConfig(kinds=4, noise=0.5, style=0.05, audio_dim=24, video_dim=20)


def small(name: str) -> Recipe:
    """The recipe with linear heads, which learn so few tracks in seconds."""
    data = load_recipe(name).model_dump(exclude_none=True)
    data["head"] |= {"hidden": (), "embedding_dim": 32, "input_dropout": 0.0}
    data["training"] |= {"epochs": 30, "patience": 10}
    return recipe_from(data, name)


@pytest.fixture(scope="module")
def found():
    recipes = [small("antiphon-base"), small("antiphon-track")]
    return compare(recipes, (300, 60, 200), CONFIG, seeds=[0])


def test_the_track_model_beats_the_mean_where_only_the_order_tells(found):
    assert found["antiphon-track"]["in_order"]["gain95"][0] > 2
    assert found["antiphon-track"]["in_order"]["ci95"][1] < found["antiphon-base"]["in_order"]["ci95"][0]


@pytest.mark.parametrize("way", ["shuffled_at_test", "shuffled"])
def test_shuffled_in_time_the_gain_is_gone(found, way):
    assert found["antiphon-track"][way]["gain95"][1] < 1.5


def test_the_mean_does_not_notice_the_order(found):
    base = found["antiphon-base"]
    assert base["shuffled_at_test"]["median_rank"] == pytest.approx(base["in_order"]["median_rank"], rel=0.01)


def test_of_two_recipes_the_step_is_the_gain_over_the_first(found):
    assert all("step" not in values for values in found["antiphon-base"].values())
    for values in found["antiphon-track"].values():
        assert (values["step"], values["step95"]) == (values["gain"], values["gain95"])


def test_all_tracks_have_the_same_kinds_of_sections():
    features = temporal_features(40, CONFIG.model_copy(update={"noise": 0.0, "style": 0.0}), 0, "a")
    for side in (features.audio, features.video):
        means = side.reshape(40, 4, -1).mean(axis=1)
        np.testing.assert_allclose(means, np.broadcast_to(means[0], means.shape), atol=1e-5)
    orders = {tuple(np.round(side[:, 0], 3)) for side in features.audio.reshape(40, 4, -1)}
    assert len(orders) > 10


def test_shuffling_keeps_each_tracks_segments_and_moves_each_side_on_its_own():
    features = temporal_features(30, CONFIG, 0, "a")
    mixed = shuffled_in_time(features, 0)
    for name in np.unique(features.groups):
        rows = features.groups == name
        for before, after in ((features.audio, mixed.audio), (features.video, mixed.video)):
            assert sorted(before[rows, 0]) == sorted(after[rows, 0])
    moved = [(np.abs(getattr(features, side) - getattr(mixed, side)) > 0).any(axis=1) for side in ("audio", "video")]
    assert (moved[0] != moved[1]).any()
    np.testing.assert_array_equal(features.starts_s, mixed.starts_s)
