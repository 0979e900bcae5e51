"""Taking files in against the least that decoding them costs: `python benchmarks/sparse_floor.py [--media FOLDER]`.

Four films of 30 s are encoded from a real one: 1080p and 480p, with a key frame every 250 and every 50 pictures
(H.264, AAC). Their six windows are decoded, in turns,

- by Antiphon, for EfficientNet-Lite0 and musicnn, as extraction does it;
- by the floor: PyAV and nothing else. It seeks to the key frame before each window, tells the decoder to skip what no
  other picture needs and no wanted time is near to, scales the wanted ones, and resamples the sound. It checks nothing;
- by PyAV as one would write it at first: the same without skipping.

Then the whole pipeline (decoding processes, networks, stores) is compared with decoding alone plus networks alone. On a
processor both need the same cores, so the sum is the limit, not the larger of the two. All times are processor time
with that of child processes; ratios are medians over the rounds. Memory is what a process that decodes a film grows by
at its peak, beyond the 71 MB that a decoding process holds before.
"""

import argparse
import json
import platform
import resource
import statistics
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg
import numpy as np
from av.audio.resampler import AudioResampler
from av.video.reformatter import Interpolation, VideoReformatter

from antiphon import Catalogue, backbones
from antiphon.features.computed_videos import batch_features
from antiphon.features.extraction import extract_into
from antiphon.media.windows import WindowsJob, decode_windows, in_batches
from antiphon.workspace import Workspace
from ingest import LAYOUT, RATE_HZ, jobs, peak_mb

SOURCE = "video/sintel_trailer.mp4"
FILMS = {f"{height}p, key frames every {every}": (height, every) for height in (1080, 480) for every in (250, 50)}
STEP_S = LAYOUT.every / 10
NETWORKS = ("efficientnet_lite0", "musicnn-mtt")


def encode(source: Path, folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for name, (height, every) in FILMS.items():
        path = folder / f"{height}-{every}.mp4"
        picture = f"scale={-(-height * 16 // 9 // 2) * 2}:{height}"
        options = ["-g", every, "-keyint_min", every, "-sc_threshold", 0, "-preset", "superfast", "-crf", 23]
        command = ["-stream_loop", 3, "-i", source, "-t", 30, "-vf", picture, "-r", 25, "-c:v", "libx264", *options]
        command += ["-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "128k", path]
        tool = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error"]
        subprocess.run([*tool, *map(str, command)], check=True)
        found[name] = path
    return found


def floor(job: WindowsJob, *, skipping: bool) -> tuple[np.ndarray, np.ndarray]:
    """The pictures (windows, 10, 224, 224, 3) and waveforms (windows, 48,000) of a film."""
    pictures: list[np.ndarray] = []
    sounds: list[np.ndarray] = []
    with av.open(str(job.path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        video.codec_context.thread_count = audio.codec_context.thread_count = 1
        scaler = VideoReformatter()
        for start_s, end_s in job.windows:
            wanted = [start_s + STEP_S * number for number in range(round((end_s - start_s) / STEP_S))]
            pictures.append(_pictures(container, video, scaler, wanted, skipping))
            sounds.append(_sound(container, audio, start_s, end_s))
    return np.stack(pictures), np.stack(sounds)


def _pictures(container: Any, stream: Any, scaler: VideoReformatter, wanted: list[float], skipping: bool) -> np.ndarray:
    tick_s, spacing_s = float(stream.time_base), float(1 / stream.average_rate)
    container.seek(int(wanted[0] / tick_s), stream=stream)
    found: list[np.ndarray] = []
    before: Any = None
    for packet in container.demux(stream):
        if skipping and packet.pts is not None:
            time_s = packet.pts * tick_s
            near = any(abs(time_s - each) <= 1.01 * spacing_s for each in wanted)
            stream.codec_context.skip_frame = "DEFAULT" if near else "NONREF"
        for frame in packet.decode():
            time_s = frame.pts * tick_s
            while len(found) < len(wanted) and wanted[len(found)] <= time_s:
                at_s = wanted[len(found)]
                nearer = before if before is not None and at_s - before.pts * tick_s <= time_s - at_s else frame
                found.append(_scaled(nearer, scaler))
            before = frame
        if len(found) == len(wanted):
            break
    return np.stack(found)


def _scaled(frame: Any, scaler: VideoReformatter) -> np.ndarray:
    height = LAYOUT.size_px
    width = round(frame.width * height / frame.height / 2) * 2
    small = scaler.reformat(frame, width, height, "rgb24", interpolation=Interpolation.AREA).to_ndarray()
    left = (width - height) // 2
    return small[:, left : left + height]


def _sound(container: Any, stream: Any, start_s: float, end_s: float) -> np.ndarray:
    tick_s = float(stream.time_base)
    container.seek(int(start_s / tick_s), stream=stream)
    resampler = AudioResampler("flt", "mono", RATE_HZ)
    parts: list[np.ndarray] = []
    first_s = None
    for frame in container.decode(stream):
        first_s = frame.time if first_s is None else first_s
        parts += [one.to_ndarray()[0] for one in resampler.resample(frame)]
        if frame.time > end_s:
            break
    skipped = round((start_s - (first_s or 0.0)) * RATE_HZ)
    return np.concatenate(parts)[skipped : skipped + round((end_s - start_s) * RATE_HZ)]


def spent_s(function: Callable[[], object]) -> float:
    """Processor time of a call, with that of child processes that ended in it."""

    def now_s() -> float:
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(one.ru_utime + one.ru_stime for one in used)

    begun_s = now_s()
    function()
    return now_s() - begun_s


def decoded(job: WindowsJob) -> list[Any]:
    return list(decode_windows(job))


def against_floor(films: dict[str, Path], rounds: int) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    print(f"{'film':32} {'floor s':>8} {'ours':>6} {'plain PyAV':>10} {'+ MB':>8}   (ratios to the floor)")
    for name, path in films.items():
        job = jobs(path)["backbones"]
        ways = {
            "floor": lambda job=job: floor(job, skipping=True),
            "ours": lambda job=job: decoded(job),
            "plain": lambda job=job: floor(job, skipping=False),
        }
        taken = [{way: spent_s(call) for way, call in ways.items()} for _ in range(rounds)]
        ratios = {way: statistics.median(one[way] / one["floor"] for one in taken) for way in ("ours", "plain")}
        with get_context("spawn").Pool(1) as pool:
            memory, _ = pool.apply(peak_mb, (job,))
        seconds = statistics.median(one["floor"] for one in taken)
        found[name] = {"floor s": seconds, **ratios, "grown MB": memory, "difference": difference(job)}
        print(f"{name:32} {seconds:8.2f} {ratios['ours']:6.2f} {ratios['plain']:10.2f} {memory:8.0f}", flush=True)
    return found


def difference(job: WindowsJob) -> float:
    """Mean absolute difference of the pictures of both, of 255: they must show the same."""
    ours = np.stack([window.frames[LAYOUT] for window in decoded(job)])
    theirs, _ = floor(job, skipping=True)
    return float(np.abs(ours.astype(np.int16) - theirs).mean())


def pipeline(films: dict[str, Path], rounds: int) -> dict[str, float]:
    """The whole, and its parts alone, for all films."""
    networks = [backbones.load(name, "cpu") for name in NETWORKS]
    kinds = [jobs(path)["both"] for path in films.values()]

    def compute(windows: list[list[Any]]) -> None:
        for film in windows:
            for batch in in_batches(iter(film), 8):
                batch_features(networks, batch)

    def whole() -> None:
        with tempfile.TemporaryDirectory() as folder:
            extract_into(Workspace(Path(folder)), catalogue, networks, workers=1)

    windows: list[list[Any]] = []
    catalogue, _ = Catalogue.from_folder(next(iter(films.values())).parent).probe()
    taken: list[tuple[float, float, float]] = []
    for _ in range(rounds):
        windows.clear()
        decoding_s = spent_s(lambda: windows.extend(decoded(job) for job in kinds))
        computing_s = spent_s(lambda: compute(windows))
        taken.append((decoding_s, computing_s, spent_s(whole)))
    sums = statistics.median(whole_s / (decoding_s + computing_s) for decoding_s, computing_s, whole_s in taken)
    decoding_s, computing_s, whole_s = (statistics.median(column) for column in zip(*taken, strict=True))
    print(
        f"whole pipeline {whole_s:.1f} s, decoding with attributes alone {decoding_s:.1f} s, networks alone "
        f"{computing_s:.1f} s: {sums:.2f} × their sum"
    )
    return {"whole s": whole_s, "decoding s": decoding_s, "networks s": computing_s, "whole / sum": sums}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--media", type=Path, default=Path("../shared/data/media"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        begun_s = time.monotonic()
        films = encode(options.media / SOURCE, Path(folder))
        print(f"encoded in {time.monotonic() - begun_s:.0f} s")
        found = {"films": against_floor(films, options.rounds), "pipeline": pipeline(films, options.rounds)}
    if options.out is not None:
        machine = {"machine": platform.machine(), "python": platform.python_version(), "av": av.__version__}
        options.out.write_text(json.dumps(machine | found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
