"""How many windows of damaged files are wrong without a word: neither refused nor flagged.

Usage: python benchmarks/concealment.py [--seeds 12] [--data FOLDER] [--out FILE] [CODING...]

Twelve seconds of a film and of a song are written in each coding. For each seed a few bytes past the first 5% of a file
are altered, or a run of them is; windows of the damaged file are compared with those of the intact one. A window of
pictures is wrong where one of its frames differs by more than half a step of 255 on average, a window of sound where
the difference exceeds a hundredth of the sound's strength at the best of all lags up to 60 ms. Windows of intact files
are looked at as well: they must have no flag `concealed` or `duplicated`.
"""

import argparse
import json
import subprocess
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np

from antiphon.errors import DecodeError
from antiphon.media.decoding import Decoded, decode_stretches
from antiphon.media.layout import FrameLayout

LAYOUT = FrameLayout(size_px=112)
WINDOWS = [(0.5, 3.5), (3.2, 6.2), (6.1, 9.1), (8.8, 11.8)]
PICTURES_OFF = 0.5
SOUND_OFF = 0.01
MAX_LAG = 960
KEEP_S = 12

X264 = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "26")
VPX = ("-deadline", "realtime", "-cpu-used", "8", "-b:v", "400k", "-g", "60")
PICTURES: dict[str, tuple[str, tuple[str, ...]]] = {
    "H.264 mp4": ("mp4", (*X264, "-g", "60")),
    "H.264 mkv": ("mkv", (*X264, "-g", "60")),
    "H.264 open GOP mkv": ("mkv", (*X264, "-x264-params", "open-gop=1:keyint=48:bframes=3")),
    "H.264 ts": ("ts", (*X264, "-g", "60")),
    "HEVC mp4": ("mp4", ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error:keyint=60")),
    "VP8 webm": ("webm", ("-c:v", "libvpx", *VPX)),
    "VP9 webm": ("webm", ("-c:v", "libvpx-vp9", *VPX)),
    "AV1 mkv": ("mkv", ("-c:v", "libsvtav1", "-preset", "12", "-g", "60")),
    "Theora ogv": ("ogv", ("-c:v", "libtheora", "-q:v", "5", "-g", "60")),
    "Theora mkv": ("mkv", ("-c:v", "libtheora", "-q:v", "5", "-g", "60")),
    "MPEG-4 avi": ("avi", ("-c:v", "mpeg4", "-q:v", "5", "-bf", "2", "-g", "60")),
    "MPEG-2 mpg": ("mpg", ("-c:v", "mpeg2video", "-q:v", "5", "-bf", "2", "-g", "15")),
    "WMV2 asf": ("asf", ("-c:v", "wmv2", "-q:v", "5", "-g", "60")),
    "Motion JPEG mov": ("mov", ("-c:v", "mjpeg", "-q:v", "4")),
}
SOUNDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "AAC m4a": ("m4a", ("-c:a", "aac", "-aac_pns", "0")),
    "AAC adts": ("aac", ("-c:a", "aac", "-aac_pns", "0")),
    "MP3": ("mp3", ("-c:a", "libmp3lame", "-q:a", "3")),
    "MP3 mkv": ("mka", ("-c:a", "libmp3lame", "-q:a", "3")),
    "Vorbis ogg": ("ogg", ("-c:a", "libvorbis")),
    "Vorbis webm": ("webm", ("-c:a", "libvorbis")),
    "Opus ogg": ("opus", ("-c:a", "libopus", "-ar", "48000")),
    "Opus webm": ("webm", ("-c:a", "libopus", "-ar", "48000")),
    "FLAC": ("flac", ("-c:a", "flac")),
    "FLAC ogg": ("ogg", ("-c:a", "flac")),
    "FLAC mkv": ("mka", ("-c:a", "flac")),
    "AC-3": ("ac3", ("-c:a", "ac3")),
    "ALAC m4a": ("m4a", ("-c:a", "alac")),
    "WMA asf": ("asf", ("-c:a", "wmav2")),
    "PCM wav": ("wav", ("-c:a", "pcm_s16le")),
}  # fmt: skip


def ffmpeg(*arguments: str | Path) -> None:
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *map(str, arguments)], check=True)


def write_file(folder: Path, data: Path, coding: str) -> Path:
    """Write a film or a song in a coding."""
    ending, options = (PICTURES | SOUNDS)[coding]
    path = folder / f"{coding.replace(' ', '_')}.{ending}"
    if coding in PICTURES:
        source = ("-ss", "14", "-i", data / "video" / "big_buck_bunny.mp4", "-t", str(KEEP_S), "-an")
        ffmpeg(
            *source, "-vf", "scale=320:180", "-pix_fmt", "yuvj420p" if "JPEG" in coding else "yuv420p", *options, path
        )
    else:
        source = ("-ss", "30", "-i", data / "music" / "Karissa_Hobbs_-_Lets_Go_Fishin.ogg", "-t", str(KEEP_S), "-vn")
        ffmpeg(*source, *options, path)
    return path


def damaged(data: bytes, seed: int) -> bytes:
    """Alter a few single bytes (even seeds) or a run of them (odd seeds) past the first 5%."""
    rng = np.random.default_rng(seed)
    altered = np.frombuffer(data, np.uint8).copy()
    first = len(data) // 20
    if seed % 2:
        length = int(rng.integers(20, 400))
        start = int(rng.integers(first, len(data) - length))
        places = np.arange(start, start + length)
    else:
        places = rng.integers(first, len(data), 6)
    altered[places] = rng.integers(0, 256, len(places))
    return altered.tobytes()


def decode(path: Path, coding: str, window: tuple[float, float]) -> Decoded | None:
    """Decode a window as extraction does it; None where it is refused."""
    layouts, rate_hz = ([LAYOUT], None) if coding in PICTURES else ([], 16_000)
    try:
        (found,) = decode_stretches(str(path), [window], layouts, rate_hz)
    except DecodeError:
        return None
    return found


def is_wrong(found: Decoded, intact: Decoded) -> bool:
    """Whether a window differs from that of the intact file."""
    if found.waveform is None or intact.waveform is None:
        off = np.abs(found.frames[LAYOUT].astype(np.int16) - intact.frames[LAYOUT])
        return float(off.mean(axis=(1, 2, 3)).max()) > PICTURES_OFF
    strength = float(np.square(intact.waveform).mean())
    size = 2 * len(found.waveform)
    product = np.fft.rfft(found.waveform, size) * np.conj(np.fft.rfft(intact.waveform, size))
    alike = np.fft.irfft(product, size)
    lags = [*range(MAX_LAG + 1), *range(-MAX_LAG, 0)]
    lag = lags[int(np.argmax(alike[lags]))]
    inner = slice(MAX_LAG, -MAX_LAG)
    off = np.roll(found.waveform, -lag)[inner] - intact.waveform[inner]
    return float(np.square(off).mean()) > SOUND_OFF**2 * strength


def flags(found: Decoded) -> set[str]:
    return set(found.audio_flags) | set(found.video_flags)


def measure(path: Path, coding: str, seeds: int) -> Counter[str]:
    """Count the windows of damaged copies by what became of them."""
    counts: Counter[str] = Counter()
    intact = [decode(path, coding, window) for window in WINDOWS]
    counts["intact flagged"] = sum(one is None or bool(flags(one) & {"concealed", "duplicated"}) for one in intact)
    data = path.read_bytes()
    copy = path.with_stem("damaged")
    for seed in range(seeds):
        copy.write_bytes(damaged(data, seed))
        for window, right in zip(WINDOWS, intact, strict=True):
            found = decode(copy, coding, window)
            counts["windows"] += 1
            if found is None:
                counts["refused"] += 1
                continue
            wrong, flagged = (
                right is not None and is_wrong(found, right),
                bool(flags(found) & {"concealed", "duplicated"}),
            )
            counts["wrong"] += wrong
            counts["flagged"] += flagged
            counts["flagged, not wrong"] += flagged and not wrong
            counts["wrong, unflagged"] += wrong and not flagged
            if wrong and not flagged:
                print("unflagged", coding, seed, window)
    return counts


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("codings", nargs="*")
    parser.add_argument("--seeds", type=int, default=12)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/media"))
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for coding in options.codings or [*PICTURES, *SOUNDS]:
            path = write_file(Path(folder), options.data, coding)
            results[coding] = dict(measure(path, coding, options.seeds))
            print(coding, results[coding], flush=True)
    totals: Counter[str] = Counter()
    for counts in results.values():
        totals.update(counts)
    print("total", dict(totals))
    if options.out:
        options.out.write_text(
            json.dumps({"seeds": options.seeds, "codings": results, "total": dict(totals)}, indent=1)
        )


if __name__ == "__main__":
    main()
