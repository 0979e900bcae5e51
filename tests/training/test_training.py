"""Training: it learns what is there, learns nothing where nothing is, and repeats itself to the bit."""

import numpy as np
import pytest
import torch

from antiphon.dual_encoder import DualEncoder
from antiphon.errors import ModelError
from antiphon.evaluation import evaluate
from antiphon.features import Features
from antiphon.features.tracks import track_embeddings
from antiphon.model.recipe import load_recipe
from antiphon.training.loop import train

BASE = load_recipe("antiphon-base")
SMALL = BASE.model_copy(
    update={
        "head": BASE.head.model_copy(update={"hidden": (32,), "embedding_dim": 16}),
        "training": BASE.training.model_copy(update={"epochs": 6, "min_steps": 0, "patience": 100}),
    }
)
"""For what does not depend on the size of the heads."""


def related(count=160, segments=1, seed=0, noise=0.5, shuffled=False):
    random = np.random.default_rng(seed)
    shared = np.repeat(random.normal(size=(count, 6)), segments, axis=0)
    mix = np.random.default_rng(99)
    audio = shared @ mix.normal(size=(6, 24)) + noise * random.normal(size=(len(shared), 24))
    video = shared @ mix.normal(size=(6, 20)) + noise * random.normal(size=(len(shared), 20))
    groups = [f"{seed}-{n // segments}" for n in range(len(shared))]
    if shuffled:
        video = video[random.permutation(len(video))]
    return Features.from_arrays(
        audio=audio, video=video, ids=[f"{seed}:{n}" for n in range(len(shared))], groups=groups
    )


@pytest.mark.parametrize(("recipe", "counts"), [("antiphon-base", (69, 30)), ("paper-base", (160, 60))])
def test_pairs_that_belong_together_are_found_and_shuffled_ones_are_not(recipe, counts):
    test = related(100, seed=3)
    found = evaluate(DualEncoder(recipe).fit(related(counts[0], seed=1), related(counts[1], seed=2)), test)
    for way in ("a2v", "v2a"):
        assert found[way]["n"] == 100
        assert found[way]["ci95"][1] < found[way]["null95"][0]
        assert found[way]["median_rank"] < 15
    shuffled = (related(count, seed=seed, shuffled=True) for count, seed in zip(counts, (1, 2), strict=True))
    untrue = DualEncoder(recipe).fit(*shuffled)
    nothing = evaluate(untrue, test)
    assert nothing["a2v"]["median_rank"] > 30


def test_same_seed_same_numbers_and_the_global_generator_is_left_alone():
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    models = [DualEncoder(SMALL, seed).fit(related(40), related(20, seed=2)) for seed in (0, 0, 1)]
    assert torch.equal(before, torch.random.get_rng_state())
    first, again, other = (model.embed(related(10, seed=4))[0] for model in models)
    np.testing.assert_array_equal(first, again)
    assert models[0].history == models[1].history
    assert np.abs(first - other).max() > 0.01


def test_the_best_epoch_is_kept_and_training_stops_when_it_stops_improving():
    recipe = load_recipe("paper-base")
    features, validation = related(80, seed=1), related(40, seed=2)
    trained = train(recipe, features, validation, seed=0, device=torch.device("cpu"))
    towers, history = trained.towers, trained.history
    losses = [epoch.validation_loss for epoch in history]
    best = int(np.argmin(losses))
    assert history[best].best
    assert not any(epoch.best for epoch in history[best + 1 :])
    assert len(history) == best + 1 + recipe.training.patience or len(history) == recipe.training.epochs
    shorter = recipe.model_copy(update={"training": recipe.training.model_copy(update={"epochs": best + 1})})
    stopped = train(shorter, features, validation, seed=0, device=torch.device("cpu")).towers
    for name, weights in towers.state_dict().items():
        assert torch.equal(weights, stopped.state_dict()[name]), name


@pytest.mark.parametrize("recipe", [SMALL, "paper-base"], ids=["antiphon-base", "paper-base"])
def test_history_holds_losses_between_bound_and_what_chance_gives(recipe):
    model = DualEncoder(recipe).fit(related(80, segments=2, seed=1), related(30, segments=2, seed=2))
    for epoch in model.history:
        assert epoch.validation_chance == pytest.approx(2 * np.log(30))
        assert epoch.validation_lower_bound <= epoch.validation_loss


def test_the_learning_rate_falls_by_the_same_factor_or_along_half_a_cosine():
    parts = related(40, seed=1), related(20, seed=2)
    settings = DualEncoder("paper-base").recipe.training
    falling = [epoch.learning_rate for epoch in DualEncoder("paper-base").fit(*parts).history]
    np.testing.assert_allclose(falling, settings.learning_rate * 0.95 ** np.arange(len(falling)))
    waving = [epoch.learning_rate for epoch in DualEncoder(SMALL).fit(*parts).history]
    expected = SMALL.training.learning_rate * (1 + np.cos(np.pi * np.arange(6) / 6)) / 2
    np.testing.assert_allclose(waving, expected)


@pytest.mark.parametrize(("least", "epochs"), [(0, 6), (18, 6), (19, 7), (22, 8)])
def test_there_are_as_many_epochs_as_make_the_least_number_of_steps(least, epochs):
    """40 videos in batches of 16 are three steps."""
    training = SMALL.training.model_copy(update={"batch_size": 16, "min_steps": least})
    told = []
    model = DualEncoder(SMALL.model_copy(update={"training": training, "closed_form": None}))
    model.fit(related(40, seed=1), related(20, seed=2), progress=lambda epoch, most: told.append(most))
    assert len(model.history) == epochs
    assert told == [epochs] * epochs
    assert model.history[-1].learning_rate > 0


@pytest.mark.parametrize("least", [0, 30])
def test_training_stops_early_but_not_before_the_minimum_of_steps(least):
    """Unrelated pairs in batches of 20: two steps an epoch, and soon no better rank."""
    changed = {"epochs": 30, "batch_size": 20, "min_steps": least, "patience": 1}
    recipe = SMALL.model_copy(update={"training": SMALL.training.model_copy(update=changed), "closed_form": None})
    history = DualEncoder(recipe).fit(related(40, seed=1, shuffled=True), related(20, seed=2)).history
    waiting = [epoch.epoch for epoch in history if not epoch.best and 2 * epoch.epoch >= least]
    assert waiting == [len(history)]
    assert len(history) < (15 if not least else 30)


def test_the_default_trains_on_few_pairs_in_12_to_20_steps():
    model = DualEncoder("antiphon-base").fit(related(40, seed=1), related(20, seed=2))
    best = max(epoch.epoch for epoch in model.history if epoch.best)
    assert len(model.history) == min(20, max(12, best + 4))


@pytest.mark.parametrize(("most", "least", "epochs"), [(None, 0, 6), (24, 0, 6), (12, 0, 3), (9, 0, 3), (9, 45, 4)])
def test_a_video_of_many_segments_is_seen_in_so_many_batches(most, least, epochs):
    """30 videos of four segments, in batches of 10, are 12 steps an epoch; a video is in four of them."""
    changed = {"batch_size": 10, "max_visits": most, "min_steps": least}
    training = SMALL.training.model_copy(update=changed)
    model = DualEncoder(SMALL.model_copy(update={"training": training, "closed_form": None}))
    assert len(model.fit(related(30, 4, seed=1), related(10, seed=2)).history) == epochs


def test_no_two_segments_of_one_video_meet_in_a_batch():
    """If they did, identical segments of a video would be each other's negatives and the loss could not get below."""
    shared = related(30, segments=4, seed=1, noise=0.0)
    model = DualEncoder("antiphon-base").fit(shared, related(20, segments=4, seed=2, noise=0.0))
    assert min(epoch.train_loss for epoch in model.history) < 2 * np.log(4)


def test_videos_in_both_training_and_validation_are_refused():
    with pytest.raises(ModelError, match="80 videos are in both training and validation"):
        DualEncoder().fit(related(80), related(80))


def test_features_with_splits_are_never_trained_on_their_test(tmp_path):
    features = related(120).split((0.6, 0.2, 0.2))
    model = DualEncoder(SMALL).fit(features)
    assert model.trained_on(features["train"]).all()
    assert model.trained_on(features["validation"]).all()
    assert not model.trained_on(features["test"]).any()
    assert evaluate(model, features["test"])["seen"] == 0
    model.save(tmp_path)
    with pytest.warns(UserWarning, match=r"\d+ of the \d+ videos were seen in training .* are not a test"):
        found = evaluate(DualEncoder.load(tmp_path), features["train"])
    assert found["seen"] == len(features["train"])


def test_saving_over_a_run_removes_what_was_measured_of_the_old_model(tmp_path):
    model = DualEncoder("paper-base").fit(related(20), related(10, seed=2))
    for name in ("metrics.json", "learning_curve.json", "report.html"):
        (tmp_path / name).write_text("of the old model")
    model.save(tmp_path)
    assert not {"metrics.json", "learning_curve.json", "report.html"} & {path.name for path in tmp_path.iterdir()}


def test_too_few_videos_are_refused_and_named():
    with pytest.raises(ModelError, match="The training split has 1 video "):
        DualEncoder().fit(related(1, segments=3), related(4, seed=2))
    with pytest.raises(ModelError, match="The validation split has 0 videos"):
        DualEncoder().fit(related(9), related(4, seed=2).take(np.array([], dtype=int)))


def test_without_validation_some_videos_are_set_aside():
    model = DualEncoder(SMALL).fit(related(120, segments=2))
    assert 0 < model._inputs["validation_pairs"] < 60
    assert model._inputs["pairs"] + model._inputs["validation_pairs"] == 240


def test_a_saved_model_embeds_the_same_and_says_how_it_was_made(tmp_path):
    model = DualEncoder("paper-base", seed=3).fit(related(40), related(20, seed=2))
    model.save(tmp_path / "run")
    loaded = DualEncoder.load(tmp_path / "run")
    for before, after in zip(model.embed(related(9, seed=5)), loaded.embed(related(9, seed=5)), strict=True):
        np.testing.assert_array_equal(before, after)
    assert loaded.history == model.history
    assert loaded.recipe == model.recipe
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        "history.parquet",
        "model.safetensors",
        "run.toml",
        "videos.parquet",
    ]
    again = DualEncoder(tmp_path / "run" / "run.toml", seed=3).fit(related(40), related(20, seed=2))
    np.testing.assert_array_equal(again.embed(related(9, seed=5))[0], model.embed(related(9, seed=5))[0])


def test_damaged_foreign_and_missing_models_are_refused(tmp_path):
    with pytest.raises(ModelError, match="has no trained model"):
        DualEncoder.load(tmp_path)
    with pytest.raises(ModelError, match="not trained yet"):
        DualEncoder().embed(related(3))
    model = DualEncoder("paper-base").fit(related(20), related(10, seed=2))
    model.save(tmp_path)
    record = (tmp_path / "run.toml").read_text()
    weights = (tmp_path / "model.safetensors").read_bytes()
    for text, message in (
        (record.replace("audio_dim = 24", "audio_dim = 25"), "does not match the recipe"),
        (record.replace("format = 1", "format = 9"), "was written in format 9; this version reads 1"),
        (record.replace("audio_dim", "other"), "is not the record of a trained model"),
        ("= broken", "run.toml: is damaged"),
    ):
        (tmp_path / "run.toml").write_text(text)
        with pytest.raises(ModelError, match=message):
            DualEncoder.load(tmp_path)
    (tmp_path / "run.toml").write_text(record)
    (tmp_path / "model.safetensors").write_bytes(weights[:100])
    with pytest.raises(ModelError, match=r"model.safetensors: is damaged"):
        DualEncoder.load(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"\x80\x04\x95cos\nsystem\n")
    with pytest.raises(ModelError, match=r"model.safetensors: is damaged"):
        DualEncoder.load(tmp_path)


def test_features_of_another_size_or_backbone_are_refused():
    model = DualEncoder("paper-base").fit(related(20), related(10, seed=2))
    wrong = Features.from_arrays(audio=np.ones((3, 5)), video=np.ones((3, 20)))
    with pytest.raises(ModelError, match="audio features have 5 values; this model takes 24"):
        model.embed(wrong)
    model.audio_name = "musicnn-mtt"
    named = Features.from_arrays(audio=np.ones((3, 24)), video=np.ones((3, 20)), audio_name="musicnn-msd")
    with pytest.raises(ModelError, match="are of musicnn-msd; this model was trained on musicnn-mtt"):
        model.embed(named)


def test_a_missing_side_is_a_row_of_nan_and_the_other_is_embedded():
    model = DualEncoder("paper-base").fit(related(20), related(10, seed=2))
    features = related(4, seed=7)
    features.audio[1] = np.nan
    audio, video = model.embed(Features.from_arrays(audio=features.audio, video=features.video))
    assert np.isnan(audio[1]).all()
    assert np.isfinite(np.delete(audio, 1, axis=0)).all()
    np.testing.assert_allclose(np.linalg.norm(video, axis=1), 1, atol=1e-5)
    songs, nothing = model.embed(Features.from_arrays(audio=features.audio[[0, 2]]))
    np.testing.assert_allclose(songs, audio[[0, 2]], atol=1e-6)
    assert np.isnan(nothing).all()


def test_a_track_is_the_normalised_mean_of_its_segments():
    rows = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]], dtype=np.float32)
    names, tracks = track_embeddings(rows, np.array(["b", "b", "a"]))
    assert names.tolist() == ["a", "b"]
    np.testing.assert_allclose(tracks, [[0.6, 0.8], [2**-0.5, 2**-0.5]], atol=1e-6)


def test_evaluation_ranks_segments_and_tracks():
    model = DualEncoder(SMALL).fit(related(100, segments=3, seed=1), related(40, segments=3, seed=2))
    found = evaluate(model, related(50, segments=3, seed=3))
    assert (found["a2v"]["n"], found["a2v"]["groups"]) == (150, 50)
    assert (found["tracks"]["v2a"]["n"], found["tracks"]["v2a"]["groups"]) == (50, 50)
    assert (found["other_tracks"]["v2a"]["n"], found["other_tracks"]["v2a"]["groups"]) == (148, 50)
    assert found["other_tracks"]["a2v"]["mean_rank"] <= found["a2v"]["mean_rank"]
    assert "times_alone" not in found["tracks"]
    assert "tracks" not in evaluate(model, related(50, seed=3))
    with pytest.raises(ModelError, match="two videos with both audio and video; there is 1"):
        evaluate(model, related(1, segments=3))


def test_the_schedule_is_stepped_unless_told_not_to():
    rates = {
        name: [epoch.learning_rate for epoch in DualEncoder(name).fit(related(40), related(20, seed=2)).history]
        for name in ("coded-batch-norm", "coded-schedule-not-stepped")
    }
    np.testing.assert_allclose(rates["coded-batch-norm"][:3], [0.01, 0.0095, 0.009025])
    assert set(rates["coded-schedule-not-stepped"]) == {0.01}


def test_the_first_segment_alone_can_be_trained_on():
    several, validation = related(40, segments=3), related(20, seed=2)
    firsts = several.take(np.arange(0, 120, 3))
    whole, coded = (load_recipe(name) for name in ("coded-batch-norm", "coded-first-segment-only"))
    test = related(10, seed=4)
    expected = DualEncoder(whole).fit(firsts, validation).embed(test)[0]
    np.testing.assert_array_equal(DualEncoder(coded).fit(several, validation).embed(test)[0], expected)
    assert np.abs(DualEncoder(whole).fit(several, validation).embed(test)[0] - expected).max() > 0.01


def test_a_frozen_affine_is_never_trained():
    def scales(name):
        towers = train(load_recipe(name), related(40), related(20, seed=2), seed=0, device=torch.device("cpu")).towers
        return [layer.weight for layer in towers.modules() if isinstance(layer, torch.nn.BatchNorm1d)]

    assert all(torch.equal(scale, torch.ones_like(scale)) for scale in scales("coded-frozen-affine"))
    assert all((scale - 1).abs().max() > 1e-4 for scale in scales("coded-batch-norm"))
