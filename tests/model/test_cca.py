"""Canonical correlations against scikit-learn, the textbook's closed form, and cases whose answer is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cross_decomposition import CCA as SklearnCCA

import antiphon as ap
from antiphon.errors import ModelError
from antiphon.model.cca import CCA, CCASettings, decompose
from antiphon.model.cca_tuning import fit_tuned

pytestmark = pytest.mark.numeric

PLAIN = CCASettings(audio_ridge=0, video_ridge=0)


def related(count, seed=0, audio=8, video=12, noise=1.0):
    """Two sides that share three hidden values."""
    random, mix = np.random.default_rng(seed), np.random.default_rng(99)
    hidden = random.normal(size=(count, 3))
    return tuple(
        hidden @ mix.normal(size=(3, size)) + noise * random.normal(size=(count, size)) + 5 for size in (audio, video)
    )


def features(count, seed=0, first=0, **shape):
    audio, video = related(count, seed, **shape)
    return ap.Features.from_arrays(audio=audio, video=video, ids=[f"video-{first + row}" for row in range(count)])


def test_without_ridge_the_correlations_are_those_of_scikit_learn():
    audio, video = related(300)
    reference = SklearnCCA(n_components=8, scale=False, max_iter=100_000, tol=1e-14).fit(audio, video)
    sound, pictures = reference.transform(audio, video)
    theirs = [np.corrcoef(sound[:, column], pictures[:, column])[0, 1] for column in range(8)]
    assert CCA(PLAIN).fit(audio, video).correlations == pytest.approx(theirs, abs=1e-6)


def test_projections_are_white_within_a_side_and_correlated_only_with_their_own_partner():
    audio, video = related(200)
    sound, pictures, correlations = decompose(audio, video).canonical(0, 0)
    a, v = sound(audio), pictures(video)
    assert a.T @ a / 200 == pytest.approx(np.eye(8), abs=1e-9)
    assert v.T @ v / 200 == pytest.approx(np.eye(8), abs=1e-9)
    assert a.T @ v / 200 == pytest.approx(np.diag(correlations), abs=1e-9)


@pytest.mark.parametrize("count", [200, 7], ids=["more pairs than features", "fewer pairs than features"])
def test_with_ridges_it_is_the_generalised_eigenproblem_of_the_textbook(count):
    audio, video = related(count)
    sides = [side - side.mean(axis=0) for side in (audio, video)]
    within = [
        side.T @ side / count + ridge * np.trace(side.T @ side / count) / side.shape[1] * np.eye(side.shape[1])
        for side, ridge in zip(sides, (0.3, 2.0), strict=True)
    ]
    across = sides[0].T @ sides[1] / count
    squares = np.linalg.eigvals(np.linalg.solve(within[0], across) @ np.linalg.solve(within[1], across.T))
    expected = np.sqrt(np.sort(np.clip(squares.real, 0, None))[::-1])
    found = decompose(audio, video).canonical(0.3, 2.0)[2]
    assert found == pytest.approx(expected[: len(found)], abs=1e-6)


def test_a_huge_ridge_leaves_the_singular_vectors_of_the_cross_covariance():
    audio, video = related(100)
    model = CCA(CCASettings(audio_ridge=1e9, video_ridge=1e9, num_components=1)).fit(audio, video)
    across = (audio - audio.mean(axis=0)).T @ (video - video.mean(axis=0))
    first = (audio - audio.mean(axis=0)) @ np.linalg.svd(across)[0][:, 0]
    signs = model.embed_audio(audio)[:, 0]
    assert np.array_equal(signs, np.sign(first)) or np.array_equal(signs, -np.sign(first))


@settings(max_examples=20)
@given(st.integers(0, 1000), st.floats(0.01, 100))
def test_correlations_do_not_know_the_units_nor_the_place_of_either_side(seed, factor):
    audio, video = related(40, seed)
    here = CCA(CCASettings(audio_ridge=0.5, video_ridge=0.1)).fit(audio, video)
    there = CCA(CCASettings(audio_ridge=0.5, video_ridge=0.1)).fit(factor * audio - 3, video + factor)
    assert there.correlations == pytest.approx(here.correlations, abs=1e-7)


@pytest.mark.parametrize("count", [200, 7], ids=["more pairs than features", "fewer pairs than features"])
def test_in_principal_axes_other_rows_are_embedded_alike(count):
    parts = decompose(*related(count))
    others = related(20, seed=1)
    settings_ = CCASettings(audio_ridge=0.1, video_ridge=0.3)
    plain, turned = (CCA(settings_).fit_decomposed(each) for each in (parts, parts.rotated()))
    audio, video = parts.coordinates(*others)
    assert turned.embed_audio(audio) == pytest.approx(plain.embed_audio(others[0]), abs=1e-6)
    assert turned.embed_video(video) == pytest.approx(plain.embed_video(others[1]), abs=1e-6)


def test_power_and_dims_scale_and_cut_the_directions_before_unit_length():
    audio, video = related(100)
    sound, _, correlations = decompose(audio, video).canonical(0.1, 1.0)
    rows = CCA(CCASettings(num_components=3, power=2)).fit(audio, video).embed_audio(audio)
    expected = sound(audio)[:, :3] * correlations[:3] ** 2
    assert rows == pytest.approx(expected / np.linalg.norm(expected, axis=1, keepdims=True), abs=1e-6)
    assert rows.dtype == np.float32


def test_it_embeds_and_is_evaluated_as_a_dual_encoder_is():
    train, test = features(400), features(100, seed=1, first=400)
    audio, video = (side.copy() for side in (test.audio, test.video))
    video[3] = np.nan
    holed = ap.Features.from_arrays(audio=audio, video=video, ids=test.ids)
    model = CCA().fit_features(train)
    rows = model.embed(holed)
    assert np.isnan(rows[1][3]).all() and np.linalg.norm(np.delete(rows[1], 3, 0), axis=1) == pytest.approx(1)
    result = ap.evaluate(model, holed)
    assert result["seen"] == 0 and result["a2v"]["n"] == 99 and result["a2v"]["median_rank"] < 15
    with pytest.warns(UserWarning, match="400 of the 400 videos were seen"):
        ap.evaluate(model, train)
    with pytest.raises(ModelError, match="video features have 5 values; this analysis was fitted on 12"):
        model.embed(ap.Features.from_arrays(audio=audio, video=video[:, :5]))
    assert np.isnan(model.embed(ap.Features.from_arrays(audio=audio))[1]).all()


def test_what_cannot_be_correlated_is_refused():
    with pytest.raises(ModelError, match="at least two pairs, not 1"):
        CCA().fit(np.ones((1, 3)), np.ones((1, 3)))
    with pytest.raises(ModelError, match="video features are identical in all 4 pairs"):
        CCA().fit(np.arange(8.0).reshape(4, 2), np.full((4, 3), 0.1))
    with pytest.raises(ModelError, match="not fitted"):
        CCA().embed_audio(np.ones((1, 3)))


@pytest.mark.parametrize("held_out", [300, 40], ids=["validation decides", "folds decide"])
def test_tuning_finds_settings_that_do_better_on_other_videos_than_untuned_ones(held_out):
    shape = {"audio": 60, "video": 80, "noise": 3.0}
    train, validation = features(90, **shape), features(held_out, seed=1, first=90, **shape)
    test = features(300, seed=2, first=1000, **shape)
    tuned = fit_tuned(train, validation)
    plain = CCA(PLAIN).fit_features(train)
    assert tuned.seen_videos(validation) == held_out
    for way in ("a2v", "v2a"):
        ranks = [ap.evaluate(model, test)[way]["median_rank"] for model in (tuned, plain)]
        assert ranks[0] < 0.8 * ranks[1]


def test_tuning_needs_videos_to_rank():
    with pytest.raises(ModelError, match="6 videos have both audio and video features; tuning needs at least 10"):
        fit_tuned(features(4), features(2, seed=1, first=4))
