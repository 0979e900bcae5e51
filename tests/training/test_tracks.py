"""Models of whole tracks: what their losses weigh, what they leave as it was, and what embeds a track."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from antiphon.dual_encoder import DualEncoder
from antiphon.errors import ConfigError
from antiphon.evaluation import evaluate
from antiphon.evaluation.retrieval import track_pool
from antiphon.features import Features
from antiphon.features.tracks import track_embeddings
from antiphon.metrics.ranks import ranks
from antiphon.model.recipe import load_recipe, recipe_from

SMALL = {"width": 16, "num_heads": 2, "num_layers": 1}


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
def transformer():
    return fitted()


def test_a_track_does_not_depend_on_the_others_or_on_the_order_of_rows(transformer):
    features = ragged(seed=3)
    together = transformer.embed(features, per="track")
    names = np.unique(features.groups)
    for number, name in enumerate(names):
        alone = transformer.embed(features.take(features.groups == name), per="track")
        for side, whole in zip(alone, together, strict=True):
            np.testing.assert_allclose(side[0], whole[number], atol=1e-5)
    backwards = transformer.embed(features.take(np.arange(len(features))[::-1]), per="track")
    np.testing.assert_allclose(backwards[0], together[0], atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together[1], axis=1), 1, atol=1e-5)


def test_segments_without_one_side_do_not_count_and_a_track_of_them_is_unknown(transformer):
    features = ragged(seed=3)
    sound = features.audio.copy()
    groups = np.unique(features.groups)
    several = np.flatnonzero(
        features.groups == groups[np.bincount(np.unique(features.groups, return_inverse=True)[1]).argmax()]
    )
    sound[several[0]] = np.nan
    gone = features.groups == next(group for group in groups if group != features.groups[several[0]])
    sound[gone] = np.nan
    holed = Features.from_arrays(audio=sound, video=features.video, groups=features.groups, starts_s=features.starts_s)
    for model in (transformer, DualEncoder(without_tracks()).fit(ragged(seed=1), ragged(seed=2))):
        audio, video = model.embed(holed, per="track")
        assert np.isnan(audio).all(axis=1).tolist() == [group == features.groups[gone][0] for group in groups]
        assert np.isfinite(video).all()
        rest = features.take(np.isfinite(sound[:, 0]))
        np.testing.assert_allclose(audio[np.isfinite(audio[:, 0])], model.embed(rest, per="track")[0], atol=1e-5)


def test_without_a_track_model_a_track_is_the_normalised_mean_of_its_segments():
    model, features = DualEncoder(without_tracks()).fit(ragged(seed=1), ragged(seed=2)), ragged(seed=3)
    for rows, tracks in zip(model.embed(features), model.embed(features, per="track"), strict=True):
        np.testing.assert_array_equal(tracks, track_embeddings(rows, features.groups)[1])
    assert model.history[0].validation_track_loss is None


def test_a_saved_track_model_embeds_the_same(transformer, tmp_path):
    transformer.save(tmp_path)
    loaded, features = DualEncoder.load(tmp_path), ragged(seed=3)
    assert loaded.recipe == transformer.recipe
    assert loaded.history == transformer.history
    for per in ("segment", "track"):
        np.testing.assert_array_equal(loaded.embed(features, per=per)[0], transformer.embed(features, per=per)[0])


def test_without_weight_on_tracks_the_segments_are_those_of_the_segment_recipe():
    """The mean has no weights of its own, so the heads start alike and see the same batches."""
    with_tracks = recipe(aggregator="mean", track_weight=0.0)
    without = with_tracks.model_copy(update={"track": None})
    parts, test = (ragged(seed=1), ragged(seed=2)), ragged(seed=3)
    np.testing.assert_allclose(
        DualEncoder(with_tracks).fit(*parts).embed(test)[0], DualEncoder(without).fit(*parts).embed(test)[0], atol=1e-6
    )


def test_each_loss_alone_and_both_together_are_different_trainings():
    weights = [{"segment_weight": 0.0}, {"track_weight": 0.0}, {}]
    found = [fitted(aggregator="mean", **given).embed(ragged(seed=3), per="track")[0] for given in weights]
    assert min(np.abs(found[a] - found[b]).max() for a, b in ((0, 1), (0, 2), (1, 2))) > 0.01


def test_tracks_and_segments_of_one_row_are_the_same_before_training():
    """The aggregators start as the mean, and the head is shared: one space."""
    from antiphon.model.towers import Towers

    towers, rows = Towers(12, 12, recipe()).eval(), torch.randn(5, 12)
    alone = towers.embed_tracks("audio", rows[:, None], torch.ones(5, 1, dtype=torch.bool), torch.zeros(5, 1))
    torch.testing.assert_close(alone, towers.embed("audio", rows))


def test_a_training_batch_holds_at_most_so_many_segments_of_a_track():
    few, all_of_them = (fitted(max_segments=most).embed(ragged(seed=3), per="track")[0] for most in (1, 5))
    assert np.abs(few - all_of_them).max() > 0.001


def test_a_track_model_needs_both_heads():
    data = load_recipe("paper-single-head").model_dump(exclude_none=True) | {"track": {}}
    with pytest.raises(ConfigError, match=r"\[track\] needs heads for both modalities; leave it out"):
        recipe_from(data, "mine")


def test_evaluation_ranks_the_models_own_track_embeddings_and_what_times_alone_give_away(transformer):
    """These tracks differ in number and times of their segments, and those tell a track as surely as a name."""
    features = ragged(seed=3)
    found = evaluate(transformer, features)["tracks"]
    audio, video = transformer.embed(features, per="track")
    assert found["a2v"]["median_rank"] == np.median(ranks(audio, video)[0])
    assert set(found["times_alone"]) == {"a2v", "v2a"}
    same_times = replace(features, starts_s=np.full(len(features), np.nan)).first_segments
    twice = replace(
        features.take(np.repeat(np.flatnonzero(np.isin(features.ids, same_times.ids)), 2)),
        starts_s=np.tile([0.0, 9.0], 30),
    )
    assert evaluate(transformer, twice)["tracks"]["times_alone"] == {"a2v": 15.5, "v2a": 15.5}


def test_the_pool_of_tracks_is_2000_and_always_the_same():
    features = Features.from_arrays(audio=np.ones((4200, 1)), video=np.ones((4200, 1)), groups=np.arange(4200) // 2)
    pool = track_pool(features)
    assert len(np.unique(pool.groups)) == 2000
    assert len(pool) == 4000
    assert pool.fingerprint() == track_pool(features).fingerprint()
    assert track_pool(pool) is pool
