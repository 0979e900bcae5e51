"""When scores are corrected for hubness, by which pairs, and that models keep it."""

from dataclasses import replace

import numpy as np
import pytest

from antiphon.dual_encoder import DualEncoder
from antiphon.embeddings import within_side
from antiphon.features import Features
from antiphon.metrics.ranks import ranks
from antiphon.model.recipe import changed_recipe, load_recipe
from antiphon.training import hubness

QUICK = {"head": {"hidden": [16], "embedding_dim": 8}, "training": {"epochs": 2, "min_steps": 0}}


def catalogue(videos, seed, segments=1, noise=3):
    """Videos whose sides share ten values, and whose songs are more or less usual."""
    random, mix = np.random.default_rng(seed), np.random.default_rng(99)
    usual = random.exponential(2, size=(videos, 1))
    shared = np.repeat(random.normal(size=(videos, 10)) + usual, segments, axis=0)
    audio, video = (
        shared @ mix.normal(size=(10, size)) + noise * random.normal(size=(len(shared), size)) for size in (24, 20)
    )
    return Features.from_arrays(
        audio=audio,
        video=video,
        ids=[f"{seed}:{row}" for row in range(len(shared))],
        groups=[f"{seed}:{row // segments}" for row in range(len(shared))],
        starts_s=[5.0 * (row % segments) for row in range(len(shared))],
    )


def fitted(name="antiphon-base", videos=120, validation=20, segments=1, noise=3, **changes):
    recipe = changed_recipe(load_recipe(name), QUICK | changes, name)
    train, held_out = catalogue(videos, 0, segments, noise), catalogue(validation, 1, segments, noise)
    return DualEncoder(recipe).fit(train, held_out, verbose=False)


def test_references_are_one_pair_of_each_training_video():
    model = fitted(segments=3)
    references = model.towers.hubness.references("audio").numpy()
    audio, _ = model.embed(catalogue(120, 0, 3))
    plain = within_side(audio, model.correction_dim)
    owners = [np.flatnonzero(np.isclose(plain, row, atol=1e-5).all(axis=1)) // 3 for row in references]
    assert sorted(int(owner[0]) for owner in owners) == list(range(120))
    assert len(fitted(hubness={"num_references": 50}).towers.hubness.references("video")) == 50


def test_no_references_mean_no_correction():
    model = fitted(hubness={"num_references": 0})
    assert model.correction_dim == 0
    assert model.dim == model.towers.uncorrected_dim


@pytest.mark.parametrize(("ranked", "kept"), [((2.0, 1.9), True), ((2.0, 2.0), False), ((2.0, 2.1), False)])
def test_enough_held_out_videos_decide_whether_it_stays(ranked, kept, monkeypatch):
    values = iter((*ranked, 2.0, 1.9))
    monkeypatch.setattr(hubness, "_mean_log_rank", lambda *_: next(values))
    towers = fitted(videos=40, validation=300).towers
    assert (towers.hubness.is_fitted, towers.track_hubness.is_fitted) == (kept, True)


def test_few_held_out_videos_decide_nothing(monkeypatch):
    monkeypatch.setattr(hubness, "_mean_log_rank", None)
    assert fitted(videos=40, validation=20).towers.hubness.is_fitted


@pytest.mark.parametrize("name", ["antiphon-base", "antiphon-track"])
def test_tracks_are_corrected_by_tracks(name, tmp_path):
    model = fitted(name, segments=6, noise=10)
    assert len(model.towers.track_hubness.references("audio")) == 120
    test = catalogue(200, 2, 6, noise=10)
    segments, tracks = model.embed(test), model.embed(test, per="track")
    assert segments[0].shape[1] == tracks[0].shape[1] == model.dim
    np.testing.assert_allclose(np.linalg.norm(tracks[0], axis=1), 1, atol=1e-5)
    plain = [within_side(side, model.correction_dim) for side in tracks]
    before, after = (np.log(ranks(*sides)[0]).mean() for sides in (plain, tracks))
    assert before > 0.7, "something to gain"
    assert after < before
    model.save(tmp_path)
    loaded = DualEncoder.load(tmp_path)
    for one, other in zip(tracks, loaded.embed(test, per="track"), strict=True):
        np.testing.assert_array_equal(one, other)


def test_within_one_side_a_model_compares_as_without_it():
    test = catalogue(50, 2, 3)
    corrected, plain = fitted(segments=3), fitted(segments=3, hubness={"num_references": 0})
    for per in ("segment", "track"):
        for one, other in zip(corrected.embed(test, per=per), plain.embed(test, per=per), strict=True):
            np.testing.assert_allclose(within_side(one, corrected.correction_dim), other, atol=1e-6)


def test_an_earlier_run_has_no_correction(tmp_path):
    """Runs of earlier versions state no [hubness] in their recipe."""
    model = fitted(hubness={"num_references": 0})
    model.recipe = model.recipe.model_copy(update={"hubness": None})
    model.towers.hubness = model.towers.track_hubness = None
    model.save(tmp_path)
    assert "[recipe.hubness]" not in (tmp_path / "run.toml").read_text()
    loaded = DualEncoder.load(tmp_path)
    assert loaded.correction_dim == 0
    np.testing.assert_array_equal(*(each.embed(catalogue(20, 2))[0] for each in (model, loaded)))


def test_sides_that_share_nothing_stay_at_chance():
    parts = [catalogue(count, seed) for count, seed in ((300, 0), (60, 1), (400, 2))]
    mixed = [replace(part, video=np.random.default_rng(5).permutation(part.video)) for part in parts]
    recipe = changed_recipe(load_recipe("antiphon-base"), QUICK, "quick")
    model = DualEncoder(recipe).fit(*mixed[:2], verbose=False)
    assert model.correction_dim
    sound, pictures = model.embed(mixed[2])
    assert ranks(sound, pictures)[0].mean() / 400 == pytest.approx(0.5, abs=0.05)


def test_runs_from_before_there_was_a_correction_keep_their_fingerprints():
    recipe = load_recipe("paper-base")
    assert recipe.hubness is None
    assert "hubness" not in recipe.hashed
    assert "hubness" in load_recipe("antiphon-base").hashed


def test_label_values_stand_before_the_correction():
    closed_form = {"num_landmarks": 30, "num_components": 4, "labels": True}
    recipe = changed_recipe(load_recipe("antiphon-base"), QUICK | {"closed_form": closed_form}, "labels")
    train, validation, test = (
        replace(part, labels=tuple(("live",) if row % 2 else ("studio",) for row in range(len(part))))
        for part in (catalogue(120, 0), catalogue(20, 1), catalogue(30, 2))
    )
    model = DualEncoder(recipe).fit(train, validation, verbose=False)
    plain, mixed = model.embed(test), model.embed(test, label_weight=0.3)
    np.testing.assert_allclose(mixed[0][:, -4:], 0.7**0.5 * plain[0][:, -4:], atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(mixed[0], axis=1), 1, atol=1e-5)
