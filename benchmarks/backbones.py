"""How fast the backbones are here, and what thinning the frames costs.

    python benchmarks/backbones.py [speed] [--threads N] [NAME …]
    python benchmarks/backbones.py thinning FOLDER

`speed` prints windows of 3 s a second for each backbone (those in the cache, or those named). `thinning` takes the
videos in FOLDER and prints how close EfficientNet's feature of every n-th frame is to that of all 30: the cosine after
subtracting the mean over the windows.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from antiphon import backbones
from antiphon.backbones import AudioBackbone, VideoBackbone, checks
from antiphon.errors import DecodeError
from antiphon.segments.decoding import decode_stretches
from antiphon.segments.layout import FrameLayout

WINDOW_S = 3.0
FRAMES = 30


def windows_per_s(backbone: AudioBackbone | VideoBackbone, repeats: int = 5) -> tuple[float, int]:
    """The best of a few runs on one window, and how many frames (or samples) it has."""
    if isinstance(backbone, AudioBackbone):
        window = checks.sweep(backbone.rate_hz)
    else:
        window = checks.gradients(backbone.layout.size_px, len(range(0, FRAMES, backbone.layout.every)))
    times_s: list[float] = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        backbone(window)
        times_s.append(time.perf_counter() - start)
    return 1 / min(times_s[1:]), len(window)


def speed(names: list[str], device: str) -> None:
    names = names or [name for name in backbones.names() if backbones.info(name).cached]
    print(f"{torch.get_num_threads()} threads, {device}")
    for name in names:
        rate, size = windows_per_s(backbones.load(name, device))
        print(f"{name:28} {rate:8.2f} windows/s   ({size:,} {'samples' if size > 1000 else 'frames'} each)")


def decoded(folder: Path, layout: FrameLayout) -> list[np.ndarray]:
    """Consecutive windows of all videos in `folder`, at most 16 of each."""
    windows: list[np.ndarray] = []
    for path in sorted(folder.iterdir()):
        try:
            for number in range(16):
                start_s = number * WINDOW_S
                windows += [
                    w.frames[layout]
                    for w in decode_stretches(str(path), [(start_s, start_s + WINDOW_S)], [layout], None)
                ]
        except DecodeError:
            continue
    return [window for window in windows if len(window) == FRAMES]


def thinning(folder: Path, device: str) -> None:
    backbone = backbones.load("efficientnet_lite0", device)
    assert isinstance(backbone, VideoBackbone)
    windows = np.stack(decoded(folder, FrameLayout(size_px=backbone.layout.size_px)))
    full = backbone(windows)
    centre = full.mean(0)
    print(f"{len(windows)} windows")
    for every in (2, 3, 5, 6, 10, 15):
        ours, theirs = backbone(windows[:, ::every]) - centre, full - centre
        lengths = np.linalg.norm(ours, axis=1)[:, None] * np.linalg.norm(theirs, axis=1)
        cosines = ours @ theirs.T / lengths
        own = np.diag(cosines)
        nearest = (cosines.argmax(1) == np.arange(len(own))).mean()
        print(f"every {every:2}: cosine median {np.median(own):.4f}, least {own.min():.4f}; own nearest {nearest:.0%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=["speed", "thinning"], default="speed")
    parser.add_argument("arguments", nargs="*", help="names of backbones, or the folder of videos")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    if given.what == "thinning":
        thinning(Path(given.arguments[0]), given.device)
    else:
        speed(given.arguments, given.device)


if __name__ == "__main__":
    main()
