"""The audit finds what was planted, and nothing where nothing was."""

import math
import re
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
import torch

from antiphon.dual_encoder import DualEncoder
from antiphon.errors import ModelError
from antiphon.evaluation.auditing import audit, published, shuffled_control, shuffled_pairs
from antiphon.evaluation.auditing.copies import copy_checks
from antiphon.evaluation.auditing.losses import loss_checks
from antiphon.evaluation.auditing.metrics import median_ranks, metric_checks
from antiphon.features import Features
from antiphon.model.recipe import load_recipe
from antiphon.runs import Epoch

SPLITS = ("train",) * 160 + ("validation",) * 40 + ("test",) * 80
SHIFT_CHECKS = ("Pairs: test rows", "Pairs: all rows")


def catalogue(segments=2, seed=0):
    """280 videos whose sound and pictures share six hidden values."""
    random = np.random.default_rng(seed)
    mix = np.random.default_rng(99)
    hidden = np.repeat(random.normal(size=(len(SPLITS), 6)), segments, axis=0)
    hidden = hidden + 0.3 * random.normal(size=hidden.shape)
    audio, video = (hidden @ mix.normal(size=(6, 40)) + 0.5 * random.normal(size=(len(hidden), 40)) for _ in range(2))
    names = np.repeat([f"video-{number:03d}" for number in range(len(SPLITS))], segments)
    artists = np.repeat([f"Artist {number // 2}" for number in range(len(SPLITS))], segments)
    return Features.from_arrays(
        audio=audio,
        video=video,
        ids=[f"{name}:{row % segments}" for row, name in enumerate(names)],
        groups=names,
        splits=np.repeat(SPLITS, segments),
        artists=artists,
    )


def fitted(features, **changes):
    return DualEncoder("paper-temperature-0.3", **changes).fit(features["train"], features["validation"])


@pytest.fixture(scope="module")
def features():
    return catalogue()


@pytest.fixture(scope="module")
def model(features):
    return fitted(features)


def by_name(found):
    return {check["name"]: check for check in found["checks"]}


def flagged(found):
    return {check["name"] for check in found["checks"] if check["status"] == "fail"}


def test_nothing_is_found_where_nothing_was_planted(features, model):
    found = audit(model, features, control=shuffled_control(model, features))
    assert flagged(found) == set()
    assert found["counts"]["n/a"] == 0
    checks = by_name(found)
    assert checks["Model: shuffled pairs"]["numbers"]["trained"]["a2v"] < 20
    assert checks["Model: shuffled pairs"]["numbers"]["shuffled"]["a2v"] > 60
    assert checks["Model: published formula"]["numbers"]["published_oracle"] > 40
    assert found["verdict"].startswith("Nothing")


def test_a_metric_that_returns_the_diagonal_of_argsort(features, model):
    found = flagged(audit(model, features, metric=published))
    assert {"Metric: oracle", "Metric: reversed", "Metric: directions", "Model: permuted pairs"} <= found


def test_a_metric_whose_second_direction_reuses_the_first():
    def reuses(audio, video):
        return (median_ranks(audio, video)[0],) * 2

    assert {check.name for check in metric_checks(reuses) if check.status == "fail"} == {"Metric: directions"}


def test_a_metric_that_counts_ties_as_found():
    def optimistic(audio, video):
        scores = audio @ video.T
        own = np.diagonal(scores)
        above = (scores > own[:, None] + 1e-9).sum(1), (scores > own[None, :] + 1e-9).sum(0)
        return float(np.median(above[0]) + 1), float(np.median(above[1]) + 1)

    assert {check.name for check in metric_checks(optimistic) if check.status == "fail"} == {"Metric: constant"}


def test_a_metric_that_is_right_in_the_extremes_only(features, model):
    """It calls every rank that is not extreme chance: nothing but the permuted pairs shows it."""

    def lazy(audio, video):
        exact = median_ranks(audio, video)
        return tuple((len(audio) + 1) / 2 if 2 < rank < len(audio) else rank for rank in exact)

    assert flagged(audit(model, features, metric=lazy)) == {"Model: permuted pairs"}


def test_a_test_that_the_model_was_trained_on(features, model):
    swapped = np.where(features.splits == "test", "train", np.where(features.splits == "train", "test", "validation"))
    check = by_name(audit(model, replace(features, splits=swapped)))["Leakage: seen videos"]
    assert (check["status"], check["numbers"]["videos"]) == ("fail", 160)


def test_a_model_that_knows_nothing_is_a_warning(features):
    nothing = DualEncoder("paper-base").fit(*(shuffled_pairs(features[split], 1) for split in ("train", "validation")))
    checks = by_name(audit(nothing, features))
    assert checks["Model: null"]["status"] == "warn"


def test_a_control_that_is_far_from_chance(features, model):
    """Something besides the pairs tells partners apart: here the control was trained on the true pairs."""
    check = by_name(audit(model, features, control=model))["Model: shuffled pairs"]
    assert check["status"] == "fail"


def test_no_video_keeps_its_pictures_when_pairs_are_shuffled():
    few = catalogue(segments=1).take(np.arange(3))
    for seed in range(30):
        assert not (shuffled_pairs(few, seed).video == few.video).all(axis=1).any()


def test_one_video_in_two_splits(features, model):
    splits = features.splits.copy()
    splits[-1] = "train"
    assert "Leakage: videos" in flagged(audit(model, replace(features, splits=splits)))


def test_one_artist_in_two_splits(features, model):
    artists = features.artists.copy()
    artists[-1] = "  artist 0 "
    found = audit(model, replace(features, artists=artists))
    assert "Leakage: artists" in flagged(found)
    assert "Leakage: videos" not in flagged(found)


def test_a_copy_of_a_test_video_in_training(features, model):
    """The copy's values differ by a little noise, and other segments were drawn from it."""
    random = np.random.default_rng(1)
    victim, intruder = features.groups == "video-279", features.groups == "video-000"
    changed = {}
    for side in ("audio", "video"):
        values = getattr(features, side).copy()
        values[intruder] = values[victim][::-1] + 0.1 * random.normal(size=values[victim].shape)
        changed[side] = values
    found = by_name(audit(model, replace(features, **changed)))["Leakage: copies"]
    assert found["status"] == "fail"
    assert {"held_out": "video-279", "train": "video-000"}.items() <= found["numbers"]["pairs"][0].items()


def test_a_copy_is_found_beside_its_sibling(features):
    random = np.random.default_rng(2)
    found = 0
    for _ in range(10):
        changed = {side: getattr(features, side).copy() for side in ("audio", "video")}
        victim = features.groups == "video-279"
        for intruder in ("video-000", "video-010"):
            for side, values in changed.items():
                noise = 0.1 * random.normal(size=values[victim].shape)
                values[features.groups == intruder] = getattr(features, side)[victim] + noise
        found += copy_checks(replace(features, **changed))[0].status == "fail"
    assert found == 10


def test_training_videos_of_one_artist_calibrate_nothing(features):
    single = replace(features, artists=np.where(features.splits == "train", "Artist", features.artists))
    assert [check.status for check in copy_checks(single)] == ["n/a"]


@pytest.mark.parametrize(("side", "name"), [("audio", "Leakage: sound"), ("video", "Leakage: pictures")])
def test_a_copy_by_one_modality_is_a_warning(features, side, name):
    values = getattr(features, side).copy()
    values[features.groups == "video-000"] = values[features.groups == "video-279"]
    checks = {check.name: check for check in copy_checks(replace(features, **{side: values}))}
    assert checks[name].status == "warn"
    assert checks[name].numbers["pairs"][0]["held_out"] == "video-279"
    assert checks["Leakage: copies"].status == "pass"


def test_test_pairs_shifted_by_one_row(features, model):
    rows = np.flatnonzero(features.splits == "test")
    for step in (1, -1):
        video = features.video.copy()
        video[rows] = np.roll(video[rows], step, axis=0)
        check = by_name(audit(model, replace(features, video=video)))["Pairs: test rows"]
        assert check["status"] == "fail"
        assert check["numbers"]["shift"] == step


def test_all_pairs_shifted_by_one_row_before_training(features):
    shifted = replace(features, video=np.roll(features.video, 1, axis=0))
    found = by_name(audit(fitted(shifted), shifted))["Pairs: all rows"]
    assert found["status"] == "fail"
    assert found["numbers"]["shift"] == 1


def test_pairs_without_any_relation_are_not_taken_for_shifted():
    random = np.random.default_rng(5)
    base = catalogue(segments=1)
    wrong = 0
    for _ in range(10):
        features = replace(base, video=random.normal(size=base.video.shape).astype(np.float32))
        checks = by_name(audit(fitted(features), features))
        wrong += sum(checks[name]["status"] == "fail" for name in SHIFT_CHECKS)
    assert wrong <= 1


@pytest.mark.parametrize("side", ["audio", "video"])
def test_a_constant_head(features, side):
    model = fitted(features)
    with torch.no_grad():
        for name, value in getattr(model._towers, side).named_parameters():
            if name.endswith("weight"):
                value.zero_()
    found = by_name(audit(model, features))["Model: constant head"]
    assert found["status"] == "fail"
    assert {"audio": "sound", "video": "pictures"}[side] in found["finding"]


def test_the_room_of_the_loss_is_narrow_at_temperature_1_and_wide_at_a_tenth():
    features = catalogue(segments=1)
    room = {
        name: loss_checks(DualEncoder(name).fit(features["train"], features["validation"]))[0]
        for name in ("paper-base", "antiphon-base")
    }
    assert room["paper-base"].status == "warn"
    assert room["antiphon-base"].status == "pass"
    numbers = room["paper-base"].numbers
    assert numbers["chance"] == pytest.approx(math.log(40))
    assert numbers["least"] == pytest.approx(math.log(math.e + 39) - 1)


def test_a_validation_loss_at_chance_is_said_and_bounds_no_information():
    features = catalogue(segments=1)
    nothing = DualEncoder("paper-base").fit(*(shuffled_pairs(features[split], 1) for split in ("train", "validation")))
    something = DualEncoder("paper-temperature-0.3").fit(features["train"], features["validation"])
    assert [check.status for check in loss_checks(nothing)][1] == "warn"
    _, validation, information = loss_checks(something)
    assert (validation.status, information.status) == ("pass", "pass")
    best = [epoch for epoch in something.history if epoch.best][-1]
    assert information.numbers["nats"] == pytest.approx(math.log(40) - best.validation_loss / 2)


def epoch(loss: float, chance: float, least: float) -> Epoch:
    return Epoch(1, 0.1, 1.0, 1.0, 1.0, 0.1, loss, chance, least, 2.0, 0.7, best=True)


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        (3.0, "25% of the way from chance (2.00) to the least possible (0.00)."),
        (4.0, "about chance (2.00; the least possible is 0.00). By its loss the model knows nothing about held-out"),
        (4.8, "above chance (2.00), so worse than knowing nothing; the least possible is 0.00."),
    ],
)
def test_where_the_validation_loss_lies_is_said_in_words(loss: float, words: str) -> None:
    model = SimpleNamespace(history=[epoch(loss, 4.0, 0.0)], recipe=load_recipe("paper-base"))
    finding = loss_checks(cast(DualEncoder, model))[1].finding
    assert words in finding
    assert "-" not in finding.replace("held-out", "")


def test_batches_of_one_pair_leave_the_loss_nothing_to_tell() -> None:
    model = SimpleNamespace(history=[epoch(0.0, 0.0, 0.0)], recipe=load_recipe("paper-base"))
    assert [check.status for check in loss_checks(cast(DualEncoder, model))] == ["n/a"] * 3


def test_what_cannot_be_looked_at_is_said(features, model):
    nameless = replace(features, artists=np.full(len(features), ""))
    check = by_name(audit(model, nameless))["Leakage: artists"]
    assert (check["status"], check["finding"]) == (
        "n/a",
        "No artist is known, so none can be looked for in two splits.",
    )
    with pytest.raises(ModelError, match="nothing to audit"):
        audit(model, features.take(features.splits != "test"))


def test_one_shared_artist_is_said_in_the_singular(features, model):
    names = features.artists.copy()
    test = np.flatnonzero(features.splits == "test")[:2]
    names[test] = names[0]
    found = by_name(audit(model, replace(features, artists=names)))["Leakage: artists"]
    assert re.match(r"1 of \d+ artists is in more than one split: ", found["finding"])
