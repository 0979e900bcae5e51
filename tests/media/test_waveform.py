"""Sound in its place in time, against the signal that was encoded and against whole-file decodes by ffmpeg."""

from pathlib import Path

import av
import numpy as np
import pytest
import soxr

from antiphon.errors import DecodeError
from antiphon.media.decoding import decode_stretches
from antiphon.media.probing import probe_media
from antiphon.media.waveform import downmix

from .media_files import ffmpeg, join, make_sound, make_video, noise


def stretch(path: Path, start_s: float, end_s: float, rate_hz: int = 16_000) -> np.ndarray:
    (decoded,) = decode_stretches(str(path), [(start_s, end_s)], (), rate_hz)
    assert decoded.waveform is not None
    assert decoded.waveform.dtype == np.float32
    return decoded.waveform


def cut(whole: np.ndarray, start_s: float, samples: int, rate_hz: int = 16_000) -> np.ndarray:
    first = round(start_s * rate_hz)
    return np.pad(whole, (0, samples))[first : first + samples]


@pytest.mark.parametrize("source_hz", [16_000, 22_050, 44_100, 48_000, 8_000, 11_024])
@pytest.mark.parametrize("name", ["a.wav", "a.mkv", "a.ogg"])
def test_a_stretch_equals_the_whole_resampled(source_hz, name, tmp_path):
    """Lossless coding, so that the signal itself is the reference."""
    signal = noise(9, source_hz, 1)
    codec = ("-c:a", "pcm_f32le") if name == "a.wav" else ("-c:a", "flac", "-sample_fmt", "s32")
    path = make_sound(tmp_path / name, signal, source_hz, *codec)
    # A second of silence before: soxr takes the edge of a signal for something else than a start out of silence.
    padded = np.pad(signal[:, 0], source_hz)
    whole = soxr.resample(padded, source_hz, 16_000)
    for start_s in (0.0, 0.03, 2.71828, 6.0):
        wave = stretch(path, start_s, start_s + 3)
        assert wave.shape == (48_000,)
        references = [whole]
        if name == "a.mkv":  # its milliseconds tell the place to within one sample of the source
            references += [soxr.resample(np.roll(padded, by), source_hz, 16_000) for by in (-1, 1)]
        errors = [np.abs(wave - cut(reference, 1 + start_s, 48_000)).max() for reference in references]
        assert min(errors) < 2e-5


BS_775 = [0.5**0.5, 0.5**0.5, 1.0, 0.0, 0.5, 0.5]
WEIGHTS = {1: [1.0], 2: [0.5, 0.5], 6: [weight / sum(BS_775) for weight in BS_775]}


@pytest.mark.parametrize(
    ("name", "rate_hz", "channels", "lag_ms", "options"),
    [
        # Perceptual noise is drawn anew at each start of the decoder.
        ("a.m4a", 44_100, 2, 0, ("-c:a", "aac", "-aac_pns", "0")),
        ("a.mp4", 22_050, 1, 0, ("-c:a", "aac", "-aac_pns", "0")),
        ("a.mkv", 48_000, 6, 0, ("-c:a", "aac", "-aac_pns", "0", "-b:a", "320k")),
        ("a.ts", 48_000, 2, 0, ("-c:a", "aac", "-aac_pns", "0")),
        ("a.mp3", 44_100, 2, 0, ("-c:a", "libmp3lame", "-b:a", "192k")),
        ("a.mkv", 44_100, 2, 0, ("-c:a", "libmp3lame", "-b:a", "192k")),
        ("a.ogg", 22_050, 2, 0, ("-c:a", "libvorbis")),
        ("a.webm", 44_100, 2, 0, ("-c:a", "libvorbis")),
        # Whole milliseconds, and 6.5 ms to skip at the start: time stamps cannot say it better.
        ("a.webm", 48_000, 2, 1, ("-c:a", "libopus")),
    ],
)
def test_a_stretch_equals_the_whole_file_decoded_by_ffmpeg(name, rate_hz, channels, lag_ms, options, tmp_path):
    path = make_sound(tmp_path / name, noise(9, rate_hz, channels), rate_hz, *options)
    pcm = ffmpeg("-i", path, "-f", "f32le", "-ac", str(channels), "-ar", str(rate_hz), "-")
    decoded = np.frombuffer(pcm, np.float32).reshape(-1, channels)
    whole = soxr.resample(decoded @ np.array(WEIGHTS[channels], np.float32), rate_hz, 16_000)
    for start_s in (0.0, 1.4142, 5.0):
        wave = stretch(path, start_s, start_s + 3)
        lag, error = best_lag(whole, wave, round(start_s * 16_000))
        assert abs(lag) <= 16 * lag_ms
        assert error < 1e-5


def best_lag(whole: np.ndarray, wave: np.ndarray, first: int) -> tuple[int, float]:
    """The shift in samples at which `wave` is most like `whole`, and the greatest difference there."""
    padded = np.pad(whole, (1000, wave.size + 1000))
    inner = slice(1000, wave.size - 1000)
    errors = {lag: float(np.abs(padded[first + 1000 + lag :][inner] - wave[inner]).max()) for lag in range(-40, 41)}
    lag = min(errors, key=errors.__getitem__)
    return lag, errors[lag]


@pytest.mark.parametrize("name", ["a.opus", "a.webm"])
def test_opus_does_not_depend_on_what_was_decoded_before(name, tmp_path):
    """Alone, after another stretch and within the whole: alike to 1e-4 of full scale."""
    path = make_sound(tmp_path / name, noise(9, 48_000, 2), 48_000, "-c:a", "libopus")
    whole = stretch(path, 0.0, 8.5)
    stretches = [(5.1, 7.1), (1.3, 3.3), (0.4, 2.4)]
    for (start_s, end_s), decoded in zip(stretches, decode_stretches(str(path), stretches, ()), strict=True):
        np.testing.assert_allclose(decoded.waveform, stretch(path, start_s, end_s), atol=1e-4)
        np.testing.assert_allclose(decoded.waveform, cut(whole, start_s, 32_000), atol=1e-4)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
@pytest.mark.parametrize(("video_late", "audio_late"), [(0.7, 0.0), (0.0, 0.7)])
def test_one_time_line_for_both_streams(name, video_late, audio_late, tmp_path):
    video = make_video(tmp_path / "v.mp4", 150, "25", "-c:v", "libx264")
    signal = noise(6, 44_100, 1)
    audio = make_sound(tmp_path / "a.mka", signal, 44_100, "-c:a", "flac")
    path = join(tmp_path / name, video, audio, video_late=video_late, audio_late=audio_late)
    whole = soxr.resample(np.pad(signal[:, 0], 44_100), 44_100, 16_000)
    info = probe_media(str(path))
    assert info.audio_start_s == pytest.approx(audio_late, abs=0.002)
    assert info.video_start_s == pytest.approx(video_late, abs=0.002)
    assert info.start_s == pytest.approx(0.7, abs=0.002)
    assert info.duration_s == pytest.approx(5.3, abs=0.01)
    for start_s in (0.5, 2.0):
        wave = stretch(path, start_s, start_s + 3)
        lag, error = best_lag(whole, wave, round((1 + start_s - audio_late) * 16_000))
        assert abs(lag) <= 16, "a millisecond, the resolution of Matroska"
        assert error < 0.15, "what half a sample makes"


def test_silence_before_a_late_start_and_after_an_early_end(tmp_path):
    video = make_video(tmp_path / "v.mp4", 200, "25", "-c:v", "libx264")
    audio = make_sound(tmp_path / "a.wav", np.full((3 * 16_000, 1), 0.5), 16_000)
    path = join(tmp_path / "av.mov", video, audio, audio_late=2.0)
    wave = stretch(path, 0.0, 7.0)
    loud = np.flatnonzero(wave)
    assert wave.size == 7 * 16_000
    assert (loud[0], loud[-1], loud.size) == (2 * 16_000, 5 * 16_000 - 1, 3 * 16_000)
    for start_s, end_s in ((0.0, 1.5), (5.5, 7.0)):
        with pytest.raises(DecodeError, match=rf"av\.mov: has no audio between {start_s:.2f} and {end_s:.2f} s"):
            stretch(path, start_s, end_s)


def test_a_gap_is_silent_and_moves_nothing(tmp_path):
    signal = noise(6, 16_000, 1)
    whole = make_sound(tmp_path / "a.mka", signal, 16_000, "-c:a", "pcm_s16le")
    path = tmp_path / "gap.mka"
    with av.open(str(whole)) as source, av.open(str(path), "w", format="matroska") as target:
        stream = target.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.pts is not None and not 2.0 <= packet.pts * packet.time_base < 3.0:
                packet.stream = stream
                target.mux(packet)
    wave = stretch(path, 1.0, 5.0)
    original = signal[16_000 : 5 * 16_000, 0]
    quiet = np.convolve(np.abs(wave), np.ones(9), "same") < 1e-9
    silent = np.flatnonzero(quiet)
    assert 15_000 < silent.size < 17_500
    assert 0.9 * 16_000 < silent[0] < 1.1 * 16_000
    spoken = np.ones(wave.size, bool)
    spoken[silent[0] - 20 : silent[-1] + 20] = False
    np.testing.assert_allclose(wave[spoken], original[spoken], atol=1e-4)


def test_downmix_of_5_1_leaves_out_low_frequency_effects(tmp_path):
    levels = np.array([[0.1, 0.2, 0.4, 0.9, 0.3, 0.05]])
    path = make_sound(tmp_path / "a.wav", np.tile(levels, (16_000, 1)), 16_000, "-c:a", "pcm_f32le")
    wave = stretch(path, 0.2, 0.8)
    np.testing.assert_allclose(wave, np.full(wave.size, levels[0] @ np.array(WEIGHTS[6])), atol=1e-6)


@pytest.mark.parametrize("sample_format", ["u8", "s16", "s32", "flt", "dbl", "s16p", "fltp"])
def test_downmix_of_stereo_is_the_mean_in_every_sample_format(sample_format):
    planar = sample_format.endswith("p")
    audio = np.array([[0.5, -0.25], [0.25, 0.75]])  # (samples, channels)
    scale = {"u": 128, "s": 2 ** (int(sample_format.strip("sp") or 8) - 1) if sample_format[0] == "s" else 0}
    dtype = {"u8": "u1", "s16": "i2", "s32": "i4", "flt": "f4", "dbl": "f8"}[sample_format.removesuffix("p")]
    values = audio * scale[sample_format[0]] if sample_format[0] in scale else audio
    values = (values + (128 if sample_format == "u8" else 0)).astype(dtype)
    array = np.ascontiguousarray(values.T) if planar else values.reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(array, format=sample_format, layout="stereo")
    np.testing.assert_allclose(downmix(frame), audio.mean(axis=1), atol=1e-6)


def test_other_rates(tmp_path):
    signal = noise(5, 48_000, 1)
    path = make_sound(tmp_path / "a.wav", signal, 48_000, "-c:a", "pcm_f32le")
    assert stretch(path, 1.0, 4.0, 22_050).shape == (66_150,)
    np.testing.assert_array_equal(stretch(path, 1.0, 4.0, 48_000), signal[48_000 : 4 * 48_000, 0])


@pytest.mark.parametrize(
    ("in_a_packet", "reason"),
    [(True, r"is damaged near 6\.\d\d s"), (False, r"stops at 6\.\d\d s, but its header states 10")],
)
def test_a_cut_file_is_not_taken_for_silence(in_a_packet, reason, tmp_path):
    options = ("-c:a", "aac", "-b:a", "128k", "-movflags", "+faststart")
    path = make_sound(tmp_path / "a.m4a", noise(10, 16_000, 1), 16_000, *options)
    whole = path.read_bytes()
    with av.open(str(path)) as container:
        at = [packet.pos for packet in container.demux(audio=0) if packet.pos][100 if in_a_packet else 101]
    path.write_bytes(whole[: at + 20] if in_a_packet else whole[:at])
    end_s = probe_media(str(path)).duration_s
    assert end_s == pytest.approx(100 * 1024 / 16_000, abs=0.07)
    stretch(path, end_s - 3, end_s)
    with pytest.raises(DecodeError, match=rf"a\.m4a: the audio {reason}"):
        stretch(path, end_s - 2, end_s + 1)


@pytest.mark.parametrize("name", ["Karissa_Hobbs_-_Lets_Go_Fishin.ogg", "sorohanro_-_solo-trumpet-06.ogg"])
def test_real_music_equals_ffmpeg(name, real_media):
    path = real_media / "music" / name
    pcm = ffmpeg("-i", path, "-t", "60", "-f", "f32le", "-")
    whole = soxr.resample(np.frombuffer(pcm, np.float32), 22_050, 16_000)
    for start_s in (0.5, 2.25, 40.123 if "Hobbs" in name else 1.0):
        wave = stretch(path, start_s, start_s + 3)
        np.testing.assert_allclose(wave, cut(whole, start_s, 48_000), atol=1e-5)


def test_vorbis_in_webm_whose_time_stamps_jitter(real_media):
    """One stretch agrees with another, though the stamps of this file are off by up to 20 ms."""
    path = real_media / "video" / "rabbit.webm"
    whole = stretch(path, 0.0, 7.5)
    for start_s in (0.649, 1.4, 3.7):
        wave = stretch(path, start_s, start_s + 3)
        np.testing.assert_allclose(wave, cut(whole, start_s, 48_000), atol=1e-5)
