"""Augmentation: each change against what it says, or an invariant."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.ndimage import gaussian_filter
from torch.nn import functional

from antiphon.media.cropping import Box
from antiphon.training.augmentation import (
    AugmentationConfig,
    augment_audio,
    augment_video,
    blurred,
    flipped,
    resized_crop,
    with_gain,
    with_noise,
)

FRAMES = np.random.default_rng(0).integers(0, 256, (3, 40, 70, 3), dtype=np.uint8)
SOUND = torch.sin(torch.arange(4800) * 0.05)
OFF = AugmentationConfig(flip_share=0, blur_share=0, gain_db=0, noise_share=0)


def test_a_crop_of_the_whole_is_the_plain_resize():
    whole = torch.from_numpy(FRAMES).permute(0, 3, 1, 2).float()
    expected = functional.interpolate(whole, (24, 24), mode="bilinear", antialias=True)
    found = resized_crop(FRAMES, Box(0, 0, 1, 1), 24)
    assert found.shape == (3, 3, 24, 24)
    torch.testing.assert_close(found, expected)


def test_a_crop_of_its_own_size_is_cut_out():
    found = resized_crop(FRAMES, Box(30 / 70, 10 / 40, 20 / 70, 20 / 40), 20)
    assert np.array_equal(found.permute(0, 2, 3, 1).numpy(), FRAMES[:, 10:30, 30:50])


@settings(max_examples=50)
@given(*[st.floats(0, 1)] * 4)
def test_any_box_gives_a_picture_within_the_range_of_the_source(left, top, width, height):
    box = Box(left * 0.999, top * 0.999, width * (1 - left), height * (1 - top))
    found = resized_crop(FRAMES[:1], box, 8)
    assert found.shape == (1, 3, 8, 8)
    assert torch.isfinite(found).all()
    assert 0 <= found.min() <= found.max() <= 255


def test_flipped_twice_is_as_before_and_once_is_mirrored():
    video = torch.arange(24.0).view(1, 2, 3, 4)
    assert torch.equal(flipped(flipped(video)), video)
    assert flipped(video)[0, 0, 0].tolist() == [3, 2, 1, 0]


@pytest.mark.parametrize("deviation_px", [0.4, 1.0, 2.5])
def test_blur_is_a_gaussian(deviation_px):
    picture = torch.rand(2, 3, 20, 30, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    radius = math.ceil(3 * deviation_px)
    expected = gaussian_filter(picture.numpy(), (0, 0, deviation_px, deviation_px), mode="mirror", radius=radius)
    np.testing.assert_allclose(blurred(picture, deviation_px).numpy(), expected, atol=1e-12)


def test_blur_leaves_a_flat_picture_as_it_is_and_takes_small_ones():
    torch.testing.assert_close(blurred(torch.full((1, 3, 4, 4), 7.0), 9.0), torch.full((1, 3, 4, 4), 7.0))


@given(st.floats(-30, 30))
def test_gain_is_in_decibels(gain_db):
    louder = with_gain(SOUND, gain_db)
    assert 10 * math.log10(louder.square().mean() / SOUND.square().mean()) == pytest.approx(gain_db, abs=1e-3)


@given(st.floats(-10, 50), st.integers(0, 99))
def test_noise_lies_below_the_sound_by_the_ratio_asked_for(snr_db, seed):
    audio = SOUND.double()
    noise = with_noise(audio, snr_db, np.random.default_rng(seed)) - audio
    assert 10 * math.log10(audio.square().mean() / noise.square().mean()) == pytest.approx(snr_db, abs=1e-6)
    assert torch.equal(with_noise(torch.zeros(100), snr_db, np.random.default_rng(seed)), torch.zeros(100))


def test_with_all_turned_off_only_the_crop_is_random():
    assert torch.equal(augment_audio(SOUND, OFF, np.random.default_rng(0)), SOUND)
    plain = augment_video(FRAMES, 16, OFF, np.random.default_rng(3))
    mirrored = augment_video(FRAMES, 16, OFF.model_copy(update={"flip_share": 1}), np.random.default_rng(3))
    assert torch.equal(flipped(plain), mirrored)


def test_the_generator_decides_and_all_frames_are_changed_alike():
    config = AugmentationConfig()
    still = np.repeat(FRAMES[:1], 4, axis=0)
    seen = set()
    for seed in range(6):
        video = augment_video(still, 16, config, np.random.default_rng(seed))
        assert torch.equal(video, augment_video(still, 16, config, np.random.default_rng(seed)))
        assert (video == video[:1]).all()
        seen.add(video.sum().item())
        audio = augment_audio(SOUND, config, np.random.default_rng(seed))
        assert torch.equal(audio, augment_audio(SOUND, config, np.random.default_rng(seed)))
    assert len(seen) == 6


def test_ranges_the_wrong_way_round_are_refused():
    with pytest.raises(ValidationError, match="must not exceed"):
        AugmentationConfig(min_snr_db=50, max_snr_db=40)
    with pytest.raises(ValidationError, match="must not exceed"):
        AugmentationConfig(min_blur=0.5)
