"""Models of whole tracks: what their losses weigh, what they leave as it was, and what embeds a track."""

import tomllib
from dataclasses import replace

import numpy as np
import pytest
import tomli_w
import torch
from safetensors.torch import load_file, save_file

from antiphon.dual_encoder import DualEncoder
from antiphon.embeddings import within_side
from antiphon.errors import ConfigError, ModelError
from antiphon.evaluation import evaluate
from antiphon.evaluation.moments import found_moments
from antiphon.evaluation.retrieval import track_pool, with_other_sound
from antiphon.features import Features
from antiphon.features.tracks import track_embeddings
from antiphon.metrics.ranks import ranks
from antiphon.model.recipe import changed_recipe, load_recipe, recipe_from
from antiphon.presentation.moment_sentences import moment_sentences

SMALL = {"num_axes": 2, "num_parts": 4}


def ragged(tracks=30, seed=0):
    """Tracks of one to five segments, their rows mixed up."""
    random = np.random.default_rng(seed)
    groups = np.repeat(np.arange(tracks), random.integers(1, 6, tracks))
    shared = random.normal(size=(len(groups), 6))
    mix = np.random.default_rng(99)
    audio, video = (shared @ mix.normal(size=(6, 12)) + 0.3 * random.normal(size=(len(groups), 12)) for _ in "av")
    starts_s = np.concatenate([30.0 * np.arange(count) + random.random() for count in np.bincount(groups)])
    order = random.permutation(len(groups))
    return Features.from_arrays(
        audio=audio[order],
        video=video[order],
        groups=[f"{seed}-{group:02d}" for group in groups[order]],
        starts_s=starts_s[order],
    )


def recipe(**track):
    base = load_recipe("antiphon-base").model_dump(exclude_none=True)
    head, training = (
        base["head"] | {"hidden": (32,), "embedding_dim": 16},
        base["training"] | {"epochs": 2, "min_steps": 0},
    )
    return recipe_from(base | {"head": head, "training": training, "track": SMALL | track}, "test")


def without_tracks():
    return recipe().model_copy(update={"track": None})


def fitted(**track):
    return DualEncoder(recipe(**track)).fit(ragged(seed=1), ragged(seed=2))


@pytest.fixture(scope="module")
def tracked():
    return fitted()


def test_a_track_does_not_depend_on_the_others_or_on_the_order_of_rows(tracked):
    features = ragged(seed=3)
    together = tracked.embed(features, per="track")
    names = np.unique(features.groups)
    for number, name in enumerate(names):
        alone = tracked.embed(features.take(features.groups == name), per="track")
        for side, whole in zip(alone, together, strict=True):
            np.testing.assert_allclose(side[0], whole[number], atol=1e-5)
    backwards = tracked.embed(features.take(np.arange(len(features))[::-1]), per="track")
    np.testing.assert_allclose(backwards[0], together[0], atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together[1], axis=1), 1, atol=1e-5)


def test_segments_without_one_side_do_not_count_and_a_track_of_them_is_unknown(tracked):
    features = ragged(seed=3)
    sound = features.audio.copy()
    groups = np.unique(features.groups)
    several = np.flatnonzero(
        features.groups == groups[np.bincount(np.unique(features.groups, return_inverse=True)[1]).argmax()]
    )
    sound[several[0]] = np.nan
    nearest = several[1 + np.abs(features.starts_s[several[1:]] - features.starts_s[several[0]]).argmin()]
    gone = features.groups == next(group for group in groups if group != features.groups[several[0]])
    sound[gone] = np.nan
    holed = Features.from_arrays(audio=sound, video=features.video, groups=features.groups, starts_s=features.starts_s)
    for model in (tracked, DualEncoder(without_tracks()).fit(ragged(seed=1), ragged(seed=2))):
        audio, video = model.embed(holed, per="track")
        assert np.isnan(audio).all(axis=1).tolist() == [group == features.groups[gone][0] for group in groups]
        assert np.isfinite(video).all()
        filled = sound.copy()
        filled[several[0]] = sound[nearest]
        # Without a track model, the segment does not count; with one, its place is that of the nearest.
        rest = replace(features, audio=filled) if model is tracked else features
        rest = rest.take(np.isfinite((filled if model is tracked else sound)[:, 0]))
        np.testing.assert_allclose(audio[np.isfinite(audio[:, 0])], model.embed(rest, per="track")[0], atol=1e-5)


def test_without_a_track_model_a_track_is_the_normalised_mean_of_its_segments():
    model, features = DualEncoder(without_tracks()).fit(ragged(seed=1), ragged(seed=2)), ragged(seed=3)
    for rows, tracks in zip(model.embed(features), model.embed(features, per="track"), strict=True):
        segments, whole = (within_side(side, model.correction_dim) for side in (rows, tracks))
        np.testing.assert_allclose(whole, track_embeddings(segments, features.groups)[1], atol=1e-6)


def test_a_saved_track_model_embeds_the_same(tracked, tmp_path):
    tracked.save(tmp_path)
    loaded, features = DualEncoder.load(tmp_path), ragged(seed=3)
    assert loaded.recipe == tracked.recipe
    assert loaded.history == tracked.history
    for per in ("segment", "track"):
        np.testing.assert_array_equal(loaded.embed(features, per=per)[0], tracked.embed(features, per=per)[0])


def test_segments_are_those_of_the_recipe_without_a_track_model(tracked):
    plain = DualEncoder(without_tracks()).fit(ragged(seed=1), ragged(seed=2))
    for with_tracks, without in zip(tracked.embed(ragged(seed=3)), plain.embed(ragged(seed=3)), strict=True):
        np.testing.assert_allclose(with_tracks[:, : plain.dim], without, atol=1e-6)
        assert not with_tracks[:, plain.dim :].any()


def in_step(tracks, seed, own=0.0):
    """Tracks of twelve segments whose sound and pictures change together; `own` is what a whole track shares."""
    random = np.random.default_rng(seed)
    shared = random.normal(size=(tracks, 12, 6)) + own * random.normal(size=(tracks, 1, 6))
    mix = np.random.default_rng(99)
    sides = [
        (shared @ mix.normal(size=(6, 9)) + 0.5 * random.normal(size=(tracks, 12, 9))).reshape(-1, 9) for _ in "av"
    ]
    groups = np.repeat([f"{seed}-{track:03d}" for track in range(tracks)], 12)
    return Features.from_arrays(
        audio=sides[0], video=sides[1], groups=groups, starts_s=np.tile(10.0 * np.arange(12), tracks)
    )


@pytest.fixture(scope="module")
def by_time():
    """Trained on tracks that have nothing but their time course."""
    return DualEncoder(recipe()).fit(in_step(60, 1), in_step(20, 2))


def typical_rank(model, features):
    audio, video = model.embed(features, per="track")
    return np.exp(np.log(np.concatenate([ranks(audio, video)[0], ranks(video, audio)[0]])).mean())


def test_the_time_course_finds_partners_and_none_are_found_where_the_sound_is_moved_in_time(by_time):
    features = in_step(80, 3)
    assert typical_rank(by_time, features) < 4
    rolled = features.audio.reshape(80, 12, -1)
    moved = replace(features, audio=np.roll(rolled, 5, axis=1).reshape(features.audio.shape))
    assert typical_rank(by_time, moved) > 15


def test_a_side_without_some_segments_keeps_the_times_of_the_others(by_time):
    features = in_step(80, 3)
    sound = features.audio.copy()
    sound[np.arange(len(sound)) % 12 < 4] = np.nan
    assert typical_rank(by_time, replace(features, audio=sound)) < 6


def test_without_curves_there_is_no_time_course(by_time):
    plain = DualEncoder(recipe(num_curves=0)).fit(in_step(60, 1), in_step(20, 2))
    assert typical_rank(plain, in_step(80, 3)) > 2 * typical_rank(by_time, in_step(80, 3))


def test_weights_are_chosen_by_validation_tracks_where_there_are_enough(monkeypatch):
    from antiphon.training import track_models

    monkeypatch.setattr(track_models, "MIN_HELD_OUT_VIDEOS", 20)
    model = DualEncoder(recipe()).fit(in_step(60, 1), in_step(20, 2))
    assert typical_rank(model, in_step(80, 3)) < 4


def test_a_track_model_needs_both_heads():
    data = load_recipe("paper-single-head").model_dump(exclude_none=True) | {"track": {}}
    with pytest.raises(ConfigError, match=r"\[track\] needs heads for both modalities; leave it out"):
        recipe_from(data, "mine")


def test_evaluation_ranks_the_models_own_track_embeddings(tracked):
    features = ragged(seed=3)
    found = evaluate(tracked, features)["tracks"]
    audio, video = tracked.embed(features, per="track")
    assert found["a2v"]["median_rank"] == np.median(ranks(audio, video)[0])


def test_what_times_alone_give_away_is_found(tracked, by_time, monkeypatch):
    """A model that knows the number of segments alone, and one whose tracks are equally long."""

    def by_count(model, features, per="segment", label_weight=0.0):
        if per == "segment":
            return embed(model, features, per, label_weight)
        counts = np.unique(features.groups, return_counts=True)[1]
        rows = np.eye(6, dtype=np.float32)[counts]
        return rows, rows

    embed, features = DualEncoder.embed, ragged(seed=3)
    honest = evaluate(by_time, in_step(80, 3))["tracks"]
    assert honest["a2v"]["median_rank"] < 5
    assert 25 < honest["times_alone"]["a2v"] < 56
    monkeypatch.setattr(DualEncoder, "embed", by_count)
    told = evaluate(tracked, features)["tracks"]["times_alone"]
    assert told["a2v"] == told["v2a"] < 6


def test_moments_are_found_where_sound_and_pictures_change_together(by_time):
    features = in_step(60, 4)
    found = found_moments(by_time, features)
    assert list(found) == ["embeddings", "curves"]
    mixed = found_moments(by_time, with_other_sound(features))
    for way in ("a2v", "v2a"):
        rank, none = (each["curves"][way]["by_metric"]["mean_normalised_rank"] for each in (found, mixed))
        assert rank["ci95"][1] < 0.3 < rank["null95"][0] and rank["other_track"]["difference_ci95"][1] < 0
        assert none["ci95"][0] < 0.5 < none["ci95"][1]
    assert any("Moments by the time course" in line for line in moment_sentences(found))


def test_tracks_of_few_segments_have_no_moments(tracked):
    few = ragged(seed=3)
    counts = np.unique(few.groups, return_counts=True)
    short = few.take(np.isin(few.groups, counts[0][counts[1] < 4]))
    assert found_moments(tracked, short) == {}
    assert found_moments(tracked, few)["curves"]["a2v"]["groups"] == (counts[1] >= 4).sum()


def lengths_alone(tracks, seed):
    """Noise, whose sound and pictures share the number of segments and nothing else."""
    random = np.random.default_rng(seed)
    counts = random.integers(4, 60, tracks)
    groups = np.repeat([f"{seed}-{track:03d}" for track in range(tracks)], counts)
    sides = [random.normal(size=(len(groups), 16)) for _ in "av"]
    starts_s = np.concatenate([5.0 * np.arange(count) for count in counts])
    return Features.from_arrays(audio=sides[0], video=sides[1], groups=groups, starts_s=starts_s)


def test_the_number_of_segments_tells_no_partner():
    model = DualEncoder(recipe(num_axes=8)).fit(lengths_alone(120, 1), lengths_alone(40, 2))
    audio, video = model.embed(lengths_alone(150, 3), per="track")
    places = np.concatenate([ranks(audio, video)[0], ranks(video, audio)[0]]) / 150
    assert places.mean() == pytest.approx(0.5, abs=0.08)


@pytest.mark.parametrize("alone", [60, 54])
def test_one_artist_who_dominates_ends_no_training(alone):
    features = in_step(60, 1)
    numbers = np.repeat(np.arange(60), 12)
    features = replace(features, artists=np.array(["A" if n < alone else f"B{n}" for n in numbers], dtype=np.str_))
    audio, _ = DualEncoder(recipe()).fit(features, in_step(20, 2)).embed(in_step(10, 3), per="track")
    np.testing.assert_allclose(np.linalg.norm(audio, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("num_curves", [0, 4])
def test_a_track_model_needs_no_closed_form_and_embeds_tracks_without_a_course(num_curves):
    plain = recipe(num_curves=num_curves).model_copy(update={"closed_form": None})
    model = DualEncoder(plain).fit(in_step(60, 1), in_step(20, 2))
    few = in_step(10, 3).take(np.arange(120) % 12 < 2)
    np.testing.assert_allclose(np.linalg.norm(model.embed(few, per="track")[0], axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "value"),
    [("weights", [0.0, 0.0]), ("weights", [-1.0, 2.0]), ("audio.scale", 0.0), ("course.least_s", -1.0)],
)
def test_values_that_no_track_model_has_are_refused(tracked, tmp_path, name, value):
    tracked.save(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    key = f"tracks.{name}"
    weights[key] = torch.tensor(value) if isinstance(value, list) else torch.full_like(weights[key], value)
    save_file(weights, tmp_path / "model.safetensors")
    record = tomllib.loads((tmp_path / "run.toml").read_text())
    del record["sha256"]
    (tmp_path / "run.toml").write_text(tomli_w.dumps(record))
    with pytest.raises(ModelError, match="of its track model"):
        DualEncoder.load(tmp_path)


def test_first_segments_alone_are_no_tracks():
    with pytest.raises(ConfigError, match="needs all segments of a track"):
        changed_recipe(recipe(), {"training": {"first_segment_only": True}}, "mine")


def test_the_pool_of_tracks_is_2000_and_always_the_same():
    features = Features.from_arrays(audio=np.ones((4200, 1)), video=np.ones((4200, 1)), groups=np.arange(4200) // 2)
    pool = track_pool(features)
    assert len(np.unique(pool.groups)) == 2000
    assert len(pool) == 4000
    assert pool.fingerprint() == track_pool(features).fingerprint()
    assert track_pool(pool) is pool
