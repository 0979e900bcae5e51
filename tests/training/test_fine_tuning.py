"""Fine-tuning: the last blocks learn, nothing else moves, and two passes give what one gives."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from antiphon import backbones
from antiphon.backbones.r2plus1d import R2Plus1D
from antiphon.backbones.r2plus1d_network import R2Plus1D18
from antiphon.backbones.tuning import apply_tuning, tuned_tensors, unfreeze
from antiphon.errors import ConfigError, ModelError
from antiphon.features import Features
from antiphon.model.losses import LossConfig, info_nce
from antiphon.model.recipe import load_recipe
from antiphon.model.towers import Towers
from antiphon.segments.kept import KeptSegment, encode_segment
from antiphon.training import fine_tuning
from antiphon.training.closed_forms import refit_closed_form
from antiphon.training.contrast import contrast
from antiphon.training.fine_tuning import TuningConfig, fine_tune
from antiphon.training.objective import Objective
from antiphon.training.windows import KeptMetadata, KeptRow, planned_window

BASE = load_recipe("antiphon-base")
RECIPE = BASE.model_copy(update={"head": BASE.head.model_copy(update={"hidden": (64,), "embedding_dim": 32})})


def networks():
    return backbones.load("musicnn-mtt"), backbones.load("efficientnet_lite0", every=15)


def heads():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Towers(1506, 2560, RECIPE).eval()


def kept(folder, videos, segments, split):
    """Kept segments of some videos, by number; what is seen goes with what is heard."""
    found = []
    for number in (segments * video + segment for video in videos for segment in range(segments)):
        draws = np.random.default_rng(number)
        time_s = np.arange(80_000) / 16_000
        waveform = (0.3 * np.sin(2 * np.pi * 200 * (1 + number) * time_s)).astype(np.float32)
        still = draws.integers(0, 256, (4, 4, 3)).repeat(16, 0).repeat(16, 1).astype(np.uint8)
        path = folder / f"{split}{number}.mkv"
        path.write_bytes(encode_segment(KeptSegment(np.repeat(still[None], 50, 0), waveform)))
        video, segment = divmod(number, segments)
        about = {"start_s": 1.0 + number, "artist": f"a{video}", "labels": (f"l{video % 2}",)}
        found.append(KeptRow(f"v{video}#{segment}", f"v{video}", path, 50, 30, 1.0, **about))
    return found


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Two videos of two segments in each split."""
    folder = tmp_path_factory.mktemp("kept")
    return {split: kept(folder, videos, 2, split) for split, videos in (("train", [0, 1]), ("validation", [2, 3]))}


def run(rows, recipe=RECIPE, towers=None, **settings):
    audio, video = networks()
    config = TuningConfig(**({"num_blocks": 1, "epochs": 1, "learning_rate": 1e-3} | settings))
    told = []
    tuned = fine_tune(recipe, towers or heads(), audio, video, rows, config, seed=3, progress=told.append)
    return tuned, audio, video, told


def planned(rows, audio, video):
    """Features of the planned windows, one by one."""
    windows = [planned_window(row, video.layout) for row in rows]
    sides = {
        "audio": np.concatenate([audio(sound) for _, sound in windows]),
        "video": np.concatenate([video(frames) for frames, _ in windows]),
    }
    return Features.from_arrays(**sides, groups=[row.video_id for row in rows])


def log_rank(audio, video):
    """The mean log rank both ways, counted."""
    scores = (audio @ video.T).numpy()
    own = np.diag(scores)
    above = [(side > own[:, None]).sum(axis=1) for side in (scores, scores.T)]
    return np.log(1 + np.concatenate(above)).mean()


def whole(towers, features):
    with torch.inference_mode():
        return log_rank(*(towers.embed(side, torch.from_numpy(getattr(features, side))) for side in ("audio", "video")))


def alone(towers, features):
    with torch.inference_mode():
        return log_rank(*towers(torch.from_numpy(features.audio), torch.from_numpy(features.video)))


def as_tuned(found):
    """The backbones as they were, with the tuned parameters put in."""
    audio, video = networks()
    apply_tuning(audio, found.audio)
    apply_tuning(video, found.video)
    return audio, video


@pytest.fixture(scope="module")
def tuned(rows):
    return run(rows)


def test_the_last_blocks_learn_and_the_others_stay(tuned):
    found, *changed, told = tuned
    for network, plain, tensors in zip(changed, networks(), (found.audio, found.video), strict=True):
        unfreeze(plain, 1)
        before = tuned_tensors(plain)
        assert tensors.keys() == before.keys()
        assert all(not np.array_equal(tensors[name], before[name]) for name in tensors)
        for block, as_it_was in zip(network.blocks()[:-1], plain.blocks()[:-1], strict=True):
            for module, untouched in zip(block, as_it_was, strict=True):
                state = module.state_dict()
                assert all(torch.equal(state[name], value) for name, value in untouched.state_dict().items())
    moved = zip(found.towers.parameters(), heads().parameters(), strict=True)
    assert any(not torch.equal(*pair) for pair in moved)
    assert [(step.epoch, step.batch, step.batches) for step in told] == [(1, 1, 2), (1, 2, 2)]
    (epoch,) = found.history
    assert np.isfinite([epoch.train_loss, epoch.validation_loss]).all()
    assert epoch.best
    assert np.isnan(found.before.train_loss)
    assert found.before.validation_loss != epoch.validation_loss


def test_the_same_seed_gives_the_same_bits(rows, tuned):
    found = tuned[0]
    again = run(rows)[0]
    assert again.history == found.history
    assert all(np.array_equal(again.video[name], found.video[name]) for name in found.video)


def test_what_does_not_get_better_is_not_kept(rows):
    found, audio, video, _ = run(rows, epochs=3, patience=1, learning_rate=0.3)
    best = [epoch for epoch in found.history if epoch.best][-1]
    assert best.validation_log_rank == min(epoch.validation_log_rank for epoch in found.history)
    assert not found.history[-1].best, "the last epoch is to be another than the best"
    features = planned(rows["validation"], *as_tuned(found))
    assert alone(found.towers, features) == pytest.approx(best.validation_log_rank, abs=1e-6)
    for network, tensors in ((audio, found.audio), (video, found.video)):
        left = tuned_tensors(network)
        assert all(np.array_equal(left[name], values) for name, values in tensors.items())


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """As many videos as a closed form needs, and some to validate."""
    folder = tmp_path_factory.mktemp("many")
    return {"train": kept(folder, range(10), 1, "train"), "validation": kept(folder, range(10, 18), 1, "validation")}


def test_whole_models_are_compared_and_the_closed_form_is_of_the_tuned_features(many):
    plain = {split: planned(found, *networks()) for split, found in many.items()}
    source = heads()
    refit_closed_form(RECIPE, source, plain["train"], plain["validation"], seed=0)
    assert all(source.closed_form.dims)
    found, audio, video, _ = run(many, towers=source, learning_rate=1e-2)
    assert found.log_rank_before == pytest.approx(whole(source, plain["validation"]), abs=1e-6)
    assert found.before.validation_log_rank == pytest.approx(alone(source, plain["validation"]), abs=1e-6)
    assert found.log_rank_before != pytest.approx(found.before.validation_log_rank, abs=1e-3)
    tuned = {split: planned(rows, audio, video) for split, rows in many.items()}
    assert found.log_rank_after == pytest.approx(whole(found.towers, tuned["validation"]), abs=1e-6)
    heads_see = {
        side: found.towers.heads[side].standardised(torch.from_numpy(getattr(tuned["train"], side))).mean(dim=0)
        for side in ("audio", "video")
    }
    for side, mean in heads_see.items():
        torch.testing.assert_close(found.towers.closed_form.get_buffer(f"{side}_mean"), mean, rtol=1e-3, atol=1e-4)
        assert not torch.allclose(source.closed_form.get_buffer(f"{side}_mean"), mean, rtol=1e-3, atol=1e-4)


def test_the_recipe_s_loss_is_what_is_made_small(rows, tuned):
    def with_loss(rows, **loss):
        changed = RECIPE.loss.model_copy(update=loss)
        return run(rows, recipe=RECIPE.model_copy(update={"loss": changed}))[0]

    one_artist = {split: [replace(row, artist="one") for row in found] for split, found in rows.items()}
    found = with_loss(one_artist, exclude_same_artist=True)
    assert all(torch.equal(*pair) for pair in zip(found.towers.parameters(), heads().parameters(), strict=True))
    assert found.history[0].train_loss > 0, "histories hold the plain loss"
    one_label = {split: [replace(row, labels=("one",)) for row in found] for split, found in rows.items()}
    found = with_loss(one_label, label_weight=0.5)
    assert any(not np.array_equal(values, tuned[0].video[name]) for name, values in found.video.items())
    nameless = {split: [replace(row, labels=()) for row in found] for split, found in rows.items()}
    with pytest.raises(ModelError, match="no row of the features has a label"):
        with_loss(nameless, label_weight=0.5)


def test_validation_keeps_what_is_known_of_the_rows(rows, monkeypatch):
    seen = []
    monkeypatch.setattr(fine_tuning, "whole_log_rank", lambda _, features: seen.append(features) or 0.0)
    run(rows)
    for features in seen:
        assert features.starts_s.tolist() == [row.start_s for row in rows["validation"]]
        assert features.artists.tolist() == [row.artist for row in rows["validation"]]
        assert features.labels == tuple(row.labels for row in rows["validation"])
        assert features.ids.tolist() == [row.segment_id for row in rows["validation"]]


def test_track_models_are_refused(rows):
    track = load_recipe("antiphon-track")
    with pytest.raises(
        ModelError, match=r"antiphon-track has a track model.*Fine-tune a run of a recipe without \[track\]"
    ):
        run(rows, recipe=track, towers=Towers(1506, 2560, track).eval())


def test_damaged_files_are_left_out_and_named(rows, tmp_path):
    broken = tmp_path / "broken.mkv"
    broken.write_bytes(rows["train"][0].path.read_bytes()[:400])
    damaged = {split: [replace(found[0], path=broken), *found[1:]] for split, found in rows.items()}
    found = run(damaged, epochs=2)[0]
    assert sorted(found.damaged) == ["v0#0", "v2#0"]
    assert all("broken.mkv" in message for message in found.damaged.values())
    assert len(found.history) == 2
    expected = whole(found.towers, planned(rows["validation"][1:], *as_tuned(found)))
    assert found.log_rank_after == pytest.approx(expected, abs=1e-6)
    for split in rows:
        none = rows | {split: [replace(row, path=broken) for row in rows[split]]}
        with pytest.raises(
            ModelError, match=f"The {split} split has fewer than two videos with readable kept segments"
        ):
            run(none)


@pytest.mark.parametrize("micro_batch_size", [1, 2])
def test_two_passes_give_the_gradients_of_one(micro_batch_size):
    draws = torch.Generator().manual_seed(1)
    pictures = 255 * torch.rand(3, 2, 3, 224, 224, generator=draws)
    sounds = 0.1 * torch.randn(3, 48_000, generator=draws)
    gradients, losses = [], []
    for size in (3, micro_batch_size):
        audio, video = networks()
        towers = heads()
        parameters = [*unfreeze(audio, 2), *unfreeze(video, 2), *towers.parameters()]
        loss = partial(Objective(LossConfig(), KeptMetadata.of([])), towers, rows=np.arange(3))
        losses.append(contrast(loss, towers, (audio, sounds), (video, pictures), size))
        gradients.append([parameter.grad for parameter in parameters])
    with torch.no_grad():
        plain = info_nce(*towers(audio.differentiable(sounds), video.differentiable(pictures)), towers.temperature)
    assert losses == pytest.approx([plain.item()] * 2, rel=1e-5)
    assert all(found is not None for found in gradients[0])
    for whole, parts in zip(*gradients, strict=True):
        torch.testing.assert_close(parts, whole, rtol=1e-3, atol=1e-5 * float(whole.abs().max()) + 1e-9)


def test_r2plus1d_is_tuned_alike(rows):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        state = {name: values.numpy() for name, values in R2Plus1D18().state_dict().items()}
        towers = Towers(1506, 512, RECIPE).eval()
    video = R2Plus1D(state, "random")
    video.layout = video.layout.model_copy(update={"every": 15})
    config = TuningConfig(num_blocks=1, epochs=1, learning_rate=1e-3, batch_size=2, micro_batch_size=1)
    found = fine_tune(RECIPE, towers, backbones.load("musicnn-mtt"), video, rows, config, seed=0)
    assert np.isfinite(found.history[0].train_loss)
    now = {name: values.numpy() for name, values in video.network.state_dict().items()}
    changed = [name for name in now if not np.array_equal(now[name], state[name])]
    assert changed
    assert all(name.startswith("layer4.1.") and "running" not in name for name in changed)


def test_what_cannot_be_tuned_is_said(rows):
    audio, video = networks()
    config = TuningConfig(num_blocks=5)
    with pytest.raises(ConfigError, match="musicnn-mtt has 4 blocks"):
        fine_tune(RECIPE, heads(), audio, video, rows, config, seed=0)
    few = {"train": rows["train"], "validation": rows["validation"][:2]}
    with pytest.raises(ModelError, match="validation split has fewer than two videos"):
        fine_tune(RECIPE, heads(), audio, video, few, TuningConfig(), seed=0)
    audio.rate_hz = 22_050
    with pytest.raises(ConfigError, match="22050 Hz"):
        fine_tune(RECIPE, heads(), audio, video, rows, TuningConfig(), seed=0)
