"""Attributes of frames of which the answer is known, and of rendered and real video."""

from pathlib import Path

import numpy as np
import pytest

from antiphon.media.appearance import (
    ATTRIBUTE_NAMES,
    BLACK_AND_WHITE_BELOW,
    attribute_row,
    find_cuts,
    frame_attributes,
)
from antiphon.media.decoding import decode_stretches
from antiphon.media.layout import FrameLayout

from .media_files import ffmpeg

SIZE = 32
LAYOUT = FrameLayout(size_px=96)


def plain(*colours: tuple[int, int, int]) -> np.ndarray:
    """One frame of one colour each."""
    return np.array(colours, np.uint8)[:, None, None, :].repeat(SIZE, 1).repeat(SIZE, 2)


def scene(seed: int, frames: int) -> np.ndarray:
    """A picture of coloured blocks that stands still."""
    blocks = np.random.default_rng(seed).integers(0, 256, (4, 4, 3)).astype(np.uint8)
    return np.repeat(blocks.repeat(SIZE // 4, 0).repeat(SIZE // 4, 1)[None], frames, 0)


def decoded(path: Path, start_s: float, end_s: float) -> np.ndarray:
    (found,) = decode_stretches(str(path), [(start_s, end_s)], [LAYOUT], rate_hz=None)
    return found.frames[LAYOUT]


def test_brightness_is_the_luma_of_bt709() -> None:
    assert frame_attributes(plain((0, 255, 0), (0, 255, 0))).luma == pytest.approx(0.7152, abs=1e-6)
    assert frame_attributes(plain((255, 0, 0), (255, 0, 0))).luma == pytest.approx(0.2126, abs=1e-6)
    assert frame_attributes(plain((51, 51, 51), (102, 102, 102))).luma == pytest.approx(0.3, abs=1e-6)


def test_saturation_is_of_what_is_bright() -> None:
    assert frame_attributes(plain((200, 100, 100), (200, 100, 100))).saturation == pytest.approx(0.5)
    barred = plain((200, 100, 100), (200, 100, 100))
    barred[:, : SIZE // 2] = 0
    assert frame_attributes(barred).saturation == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("colour", "grey"), [((120, 120, 120), True), ((112, 118, 115), True), ((130, 110, 90), False)]
)
def test_black_and_white_allows_for_the_noise_of_coding_but_not_for_sepia(
    colour: tuple[int, int, int], grey: bool
) -> None:
    found = frame_attributes(plain(colour, colour))
    assert found.black_and_white is grey
    assert (found.saturation < BLACK_AND_WHITE_BELOW) is grey


def test_motion_is_the_mean_step_of_luma_without_the_cuts() -> None:
    first, second = scene(0, 5), scene(1, 5)
    assert frame_attributes(np.concatenate([first, second])).motion == 0.0
    moving = plain(*[(100 + 4 * step,) * 3 for step in range(10)])
    assert frame_attributes(moving).motion == pytest.approx(4 / 255, rel=1e-5)
    assert frame_attributes(np.concatenate([moving, scene(1, 10)])).motion == pytest.approx(9 / 18 * 4 / 255, rel=1e-5)


def test_cuts_are_counted_by_the_second() -> None:
    frames = np.concatenate([scene(seed, length) for seed, length in enumerate((7, 9, 5, 10))])
    assert np.flatnonzero(find_cuts(frames)).tolist() == [6, 15, 20]
    assert frame_attributes(frames).cuts_per_s == pytest.approx(3 / 3.0)
    assert frame_attributes(frames, frames_per_s=20).cuts_per_s == pytest.approx(2.0)
    assert find_cuts(scene(0, 2)).tolist() == [False]
    assert find_cuts(np.concatenate([scene(0, 1), scene(1, 1)])).tolist() == [True]


def test_a_flash_a_fade_and_a_moving_thing_are_no_cuts() -> None:
    flash = scene(0, 20)
    flash[9] = 255
    fade = (scene(0, 20) * np.linspace(0, 1, 20)[:, None, None, None]).astype(np.uint8)
    thing = scene(0, 20)
    for number in range(20):
        thing[number, 8:20, number : number + 12] = 255
    for frames in (flash, fade, thing):
        assert not find_cuts(frames).any()


def test_a_cut_inside_the_same_colours_is_found() -> None:
    """The whole picture's histogram does not change when its parts change places."""
    frames = scene(0, 20)
    frames[10:] = frames[10:, ::-1, ::-1]
    assert np.flatnonzero(find_cuts(frames)).tolist() == [9]


@pytest.mark.parametrize(
    "frames",
    [np.zeros((1, 8, 8, 3), np.uint8), np.zeros((4, 8, 8), np.uint8), np.zeros((4, 8, 8, 3), np.float32)],
    ids=["one", "no channels", "floats"],
)
def test_other_than_frames_is_refused(frames: np.ndarray) -> None:
    with pytest.raises(ValueError, match="must be at least two RGB frames of uint8"):
        frame_attributes(frames)


def test_a_row_is_in_the_order_of_the_names() -> None:
    row = dict(zip(ATTRIBUTE_NAMES, attribute_row(frame_attributes(plain((255,) * 3, (255,) * 3))), strict=True))
    assert row == {"saturation": 0, "black_and_white": 1, "luma": 1, "motion": 0, "cuts_per_s": 0}


def test_encoded_video(tmp_path: Path) -> None:
    """A colour test picture and its grey copy, three seconds each, cut together."""
    graph = (
        "testsrc2=s=320x180:r=25:d=2[a];testsrc2=s=320x180:r=25:d=4,trim=2:4,setpts=PTS-STARTPTS,negate,hue=s=0[b];"
        "[a][b]concat=n=2,format=yuv420p"
    )
    path = tmp_path / "cut.mp4"
    ffmpeg("-filter_complex", graph, "-c:v", "libx264", "-crf", "28", path)
    whole = decoded(path, 0.5, 3.5)
    assert np.flatnonzero(find_cuts(whole)).tolist() == [14]
    colour, grey = frame_attributes(decoded(path, 0, 1.9)), frame_attributes(decoded(path, 2.1, 3.9))
    assert not colour.black_and_white
    assert colour.saturation > 0.3
    assert grey.black_and_white
    assert colour.motion > 0.001


def test_real_video(real_media: Path) -> None:
    friday = frame_attributes(decoded(real_media / "video" / "friday.mp4", 0, 3))
    flower = frame_attributes(decoded(real_media / "video" / "flower.mp4", 0, 3))
    assert friday.black_and_white
    assert not flower.black_and_white
    assert friday.cuts_per_s == flower.cuts_per_s == 0
