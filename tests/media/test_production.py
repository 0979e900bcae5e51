"""How a file was produced: files made by ffmpeg's encoders with known sizes, rates, bars and levels."""

from fractions import Fraction

import av
import numpy as np
import pytest

from antiphon.errors import DecodeError
from antiphon.media.production import Production, bars_around, production_of


def film(path, bars_px=(0, 0), level=0.1, size=(320, 240), rate=25, seconds=5, codecs=("mpeg4", "aac")):
    """A grey film with black bars (above and below, at the sides), and a tone of a given amplitude."""
    width, height = size
    picture = np.full((height, width, 3), 120, np.uint8)
    if bars_px[0]:
        picture[: bars_px[0]] = picture[-bars_px[0] :] = 0
    if bars_px[1]:
        picture[:, : bars_px[1]] = picture[:, -bars_px[1] :] = 0
    tone = level * np.sin(2 * np.pi * 440 * np.arange(16_000 * seconds) / 16_000)
    with av.open(str(path), "w") as container:
        video = container.add_stream(codecs[0], rate=rate)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        audio = container.add_stream(codecs[1], rate=16_000, layout="mono")
        for _ in range(rate * seconds):
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(video.encode())
        for start in range(0, len(tone), 1024):
            frame = av.AudioFrame.from_ndarray(tone[None, start : start + 1024].astype(np.float32), "fltp", "mono")
            frame.sample_rate, frame.pts, frame.time_base = 16_000, start, Fraction(1, 16_000)
            container.mux(audio.encode(frame))
        container.mux(audio.encode())
    return path


@pytest.mark.parametrize(
    ("bars_px", "named"),
    [((0, 0), "none"), ((30, 0), "above and below"), ((0, 40), "at the sides"), ((30, 40), "all around")],
)
def test_bars_of_decoded_pictures(tmp_path, bars_px, named):
    assert production_of(film(tmp_path / "a.mp4", bars_px), 0.0, 5.0).bars == named


def test_size_rate_encoder_and_level(tmp_path):
    """A sine of amplitude 0.1 has an RMS of −23 dB."""
    found = production_of(film(tmp_path / "a.mkv", size=(192, 144), rate=30), 0.0, 5.0)
    assert (found.picture_size, found.frame_rate, found.loudness) == ("192×144", "30", "-24 to -21 dB")
    assert found.encoder.startswith("mpeg4, aac, Lavf")


def test_a_louder_copy_is_another_stratum(tmp_path):
    levels = [production_of(film(tmp_path / f"{level}.mp4", level=level), 0.0, 5.0).loudness for level in (0.05, 0.5)]
    assert levels == ["-30 to -27 dB", "-12 to -9 dB"]


@pytest.mark.parametrize("lit", [0, 255])
def test_pictures_all_black_or_all_lit_have_no_bars(lit):
    assert bars_around(np.full((3, 72, 128), lit, np.uint8)) == ("" if lit == 0 else "none")


def test_a_dark_edge_on_one_side_is_no_bar():
    picture = np.full((1, 72, 128), 90, np.uint8)
    picture[:, :20] = 0
    assert bars_around(picture) == "none"


def test_sound_alone_has_no_pictures_to_tell_of(tmp_path):
    path = tmp_path / "a.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.full((1, 80_000), 16_384, np.int16), "s16", "mono")
        frame.sample_rate = 16_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    found = production_of(path, 0.0, 5.0)
    assert found == Production(encoder=found.encoder, loudness="-9 to -6 dB")


def test_a_file_that_is_none_is_refused(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"no film")
    with pytest.raises(DecodeError):
        production_of(tmp_path / "a.mp4", 0.0, 5.0)
