"""Media files with known pictures and sound, made by the ffmpeg binary of imageio-ffmpeg."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np

BITS = 10
HEIGHT, WIDTH = 180, 320
BAND = HEIGHT // BITS


def counter_picture(number: int) -> np.ndarray:
    """Grey (HEIGHT, WIDTH): bit b of `number` is a band across the picture, the highest bit on top."""
    bits = [(number >> b) & 1 for b in reversed(range(BITS))]
    return np.repeat(np.array(bits, np.uint8) * 200 + 28, BAND)[:, None].repeat(WIDTH, 1)


def read_counter(picture: np.ndarray) -> int:
    """The number in a square frame, (size, size, 3) or (size, size)."""
    grey = picture if picture.ndim == 2 else picture.mean(axis=2)
    size = grey.shape[0]
    rows = [int((b + 0.5) * size / BITS) for b in range(BITS)]
    return sum(int(grey[row, size // 2] > 128) << (BITS - 1 - b) for b, row in enumerate(rows))


def ffmpeg(*arguments: str | Path, stdin: bytes | None = None) -> bytes:
    """Run ffmpeg; its standard output."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *map(str, arguments)]
    done = subprocess.run(command, input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def make_video(path: Path, frames: int, rate: str, *options: str) -> Path:
    """Encode pictures that count from 0."""
    raw = b"".join(counter_picture(number).tobytes() for number in range(frames))
    source = ("-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{WIDTH}x{HEIGHT}", "-r", rate, "-i", "-")
    ffmpeg(*source, "-pix_fmt", "yuv420p", *options, path, stdin=raw)
    return path


def make_sound(path: Path, channels: np.ndarray, rate_hz: int, *options: str) -> Path:
    """Encode float32 (samples, channels)."""
    source = ("-f", "f32le", "-ar", str(rate_hz), "-ac", str(channels.shape[1]), "-i", "-")
    ffmpeg(*source, *options, path, stdin=np.ascontiguousarray(channels, np.float32).tobytes())
    return path


def join(path: Path, video: Path, audio: Path, *options: str, video_late: float = 0, audio_late: float = 0) -> Path:
    """Put the pictures of one file and the sound of another into one file, each delayed by so many seconds."""
    inputs = ("-itsoffset", str(video_late), "-i", video, "-itsoffset", str(audio_late), "-i", audio)
    ffmpeg(*inputs, "-map", "0:v", "-map", "1:a", "-c", "copy", *options, path)
    return path


def shown(path: Path) -> tuple[np.ndarray, list[int]]:
    """Time in seconds and number of every picture of a file, from a full decode that skips nothing."""
    with av.open(str(path)) as container:
        start_s = (container.start_time or 0) / 1_000_000
        stream = container.streams.video[0]
        times_s, numbers = [], []
        for packet in container.demux(stream):
            if packet.size == 0 and packet.pts is not None:  # Theora: the picture before, again
                times_s.append(float(packet.pts * packet.time_base) - start_s)
                numbers.append(numbers[-1])
                continue
            for frame in packet.decode():
                times_s.append(frame.time - start_s)
                grey = frame.to_ndarray(format="gray")
                margin = (grey.shape[1] - grey.shape[0]) // 2
                numbers.append(read_counter(grey[:, margin : margin + grey.shape[0]]))
    return np.array(times_s), numbers


def nearest(times_s: np.ndarray, wanted_s: Sequence[float]) -> list[int]:
    """Index of the nearest time to each one wanted, by brute force; the earlier of two."""
    return [int(np.abs(times_s - time_s).round(5).argmin()) for time_s in wanted_s]


def noise(seconds: float, rate_hz: int, channels: int, seed: int = 0) -> np.ndarray:
    """Float32 (samples, channels) within ±0.5, with most of its power in low frequencies."""
    white = np.random.default_rng(seed).normal(size=(round(seconds * rate_hz), channels))
    smooth = np.apply_along_axis(lambda x: np.convolve(x, np.ones(16) / 16, "same"), 0, white)
    return (0.5 * smooth / np.abs(smooth).max()).astype(np.float32)
