"""Fine-tuning: the last blocks learn, nothing else moves, and two passes give what one gives."""

import numpy as np
import pytest
import torch

from antiphon import backbones
from antiphon.backbones.r2plus1d import R2Plus1D
from antiphon.backbones.r2plus1d_network import R2Plus1D18
from antiphon.backbones.tuning import tuned_tensors, unfreeze
from antiphon.errors import ConfigError, ModelError
from antiphon.model.losses import LossConfig, info_nce
from antiphon.model.recipe import load_recipe
from antiphon.model.towers import Towers
from antiphon.segments.kept import KeptSegment, encode_segment
from antiphon.training.fine_tuning import TuningConfig, contrast, fine_tune
from antiphon.training.windows import KeptRow

BASE = load_recipe("antiphon-base")
RECIPE = BASE.model_copy(update={"head": BASE.head.model_copy(update={"hidden": (64,), "dim": 32})})


def networks():
    return backbones.load("musicnn-mtt"), backbones.load("efficientnet_lite0", every=15)


def heads():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Towers(1506, 2560, RECIPE).eval()


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Two videos of two segments in each split; what is seen goes with what is heard."""
    folder = tmp_path_factory.mktemp("kept")
    draws = np.random.default_rng(0)
    found = {"train": [], "validation": []}
    for number in range(8):
        time_s = np.arange(80_000) / 16_000
        waveform = (0.3 * np.sin(2 * np.pi * 200 * (1 + number) * time_s)).astype(np.float32)
        still = draws.integers(0, 256, (4, 4, 3)).repeat(16, 0).repeat(16, 1).astype(np.uint8)
        path = folder / f"{number}.mkv"
        path.write_bytes(encode_segment(KeptSegment(np.repeat(still[None], 50, 0), waveform)))
        split = "train" if number < 4 else "validation"
        found[split].append(KeptRow(f"v{number // 2}#{number % 2}", f"v{number // 2}", path, 50, 30, 1.0))
    return found


def run(rows, **settings):
    audio, video = networks()
    config = TuningConfig(**({"blocks": 1, "epochs": 1, "learning_rate": 1e-3} | settings))
    told = []
    tuned = fine_tune(RECIPE, heads(), audio, video, rows, config, seed=3, progress=told.append)
    return tuned, audio, video, told


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
    found, *_ = run(rows, epochs=3, patience=1, learning_rate=10.0)
    best = [epoch for epoch in found.history if epoch.best]
    assert len(found.history) < 3 or found.history[-1].best
    assert best[-1].validation_log_rank == min(epoch.validation_log_rank for epoch in found.history)


@pytest.mark.parametrize("at_once", [1, 2])
def test_two_passes_give_the_gradients_of_one(at_once):
    draws = torch.Generator().manual_seed(1)
    pictures = 255 * torch.rand(3, 2, 3, 224, 224, generator=draws)
    sounds = 0.1 * torch.randn(3, 48_000, generator=draws)
    gradients, losses = [], []
    for size in (3, at_once):
        audio, video = networks()
        towers = heads()
        parameters = [*unfreeze(audio, 2), *unfreeze(video, 2), *towers.parameters()]
        losses.append(contrast(LossConfig(), towers, (audio, sounds), (video, pictures), size))
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
    config = TuningConfig(blocks=1, epochs=1, learning_rate=1e-3, batch_size=2, at_once=1)
    found = fine_tune(RECIPE, towers, backbones.load("musicnn-mtt"), video, rows, config, seed=0)
    assert np.isfinite(found.history[0].train_loss)
    now = {name: values.numpy() for name, values in video.network.state_dict().items()}
    changed = [name for name in now if not np.array_equal(now[name], state[name])]
    assert changed
    assert all(name.startswith("layer4.1.") and "running" not in name for name in changed)


def test_what_cannot_be_tuned_is_said(rows):
    audio, video = networks()
    config = TuningConfig(blocks=5)
    with pytest.raises(ConfigError, match="musicnn-mtt has 4 blocks"):
        fine_tune(RECIPE, heads(), audio, video, rows, config, seed=0)
    few = {"train": rows["train"], "validation": rows["validation"][:2]}
    with pytest.raises(ModelError, match="validation split has fewer than two videos"):
        fine_tune(RECIPE, heads(), audio, video, few, TuningConfig(), seed=0)
    audio.rate_hz = 22_050
    with pytest.raises(ConfigError, match="22050 Hz"):
        fine_tune(RECIPE, heads(), audio, video, rows, TuningConfig(), seed=0)
