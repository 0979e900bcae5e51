"""The objective is the recipe's loss with what it says about the pairs; recipes with each part of it train."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from antiphon.dual_encoder import DualEncoder
from antiphon.errors import ModelError
from antiphon.features import Features
from antiphon.model.closed_form import ClosedFormConfig
from antiphon.model.losses import LossConfig, chance_loss, info_nce
from antiphon.model.recipe import load_recipe
from antiphon.model.towers import Towers
from antiphon.training.data import TrainingData, inputs_fingerprint
from antiphon.training.objective import Objective

pytestmark = pytest.mark.numeric

DEFAULT = load_recipe("antiphon-base")
BASE = DEFAULT.model_copy(update={"head": DEFAULT.head.model_copy(update={"hidden": (64,), "embedding_dim": 32})})


def catalogue(count=40, seed=0):
    random = np.random.default_rng(seed)
    shared = random.normal(size=(count, 6))
    mix = np.random.default_rng(99)
    return Features.from_arrays(
        audio=shared @ mix.normal(size=(6, 12)) + 5,
        video=shared @ mix.normal(size=(6, 10)) - 5,
        ids=[f"{seed}:{n}" for n in range(count)],
        artists=[f"{seed}-{n // 3}" for n in range(count)],
        labels=[["rock"] if n % 2 else ["live", "rock"] for n in range(count)],
    )


def recipe(**loss):
    return BASE.model_copy(update={"loss": LossConfig(temperature=0.1, learn_temperature=True, **loss)})


def measured(**loss):
    """Objective and plain loss of a batch, with the data and embeddings it was computed from."""
    data = TrainingData.of(catalogue(), torch.device("cpu"))
    torch.manual_seed(0)
    towers = Towers(12, 10, recipe(**loss)).eval()
    rows = np.arange(3, 20)
    audio, video = towers(data.audio[rows], data.video[rows])
    found, plain = Objective(recipe(**loss).loss, data)(towers, audio, video, rows)
    return found.item(), plain.item(), data, rows, audio, video


def test_a_recipe_that_adds_nothing_has_the_plain_loss():
    found, plain, _, _, audio, video = measured()
    assert found == plain == pytest.approx(info_nce(audio, video, 0.1).item(), rel=1e-6)


def test_artists_and_labels_reach_the_loss():
    def naive_labels(data, rows):
        shares = torch.tensor([[1.0 if data.labels[a] == data.labels[b] else 0.5 for b in rows] for a in rows])
        return 0.7 * torch.eye(len(rows)) + 0.3 * shares / shares.sum(dim=1, keepdim=True)

    found, plain, data, rows, audio, video = measured(exclude_same_artist=True)
    artists = data.artists[rows]
    excluded = torch.from_numpy((artists[:, None] == artists) & ~np.eye(len(rows), dtype=bool))
    assert found == pytest.approx(info_nce(audio, video, 0.1, excluded=excluded).item(), rel=1e-6)
    assert plain == pytest.approx(info_nce(audio, video, 0.1).item(), rel=1e-6)

    found, plain, data, rows, audio, video = measured(label_weight=0.3)
    assert found == pytest.approx(info_nce(audio, video, 0.1, targets=naive_labels(data, rows)).item(), rel=1e-5)


@pytest.mark.parametrize(
    "loss",
    [
        {"name": "sigmoid"},
        {"chunk_size": 16},
        {"name": "sigmoid", "chunk_size": 16, "exclude_same_artist": True},
        {"exclude_same_artist": True},
        {"label_weight": 0.2},
        {"name": "decoupled", "exclude_same_artist": True, "label_weight": 0.1},
    ],
    ids=lambda loss: " ".join(map(str, loss)),
)
def test_each_trains_and_its_history_lies_above_the_bound(loss, tmp_path):
    changed = recipe(**loss)
    changed = changed.model_copy(update={"training": changed.training.model_copy(update={"epochs": 12})})
    model = DualEncoder(changed).fit(catalogue(80), catalogue(40, seed=1))
    best = min(epoch.validation_log_rank for epoch in model.history)
    assert best < np.log(10), "chance is a typical rank of 15"
    for epoch in model.history:
        assert epoch.validation_chance == pytest.approx(chance_loss(changed.loss.name, 40))
        assert epoch.validation_lower_bound < epoch.validation_loss
    model.save(tmp_path)
    loaded = DualEncoder.load(tmp_path)
    assert loaded.recipe == changed
    np.testing.assert_array_equal(loaded.embed(catalogue())[0], model.embed(catalogue())[0])


def test_only_the_sigmoid_loss_has_a_bias_and_it_is_trained():
    assert "bias" not in Towers(12, 10, recipe()).state_dict()
    towers = Towers(12, 10, recipe(name="sigmoid"))
    assert towers.state_dict()["bias"] == -10
    data = TrainingData.of(catalogue(), torch.device("cpu"))
    rows = np.arange(40)
    loss, _ = Objective(recipe(name="sigmoid").loss, data)(towers, *towers(data.audio, data.video), rows)
    loss.backward()
    assert towers.bias.grad.abs() > 0.01


def test_labels_that_are_to_count_must_be_there():
    features = Features.from_arrays(audio=np.eye(20), video=np.eye(20))
    with pytest.raises(ModelError, match="no row of the features has a label"):
        DualEncoder(recipe(label_weight=0.3)).fit(features)


def test_artists_and_labels_are_inputs_where_the_recipe_looks_at_them():
    one = catalogue()
    other = Features.from_arrays(audio=one.audio, video=one.video, ids=one.ids)
    held_out = catalogue(seed=1)
    assert inputs_fingerprint(one, held_out, recipe()) == inputs_fingerprint(other, held_out, recipe())
    predicting = recipe().model_copy(update={"closed_form": ClosedFormConfig(labels=True)})
    for changed in (recipe(exclude_same_artist=True), recipe(label_weight=0.1), predicting):
        assert inputs_fingerprint(one, held_out, changed) != inputs_fingerprint(other, held_out, changed)


def test_times_are_an_input_where_the_recipe_reads_tracks_in_order():
    early, held_out = catalogue(), catalogue(6, seed=1)
    late = replace(early, starts_s=np.arange(40, dtype=np.float64))
    assert inputs_fingerprint(early, held_out, BASE) == inputs_fingerprint(late, held_out, BASE)
    track = load_recipe("antiphon-track")
    assert inputs_fingerprint(early, held_out, track) != inputs_fingerprint(late, held_out, track)
