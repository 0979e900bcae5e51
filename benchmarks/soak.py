"""Memory over many short files: `python benchmarks/soak.py [--files 10000] [--workers 2] [--out FILE]`.

Files of 6 s are made (MPEG-4 and PCM, no two alike), catalogued and extracted whole: probing, decoding processes,
networks, attributes, tempo, stores. The networks are small ones of our own, so that what grows can only be the
pipeline. Resident memory of the main process and of the largest decoding process is read every second; what is printed
are medians over tenths of the extraction, of which the first fills caches. Flat means that the last tenth holds no
more than the second. At half of the files the largest decoding process is killed (SIGKILL), once; the file that it
held is tried again in another process, and no row may be lost.
"""

import argparse
import json
import os
import signal
import statistics
import tempfile
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import av
import numpy as np

from antiphon import Catalogue, backbones, extract
from antiphon.backbones import AudioBackbone, VideoBackbone
from antiphon.media.layout import FrameLayout
from antiphon.segments.sampling import SamplingConfig
from antiphon.workspace import Workspace
from service import machine

RATE_HZ = 16_000
PARTS = 10


class Loudness(AudioBackbone):
    """Mean square of a window."""

    name, dim, fingerprint, rate_hz = "soak-loudness", 1, "0" * 64, RATE_HZ

    def __call__(self, waveform: Any, rate_hz: int = RATE_HZ) -> Any:
        return (np.asarray(waveform) ** 2).mean(axis=1, keepdims=True, dtype=np.float32)


class Brightness(VideoBackbone):
    """Mean of all pictures of a window."""

    name, dim, fingerprint = "soak-brightness", 1, "1" * 64
    layout = FrameLayout(size_px=224, every=3)

    def __call__(self, frames: Any) -> Any:
        return np.asarray(frames).reshape(len(frames), -1).mean(axis=1, dtype=np.float32)[:, None]


def make(folder: Path, count: int) -> None:
    """Write one film and copies with other bytes at the end, which no reader looks at."""
    film = folder / "film.avi"
    random = np.random.default_rng(0)
    with av.open(str(film), "w") as container:
        video = container.add_stream("mpeg4", rate=10)
        video.width, video.height = 160, 90
        audio = container.add_stream("pcm_s16le", rate=RATE_HZ, layout="mono")
        for number in range(60):
            image = np.full((90, 160, 3), 40 + number * 3, np.uint8)
            for packet in video.encode(av.VideoFrame.from_ndarray(image, format="rgb24")):
                container.mux(packet)
        samples = (3000 * random.normal(size=6 * RATE_HZ)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.rate = RATE_HZ
        for packet in [*audio.encode(frame), *audio.encode(None), *video.encode(None)]:
            container.mux(packet)
    data = film.read_bytes()
    film.unlink()
    for number in range(count):
        (folder / f"{number:05d}.avi").write_bytes(data + number.to_bytes(8, "big"))


def resident_mb(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except (OSError, IndexError):
        return 0.0


def children() -> list[int]:
    found: list[int] = []
    for task in Path("/proc/self/task").iterdir():
        try:
            found += [int(pid) for pid in (task / "children").read_text().split()]
        except OSError:
            continue
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    backbones.register(Loudness.name, Loudness())
    backbones.register(Brightness.name, Brightness())
    seen: list[tuple[int, float, float]] = []
    done = 0
    over = threading.Event()

    killed: list[int] = []

    def watch() -> None:
        while not over.wait(1.0):
            sizes = {pid: resident_mb(pid) for pid in children()}
            seen.append((done, resident_mb(os.getpid()), max(sizes.values(), default=0.0)))
            if sizes and not killed and done >= options.files / 2:
                killed.append(max(sizes, key=sizes.__getitem__))
                os.kill(killed[0], signal.SIGKILL)

    def progress(state: Any) -> None:
        nonlocal done
        done = state.done

    with tempfile.TemporaryDirectory() as folder:
        films = Path(folder) / "films"
        films.mkdir()
        make(films, options.files)
        catalogue = Catalogue.from_folder(films)
        threading.Thread(target=watch, daemon=True).start()
        begun_s = time.monotonic()
        found = extract(
            catalogue,
            Loudness.name,
            Brightness.name,
            Path(folder) / "work",
            sampling=SamplingConfig(sections=1),
            workers=options.workers,
            progress=progress,
        )
        taken_s = time.monotonic() - begun_s
        over.set()
        failures = Workspace(Path(folder) / "work").read_failures()
    rows = [one for one in seen if 0 < one[0] < options.files]
    parts = [
        [one for one in rows if part * options.files <= PARTS * one[0] < (part + 1) * options.files]
        for part in range(PARTS)
    ]
    medians = [[statistics.median(one[side] for one in part) for side in (1, 2)] for part in parts if part]
    print(f"{len(found)} of {options.files} files, {taken_s:.0f} s, {options.files / taken_s:.1f} files/s")
    print(f"decoding processes killed: {len(killed)}; failures: {[failure.message for failure in failures]}")
    for number, (main_mb, worker_mb) in enumerate(medians):
        print(f"tenth {number + 1:2}: main process {main_mb:6.0f} MB, largest decoding process {worker_mb:6.0f} MB")
    if options.out is not None:
        about = {
            "machine": machine(),
            "load": os.getloadavg()[0],
            "files": options.files,
            "segments": len(found),
            "killed": len(killed),
            "failures": len(failures),
            "seconds": taken_s,
            "MB by tenth": medians,
        }
        options.out.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
