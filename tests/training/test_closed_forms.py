"""What held-out pairs decide about closed forms, and when there is none."""

import copy
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch

from antiphon.dual_encoder import DualEncoder
from antiphon.features import Features
from antiphon.model.cca import CCA, CCASettings
from antiphon.model.recipe import load_recipe
from antiphon.model.towers import Towers
from antiphon.training import closed_forms, loop
from antiphon.training.closed_forms import (
    Choices,
    Chosen,
    choose,
    closed_form_alone,
    fit_closed_form,
    refit_closed_form,
)
from antiphon.training.loop import train

BASE = load_recipe("antiphon-base")
SMALL = BASE.model_copy(
    update={
        "head": BASE.head.model_copy(update={"hidden": (16,), "embedding_dim": 8}),
        "training": BASE.training.model_copy(update={"epochs": 2, "min_steps": 0}),
    }
)


def related(count, seed=0, *, shared=1.0, own=0.3, segments=1):
    """Sides of 12 and 10 values that share three hidden ones: deviations of what is shared, and of what is not."""
    random, mix = np.random.default_rng(seed), np.random.default_rng(99)
    hidden = np.repeat(random.normal(size=(count, 3)), segments, axis=0)
    sides = {
        side: np.concatenate(
            [
                shared * hidden @ mix.normal(size=(3, 4)) + 0.3 * shared * random.normal(size=(len(hidden), 4)),
                own * random.normal(size=(len(hidden), size - 4)),
            ],
            axis=1,
        )
        for side, size in (("audio", 12), ("video", 10))
    }
    groups = [f"{seed}-{row // segments}" for row in range(len(hidden))]
    return Features.from_arrays(**sides, groups=groups)


def towers_for(train, recipe=SMALL):
    """Untrained heads, which know nothing about the pairs."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        towers = Towers(train.audio.shape[1], train.video.shape[1], recipe).eval()
    for side, head in towers.heads.items():
        head.fit_input(torch.from_numpy(getattr(train, side)))
    return towers


def fitted(train, validation, recipe=SMALL, seed=0):
    towers = towers_for(train, recipe)
    fit_closed_form(towers, train, validation, Chosen(together=False, ridge=5.0), seed)
    return towers


def embedded(towers, features):
    with torch.inference_mode():
        return [towers.embed(side, torch.from_numpy(getattr(features, side))).numpy() for side in ("audio", "video")]


def naive_log_rank(audio, video):
    """Mean log rank both ways, one query at a time; ties count half."""
    scores = audio.astype(np.float64) @ video.T.astype(np.float64)
    found = []
    for matrix in (scores, scores.T):
        for query, row in enumerate(matrix):
            found.append((row > row[query]).sum() + ((row == row[query]).sum() + 1) / 2)
    return np.log(found).mean()


@pytest.mark.parametrize("videos", [(60, 20), (40, 300)], ids=["folds", "validation"])
@pytest.mark.parametrize(("own", "together"), [(0.02, True), (50.0, False)])
def test_values_are_scaled_together_where_those_that_vary_little_are_noise(videos, own, together):
    """Where the noise varies much, each value is scaled by itself."""
    parts = related(videos[0], seed=1, own=own), related(videos[1], seed=2, own=own)
    assert choose(*parts, seed=0).together == together
    towers = train(SMALL, *parts, seed=0, device=torch.device("cpu")).towers
    assert [len(head.layers[0].scale.unique()) == 1 for head in towers.heads.values()] == [together, together]


def test_with_300_validation_videos_their_ranks_choose_as_naive_ones_do():
    train, validation = related(50, seed=1, own=1.0), related(300, seed=2, own=1.0)
    usual = 95 / np.sqrt(50)
    scores = {}
    for together in (False, True):
        sides = {}
        for side in ("audio", "video"):
            rows = getattr(train, side).astype(np.float64)
            deviation = rows.std(axis=0)
            if together:
                deviation = np.sqrt((deviation**2).mean())
            sides[side] = [(part - rows.mean(axis=0)) / deviation for part in (rows, getattr(validation, side))]
        for ridge in (usual / 4, usual, usual * 4):
            model = CCA(CCASettings(audio_ridge=ridge, video_ridge=ridge, num_components=256))
            model.fit(sides["audio"][0], sides["video"][0])
            held_out = model.embed_audio(sides["audio"][1]), model.embed_video(sides["video"][1])
            scores[Chosen(together, ridge)] = naive_log_rank(*held_out)
    best = min(scores, key=scores.__getitem__)
    chosen = choose(train, validation, seed=0)
    assert (chosen.together, chosen.ridge) == (best.together, pytest.approx(best.ridge))
    assert max(scores.values()) > 1.02 * min(scores.values()), "the settings differ here"


def test_the_same_seed_deals_the_same_folds_and_fits_the_same_closed_form():
    recipe = SMALL.model_copy(update={"closed_form": SMALL.closed_form.model_copy(update={"num_landmarks": 9})})
    train, validation, test = related(40, seed=1), related(20, seed=2), related(10, seed=3)
    first, again, other = (DualEncoder(recipe, seed).fit(train, validation) for seed in (0, 0, 1))
    found = [np.concatenate(model.embed(test), axis=1) for model in (first, again, other)]
    np.testing.assert_array_equal(found[0], found[1])
    assert found[0].shape != found[2].shape or np.abs(found[0] - found[2]).max() > 0.01
    landmarks = [
        fitted(related(40, seed=1), validation, recipe, seed).closed_form.get_buffer("audio_landmarks")
        for seed in (0, 0, 1)
    ]
    assert torch.equal(landmarks[0], landmarks[1])
    assert not torch.equal(landmarks[0], landmarks[2])


def test_seeds_that_share_choices_choose_once_and_fit_the_same_to_the_last_bit(monkeypatch):
    """With 300 validation videos no seed changes the choice, and the analysis that it needed is used again."""
    parts, choices, asked = (related(60, seed=1), related(300, seed=2)), Choices(), []
    monkeypatch.setattr(loop, "fall_back", lambda *given: None)
    monkeypatch.setattr(closed_forms, "choose", lambda *given: asked.append(given[2]) or choose(*given))
    for seed in (0, 1):
        shared = DualEncoder(SMALL, seed).fit(*parts, choices=choices)
        alone = train(SMALL, *parts, seed=seed, device=torch.device("cpu")).towers
        anew = copy.deepcopy(alone)
        fit_closed_form(anew, *parts, replace(choose(*parts, seed), parts=None), seed)
        for towers in (alone, anew):
            for mine, expected in zip(shared._towers.state_dict().values(), towers.state_dict().values(), strict=True):
                assert torch.equal(mine, expected)
    assert asked == [0]


@pytest.mark.parametrize("other", ["pairs", "validation", "scaling", "folds"])
def test_choices_are_made_anew_for_other_pairs(other):
    parts, choices = (related(60, seed=1), related(20 if other == "folds" else 300, seed=2)), Choices()
    first = choices.choose(*parts, 0)
    assert choices.choose(*parts, 0) is first
    changed = {
        "pairs": ((related(60, seed=3), parts[1]), 0, "chosen"),
        "validation": ((parts[0], related(300, seed=3)), 0, "chosen"),
        "scaling": (parts, 0, "together"),
        "folds": (parts, 1, "chosen"),
    }[other]
    assert choices.choose(*changed[0], *changed[1:]) is not first


def test_a_fitted_model_has_unit_rows_says_its_size_and_is_read_as_it_was_written(tmp_path):
    model = DualEncoder(SMALL).fit(related(40, seed=1), related(20, seed=2))
    model.save(tmp_path)
    loaded, test = DualEncoder.load(tmp_path), related(10, seed=3)
    assert model.dim == loaded.dim > SMALL.head.embedding_dim
    for before, after in zip(model.embed(test), loaded.embed(test), strict=True):
        assert before.shape == (10, model.dim)
        np.testing.assert_allclose(np.linalg.norm(before, axis=1), 1, atol=1e-5)
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(("own", "seed"), [(0.3, 0), (0.5, 2)])
def test_300_validation_videos_give_a_useless_part_no_weight_and_no_other_weights_are_better(own, seed):
    train, validation = related(200, seed=10 + seed, own=own), related(300, seed=20 + seed, own=own)
    towers = fitted(train, validation)
    weights = towers.closed_form.weights
    assert weights[0] == 0, "the heads were never trained"
    assert weights.max() == 1
    best = naive_log_rank(*embedded(towers, validation))
    for others in product((0.0, 0.5, 1.0), repeat=3):
        if max(others) == 1:
            towers.closed_form.weights.copy_(torch.tensor(others))
            assert naive_log_rank(*embedded(towers, validation)) >= best - 1e-4, others
    assert best < np.log(300) - 2, "chance is ln 300 - 1"


def test_with_fewer_validation_videos_all_parts_count_alike():
    assert fitted(related(200, seed=1), related(299, seed=2)).closed_form.weights.tolist() == [1, 1, 1]


@pytest.mark.parametrize("count", [9, 10])
def test_with_fewer_than_ten_videos_the_heads_stand_alone(count):
    """Segments do not make up for them."""
    train = related(count, seed=1, segments=3)
    towers, alone = fitted(train, related(20, seed=2)), towers_for(train)
    assert (towers.embedding_dim == SMALL.head.embedding_dim) == (count < 10)
    if count < 10:
        for found, expected in zip(embedded(towers, train), embedded(alone, train), strict=True):
            np.testing.assert_array_equal(found, expected)


def with_audio(features, rows):
    return Features.from_arrays(audio=rows, video=features.video, groups=features.groups)


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_a_side_that_never_varies_leaves_the_heads_alone(value):
    parts = [with_audio(part, np.full_like(part.audio, value)) for part in (related(40, seed=1), related(20, seed=2))]
    assert choose(*parts, seed=0).together is False
    assert DualEncoder(SMALL).fit(*parts).towers.uncorrected_dim == SMALL.head.embedding_dim


def test_a_side_in_which_one_video_alone_differs_is_no_obstacle():
    """Fifths without that video cannot be analysed, and most landmarks are one and the same."""
    train, validation = related(40, seed=1), related(20, seed=2)
    still = np.zeros_like(train.audio)
    still[3] = 1
    parts = with_audio(train, still), with_audio(validation, np.zeros_like(validation.audio))
    assert np.isfinite(DualEncoder(SMALL).fit(*parts).embed(related(5, seed=3))[0]).all()


def test_a_recipe_with_one_head_has_no_closed_form():
    data = SMALL.model_dump() | {"heads": "video"}
    with pytest.raises(ValueError, match=r"\[closed_form\] needs heads for both modalities"):
        type(SMALL).model_validate(data)


@pytest.mark.parametrize(("standardise", "together"), [(True, False), ("together", True), (False, None)])
def test_only_the_scaling_of_the_recipe_is_tried(standardise, together):
    train, validation = related(60, shared=30.0), related(12, seed=1, shared=30.0)
    assert choose(train, validation, 0, standardise).together is together


def test_a_closed_form_alone_is_fitted_to_other_pairs_and_its_scores_are_its_own():
    pairs, more = related(60, 1), related(40, 2)
    towers = fitted(pairs, related(20, 3))
    before = {name: values.clone() for name, values in towers.state_dict().items()}
    alone = closed_form_alone(SMALL, towers, more, seed=0)
    assert alone is not None and alone.closed_form is not None
    for name, values in towers.state_dict().items():
        assert torch.equal(values, before[name]), name
    assert alone.closed_form.weights.tolist() == [0, 1, 1]
    ridge = 95 / 40**0.5
    scaled = {side: head.standardised(torch.from_numpy(getattr(more, side))) for side, head in towers.heads.items()}
    analysis = CCA(CCASettings(audio_ridge=ridge, video_ridge=ridge)).fit(*(rows.numpy() for rows in scaled.values()))
    expected = analysis.embed_audio(scaled["audio"].numpy())
    np.testing.assert_allclose(alone.closed_form.parts("audio", scaled["audio"])[0], expected, atol=1e-4)


@pytest.mark.parametrize(("count", "recipe"), [(9, SMALL), (40, SMALL.model_copy(update={"closed_form": None}))])
def test_there_is_no_closed_form_alone_where_none_is_fitted(count, recipe):
    assert closed_form_alone(recipe, towers_for(related(40), recipe), related(count), seed=0) is None


def test_a_closed_form_refitted_beside_old_heads_is_fitted_on_what_they_see():
    """Other features than the heads were trained on, as from a tuned backbone: three times as large, and moved."""

    def changed(features):
        return Features.from_arrays(audio=3 * features.audio + 2, video=3 * features.video + 2, groups=features.groups)

    train_on, validation = related(400, 1), related(320, 2)
    towers = train(SMALL, train_on, validation, seed=0, device=torch.device("cpu")).towers
    refit_closed_form(SMALL, towers, changed(train_on), changed(validation), 0)
    seen = {
        side: towers.heads[side].standardised(torch.from_numpy(getattr(changed(train_on), side)))
        for side in ("audio", "video")
    }
    with torch.inference_mode():
        means = [towers.closed_form.get_buffer(f"{side}_mean") for side in seen]
    for mean, rows in zip(means, seen.values(), strict=True):
        # The mean that the linear part subtracts is that of the rows it is given.
        torch.testing.assert_close(mean, rows.mean(dim=0), atol=1e-3, rtol=0)
        assert mean.abs().max() > 1
