"""Pictures that stand in for others that are missing, and slides, which do not."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from antiphon.media.decoding import decode_stretches
from antiphon.media.layout import FrameLayout

STRETCHES = [(0.5, 3.5), (5.0, 8.0), (9.0, 12.0)]


def write_pictures(path: Path, is_there: Callable[[float], bool], rate: int = 10, seconds: int = 14) -> Path:
    """Pictures of noise at a rate, those alone that are there at their time."""
    random = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=rate, options={"g": "1"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(rate * seconds):
            if is_there(number / rate):
                picture = random.integers(0, 255, (48, 64, 3)).astype(np.uint8)
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, rate)
                container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def duplicated(path: Path) -> list[bool]:
    windows = decode_stretches(str(path), STRETCHES, [FrameLayout(size_px=16)], rate_hz=None)
    return ["duplicated" in window.video_flags for window in windows]


@pytest.mark.parametrize("ending", ["mkv", "mp4"])
def test_a_hole_in_the_pictures_is_said_where_it_is(ending: str, tmp_path: Path) -> None:
    path = write_pictures(tmp_path / f"hole.{ending}", lambda time_s: not 5.2 <= time_s < 7.6)
    assert duplicated(path) == [False, True, False]


def test_a_few_missing_pictures_are_not(tmp_path: Path) -> None:
    path = write_pictures(tmp_path / "few.mkv", lambda time_s: not 5.2 <= time_s < 5.7)
    assert duplicated(path) == [False, False, False]


def test_slides_follow_each_other_slowly(tmp_path: Path) -> None:
    """MP4 knows how many pictures it holds; Matroska may promise more than it has, and its slides are flagged."""
    path = write_pictures(tmp_path / "slides.mp4", lambda time_s: time_s % 2 == 0)
    assert duplicated(path) == [False, False, False]


def test_pictures_for_the_attributes_alone_do_not_change_the_flags(tmp_path: Path) -> None:
    sparse, dense = FrameLayout(size_px=16, every=3), FrameLayout(size_px=8)
    for number in range(12):
        start_s = 5.0 + number / 10
        path = write_pictures(
            tmp_path / f"{number}.mkv", lambda time_s, start_s=start_s: not start_s <= time_s < start_s + 1.4
        )
        alone = decode_stretches(str(path), STRETCHES, [sparse], rate_hz=None)
        beside = decode_stretches(str(path), STRETCHES, [sparse, dense], rate_hz=None, unjudged=[dense])
        for one, other in zip(alone, beside, strict=True):
            assert one.video_flags == other.video_flags, start_s
            assert np.array_equal(one.frames[sparse], other.frames[sparse])
