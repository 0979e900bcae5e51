"""Closed forms against the linear analysis and a naive kernel analysis in float64; files whose sizes do not fit."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from safetensors.torch import load_file, save_file
from scipy.linalg import eigh
from scipy.spatial.distance import cdist, pdist

from antiphon.errors import ModelError
from antiphon.model.cca import CCA, CCASettings
from antiphon.model.checkpoint import load_towers, save_towers
from antiphon.model.closed_form import ClosedForm, ClosedFormConfig
from antiphon.model.recipe import load_recipe
from antiphon.model.towers import Towers

pytestmark = pytest.mark.numeric

DIMS = {"audio": 6, "video": 5}
BASE = load_recipe("antiphon-base")
SMALL = BASE.model_copy(update={"head": BASE.head.model_copy(update={"hidden": (8,), "embedding_dim": 4})})


def related(count, seed=0):
    """(count, 6) and (count, 5) float32 rows that share three hidden values."""
    random, mix = np.random.default_rng(seed), np.random.default_rng(99)
    hidden = random.normal(size=(count, 3))
    sides = (
        hidden @ mix.normal(size=(3, size)) + 0.3 * random.normal(size=(count, size)) + 1 for size in DIMS.values()
    )
    return tuple(torch.from_numpy(side.astype(np.float32)) for side in sides)


def fitted(count=40, *, ridge=0.5, kernel_ridge=0.1, seed=0, **config):
    audio, video = related(count)
    closed_form = ClosedForm(ClosedFormConfig(**config))
    return closed_form.fit(audio, video, ridge, kernel_ridge, np.random.default_rng(seed))


@pytest.mark.parametrize("dim", [2, 256])
def test_the_linear_part_is_the_linear_analysis_with_that_ridge(dim):
    closed_form = fitted(num_components=dim)
    analysis = CCA(CCASettings(audio_ridge=0.5, video_ridge=0.5, num_components=dim)).fit(*related(40))
    audio, video = related(15, seed=1)
    np.testing.assert_allclose(closed_form.parts("audio", audio)[0], analysis.embed_audio(audio), atol=1e-5)
    np.testing.assert_allclose(closed_form.parts("video", video)[0], analysis.embed_video(video), atol=1e-5)


def naive_kernel_part(train, others, ridge, dim):
    """Unit rows of `others`, both sides: the generalised eigenproblem of kernel canonical correlations, in float64."""
    centred, new = [], []
    for rows, unseen in zip(train, others, strict=True):
        width = np.median(pdist(rows) ** 2)
        similar, to_landmarks = (np.exp(-(cdist(part, rows) ** 2) / width) for part in (rows, unseen))
        centred.append(similar - similar.mean(axis=0))
        new.append(to_landmarks - similar.mean(axis=0))
    count = len(centred[0])
    within = [side.T @ side / count for side in centred]
    within = [matrix + ridge * np.trace(matrix) / count * np.eye(count) for matrix in within]
    across, nothing = centred[0].T @ centred[1] / count, np.zeros((count, count))
    correlations, vectors = eigh(
        np.block([[nothing, across], [across.T, nothing]]), np.block([[within[0], nothing], [nothing, within[1]]])
    )
    most = np.argsort(correlations)[::-1][: min(dim, count)]
    scaled = vectors[:, most] * correlations[most]
    rows = [side @ part for side, part in zip(new, (scaled[:count], scaled[count:]), strict=True)]
    return [side / np.linalg.norm(side, axis=1, keepdims=True) for side in rows]


@pytest.mark.parametrize("dim", [4, 256])
def test_the_kernel_part_is_kernel_canonical_correlation_where_all_pairs_are_landmarks(dim):
    closed_form, others = fitted(num_components=dim), related(15, seed=1)
    expected = naive_kernel_part(related(40), others, 0.1, dim)
    found = [closed_form.parts(side, rows)[1].numpy() for side, rows in zip(DIMS, others, strict=True)]
    for one, other in ((0, 0), (1, 1), (0, 1)):
        np.testing.assert_allclose(found[one] @ found[other].T, expected[one] @ expected[other].T, atol=1e-3)


def test_landmarks_are_training_pairs_and_another_generator_draws_others():
    closed_form, again, other = (fitted(num_landmarks=7, seed=seed) for seed in (1, 1, 2))
    drawn = [
        [int(torch.where((rows == landmark).all(dim=1))[0]) for landmark in closed_form.get_buffer(f"{side}_landmarks")]
        for side, rows in zip(DIMS, related(40), strict=True)
    ]
    assert drawn[0] == drawn[1] == sorted(set(drawn[0]))
    assert len(drawn[0]) == 7
    for name, values in closed_form.state_dict().items():
        assert torch.equal(values, again.state_dict()[name]), name
    assert not torch.equal(closed_form.get_buffer("audio_landmarks"), other.get_buffer("audio_landmarks"))


def test_rows_that_are_all_but_the_same_still_have_a_width():
    audio, video = related(40)
    audio[8:] = audio[0]
    closed_form = ClosedForm(ClosedFormConfig()).fit(audio, video, 0.5, 0.1, np.random.default_rng(0))
    distances = pdist(audio.double().numpy()) ** 2
    assert float(closed_form.get_buffer("audio_width")) == pytest.approx(np.median(distances[distances > 0]), rel=1e-3)
    for part in closed_form.parts("audio", audio):
        torch.testing.assert_close(part.norm(dim=1), torch.ones(40))


UNIT = arrays.arrays(np.float64, (4, 3), elements=st.floats(0.1, 1)).map(
    lambda rows: torch.from_numpy(rows / np.linalg.norm(rows, axis=1, keepdims=True))
)
WEIGHTS = st.tuples(*[st.sampled_from([0.0, 0.5, 1.0])] * 3).filter(any)


@settings(max_examples=25)
@given(parts=st.tuples(UNIT, UNIT, UNIT), weights=WEIGHTS)
def test_dot_products_of_joined_rows_are_the_weighted_means_of_the_parts_cosines(parts, weights):
    closed_form = ClosedForm(ClosedFormConfig()).double()
    closed_form.weights.copy_(torch.tensor(weights))
    joined = closed_form.joined(*parts)
    expected = sum(weight * part @ part.T for weight, part in zip(weights, parts, strict=True)) / sum(weights)
    torch.testing.assert_close(joined @ joined.T, expected)
    torch.testing.assert_close(joined.norm(dim=1), torch.ones(4, dtype=torch.float64))


def towers_with(closed_form):
    towers = Towers(*DIMS.values(), SMALL).eval()
    towers.closed_form = closed_form
    return towers


@pytest.mark.parametrize("closed_form", [fitted(num_components=3, num_landmarks=9), ClosedForm(ClosedFormConfig())])
def test_what_was_written_is_read_whatever_its_size(tmp_path, closed_form):
    towers = towers_with(closed_form)
    save_towers(towers, tmp_path)
    loaded = load_towers(tmp_path, SMALL, *DIMS.values(), torch.device("cpu"))
    assert loaded.embedding_dim == towers.embedding_dim == 4 + sum(closed_form.dims)
    rows = related(5, seed=2)[0]
    with torch.inference_mode():
        embedded = towers.embed("audio", rows)
        torch.testing.assert_close(loaded.embed("audio", rows), embedded, rtol=0, atol=0)
    torch.testing.assert_close(embedded.norm(dim=1), torch.ones(5))


DAMAGE = {
    "audio_mean": torch.zeros(5),
    "audio_linear": torch.zeros(6, 2),
    "video_linear": torch.zeros(4, 3),
    "audio_landmarks": torch.zeros(9, 5),
    "video_landmarks": torch.zeros(8, 5),
    "video_similarity": torch.zeros(10),
    "audio_kernel": torch.zeros(9, 0),
    "video_kernel": torch.zeros(9, 4),
    "video_mean": torch.zeros(5, 1),
    "audio_similarity": torch.zeros(0),
    "audio_width": torch.zeros(3),
    "weights": torch.zeros(2),
}
"""Of other sizes than all the rest."""

WEIGHTLESS = {"zero": [0.0, 0.0, 0.0], "negative": [2.0, -1.0, 1.0], "not finite": [float("nan"), 1.0, 1.0]}


@pytest.mark.parametrize("name", [*DAMAGE, "video_linear of 10**12 columns", "no audio_kernel"])
def test_sizes_that_do_not_fit_are_refused(tmp_path, name):
    save_towers(towers_with(fitted(num_components=3, num_landmarks=9)), tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    if name in DAMAGE:
        weights[f"closed_form.{name}"] = DAMAGE[name]
    elif name.startswith("no "):
        del weights["closed_form.audio_kernel"]
    else:
        weights["closed_form.video_linear"] = torch.zeros(0, 10**12)
    save_file(weights, tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match=r"model.safetensors: does not match the recipe in its run.toml"):
        load_towers(tmp_path, SMALL, *DIMS.values(), torch.device("cpu"))


@pytest.mark.parametrize("name", WEIGHTLESS)
def test_weights_that_are_none_are_refused(tmp_path, name):
    save_towers(towers_with(fitted(num_components=3, num_landmarks=9)), tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    weights["closed_form.weights"] = torch.tensor(WEIGHTLESS[name])
    save_file(weights, tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match="the weights of its closed form are not finite and non-negative"):
        load_towers(tmp_path, SMALL, *DIMS.values(), torch.device("cpu"))


@pytest.mark.parametrize("width", [0.0, -1.0, float("nan"), float("inf")])
def test_a_width_that_is_none_is_refused(tmp_path, width):
    save_towers(towers_with(fitted(num_components=3, num_landmarks=9)), tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    weights["closed_form.video_width"] = torch.tensor(width)
    save_file(weights, tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match="the video kernel width of its closed form is not positive"):
        load_towers(tmp_path, SMALL, *DIMS.values(), torch.device("cpu"))


def test_half_a_closed_form_is_refused(tmp_path):
    save_towers(towers_with(fitted(num_components=3, num_landmarks=9)), tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    for side, size in DIMS.items():
        weights[f"closed_form.{side}_linear"] = torch.zeros(size, 0)
    save_file(weights, tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match="the linear or the kernel part of its closed form is missing"):
        load_towers(tmp_path, SMALL, *DIMS.values(), torch.device("cpu"))


def test_a_header_that_claims_more_than_the_file_holds_is_refused(tmp_path):
    save_towers(towers_with(fitted(num_components=3, num_landmarks=9)), tmp_path)
    content = (tmp_path / "model.safetensors").read_bytes()
    claimed = content.replace(b'"shape":[9,6]', b'"shape":[999]', 1)
    assert claimed != content
    (tmp_path / "model.safetensors").write_bytes(claimed)
    with pytest.raises(ModelError, match=r"model.safetensors: is damaged"):
        load_towers(tmp_path, SMALL, *DIMS.values(), torch.device("cpu"))
