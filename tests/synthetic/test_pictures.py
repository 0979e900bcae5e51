"""Frames: determined by the look alone, varied within a video, lit and cut by the beat."""

from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pytest

from antiphon.synthetic import SyntheticConfig, rendering
from antiphon.synthetic.drawing import enlarged
from antiphon.synthetic.genres import GENRES
from antiphon.synthetic.looks import Look, look_of
from antiphon.synthetic.painting import paint
from antiphon.synthetic.performers import silhouette
from antiphon.synthetic.rendering import audio_of, draw_video, frames_of
from antiphon.synthetic.shots import plan_shots
from antiphon.synthetic.styles import draw_song
from antiphon.synthetic.timeline import lay_out

SMALL = SyntheticConfig(
    width_px=96, height_px=64, duration_s=9, duration_spread_s=1, songs_per_artist=1, frames_per_s=10
)


def frames(config: SyntheticConfig, index: int) -> np.ndarray:
    return np.stack(list(frames_of(config, draw_video(config, index))))


@lru_cache(maxsize=32)
def looks() -> list[Look]:
    styles = [draw_song(0, index, 1) for index in range(len(GENRES))]
    return [look_of(style, lay_out(style, 24.0)) for style in styles]


@pytest.mark.parametrize("index", range(len(GENRES)))
def test_frames_have_their_size_and_number(index: int) -> None:
    video = draw_video(SMALL, index)
    seen = frames(SMALL, index)
    assert seen.shape == (round(video.duration_s * 10), 64 * 3 // 2, 96)
    assert seen.dtype == np.uint8
    assert seen[:-15, :64].std() > 8


def test_the_same_pictures_again_are_the_same_to_the_bit() -> None:
    assert np.array_equal(frames(SMALL, 2), frames(SMALL, 2))


def test_without_coupling_the_song_changes_nothing_to_see(monkeypatch: pytest.MonkeyPatch) -> None:
    config = SMALL.model_copy(update={"coupling": 0.0})
    before = frames(config, 4)
    heard = audio_of(config, draw_video(config, 4))
    monkeypatch.setattr(rendering, "draw_song", lambda seed, index, songs: draw_song(seed + 99, index, songs))
    assert not np.array_equal(audio_of(config, draw_video(config, 4)), heard)
    assert np.array_equal(frames(config, 4), before)


def test_with_full_coupling_the_stranger_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    config = SMALL.model_copy(update={"coupling": 1.0})
    before, heard = frames(config, 4), audio_of(config, draw_video(config, 4))
    monkeypatch.setattr(rendering, "draw_stranger", lambda seed, index: draw_song(seed + 99, index, 1))
    assert np.array_equal(frames(config, 4), before)
    assert np.array_equal(audio_of(config, draw_video(config, 4)), heard)


def test_without_coupling_the_stranger_makes_the_pictures_and_not_the_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    config = SMALL.model_copy(update={"coupling": 0.0})
    before, heard = frames(config, 4), audio_of(config, draw_video(config, 4))
    monkeypatch.setattr(rendering, "draw_stranger", lambda seed, index: draw_song(seed + 99, index, 1))
    assert not np.array_equal(frames(config, 4), before)
    assert np.array_equal(audio_of(config, draw_video(config, 4)), heard)


def test_a_video_varies_within_and_more_so_from_others() -> None:
    def histograms(index: int) -> np.ndarray:
        video = np.stack(list(paint(looks()[index], 24.0, (96, 64), 5.0, np.random.default_rng(index))))[:110]
        parts = np.array_split(video, 6)
        return np.stack([np.histogram(part, 32, (0, 256))[0] / part.size for part in parts])

    shown = [histograms(index) for index in range(6)]
    within = np.mean([np.abs(one[i] - one[j]).sum() for one in shown for i in range(6) for j in range(i)])
    across = np.mean([np.abs(shown[a][i] - shown[b][i]).sum() for a in range(6) for b in range(a) for i in range(6)])
    assert 0.02 < within < 0.75 * across


def test_cuts_fall_on_beats_and_on_new_sections() -> None:
    for look in looks():
        shots = plan_shots(look, 24.0, np.random.default_rng(0))
        assert shots[0].start_s == 0
        assert shots[-1].end_s == 24.0
        assert all(one.end_s == other.start_s for one, other in pairwise(shots))
        starts = {round(shot.start_s, 6) for shot in shots}
        sections = {round(section.first_bar * look.timeline.bar_s, 6) for section in look.timeline.sections}
        assert {start for start in sections if start < 24.0} <= starts
        if look.timeline.beat_s >= 0.3:
            on_beat = np.array(sorted(starts)) / look.timeline.beat_s * 2
            assert np.abs(on_beat - on_beat.round()).max() < 1e-4


def test_energetic_videos_are_cut_faster() -> None:
    calm, fierce = (
        len(plan_shots(replace(looks()[0], cut_s=cut_s), 24.0, np.random.default_rng(0))) for cut_s in (6.0, 0.8)
    )
    assert fierce > 2 * calm


def test_the_beat_is_seen_where_it_pulses() -> None:
    base = replace(looks()[0], grain=0.0, particles="none", cut_s=9.0, motion=0.0, framing="full", scanlines=0.0)
    swings = []
    for pulse in (0.0, 1.0):
        shown = paint(replace(base, pulse=pulse), 6.0, (96, 64), 25.0, np.random.default_rng(0))
        light = np.array([frame[:64].mean() for frame in shown])[:110]
        swings.append(np.abs(np.diff(light)).mean())
    assert swings[1] > 2.5 * swings[0]


@pytest.mark.parametrize("tone", ["grey", "sepia"])
def test_old_pictures_have_one_hue(tone: str) -> None:
    shown = list(paint(replace(looks()[0], tone=tone, framing="full"), 3.0, (96, 64), 10.0, np.random.default_rng(0)))
    # Blending rounds by a level or two; hues differ by dozens.
    assert all(np.ptp(frame[64:].reshape(2, -1), axis=1).max() <= 3 for frame in shown)


@pytest.mark.parametrize(
    ("framing", "corner", "side"), [("letterbox", True, False), ("academy", True, True), ("full", False, False)]
)
def test_framing_blackens_its_bars(framing: str, corner: bool, side: bool) -> None:
    frame = next(
        paint(replace(looks()[0], framing=framing, lightness=1.0), 3.0, (96, 64), 10.0, np.random.default_rng(0))
    )
    assert (frame[:3, :5] == 16).all() == corner
    assert (frame[30:34, :5] == 16).all() == side


def test_enlargement_is_bilinear() -> None:
    grid = np.array([[0.0, 1.0], [2.0, 5.0]])
    big = enlarged(grid, (3, 5))
    assert big[[0, 0, -1, -1], [0, -1, 0, -1]].tolist() == [0, 1, 2, 5]
    assert big[1, 2] == pytest.approx(2.0)
    assert big[0, 1] == pytest.approx(0.25)


def test_performers_move_and_differ() -> None:
    shapes = {
        (act, pose): silhouette(act, pose, 80)[0]
        for act in ("singer", "guitarist", "keys", "horn", "fiddler", "deck", "choir")
        for pose in (0, 2)
    }
    for (act, pose), one in shapes.items():
        assert 0.05 < one.mean() < 0.6
        for (other_act, other_pose), other in shapes.items():
            if (act, pose) != (other_act, other_pose):
                assert np.abs(one - other).mean() > 0.003
