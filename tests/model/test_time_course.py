"""Time courses: parts against numpy, what they tell and what they must not tell."""

import numpy as np
import pytest
import torch

from antiphon.model.time_course import TimeCourse, spans_s

DIMS = {"audio": 5, "video": 6}
STEP_S = 5.0


def stacked(lengths, dim=5, seed=0):
    random = torch.Generator().manual_seed(seed)
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    starts_s = torch.arange(max(lengths)) * STEP_S * torch.ones(len(lengths), 1)
    return torch.randn(len(lengths), max(lengths), dim, generator=random), mask, starts_s


def naive_parts(rows, num_parts):
    """Means of equal parts of a track by a staircase at a fine grid."""
    fine = np.repeat(rows.astype(np.float64), 840, axis=0).reshape(num_parts, -1, rows.shape[1])
    parts = fine.mean(axis=1)
    return parts - parts.mean(axis=0)


@pytest.mark.numeric
def test_parts_are_means_of_equal_shares_and_padding_has_no_influence():
    course, lengths = TimeCourse(DIMS, 8, 2), (4, 5, 7)
    features, mask, starts_s = stacked(lengths)
    found = course.parts(features, mask, starts_s).numpy()
    for row, length in enumerate(lengths):
        np.testing.assert_allclose(found[row], naive_parts(features[row, :length].numpy(), 8), atol=1e-5)
    nan = features.masked_fill(~mask[..., None], torch.nan)
    np.testing.assert_allclose(
        course.parts(nan, mask, starts_s.masked_fill(~mask, torch.nan)).numpy(), found, atol=1e-6
    )


@pytest.mark.numeric
def test_the_first_10_s_and_the_last_20_s_of_a_long_track_are_left_out():
    course = TimeCourse(DIMS, 8, 2)
    features, mask, starts_s = stacked((20, 13))
    found = course.parts(features, mask, starts_s).numpy()
    np.testing.assert_allclose(found[0], naive_parts(features[0, 2:16].numpy(), 8), atol=1e-5)
    # Fewer than eight segments would remain of the other.
    np.testing.assert_allclose(found[1], naive_parts(features[1, :13].numpy(), 8), atol=1e-5)


def coupled(tracks, seed, lengths=None):
    """Tracks whose sound and pictures change together in one of their values, with fades at both ends."""
    random = np.random.default_rng(seed)
    lengths = random.integers(30, 60, tracks) if lengths is None else lengths
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    shared = random.normal(size=mask.shape)
    sides = {}
    for side, dim in DIMS.items():
        values = random.normal(size=(*mask.shape, dim))
        values[..., 0] += 2 * shared
        for row, length in enumerate(lengths):
            values[row, : length // 20 + 1, 1] -= 9
            values[row, length - 3 : length, 1] -= 9
        sides[side] = torch.tensor(values, dtype=torch.float32)
    return sides, mask, torch.arange(mask.shape[1]) * STEP_S * torch.ones(tracks, 1)


def fitted(tracks=60, num_parts=16):
    course = TimeCourse(DIMS, num_parts, 2)
    sides, mask, starts_s = coupled(tracks, 1)
    parts = {side: course.parts(values, mask, starts_s) for side, values in sides.items()}
    return course.fit(parts, spans_s(mask, starts_s), np.random.default_rng(0))


def normalised_ranks(scores):
    return ((scores > scores.diagonal()[:, None]).sum(dim=1).double() + 0.5) / len(scores)


def test_what_changes_together_finds_its_partner_and_what_is_shifted_does_not():
    course = fitted()
    sides, mask, starts_s = coupled(100, 2)
    audio, video = (course(side, sides[side], mask, starts_s) for side in ("audio", "video"))
    torch.testing.assert_close(audio.norm(dim=1), torch.ones(100))
    assert normalised_ranks(audio @ video.T).mean() < 0.15
    rolled = course("audio", sides["audio"].roll(8, dims=1), mask, starts_s)
    assert normalised_ranks(rolled @ video.T).mean() > 0.35


def test_the_length_of_a_track_tells_nothing():
    """All tracks fade in and out, and sound and pictures have nothing else in common."""
    course = fitted()
    lengths = np.random.default_rng(5).integers(30, 60, 400)
    audio, video = (
        course(side, coupled(400, seed, lengths)[0][side], *coupled(400, seed, lengths)[1:])
        for side, seed in (("audio", 3), ("video", 4))
    )
    found = normalised_ranks(audio @ video.T)
    assert found.mean() == pytest.approx(0.5, abs=0.06)
    assert (found < 1 / 400).double().mean() < 0.02


def test_a_part_of_a_track_is_not_stretched_to_the_whole_and_three_segments_have_no_course():
    course = fitted()
    sides, mask, starts_s = coupled(3, 2, np.array([40, 12, 3]))
    lengths = course("audio", sides["audio"], mask, starts_s).norm(dim=1)
    torch.testing.assert_close(lengths, torch.tensor([1.0, 0.0, 0.0]))


def test_what_never_changes_has_no_course():
    course = TimeCourse(DIMS, 8, 2)
    sides, mask, starts_s = coupled(20, 1)
    still = {"audio": torch.ones_like(sides["audio"]), "video": sides["video"]}
    parts = {side: course.parts(values, mask, starts_s) for side, values in still.items()}
    course.fit(parts, spans_s(mask, starts_s), np.random.default_rng(0))
    assert not course("video", still["video"], mask, starts_s).any()
    assert not course("audio", still["audio"], mask, starts_s).any()


@pytest.mark.numeric
def test_curves_of_segments_are_what_the_curves_of_parts_are_made_of():
    """A track of as many segments as parts has the same curves either way; a constant has none."""
    course = TimeCourse(DIMS, 8, 2)
    course.audio_weights.copy_(torch.randn(course.audio_weights.shape, generator=torch.Generator().manual_seed(3)))
    features, mask, starts_s = stacked((8,))
    parts = course.curves("audio", course.parts(features, mask, starts_s))[0]
    found = course.of_segments("audio", features[0])
    np.testing.assert_allclose((found / found.norm()).flatten().numpy(), parts.numpy(), atol=1e-5)
    np.testing.assert_allclose(found.mean(dim=0).numpy(), 0, atol=1e-2)
    assert not course.of_segments("audio", features[0, :1].expand(8, -1) + 3).any()
