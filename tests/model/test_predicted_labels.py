"""Predicted labels: the regression against its equation, and their weight in a score against the mixture that it is."""

import numpy as np
import pytest

from antiphon.dual_encoder import DualEncoder
from antiphon.errors import ModelError
from antiphon.features import Features
from antiphon.model.closed_form import ClosedFormConfig
from antiphon.model.predicted_labels import label_directions, ridge_regression
from antiphon.model.recipe import load_recipe

pytestmark = pytest.mark.numeric


def catalogue(count, seed, labelled=True, segments=1):
    """Sound and pictures share six values; the sign of the first says "live", that of the second "rock"."""
    random, mix = np.random.default_rng(seed), np.random.default_rng(99)
    shared = np.repeat(random.normal(size=(count, 6)), segments, axis=0)
    shared += 0.1 * random.normal(size=shared.shape)
    return Features.from_arrays(
        audio=shared @ mix.normal(size=(6, 12)) + 5,
        video=shared @ mix.normal(size=(6, 10)) - 5,
        ids=[f"{seed}:{n}" for n in range(len(shared))],
        groups=[f"{seed}:{n // segments}" for n in range(len(shared))],
        labels=[_signs(row) if labelled else () for row in shared],
    )


def _signs(row):
    return [name for name, value in zip(("live", "rock"), row[:2], strict=True) if value > 0]


def fitted(labels=True, labelled=True):
    base = load_recipe("antiphon-base")
    changes = {
        "head": base.head.model_copy(update={"hidden": (16,), "embedding_dim": 8}),
        "closed_form": ClosedFormConfig(num_landmarks=30, num_components=4, labels=labels),
        "training": base.training.model_copy(update={"epochs": 2, "min_steps": 0, "min_pairs": 2}),
        "hubness": None,
    }
    return DualEncoder(base.model_copy(update=changes)).fit(catalogue(80, 0, labelled), catalogue(20, 1, labelled))


@pytest.fixture(scope="module")
def model():
    return fitted()


def test_ridge_regression_is_the_least_of_what_it_says_to_make_least():
    random = np.random.default_rng(0)
    rows, targets = random.normal(size=(40, 5)), random.normal(size=(40, 2))
    found = ridge_regression(rows.astype(np.float32), targets, 0.3).astype(np.float64)
    ridge = 0.3 * (rows**2).mean()
    # As ordinary least squares with a row more for each feature.
    longer = np.vstack([rows / np.sqrt(40), np.sqrt(ridge) * np.eye(5)])
    expected = np.linalg.lstsq(longer, np.vstack([targets / np.sqrt(40), np.zeros((5, 2))]), rcond=None)[0]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_directions_are_the_centred_labels_that_ten_videos_have():
    groups = np.repeat([f"v{n}" for n in range(20)], 2)  # two rows a video
    labels = [("often",) * (n < 20) + ("rare",) * (n < 18) + ("always",) for n in range(40)]
    found = label_directions(labels, groups)
    np.testing.assert_array_equal(found, np.where(np.arange(40) < 20, 0.5, -0.5)[:, None])
    assert label_directions([()] * 40, groups).shape == (40, 0)


def test_many_labels_keep_the_distances_that_their_first_components_keep():
    has = np.random.default_rng(0).random((200, 70)) < 0.3
    labels = [tuple(f"{n:02}" for n in np.flatnonzero(row)) for row in has]
    found = label_directions(labels, np.arange(200).astype(np.str_))
    centred = has - has.mean(axis=0)
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    assert found.shape == (200, 64)
    np.testing.assert_allclose(found @ found.T, (left[:, :64] * values[:64] ** 2) @ left[:, :64].T, atol=1e-9)


@pytest.mark.parametrize("per", ["segment", "track"])
def test_scores_are_the_mixture_that_the_weight_says(model, per):
    test = catalogue(15, 2, segments=2)
    plain, labels = model.embed(test, per), model.embed(test, per, label_weight=1.0)
    for weight in (0.0, 0.3, 1.0):
        audio, video = model.embed(test, per, label_weight=weight)
        np.testing.assert_allclose(np.linalg.norm(audio, axis=1), 1, atol=1e-5)
        mixture = (1 - weight) * plain[0] @ plain[1].T + weight * labels[0] @ labels[1].T
        np.testing.assert_allclose(audio @ video.T, mixture, atol=1e-5)
    np.testing.assert_array_equal(model.embed(test, per, label_weight=0.0)[0], plain[0])


def test_the_more_the_labels_weigh_the_more_answers_share_them(model):
    test = catalogue(100, 3)
    has = np.array([[label in row for label in ("live", "rock")] for row in test.labels])
    same = (has[:, None] == has).all(axis=2)
    shares = []
    for weight in (0.0, 1.0):
        audio, video = model.embed(test, label_weight=weight)
        scores = audio @ video.T
        np.fill_diagonal(scores, -2)
        shares.append(np.take_along_axis(same, np.argsort(-scores)[:, :5], axis=1).mean())
    assert shares[1] > shares[0]
    assert shares[1] > 0.5  # by chance a quarter


def test_labels_change_nothing_where_they_have_no_weight_and_survive_saving(model, tmp_path):
    test = catalogue(15, 2)
    for one, other in zip(model.embed(test), fitted(labels=False).embed(test), strict=True):
        np.testing.assert_array_equal(one, other)
    model.save(tmp_path)
    loaded = DualEncoder.load(tmp_path)
    for one, other in zip(*(each.embed(test, label_weight=0.5) for each in (model, loaded)), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan")])
def test_a_weight_out_of_range_is_refused(model, weight):
    with pytest.raises(ModelError, match="from 0 to 1"):
        model.embed(catalogue(4, 2), label_weight=weight)


@pytest.mark.parametrize("settings", [{"labels": False}, {"labelled": False}], ids=str)
def test_a_model_that_predicts_no_labels_says_what_to_do(settings):
    with pytest.raises(ModelError, match=r"labels = true under \[closed_form\]"):
        fitted(**settings).embed(catalogue(4, 2), label_weight=0.5)
