"""What must hold on real features: YouTube-8M's video-level ones of music, 1,000 videos held out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import antiphon as ap
from antiphon.model.recipe import changed_recipe, load_recipe

MUSIC = Path(__file__).parents[3] / "shared" / "data" / "yt8m" / "music.parquet"
pytestmark = pytest.mark.skipif(not MUSIC.exists(), reason="the YouTube-8M features are not beside this checkout")


@pytest.fixture(scope="module")
def parts():
    features = ap.Features.from_parquet(MUSIC, audio="mean_audio", video="mean_rgb", labels="labels")
    rows = np.random.default_rng(0).permutation(len(features))
    return features.take(rows[1800:]), features.take(rows[1000:1800]), features.take(rows[:1000])


def medians(found):
    assert found["a2v"]["n"] == 1000
    return np.array([found[way]["median_rank"] for way in ("a2v", "v2a")])


def test_the_papers_heads_and_loss_find_the_partner_far_above_chance(parts):
    train, validation, test = parts
    found = ap.evaluate(ap.DualEncoder("paper-base").fit(train, validation), test)
    assert (medians(found) <= 70).all()
    assert (medians(found) > 22).all()
    assert all(found[way]["null95"][0] > 430 for way in ("a2v", "v2a"))


def test_trained_on_shuffled_pairs_they_do_not(parts):
    train, validation, test = parts
    found = []
    for seed in range(3):
        random = np.random.default_rng(seed)
        shuffled = [replace(part, video=part.video[random.permutation(len(part))]) for part in (train, validation)]
        found.append(medians(ap.evaluate(ap.DualEncoder("paper-base", seed=seed).fit(*shuffled), test)))
    np.testing.assert_allclose(np.mean(found), 500.5, rtol=0.15)


def test_the_default_recipe_does_much_better_even_with_a_quarter_of_its_epochs(parts):
    train, validation, test = parts
    shorter = changed_recipe(load_recipe("antiphon-base"), {"training": {"epochs": 5, "min_steps": 0}}, "shorter")
    found = ap.evaluate(ap.DualEncoder(shorter).fit(train, validation), test)
    assert (medians(found) <= 20).all()
