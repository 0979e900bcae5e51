"""Rotation, pixel shape and crops, on pictures whose corners can be told apart."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from av import VideoFrame

from antiphon.errors import ConfigError, DecodeError
from antiphon.media.cropping import FrameCropper, random_box
from antiphon.media.decoding import decode_stretches
from antiphon.media.layout import FrameLayout

from .media_files import ffmpeg, make_video

COLOURS = {"red": (255, 0, 0), "green": (0, 128, 0), "blue": (0, 0, 255), "white": (255, 255, 255)}
ROTATED = {
    0: "red green blue white",
    90: "green white red blue",
    180: "white blue green red",
    270: "blue red white green",
}


def make_corners(path: Path, size: str = "160x160", *options: str) -> Path:
    """Still pictures: red green above blue white."""
    w, h = (int(side) // 2 for side in size.split("x"))
    parts = [f"color={name}:s={w}x{h}:r=25:d=2[{name}]" for name in COLOURS]
    graph = ";".join([*parts, "[red][green]hstack[a]", "[blue][white]hstack[b]", "[a][b]vstack"])
    ffmpeg("-filter_complex", graph, "-c:v", "libx264", "-qp", "1", *options, path)
    return path


def corners(picture: np.ndarray) -> str:
    """Names of the colours in the four quarters, read like text."""
    size = picture.shape[0]
    names = list(COLOURS)
    places = [(y, x) for y in (size // 4, 3 * size // 4) for x in (size // 4, 3 * size // 4)]
    distances = [[np.abs(picture[y, x].astype(int) - colour).sum() for colour in COLOURS.values()] for y, x in places]
    return " ".join(names[int(np.argmin(row))] for row in distances)


def decode(path: Path, layout: FrameLayout, seed: int | None = None, start_s: float = 0.5) -> np.ndarray:
    generator = None if seed is None else np.random.default_rng(seed)
    (decoded,) = decode_stretches(str(path), [(start_s, start_s + 1)], [layout], None, generator=generator)
    return decoded.frames[layout]


@pytest.mark.parametrize("degrees", ROTATED)
@pytest.mark.parametrize("size", ["160x160", "240x160"])
def test_rotation(degrees, size, tmp_path):
    plain = make_corners(tmp_path / "plain.mp4", size)
    path = tmp_path / "turned.mp4"
    ffmpeg("-display_rotation", str(degrees), "-i", plain, "-c", "copy", path)
    assert corners(decode(path, FrameLayout(size_px=64))[0]) == ROTATED[degrees]


@pytest.mark.parametrize(
    ("flag", "expected"),
    [("-display_hflip", "green red white blue"), ("-display_vflip", "blue white red green")],
)
def test_mirroring(flag, expected, tmp_path):
    plain = make_corners(tmp_path / "plain.mp4")
    ffmpeg("-display_rotation", "0", flag, "-i", plain, "-c", "copy", tmp_path / "turned.mp4")
    assert corners(decode(tmp_path / "turned.mp4", FrameLayout(size_px=64))[0]) == expected


def test_rotation_as_ffmpeg_does_it(tmp_path):
    """ffmpeg itself turns the picture when it makes pixels of it."""
    plain = make_corners(tmp_path / "plain.mp4")
    path = tmp_path / "turned.mp4"
    ffmpeg("-display_rotation", "90", "-display_hflip", "-i", plain, "-c", "copy", path)
    raw = ffmpeg("-i", path, "-frames:v", "1", "-pix_fmt", "rgb24", "-f", "rawvideo", "-")
    theirs = np.frombuffer(raw, np.uint8).reshape(160, 160, 3)
    assert corners(decode(path, FrameLayout(size_px=64))[0]) == corners(theirs)


@pytest.mark.parametrize("turned", [False, True])
def test_pixels_that_are_not_square(turned, tmp_path):
    """A circle stored squeezed to half its width is shown round."""
    y, x = np.mgrid[:200, :160]
    disc = (np.hypot((x - 79.5) * 2, y - 99.5) < 60).astype(np.uint8) * 255
    source = ("-f", "rawvideo", "-pix_fmt", "gray", "-s", "160x200", "-r", "25", "-i", "-")
    path = tmp_path / "plain.mp4"
    ffmpeg(
        *source,
        "-vf",
        "setsar=2",
        "-pix_fmt",
        "yuv420p",
        "-c:v",
        "libx264",
        "-qp",
        "1",
        path,
        stdin=disc.tobytes() * 50,
    )
    if turned:
        ffmpeg("-display_rotation", "90", "-i", path, "-c", "copy", tmp_path / "turned.mp4")
        path = tmp_path / "turned.mp4"
    seen = decode(path, FrameLayout(size_px=100))[0].mean(axis=2) > 128
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    assert abs(np.ptp(rows) - 60) <= 2
    assert abs(np.ptp(columns) - 60) <= 2
    assert abs(rows.mean() - 49.5) <= 1
    assert abs(columns.mean() - 49.5) <= 1


def gradient(width: int, height: int) -> VideoFrame:
    """Red grows from left to right and green from top to bottom."""
    y, x = np.mgrid[:height, :width]
    picture = np.stack([255 * x / (width - 1), 255 * y / (height - 1), np.zeros_like(x)], axis=-1)
    return VideoFrame.from_ndarray(picture.astype(np.uint8), format="rgb24")


@pytest.mark.parametrize(("width", "height"), [(640, 360), (360, 640), (300, 300), (641, 357)])
def test_centre_shows_the_middle_square(width, height):
    layout = FrameLayout(size_px=64)
    cropper = FrameCropper("x", [layout], Fraction(1), np.random.default_rng(0))
    picture = cropper.crop(gradient(width, height), layout).astype(float)
    side = min(width, height)
    for channel, axis, length in ((0, 1, width), (1, 0, height)):
        profile = picture[..., channel].mean(axis=1 - axis) / 255
        first, last = (length - side) / 2 / length, (length + side) / 2 / length
        expected = first + (np.arange(64) + 0.5) / 64 * (last - first)
        np.testing.assert_allclose(profile, expected, atol=0.012)


@pytest.mark.parametrize(("width", "height"), [(640, 360), (360, 640), (300, 300)])
def test_whole_shows_all_of_the_picture(width, height):
    layout = FrameLayout(size_px=64, crop="whole")
    cropper = FrameCropper("x", [layout], Fraction(1), np.random.default_rng(0))
    picture = cropper.crop(gradient(width, height), layout).astype(float)
    assert picture.shape == (64, 64, 3)
    for channel, axis in ((0, 1), (1, 0)):
        profile = picture[..., channel].mean(axis=1 - axis) / 255
        np.testing.assert_allclose(profile, (np.arange(64) + 0.5) / 64, atol=0.012)


@pytest.mark.parametrize("seed", range(8))
def test_random_shows_the_box_that_was_drawn(seed):
    layout = FrameLayout(size_px=64, crop="random")
    cropper = FrameCropper("x", [layout], Fraction(1), np.random.default_rng(seed))
    box = random_box(640, 360, np.random.default_rng(seed))
    picture = cropper.crop(gradient(640, 360), layout).astype(float)
    again = cropper.crop(gradient(640, 360), layout)
    np.testing.assert_array_equal(picture, again)
    for channel, axis, first, extent in ((0, 1, box.left, box.width), (1, 0, box.top, box.height)):
        profile = picture[..., channel].mean(axis=1 - axis) / 255
        expected = first + (np.arange(64) + 0.5) / 64 * extent
        np.testing.assert_allclose(profile, expected, atol=0.012)


def test_random_boxes_follow_torchvision():
    """Area and ratio as `RandomResizedCrop` draws them: where every draw fits, both are uniform."""
    generator = np.random.default_rng(0)
    boxes = [random_box(2000, 2000, generator) for _ in range(4000)]
    small = [box for box in boxes if box.width * box.height < 0.5]
    areas = np.array([box.width * box.height for box in small])
    ratios = np.log([box.width / box.height for box in small])
    np.testing.assert_allclose(np.quantile(areas, [0, 0.5, 1]), [0.08, 0.29, 0.5], atol=0.02)
    bound = np.log(4 / 3)
    np.testing.assert_allclose(
        np.quantile(ratios, [0, 0.25, 0.75, 1]), [-bound, -bound / 2, bound / 2, bound], atol=0.03
    )
    places = np.array([box.left / (1 - box.width) for box in small])
    np.testing.assert_allclose(np.quantile(places, [0, 0.5, 1]), [0, 0.5, 1], atol=0.03)
    for box in boxes:
        assert 0 <= box.left <= 1 - box.width + 1e-9
        assert 0 <= box.top <= 1 - box.height + 1e-9


@pytest.mark.parametrize(("width", "height"), [(4000, 300), (300, 4000), (1, 1)])
def test_shapes_into_which_no_draw_fits_get_the_middle(width, height):
    class Largest(np.random.Generator):
        """Draws the largest area each time, so that none fits."""

        def uniform(self, low: float = 0.0, high: float = 1.0, size: None = None) -> float:  # type: ignore[override]
            return high

    box = random_box(width, height, Largest(np.random.PCG64(0)))
    shown_ratio = box.width * width / (box.height * height)
    assert 3 / 4 - 1e-9 <= shown_ratio <= 4 / 3 + 1e-9
    assert box.left == pytest.approx((1 - box.width) / 2)
    assert box.top == pytest.approx((1 - box.height) / 2)


def test_random_crops_need_a_generator_and_follow_it(tmp_path):
    path = make_video(tmp_path / "a.mp4", 60, "25", "-c:v", "libx264", "-vf", "noise=alls=40:allf=t")
    layout = FrameLayout(size_px=48, crop="random")
    with pytest.raises(ConfigError, match="needs a generator"):
        decode(path, layout)
    np.testing.assert_array_equal(decode(path, layout, 1), decode(path, layout, 1))
    assert (decode(path, layout, 1) != decode(path, layout, 2)).any()


def test_shapes_beyond_use_are_refused():
    layout = FrameLayout(size_px=64)
    cropper = FrameCropper("thin.mp4", [layout], None, np.random.default_rng(0))
    with pytest.raises(DecodeError, match=r"thin\.mp4: frames of 4000×16 have an aspect ratio beyond 16"):
        cropper.crop(VideoFrame(4000, 16, "yuv420p"), layout)


def test_pictures_of_absurd_size_are_not_decoded(tmp_path, monkeypatch):
    path = make_corners(tmp_path / "a.mp4")
    decode(path, FrameLayout(size_px=64))
    monkeypatch.setattr("antiphon.media.stream_reader.MAX_FRAME_PX", 100 * 100)
    with pytest.raises(DecodeError, match=r"a\.mp4"):
        decode(path, FrameLayout(size_px=64))
