"""The paper's experiments on arrays whose answer is known."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from antiphon.dual_encoder import DualEncoder
from antiphon.errors import DivergedError, ModelError
from antiphon.evaluation.auditing import shuffled_pairs
from antiphon.experiments import reproduce as reproducing
from antiphon.experiments.alignment import alignment, paper_pool, with_loss
from antiphon.experiments.kept import Kept
from antiphon.experiments.paper import CONFIGURATIONS, DEVIATIONS, TABLE_1, TABLE_2
from antiphon.experiments.reproduce import reproduce
from antiphon.experiments.trials import Trials
from antiphon.experiments.verdict import alignment_verdict, live_verdict, question_1, question_2
from antiphon.features import Features
from antiphon.metrics import retrieval
from antiphon.metrics.published_formula import published_median_rank
from antiphon.model.recipe import load_recipe, recipe_names

pytestmark = pytest.mark.usefixtures("quick_default")

SPLITS = ("train",) * 120 + ("validation",) * 30 + ("test",) * 50


def catalogue(segments=2, seed=0, related=True):
    """200 videos; where related, sound and pictures share six hidden values, the first of which is the genre."""
    random = np.random.default_rng(seed)
    mix = np.random.default_rng(99)
    hidden = np.repeat(random.normal(size=(len(SPLITS), 6)), segments, axis=0)
    other = hidden if related else random.normal(size=hidden.shape)
    audio, video = (
        part @ mix.normal(size=(6, 30)) + 0.5 * random.normal(size=(len(hidden), 30)) for part in (hidden, other)
    )
    names = np.repeat([f"video-{number:03d}" for number in range(len(SPLITS))], segments)
    return Features.from_arrays(
        audio=audio,
        video=video,
        ids=[f"{name}:{row % segments}" for row, name in enumerate(names)],
        groups=names,
        splits=np.repeat(SPLITS, segments),
        genres=np.where(hidden[:, 0] > 0, "rock", "soul"),
        labels=[[f"tag-{column}" for column in range(3) if row[column] > 0] for row in hidden],
        audio_name="ears",
        video_name="eyes",
    )


@pytest.fixture(scope="module")
def trials(tmp_path_factory):
    place = tmp_path_factory.mktemp("trials")
    return Trials(catalogue(), lambda name: place / name)


@pytest.fixture(scope="module")
def table(trials):
    return alignment(trials, seeds=2)


def test_table_1_has_the_six_configurations_with_the_papers_numbers_beside(table):
    assert [row["recipe"] for row in table["rows"]] == list(CONFIGURATIONS) == list(TABLE_1)
    assert set(CONFIGURATIONS) | set(DEVIATIONS) <= set(recipe_names())
    assert table["rows"][0]["paper"] == {"a2v": 507, "v2a": 502}
    assert json.loads(json.dumps(table)) == table


def test_its_ranks_are_those_of_the_trained_models(table, trials):
    row = next(row for row in table["rows"] if row["recipe"] == "paper-temperature-0.3")
    test = trials.features["test"]
    for seed in range(2):
        model = DualEncoder.load(trials.run(f"paper-temperature-0.3-seed-{seed}"))
        audio, video = model.embed(test)
        found = retrieval(audio, video, groups=test.groups)
        for way in ("a2v", "v2a"):
            assert row["pool"][way]["by_seed"][seed] == row["full"][way]["by_seed"][seed] == found[way]["median_rank"]
        assert row["published"][seed] == published_median_rank(audio, video)
    for way in ("a2v", "v2a"):
        ranks = row["pool"][way]
        assert ranks["median_rank"] == np.mean(ranks["by_seed"])
        assert ranks["ci95"][0] <= ranks["median_rank"] <= ranks["ci95"][1] < ranks["null95"][0]
        assert (ranks["n"], ranks["chance"]) == (100, 50.5)


def test_the_published_formula_says_the_same_of_all_and_shuffled_pairs_end_near_chance(table):
    assert table["oracle"]["median_rank"] == {"a2v": 1.0, "v2a": 1.0}
    printed = [value for row in table["rows"] for value in row["published"]] + [table["oracle"]["published"]]
    assert all(25 < value < 75 for value in printed)
    assert table["shuffled"]["pool"]["a2v"]["median_rank"] > 30
    assert table["rows"][0]["gain"] == {"value": 1.0, "ci95": [1.0, 1.0]}
    assert table["shuffled"]["gain"]["ci95"][1] < 1


def test_what_is_trained_is_trained_once(trials, table):
    folder = trials.run("paper-base-seed-0")
    before = (folder / "model.safetensors").stat().st_mtime_ns
    again = alignment(trials, seeds=2)
    assert (folder / "model.safetensors").stat().st_mtime_ns == before
    assert again == table


def test_other_features_or_another_loss_are_trained_anew(trials, table, tmp_path):
    del table
    shutil.copytree(trials.run("."), tmp_path / "runs")
    trials = Trials(trials.features, lambda name: tmp_path / "runs" / name)
    folder = trials.run("paper-base-seed-0")
    before = (folder / "run.toml").stat().st_mtime_ns
    other = Trials(catalogue(seed=1), trials.run)
    other.fitted(load_recipe("paper-base"), 0)
    assert (folder / "run.toml").stat().st_mtime_ns != before
    decoupled = trials.fitted(with_loss(load_recipe("paper-base"), "decoupled"), 0)
    assert decoupled.recipe.loss.name == "decoupled"
    assert trials.run("paper-base-decoupled-seed-0").is_dir()


def test_the_first_segment_deviation_is_left_out_where_it_is_all_there_is(tmp_path, monkeypatch):
    monkeypatch.setattr("antiphon.experiments.alignment.CONFIGURATIONS", {"paper-base": CONFIGURATIONS["paper-base"]})
    single = alignment(Trials(catalogue(segments=1), lambda name: tmp_path / name), seeds=1)
    assert [row["recipe"] for row in single["deviations"]] == [n for n in DEVIATIONS if n != "coded-first-segment-only"]
    assert single["deviations_left_out"]["coded-first-segment-only"] == "Each video has one row."
    assert "r2plus1d_18-unscaled" in single["deviations_left_out"]


def test_the_papers_pool_is_a_thousand_pairs_or_all():
    assert paper_pool(catalogue()["test"]).tolist() == list(range(100))
    many = Features.from_arrays(audio=np.zeros((1500, 1)) + 1)
    assert len(np.unique(paper_pool(many))) == 1000


def test_shuffled_pairs_are_of_other_videos():
    features = catalogue()["train"]
    shuffled = shuffled_pairs(features, 0)
    kept = (shuffled.video == features.video).all(axis=1)
    assert kept.mean() < 0.05
    np.testing.assert_array_equal(shuffled.audio, features.audio)


@pytest.fixture(scope="module")
def whole(trials, tmp_path_factory):
    kept = Kept(tmp_path_factory.mktemp("kept"), trials.features.fingerprint())
    return reproduce(trials, kept, seeds=2, why_no_attributes="No media."), kept


def test_the_whole_paper_answers_its_questions(whole):
    found, _ = whole
    assert found["verdict"]["alignment"].startswith(
        "Contrastive learning does align sound and pictures here. In 6 of 6"
    )
    assert found["verdict"]["rq1"].startswith("In genre classification, ")
    assert "In music tagging, " in found["verdict"]["rq1"]
    assert found["verdict"]["rq2"].startswith("Unanswered until people have judged. Proxies: of the 3")
    assert found["experiment_2"]["target"] == "genre"
    assert found["experiment_3"]["target"] == "tags"
    assert found["audit"]["counts"]["fail"] == 0
    assert found["qualitative"]["attributes"] == {"reason": "No media."}
    assert found["data"]["splits"] == {"train": 120, "validation": 30, "test": 50}
    assert found["probe_paper"] is TABLE_2
    json.dumps(found)


def test_finished_parts_are_not_made_again(whole, trials, monkeypatch):
    found, kept = whole

    def refuse(*_, **__):
        raise AssertionError("was made again")

    for name in ("alignment", "probe", "audit", "qualitative"):
        monkeypatch.setattr(reproducing, name, refuse)
    again = reproduce(trials, kept, seeds=2, why_no_attributes="No media.")
    assert {part: again[part] for part in reproducing.PARTS} == {part: found[part] for part in reproducing.PARTS}
    with pytest.raises(AssertionError, match="made again"):
        reproduce(trials, kept, seeds=1)


def test_what_the_data_lack_is_said(tmp_path):
    bare = catalogue(segments=1)
    bare = Features.from_arrays(
        audio=bare.audio, video=bare.video, splits=bare.splits, audio_name="ears", video_name="eyes"
    )
    trials = Trials(bare, lambda name: tmp_path / name)
    parts = ("experiment_2", "experiment_3", "audit")
    found = reproduce(trials, Kept(tmp_path / "kept", "x"), parts=parts, seeds=1)
    assert "not requested" in found["experiment_1"]["reason"]
    assert "genre" in found["experiment_2"]["reason"]
    assert "tag" in found["experiment_3"]["reason"]
    assert found["verdict"]["rq1"].count("not measured") == 2
    with pytest.raises(ModelError, match="fewer than two videos"):
        alignment(Trials(bare.take(bare.splits != "test"), trials.run), seeds=1)


def row(representation, value, ci95, validation):
    difference = {"baseline": "both backbones", "value": value, "ci95": ci95}
    numbers = {"difference": difference, "validation": validation}
    return {"representation": representation, "kind": "perceptron", "level": "tracks", "roc_auc": numbers}


@pytest.mark.parametrize(
    ("value", "ci95", "said"),
    [
        (0.02, [0.01, 0.03], "yes: "),
        (-0.02, [-0.03, -0.01], "no: "),
        (0.01, [-0.01, 0.03], "no difference was found: "),
    ],
)
def test_the_first_question_is_answered_by_the_contrastive_row_that_is_best_on_validation(value, ci95, said):
    lucky = row("contrastive audio", 0.2, [0.1, 0.3], validation=0.6)
    table = [lucky, row("contrastive aggregated", value, ci95, validation=0.7)]
    found = question_1({"genre": {"table": table}, "tags": {"reason": "no tags."}})
    assert found.startswith(f"In genre classification, {said}")
    assert "contrastive aggregated" in found
    assert found.endswith("In music tagging: not measured (no tags).")


def test_alignment_that_is_not_there_is_said(tmp_path):
    found = alignment(Trials(catalogue(related=False), lambda name: tmp_path / name), seeds=1)
    assert alignment_verdict(found).startswith("Here contrastive learning does not align sound and pictures.")
    assert alignment_verdict({"reason": "because."}) == "Not measured: because."
    assert question_2({"reason": "because."}).startswith("Unanswered until people have judged.")


def test_a_part_found_before_is_shown_beside_those_asked_for(whole, trials):
    found, kept = whole
    again = reproduce(trials, kept, parts=("experiment_1",), seeds=2)
    assert again["experiment_3"] == found["experiment_3"]


def test_a_training_that_diverges_is_no_lack_of_data(trials, tmp_path, monkeypatch):
    def diverges(*_, **__):
        raise DivergedError("Training diverged.")

    monkeypatch.setattr(reproducing, "alignment", diverges)
    with pytest.raises(DivergedError):
        reproduce(trials, Kept(tmp_path, "x"), parts=("experiment_1",))


def test_held_out_videos_of_one_genre_are_a_reason_and_not_a_crash(trials, tmp_path):
    one = replace(trials.features, genres=np.where(trials.features.splits == "test", "rock", trials.features.genres))
    found = reproduce(Trials(one, trials.run), Kept(tmp_path, "x"), parts=("experiment_2",), seeds=1)
    assert "tells the held-out videos apart" in found["experiment_2"]["reason"]


def test_live_performances_finding_each_other_is_said_with_its_base_rate():
    number = {"value": 0.88, "ci95": [0.85, 0.9], "null95": [0.43, 0.5], "base_rate": 0.46}
    found = {"k": 3, "min_carriers": 10, "tags": [{"tag": "Concert", "by_representation": {"aggregated": number}}]}
    assert live_verdict(found).startswith("Live performances do find each other: of the 3 nearest")
    number["ci95"] = [0.4, 0.9]
    assert live_verdict(found).startswith("Live performances are not found to find each other")
    assert live_verdict({**found, "tags": []}).startswith("Not measured: no tag of at least 10 videos")


def test_a_damaged_run_is_trained_again(trials):
    folder = trials.run("paper-base-seed-0")
    trials.fitted(load_recipe("paper-base"), 0)
    (folder / "model.safetensors").write_bytes(b"nothing")
    trials.fitted(load_recipe("paper-base"), 0)
    DualEncoder.load(folder)


def test_a_damaged_result_is_made_again(tmp_path):
    kept = Kept(tmp_path, "inputs")
    assert kept.get("part", {"a": 1}, lambda: {"x": 1}) == {"x": 1}
    assert kept.get("part", {"a": 1}, lambda: {"x": 2}) == {"x": 1}
    (tmp_path / "part.json").write_text("{")
    assert kept.get("part", {"a": 1}, lambda: {"x": 3}) == {"x": 3}
    assert Kept(tmp_path, "other").get("part", {"a": 1}, lambda: {"x": 4}) == {"x": 4}
