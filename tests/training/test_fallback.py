"""Tuned canonical correlations embed in place of heads that are not ahead of them, and only then."""

import numpy as np
import pytest

from antiphon.dual_encoder import DualEncoder
from antiphon.embeddings import within_side
from antiphon.features import Features
from antiphon.metrics.ranks import ranks
from antiphon.model.cca_tuning import fit_tuned
from antiphon.model.recipe import load_recipe
from antiphon.runs import AgainstCCA
from antiphon.training import fallback

BASE = load_recipe("antiphon-base")
SMALL = BASE.model_copy(
    update={
        "head": BASE.head.model_copy(update={"hidden": (16,), "embedding_dim": 8}),
        "training": BASE.training.model_copy(update={"epochs": 2, "min_steps": 0}),
    }
)


def gaussian(count, seed):
    """Sides that share ten hidden values linearly: canonical correlations are the right model, and heads too much."""
    random, mix = np.random.default_rng(seed), np.random.default_rng(99)
    hidden = random.normal(size=(count, 10))
    audio, video = (hidden @ mix.normal(size=(10, size)) + random.normal(size=(count, size)) for size in (24, 20))
    return Features.from_arrays(audio=audio, video=video, ids=[f"{seed}-{row}" for row in range(count)])


def circle(count, seed):
    """Sides that share an angle, which the pictures have doubled: nothing of it is a linear correlation."""
    random = np.random.default_rng(seed)
    angle = random.uniform(0, 2 * np.pi, size=count)
    audio, video = (np.stack([np.cos(turns * angle), np.sin(turns * angle)], axis=1) for turns in (1, 2))
    ids = [f"{seed}-{row}" for row in range(count)]
    return Features.from_arrays(audio=audio, video=video + 0.05 * random.normal(size=(count, 2)), ids=ids)


def both_ways(model, features):
    """Ranks before scores are corrected for hubness, as they are compared."""
    audio, video = (within_side(side, getattr(model, "correction_dim", 0)) for side in model.embed(features))
    return np.stack([ranks(audio, video)[0], ranks(video, audio)[0]])


def test_heads_that_hurt_give_way_to_the_ranks_of_tuned_canonical_correlations(tmp_path):
    train, validation, test = gaussian(60, 1), gaussian(300, 2), gaussian(150, 3)
    model = DualEncoder(SMALL).fit(train, validation)
    assert model.against_cca is not None and model.against_cca.falls_back
    assert model.against_cca.gain < 1
    assert (model.against_cca.pairs, model.against_cca.videos) == (300, 300)
    plain = both_ways(fit_tuned(train, validation), test)
    np.testing.assert_array_equal(both_ways(model, test), plain)
    model.save(tmp_path)
    loaded = DualEncoder.load(tmp_path)
    assert loaded.against_cca == model.against_cca
    assert "canonical correlations in place of its heads" in repr(loaded)
    np.testing.assert_array_equal(both_ways(loaded, test), plain)


def test_with_few_pairs_folds_decide_with_the_same_ranks():
    train, validation, test = gaussian(90, 1), gaussian(10, 2), gaussian(150, 3)
    model = DualEncoder(SMALL).fit(train, validation)
    assert model.against_cca is not None and model.against_cca.falls_back
    assert (model.against_cca.pairs, model.against_cca.videos) == (60, 60), "three of five folds"
    np.testing.assert_array_equal(both_ways(model, test), both_ways(fit_tuned(train, validation), test))


@pytest.mark.parametrize("videos", [(90, 20), (90, 300)], ids=["folds", "validation"])
def test_heads_and_kernels_that_find_more_stay(videos):
    train, validation, test = circle(videos[0], 1), circle(videos[1], 2), circle(150, 3)
    model = DualEncoder(SMALL).fit(train, validation)
    assert model.against_cca is not None and not model.against_cca.falls_back
    assert model.against_cca.ci95[0] > 1.5
    plain = both_ways(fit_tuned(train, validation), test)
    gain = np.exp(np.log(plain).mean() - np.log(both_ways(model, test)).mean())
    assert gain > 1.5
    if videos[1] == 300:
        assert gain == pytest.approx(model.against_cca.gain, rel=0.4), (
            "pools of a fold are smaller, and so are gains there"
        )


@pytest.mark.parametrize("falls_back", [True, False])
def test_what_is_decided_is_not_compared(falls_back, monkeypatch):
    monkeypatch.setattr(fallback, "_compared", None)
    train, validation, test = circle(90, 1), circle(20, 2), circle(150, 3)
    model = DualEncoder(SMALL).fit(train, validation, falls_back=falls_back)
    assert model.against_cca is None
    same = (both_ways(model, test) == both_ways(fit_tuned(train, validation), test)).all()
    assert same == falls_back


def test_with_fewer_than_100_videos_nothing_is_compared():
    assert DualEncoder(SMALL).fit(gaussian(89, 1), gaussian(10, 2)).against_cca is None


def test_a_fold_never_holds_out_an_artist_that_it_is_trained_on():
    parts = [gaussian(90, 1), gaussian(30, 2)]
    artists = [[f"artist {row % 40}" for row in range(len(part))] for part in parts]
    train, validation = (
        Features.from_arrays(audio=part.audio, video=part.video, groups=part.groups, artists=names)
        for part, names in zip(parts, artists, strict=True)
    )
    dealt = list(fallback.folds(train, validation, 0))
    assert len(dealt) == 5
    for fitted, stopping, held_out in dealt:
        known = set(fitted.artists) | set(stopping.artists)
        assert known and not known & set(held_out.artists)
        assert set(fitted.groups) <= set(train.groups)
        assert set(stopping.groups) <= set(validation.groups)
    assert sorted(name for *_, part in dealt for name in part.groups) == sorted([*train.groups, *validation.groups])


def test_videos_count_alike_and_the_interval_is_of_their_paired_differences():
    """Of two segments of a video the mean counts; log ranks differ by 0 and 2 in turn."""
    held_out = gaussian(5, 1)
    held_out = Features.from_arrays(audio=held_out.audio, video=held_out.video, groups=["a", "b", "c", "d", "d"])
    trained, plain = np.zeros((2, 5)), np.array([[0.0, 2.0, 0.0, 1.0, 3.0]] * 2)
    ahead = fallback._compared([trained], [plain], [held_out])
    error = np.std([0, 2, 0, 2], ddof=1) / 2
    assert not ahead.falls_back
    assert (ahead.pairs, ahead.videos) == (5, 4)
    assert ahead.gain == pytest.approx(np.e)
    assert ahead.ci95 == pytest.approx((np.exp(1 - 1.96 * error), np.exp(1 + 1.96 * error)))
    assert fallback._compared([trained], [plain - 1.1], [held_out]).falls_back


@pytest.mark.parametrize(
    ("falls_back", "low", "said"),
    [
        (True, 0.9, "embed in place of the heads"),
        (False, 0.9, "Ranks are not told apart from those of tuned"),
        (False, 1.01, "The model ranks partners higher than tuned canonical correlations, by a factor of 1.23"),
    ],
)
def test_what_was_found_is_said(falls_back, low, said):
    found = AgainstCCA(1.234, (low, 1.5), 1200, 300, falls_back)
    assert said in found.sentence
    assert "on 1,200 held-out pairs of 300 videos" in found.sentence
    assert f"a factor of 1.23 (95% {low:.2f}–1.50)" in found.sentence
