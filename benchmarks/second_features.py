"""Features of all candidates on a synthetic catalogue, one file a video, for `second_network.py`.

    python benchmarks/second_features.py CATALOGUE WHEELS FEATURES [--videos N] [--processes N]

CATALOGUE is a folder that `antiphon.synthetic.render_catalogue` made. Two windows of 3 s are taken of each video, one
from each half, at places that its number draws.
"""

import argparse
import multiprocessing
import time
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch

from antiphon import backbones
from antiphon.backbones import AudioBackbone, VideoBackbone
from antiphon.media.decoding import decode_stretches
from antiphon.media.layout import FrameLayout
from antiphon.tables import atomic_path
from packaged_networks import Candidate
from packaged_people import Faces, Poses
from packaged_pictures import VIDEO
from packaged_sound import AUDIO

WINDOW_S, WINDOWS = 3.0, 2
BASE = ("musicnn-mtt", "efficientnet_lite0")


@cache
def candidates(wheels: Path) -> list[Candidate]:
    return [kind(wheels) for kind in (*AUDIO, *VIDEO, Faces, Poses)]


@cache
def base() -> list[AudioBackbone | VideoBackbone]:
    return [backbones.load(name, "cpu") for name in BASE]


def layout_of(candidate: Candidate) -> FrameLayout:
    """Frames that a candidate takes: the middle of the picture, as our backbones do, or all of it."""
    whole = candidate.name in ("cuts", "faces", "poses")
    return FrameLayout(size_px=candidate.size_px, every=candidate.every, crop="whole" if whole else "centre")


def windows_of(path: Path, number: int) -> list[tuple[float, float]]:
    with av.open(str(path)) as container:
        part_s = float((container.duration or 0) / 1e6) / WINDOWS
    random = np.random.default_rng((7, number))
    starts = [part * part_s + random.uniform(0.1, part_s - WINDOW_S - 0.3) for part in range(WINDOWS)]
    return [(start, start + WINDOW_S) for start in starts]


def features(path: Path, number: int, wheels: Path) -> dict[str, Any]:
    """All features of a video's windows, by name, and the processor time of each in seconds."""
    stretches = windows_of(path, number)
    layouts = {layout_of(each) for each in candidates(wheels) if each.side == "video"} | {base()[1].layout}
    waves = {
        rate_hz: [found.waveform for found in decode_stretches(str(path), stretches, [], rate_hz)]
        for rate_hz in (16_000, 22_050)
    }
    frames = [found.frames for found in decode_stretches(str(path), stretches, sorted(layouts, key=str), None)]
    rows: dict[str, list[Any]] = defaultdict(list)
    spent: dict[str, float] = defaultdict(float)
    for place in range(len(stretches)):
        for each in [*base(), *candidates(wheels)]:
            started = time.process_time()
            if isinstance(each, Candidate):
                given = waves[each.rate_hz][place] if each.side == "audio" else frames[place][layout_of(each)]
                rows[each.name].append(each(given))
            elif isinstance(each, AudioBackbone):
                rows[each.name].append(each(waves[16_000][place])[0])
            else:
                rows[each.name].append(each(frames[place][each.layout])[0])
            spent[each.name] += time.process_time() - started
    found = {name: np.stack(values).astype(np.float32) for name, values in rows.items()}
    starts = np.array([start for start, _ in stretches])
    return found | {"seconds": np.array([spent[name] for name in found]), "starts_s": starts}


def work(job: tuple[Path, int, Path, Path]) -> str:
    path, number, wheels, folder = job
    torch.set_num_threads(1)
    kept = folder / f"{path.stem}.npz"
    if not kept.exists():
        with atomic_path(kept) as partial, partial.open("wb") as file:
            np.savez(file, **features(path, number, wheels))
    return path.stem


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("catalogue", type=Path)
    parser.add_argument("wheels", type=Path)
    parser.add_argument("features", type=Path)
    parser.add_argument("--videos", type=int, default=200)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    given.features.mkdir(parents=True, exist_ok=True)
    paths = sorted(given.catalogue.glob("synthetic-*.mp4"))[: given.videos]
    jobs = [(path, number, given.wheels, given.features) for number, path in enumerate(paths)]
    with multiprocessing.get_context("spawn").Pool(given.processes) as pool:
        for done, name in enumerate(pool.imap_unordered(work, jobs), 1):
            print(f"{done} of {len(jobs)}: {name}", flush=True)


if __name__ == "__main__":
    main()
