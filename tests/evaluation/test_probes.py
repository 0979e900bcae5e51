"""Probes on arrays whose answer is known, and against scikit-learn on the stored scores."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

import antiphon as ap
from antiphon.embeddings import within_side
from antiphon.errors import ConfigError, FeatureStoreError, ModelError
from antiphon.evaluation.probes import experiment
from antiphon.evaluation.probes.classifiers import Labelled, fit_probe
from antiphon.evaluation.probes.dealing import by_folds
from antiphon.evaluation.probes.levels import levels
from antiphon.evaluation.probes.targets import choose_targets
from antiphon.evaluation.representations import BASELINES, CONTRASTIVE, JOINED, representations
from antiphon.metrics.classification_metrics import METRICS
from antiphon.model.recipe import changed_recipe, load_recipe

MUSIC = Path(__file__).parents[3] / "shared" / "data" / "yt8m" / "music.parquet"
GENRES = np.array(["rock", "folk", "techno"])
FAST = changed_recipe(
    load_recipe("antiphon-base"),
    {"head": {"hidden": (64,), "embedding_dim": 32}, "training": {"epochs": 4, "min_steps": 0}},
    "fast",
)


def music_videos(videos=240, segments=1, seed=0, noise=0.7, told=True):
    """The sound tells the genre and the tag "loud", the pictures do not; both share what goes with neither."""
    random = np.random.default_rng(seed)
    genre, loud = random.integers(0, 3, videos), random.random(videos) < 0.3
    shared = random.normal(size=(videos, 6))
    heard = np.column_stack([np.eye(3)[genre], loud, shared]) if told else random.normal(size=(videos, 10))
    rows = np.repeat(np.arange(videos), segments)
    audio = heard[rows] + noise * random.normal(size=(len(rows), 10))
    video = np.column_stack([shared, random.normal(size=(videos, 2))])[rows] + noise * random.normal(
        size=(len(rows), 8)
    )
    return ap.Features.from_arrays(
        audio=audio,
        video=video,
        ids=[f"v{row}#{place}" for place, row in enumerate(rows)],
        groups=[f"v{row}" for row in rows],
        genres=GENRES[genre][rows],
        labels=[["loud"] * bool(loud[row]) + ["music"] * (row % 2) for row in rows],
        artists=[f"a{row // 2}" for row in rows],
        audio_name="ears",
        video_name="eyes",
    )


@pytest.fixture(scope="module")
def split():
    """Features with splits, heads trained on them, what probing them for genre found, and the stored scores."""
    features = music_videos(segments=2).split((0.5, 0.15, 0.35), seed=1)
    model = ap.DualEncoder(FAST).fit(features)
    return features, model


@pytest.fixture(scope="module")
def probed(split, tmp_path_factory):
    features, model = split
    stored = tmp_path_factory.mktemp("probes") / "scores.parquet"
    said = []
    found = ap.probe(
        model, features, target="genre", seeds=2, scores_to=stored, progress=lambda *step: said.append(step)
    )
    return found, pl.read_parquet(stored), said


def row(found, representation, kind="perceptron", level="tracks"):
    (one,) = (
        one
        for one in found["table"]
        if (one["representation"], one["kind"], one["level"]) == (representation, kind, level)
    )
    return one


def test_the_representations_are_those_of_table_2_and_all_of_them_beside_each_other(split):
    features, model = split
    features = replace(features, video=np.where(np.arange(len(features))[:, None] == 3, np.nan, features.video))
    found, pairs = representations(model, features), features.paired
    audio, video = (within_side(rows, model.correction_dim) for rows in model.embed(pairs))
    assert tuple(found) == (*BASELINES, *CONTRASTIVE, JOINED)
    expected = (
        pairs.audio,
        pairs.video,
        np.hstack([pairs.audio, pairs.video]),
        audio,
        video,
        np.hstack([audio, video]),
        np.hstack([pairs.audio, pairs.video, audio, video]),
    )
    for one, values in zip(found.values(), expected, strict=True):
        assert one.values.dtype == np.float32
        np.testing.assert_array_equal(one.values, values)
    assert [one.of for one in found.values()] == ["ears", "eyes", "ears + eyes"] * 2 + ["ears + eyes"]
    assert found["both backbones"].widths == (10, 8)
    mean = representations(model, pairs, aggregate="mean")["contrastive aggregated"].values
    np.testing.assert_allclose(mean, (audio + video) / 2, atol=1e-7)
    with pytest.raises(ConfigError, match="aggregate must be 'concatenation' or 'mean', not 'sum'"):
        representations(model, pairs, aggregate="sum")


def test_a_genre_that_only_the_sound_tells_is_found_in_the_sound_alone(probed):
    found, _, _ = probed
    for kind in ("perceptron", "linear"):
        assert row(found, "audio backbone", kind)["roc_auc"]["ci95"][0] > 0.8
        assert row(found, "both backbones", kind)["roc_auc"]["ci95"][0] > 0.8
        assert row(found, "video backbone", kind)["roc_auc"]["value"] < 0.6


def test_fusions_are_trained_on_both_backbones_and_tell_what_the_sound_tells(probed):
    found, _, _ = probed
    kinds = ("fusion-late", "fusion-gated", "fusion-bilinear")
    fused = [one for one in found["table"] if one["kind"] in kinds]
    assert [(one["kind"], one["level"], one["representation"]) for one in fused] == [
        (kind, level, "both backbones") for kind in kinds for level in ("segments", "tracks")
    ]
    for kind in kinds:
        assert row(found, "both backbones", kind)["roc_auc"]["value"] > 0.8, kind


def test_without_the_perceptron_fusions_are_compared_with_nothing(split):
    features, model = split
    found = ap.probe(model, features, kinds=["fusion-late"], seeds=1)
    assert {(one["representation"], one["kind"]) for one in found["table"]} == {("both backbones", "fusion-late")}
    assert not any("difference" in one["roc_auc"] for one in found["table"])


def test_what_neither_side_tells_alone_is_told_by_the_sides_that_meet_early():
    """The label is the sign of a product of a sound and a picture: the mean of two logits cannot be that."""
    random = np.random.default_rng(3)
    values = random.normal(size=(2000, 2)).astype(np.float32)
    matrix = ((values[:, :1] * values[:, 1:]) > 0)[:, [0]]
    parts = [Labelled(values[half], matrix[half]) for half in (slice(0, 1200), slice(1200, 1600))]
    areas = {}
    for kind in ("fusion-late", "fusion-gated", "fusion-bilinear"):
        fitted = fit_probe(kind, *parts, exclusive=False, seed=0, widths=(1, 1))
        areas[kind] = roc_auc_score(matrix[1600:, 0], fitted.scores(values[1600:])[:, 0])
    assert areas["fusion-late"] < 0.6
    assert min(areas["fusion-gated"], areas["fusion-bilinear"]) > 0.95


def test_tracks_are_told_better_than_segments(probed):
    found, _, _ = probed
    for name in ("audio backbone", "both backbones"):
        one, other = row(found, name), row(found, name, level="segments")
        assert one["roc_auc"]["value"] > other["roc_auc"]["value"]
        assert (one["n"], one["groups"]) == (other["n"] / 2, other["groups"])


def test_contrastive_rows_are_compared_with_the_best_baseline_of_the_validation_rows(probed):
    found, _, _ = probed
    for one in found["table"]:
        for metric in METRICS:
            fusion = one["kind"] not in ("perceptron", "linear")
            if one["representation"] in BASELINES and not fusion:
                assert "difference" not in one[metric]
                continue
            judge = "perceptron" if fusion else one["kind"]
            rivals = {name: row(found, name, judge, one["level"])[metric] for name in BASELINES}
            best = max(rivals, key=lambda name, rivals=rivals: rivals[name]["validation"])
            gap = one[metric]["difference"]
            assert gap["baseline"] == best
            assert gap["value"] == pytest.approx(one[metric]["value"] - rivals[best]["value"], abs=1e-12)
            assert gap["ci95"][0] <= gap["value"] <= gap["ci95"][1]
    assert row(found, "contrastive video")["roc_auc"]["difference"]["ci95"][1] < 0


def test_the_numbers_are_those_of_sklearn_on_the_stored_scores(probed):
    found, stored, _ = probed
    assert sorted(found["labels"]) == sorted(GENRES)
    for one in found["table"]:
        where = {key: one[key] for key in ("representation", "kind", "level")}
        rows = stored.filter(**where)
        assert rows["seed"].n_unique() == one["seeds"] == (1 if one["kind"] == "linear" else 2)
        metrics = []
        for _, part in rows.group_by("seed"):
            assert part["id"].n_unique() == len(part) == one["n"]
            assert part["video_id"].n_unique() == one["groups"]
            scores = part["scores"].to_numpy().astype(np.float64)
            truth = np.array([[name in has for name in found["labels"]] for has in part["target"].to_list()])
            np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)
            assert (truth.sum(axis=1) == 1).all()
            metrics.append(
                (
                    roc_auc_score(truth, scores, average="macro"),
                    average_precision_score(truth, scores, average="macro"),
                    f1_score(truth.argmax(1), scores.argmax(1), average="macro", zero_division=0.0),
                )
            )
        for metric, value in zip(METRICS, np.mean(metrics, axis=0), strict=True):
            assert one[metric]["value"] == pytest.approx(value, abs=1e-12), where


def test_the_record_says_what_was_judged(probed, split):
    found, _, said = probed
    features, _ = split
    assert (found["protocol"], found["folds"], found["recipe"]) == ("split", None, "antiphon-base")
    assert (found["audio"], found["video"], found["seen"], found["without_target"]) == ("ears", "eyes", 0, 0)
    assert found["rows"]["test"] == (features.splits == "test").sum() == 2 * found["videos"]["test"]
    done, totals, _ = zip(*said, strict=True)
    assert list(done) == list(range(len(said)))
    assert set(totals) == {len(said) - 1}


def test_the_same_seed_gives_the_same_numbers_and_leaves_the_global_generator_alone(split):
    features, model = split
    before = torch.random.get_rng_state()
    found = [ap.probe(model, features, "tags", seeds=1, kinds=["perceptron"]) for _ in range(2)]
    assert found[0] == found[1]
    assert torch.equal(before, torch.random.get_rng_state())
    other = ap.probe(model, features, "tags", seeds=1, kinds=["perceptron"], seed=1)
    assert row(other, "audio backbone")["pr_auc"]["value"] != row(found[0], "audio backbone")["pr_auc"]["value"]


def test_tags_are_judged_one_by_one_with_rows_that_have_none(split, tmp_path):
    features, model = split
    found = ap.probe(model, features, "tags", seeds=1, most_frequent=None, scores_to=tmp_path / "s.parquet")
    assert found["labels"] == ["music", "loud"]
    each = row(found, "audio backbone", "linear")["by_label"]
    assert each["loud"]["roc_auc"] > 0.8
    assert each["music"]["roc_auc"] < 0.65
    assert row(found, "audio backbone", "linear")["pr_auc"]["worst"]["label"] == "music"
    part = pl.read_parquet(tmp_path / "s.parquet").filter(
        representation="audio backbone", kind="linear", level="tracks"
    )
    scores = part["scores"].to_numpy().astype(np.float64)
    truth = np.array([[name in has for name in found["labels"]] for has in part["target"].to_list()])
    assert not truth.any(axis=1).all()
    expected = f1_score(truth, scores >= 0.5, average="macro", zero_division=0.0)
    assert row(found, "audio backbone", "linear")["f1"]["value"] == pytest.approx(expected, abs=1e-12)


def test_the_most_frequent_tags_of_the_training_rows_are_chosen_by_videos():
    features = ap.Features.from_arrays(
        audio=np.zeros((6, 1)),
        video=np.zeros((6, 1)),
        groups=list("aaabcd"),
        labels=[["x"], ["x"], ["x"], ["y"], ["y", "w"], ["z", "w"]],
        genres=["r", "r", "f", "", "f", "g"],
    )
    trained = np.array([True] * 5 + [False])
    assert choose_targets(features, trained, "tags").names == ("y", "w", "x")
    assert choose_targets(features, trained, "tags", most_frequent=1).names == ("y",)
    chosen = choose_targets(features, trained, "tags", min_positives=2)
    assert chosen.names == ("y",)
    assert chosen.matrix[:, 0].tolist() == [False, False, False, True, True, False]
    genres = choose_targets(features, trained, "genre")
    assert genres.names == ("f", "r")
    assert genres.known.tolist() == [True, True, True, False, True, False]
    _, tracks = levels(features.take(genres.known), genres.take(np.flatnonzero(genres.known)))
    assert tracks.ids.tolist() == ["a", "c"]
    assert tracks.targets.for_metrics().tolist() == [1, 0]


def test_a_track_is_the_mean_of_its_segments():
    values = np.arange(12, dtype=np.float32).reshape(6, 2)
    features = ap.Features.from_arrays(audio=values, video=values, groups=list("babcab"), labels=["x"] * 6)
    segments, tracks = levels(features, choose_targets(features, np.ones(6, dtype=bool), "tags"))
    np.testing.assert_array_equal(tracks.means(values, np.array([0, 2])), [values[[1, 4]].mean(0), values[3]])
    np.testing.assert_array_equal(segments.means(values, np.array([1, 5])), values[[1, 5]])
    assert tracks.items(features.groups == "c").tolist() == [2]


def test_shuffled_labels_are_told_by_chance():
    """Twenty shufflings: the middle 95% of the resamples and of the permutations hold chance about as often."""
    features = music_videos()
    covered = held = 0
    for seed in range(20):
        matrix = np.eye(3, dtype=bool)[np.random.default_rng(seed).integers(0, 3, len(features))]
        parts = [Labelled(features.audio[rows], matrix[rows]) for rows in (slice(0, 120), slice(120, 150))]
        scores = fit_probe("linear", *parts, exclusive=True, seed=0).scores(features.audio[150:])
        area = ap.metrics.classification(scores, matrix[150:].argmax(axis=1), seed=seed, resamples=300)["roc_auc"]
        covered += area["ci95"][0] <= 0.5 <= area["ci95"][1]
        held += area["null95"][0] <= area["value"] <= area["null95"][1]
    assert covered >= 16
    assert held >= 16


def test_what_can_only_be_learned_by_heart_is_not_told_out_of_fold():
    """Every video has a vector of its own, and its genre by lot: judged by what learned it, it would shine."""
    features = music_videos(videos=120, told=False, noise=0.01)
    found = ap.probe(ap.DualEncoder(FAST), features, "genre", seeds=1, folds=3)
    for one in found["table"]:
        assert (one["n"], one["level"]) == (120, "tracks")
        assert one["roc_auc"]["value"] < 0.6


def test_folds_judge_every_video_once_and_never_part_an_artist():
    features = music_videos(videos=90, segments=2)
    deals = list(by_folds(features, 4, seed=3))
    assert (np.sum([deal.test for deal in deals], axis=0) == 1).all()
    for deal in deals:
        parts = [set(features.artists[mask]) for mask in (deal.train, deal.validation, deal.test)]
        assert all(parts)
        assert sum(map(len, parts)) == len(set.union(*parts)) == 45
        assert len(parts[2]) in {11, 12}
    again = list(by_folds(features, 4, seed=3))
    other = list(by_folds(features, 4, seed=4))
    assert all((one.test == two.test).all() for one, two in zip(deals, again, strict=True))
    assert any((one.test != two.test).any() for one, two in zip(deals, other, strict=True))
    nameless = replace(features, artists=np.full(len(features), ""))
    for deal in by_folds(nameless, 4, seed=3):
        assert len({*features.groups[deal.train]} & {*features.groups[deal.test]}) == 0


def test_neither_heads_nor_classifiers_of_a_fold_have_seen_the_videos_they_judge(monkeypatch):
    features = music_videos(videos=60, segments=2)
    heads, classifiers = [], []
    places = {vector.tobytes(): group for vector, group in zip(features.audio, features.groups, strict=True)}

    class Heads(ap.DualEncoder):
        def fit(self, train, validation=None, progress=None, **options):
            heads.append({*train.groups, *validation.groups})
            return super().fit(train, validation, progress, **options)

    def fitting(kind, train, validation, **options):
        fitted = fit_probe(kind, train, validation, **options)
        if train.values.shape[1] == features.audio.shape[1]:
            seen = {places[vector.tobytes()] for part in (train, validation) for vector in part.values}
            inner = fitted.scores

            def scores(values):
                judged = {places[vector.tobytes()] for vector in values if vector.tobytes() in places}
                classifiers.append((len(heads), seen, judged))
                return inner(values)

            fitted.scores = scores
        return fitted

    monkeypatch.setattr(experiment, "DualEncoder", Heads)
    monkeypatch.setattr("antiphon.evaluation.probes.scoring.fit_probe", fitting)
    ap.probe(ap.DualEncoder(FAST), features, "genre", seeds=1, folds=3, kinds=["linear"])
    assert [fold for fold, *_ in classifiers] == [1] * 4 + [2] * 4 + [3] * 4
    judged_at_all = set()
    for fold, seen, _ in classifiers:
        assert seen == heads[fold - 1]
    for fold, seen, judged in classifiers:
        if not judged <= seen:
            assert not judged & (seen | heads[fold - 1])
            judged_at_all |= judged
    assert judged_at_all == {*features.groups}


def test_the_linear_probe_is_logistic_regression():
    """At the penalty that its path ends with, scikit-learn finds the same probabilities."""
    random = np.random.default_rng(0)
    values = random.normal(size=(600, 5)).astype(np.float32) * [1, 2, 3, 4, 5] + 7
    values = values.astype(np.float32)
    logits = (values - 7) @ np.array([[2, -1], [0, 1], [0, 0.3], [0.2, 0], [0, 0]])
    matrix = random.random((600, 2)) < 1 / (1 + np.exp(-logits))
    halves = [Labelled(values[half], matrix[half]) for half in (slice(0, 300), slice(300, 600))]
    found = fit_probe("linear", *halves, exclusive=False, seed=0).scores(values[300:])
    standard = (values - values[:300].mean(0)) / values[:300].std(0)
    closest = min(
        max(
            np.abs(
                LogisticRegression(C=1 / (300 * penalty))
                .fit(standard[:300], matrix[:300, one])
                .predict_proba(standard[300:])[:, 1]
                - found[:, one]
            ).max()
            for one in range(2)
        )
        for penalty in (0.1, 0.03, 0.01, 0.003, 0.001)
    )
    assert closest < 2e-3


@pytest.mark.parametrize("kind", ["perceptron", "linear"])
def test_inputs_of_any_scale_and_values_that_never_change_do_no_harm(kind):
    random = np.random.default_rng(1)
    matrix = np.eye(2, dtype=bool)[random.integers(0, 2, 400)]
    values = (matrix[:, :1] + 0.3 * random.normal(size=(400, 1))).astype(np.float32)
    wide = np.column_stack([values * 1e5 + 3e5, np.full(400, 12.3), np.zeros(400)]).astype(np.float32)
    fitted = fit_probe(
        kind, Labelled(wide[:200], matrix[:200]), Labelled(wide[200:300], matrix[200:300]), exclusive=True, seed=0
    )
    scores = fitted.scores(wide[300:])
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-6)
    assert roc_auc_score(matrix[300:, 0], scores[:, 0]) > 0.95


def test_only_a_perceptron_learns_what_no_line_parts():
    random = np.random.default_rng(2)
    values = random.normal(size=(2000, 2)).astype(np.float32)
    matrix = ((values[:, :1] * values[:, 1:]) > 0)[:, [0]]
    parts = [Labelled(values[half], matrix[half]) for half in (slice(0, 1200), slice(1200, 1600))]
    areas = {
        kind: roc_auc_score(
            matrix[1600:, 0], fit_probe(kind, *parts, exclusive=False, seed=0).scores(values[1600:])[:, 0]
        )
        for kind in ("perceptron", "linear")
    }
    assert areas["perceptron"] > 0.97
    assert areas["linear"] < 0.6


def test_a_test_that_the_heads_have_seen_is_a_warning(split):
    features, model = split
    swapped = replace(features, splits=np.where(features.splits == "test", "train", "test"))
    swapped = replace(swapped, splits=np.where(np.arange(len(features)) // 2 % 5 == 0, "validation", swapped.splits))
    with pytest.warns(UserWarning, match=r"of the \d+ videos were seen in training or early stopping.*Use folds"):
        found = ap.probe(model, swapped, "genre", kinds=["linear"])
    assert found["seen"] > 0


def test_rows_without_genre_are_left_out_and_counted(split):
    features, model = split
    some = replace(features, genres=np.where(np.arange(len(features)) // 2 % 4 == 0, "", features.genres))
    found = ap.probe(model, some, "genre", kinds=["linear"])
    assert found["without_target"] == (some.genres == "").sum()
    assert (
        row(found, "audio backbone", "linear", "segments")["n"] == ((some.splits == "test") & (some.genres != "")).sum()
    )


@pytest.mark.parametrize(
    ("change", "arguments", "error", "message"),
    [
        ({"genres": None}, {}, FeatureStoreError, "No video to train on has a genre. Add a column 'genre'"),
        (
            {"labels": None},
            {"target": "tags"},
            FeatureStoreError,
            "No video to train on has a tag. Add a column 'tags'",
        ),
        (
            {},
            {"min_positives": 10_000},
            FeatureStoreError,
            "0 genres with at least 10000 videos .* Lower min_positi",
        ),
        ({}, {"target": "mood"}, ConfigError, "target must be 'genre' or 'tags', not 'mood'"),
        (
            {},
            {"kinds": ["forest"]},
            ConfigError,
            "kinds must be some of perceptron, linear, fusion-late, .*, not .'forest'.",
        ),
        ({}, {"seeds": 0}, ConfigError, "seeds must be at least 1, not 0"),
        ({}, {"most_frequent": 0}, ConfigError, "most_frequent must be at least 1, not 0"),
        ({}, {"folds": 1}, ConfigError, "folds: 1; at least 2 are needed"),
        ({}, {"folds": 50}, ModelError, "120 artists .* cannot be dealt into 50 folds: at least 150 are needed"),
        ({"splits": "train"}, {}, ModelError, "The validation split has no music video with both audio and video"),
    ],
)
def test_what_cannot_be_probed_is_refused_in_words(split, change, arguments, error, message):
    features, model = split
    blank = np.full(len(features), change.get("splits") or "")
    altered = {"genres": blank, "labels": ((),) * len(features), "splits": blank}
    features = replace(features, **{name: altered[name] for name in change})
    with pytest.raises(error, match=message):
        ap.probe(model, features, **arguments)


def test_a_catalogue_of_songs_has_the_rows_of_the_sound_alone(split):
    features, model = split
    songs = replace(features, video=np.full_like(features.video, np.nan))
    found = ap.probe(model, songs, kinds=("linear",), seeds=1)
    assert {row["representation"] for row in found["table"]} == {"audio backbone", "contrastive audio"}
    whole = ap.probe(model, features, kinds=("linear",), seeds=1)
    for row in found["table"]:
        same = next(
            each
            for each in whole["table"]
            if each["representation"] == row["representation"] and each["level"] == row["level"]
        )
        assert row["roc_auc"]["value"] == same["roc_auc"]["value"]
    with pytest.raises(ModelError, match="No row has both audio and video, which fusion-late would join"):
        ap.probe(model, songs, kinds=("fusion-late",))
    with pytest.raises(ModelError, match="no heads can be trained for the folds"):
        ap.probe(model, songs, folds=3)


@pytest.mark.skipif(not MUSIC.exists(), reason="the YouTube-8M features are not beside this checkout")
def test_real_sound_and_pictures_together_tell_what_a_music_video_is_of():
    features = ap.Features.from_parquet(MUSIC, audio="mean_audio", video="mean_rgb", labels="labels").split(seed=0)
    targets = choose_targets(features, np.ones(len(features), dtype=bool), "tags", min_positives=50)
    assert len(targets.names) >= 28
    values = np.concatenate([features.audio, features.video], axis=1)
    train, validation, test = (features.splits == name for name in ("train", "validation", "test"))
    parts = [Labelled(values[rows], targets.matrix[rows]) for rows in (train, validation)]
    for kind in ("perceptron", "linear"):  # both, for the better of them hides what is wrong with the other
        scores = fit_probe(kind, *parts, exclusive=False, seed=0).scores(values[test])
        assert roc_auc_score(targets.matrix[test], scores, average="macro") > 0.96, kind
