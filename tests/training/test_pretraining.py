"""Heads that other pairs have trained before their own do."""

import numpy as np
import pytest
import torch

from antiphon.dual_encoder import DualEncoder
from antiphon.errors import ModelError
from antiphon.features import Features
from antiphon.features.joining import join
from antiphon.metrics.ranks import ranks
from antiphon.model.recipe import load_recipe
from antiphon.training import loop

BASE = load_recipe("antiphon-base")
SMALL = BASE.model_copy(
    update={
        "head": BASE.head.model_copy(
            update={"hidden": (32,), "embedding_dim": 8, "dropout": 0.1, "input_dropout": 0.1}
        ),
        "training": BASE.training.model_copy(update={"epochs": 12, "min_steps": 0, "batch_size": 50}),
    }
)
HEADS = SMALL.model_copy(update={"closed_form": None})


def circle(count, seed, shuffled=False):
    """Sides that share an angle, which the pictures have doubled."""
    random = np.random.default_rng(seed)
    angle = random.uniform(0, 2 * np.pi, size=count)
    audio, video = (np.stack([np.cos(turns * angle), np.sin(turns * angle)], axis=1) for turns in (1, 2))
    if shuffled:
        video = video[random.permutation(count)]
    ids = [f"{seed}-{row}" for row in range(count)]
    return Features.from_arrays(audio=audio, video=video + 0.05 * random.normal(size=(count, 2)), ids=ids)


def typical_rank(model, features):
    audio, video = model.embed(features)
    return np.exp(np.log(np.stack([ranks(audio, video)[0], ranks(video, audio)[0]])).mean())


def test_other_pairs_teach_what_own_ones_are_too_few_for_and_shuffled_ones_do_not():
    own, validation, test = circle(20, 1), circle(30, 2), circle(100, 3)
    found = {
        name: typical_rank(DualEncoder(HEADS).fit(own, validation, pretraining=others), test)
        for name, others in (("none", None), ("true", circle(600, 4)), ("shuffled", circle(600, 4, shuffled=True)))
    }
    assert found["true"] < 0.7 * found["none"]
    assert found["shuffled"] > 1.5 * found["true"]


def test_what_is_held_out_or_own_is_not_pretrained_on():
    own, validation, test = circle(20, 1), circle(30, 2), circle(40, 3)
    splits = ["train"] * len(own) + ["validation"] * len(validation) + ["test"] * len(test)
    every = join(join(own, validation), test)
    split = Features.from_arrays(audio=every.audio, video=every.video, ids=every.ids, splits=splits)
    others = circle(50, 4)
    model = DualEncoder(HEADS).fit(split, pretraining=join(others, every))
    expected = DualEncoder(HEADS).fit(own, validation, pretraining=others)
    np.testing.assert_array_equal(model.embed(test)[0], expected.embed(test)[0])
    assert model.seen_videos(others) == len(others)
    assert model.seen_videos(test) == 0


def test_standardisation_and_closed_form_are_those_of_the_own_pairs():
    own, validation = circle(60, 1), circle(30, 2)
    others = circle(200, 4)
    moved = Features.from_arrays(audio=others.audio + 3, video=others.video * 2, ids=others.ids)
    plain, pretrained = (
        DualEncoder(SMALL).fit(own, validation, pretraining=more)._towers.state_dict() for more in (None, moved)
    )
    same = [name for name in plain if "closed_form" in name or "layers.0." in name]
    assert len(same) > 10
    for name in same:
        assert torch.equal(plain[name], pretrained[name]), name
    assert not torch.equal(plain["audio.layers.2.weight"], pretrained["audio.layers.2.weight"])


def test_pretrained_heads_stay_as_they_are_where_own_pairs_teach_nothing():
    """Own pairs are shuffled, so that every epoch of theirs ranks the validation pairs worse."""
    own, validation = circle(300, 1, shuffled=True), circle(100, 2)
    history = DualEncoder(HEADS).fit(own, validation, pretraining=circle(600, 4)).history
    assert [epoch.epoch for epoch in history] == list(range(1, len(history) + 1))
    rates = [epoch.learning_rate for epoch in history]
    first = next(number for number in range(1, len(rates)) if rates[number] > rates[number - 1])
    assert rates[first] == pytest.approx(0.35 * rates[0])
    assert len(history) == first + HEADS.training.patience
    assert not any(epoch.best for epoch in history[first:])


def test_folds_of_the_comparison_are_pretrained_without_what_they_hold_out(monkeypatch):
    """What three of five folds hold out is seen neither first nor afterwards."""
    seen, pretrained = [], loop._pretrained

    def recorded(recipe, others, features, validation, *more):
        seen.append({*others.groups, *features.groups, *validation.groups})
        return pretrained(recipe, others, features, validation, *more)

    monkeypatch.setattr(loop, "_pretrained", recorded)
    own, validation, others = circle(80, 1), circle(20, 2), circle(50, 4)
    others = Features.from_arrays(audio=own.audio[:50], video=others.video, ids=others.ids)  # The sound of own videos.
    quick = SMALL.model_copy(update={"training": SMALL.training.model_copy(update={"epochs": 1})})
    found = DualEncoder(quick).fit(own, validation, pretraining=others).against_cca
    assert found is not None and found.videos == 60
    assert seen[0] == {*own.groups, *validation.groups, *others.groups}
    mine = {*own.groups, *validation.groups}
    gone = [name for part in seen[1:] for name in mine - part]
    assert len(gone) == len(set(gone)) == 60
    for part in seen[1:]:
        for one, other in zip(own.groups[:50], others.groups, strict=True):
            assert (other in part) == (one in part)


def test_other_features_and_track_models_are_refused():
    own, validation, others = circle(20, 1), circle(30, 2), circle(40, 3)
    wide = Features.from_arrays(audio=np.tile(others.audio, 2), video=others.video, ids=others.ids)
    with pytest.raises(ModelError, match="audio features to pretrain on are of another backbone or size"):
        DualEncoder(HEADS).fit(own, validation, pretraining=wide)
    with pytest.raises(ModelError, match="The pretraining split has 0 videos"):
        DualEncoder(HEADS).fit(own, validation, pretraining=own)
    with pytest.raises(ModelError, match="antiphon-track has a track model"):
        DualEncoder("antiphon-track").fit(own, validation, pretraining=others)
