"""How fast the backbones are here, what thinning the frames costs, and how steady style is over a track.

    python benchmarks/backbones.py [speed] [--threads N] [NAME …]
    python benchmarks/backbones.py thinning FOLDER
    python benchmarks/backbones.py style FOLDER

`speed` prints windows of 3 s a second for each backbone (those in the cache, or those named). `thinning` takes the
videos in FOLDER and prints how close EfficientNet's feature of every n-th frame is to that of all 30: the cosine after
subtracting the mean over the windows. `style` prints, for EfficientNet's features and for its style, how alike windows
of the same video are, and windows of different ones: cosines after subtracting the mean over the windows. Leave copies
of a video out of FOLDER.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from antiphon import backbones
from antiphon.backbones import AudioBackbone, VideoBackbone, checks
from antiphon.errors import DecodeError
from antiphon.media.decoding import decode_stretches
from antiphon.media.layout import FrameLayout

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
    return [window for windows in decoded_by_video(folder, layout) for window in windows]


def decoded_by_video(folder: Path, layout: FrameLayout) -> list[list[np.ndarray]]:
    """The same for each video that has any."""
    videos: list[list[np.ndarray]] = []
    for path in sorted(folder.iterdir()):
        windows: list[np.ndarray] = []
        try:
            for number in range(16):
                start_s = number * WINDOW_S
                windows += [
                    w.frames[layout]
                    for w in decode_stretches(str(path), [(start_s, start_s + WINDOW_S)], [layout], None)
                ]
        except DecodeError:
            pass
        videos.append([window for window in windows if len(window) == FRAMES])
    return [windows for windows in videos if windows]


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


def style(folder: Path, device: str) -> None:
    content = backbones.load("efficientnet_lite0", device)
    assert isinstance(content, VideoBackbone)
    videos = decoded_by_video(folder, FrameLayout(size_px=content.layout.size_px))
    windows = np.stack([window[:: content.layout.every] for one in videos for window in one])
    numbers = np.repeat(np.arange(len(videos)), [len(one) for one in videos])
    pairs = np.triu(np.ones((len(numbers), len(numbers)), dtype=bool), 1)
    same = numbers[:, None] == numbers
    print(f"{len(numbers)} windows of {len(videos)} videos; {(pairs & same).sum()} pairs within a video")
    for name in ("efficientnet_lite0", "efficientnet_lite0-style"):
        backbone = backbones.load(name, device)
        assert isinstance(backbone, VideoBackbone)
        values = backbone(windows)
        values -= values.mean(0)
        values /= np.linalg.norm(values, axis=1, keepdims=True)
        cosines = values @ values.T
        within, between = cosines[pairs & same], cosines[pairs & ~same]
        gap = (within.mean() - between.mean()) / np.sqrt((within.var() + between.var()) / 2)
        above = np.mean(within[:, None] > between)
        means = f"within a video {within.mean():.3f}, between {between.mean():.3f}, {gap:.2f} deviations apart"
        print(f"{name:26} {means}; a pair within is more alike than one between in {above:.1%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=["speed", "thinning", "style"], default="speed")
    parser.add_argument("arguments", nargs="*", help="names of backbones, or the folder of videos")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    if given.what != "speed":
        {"thinning": thinning, "style": style}[given.what](Path(given.arguments[0]), given.device)
    else:
        speed(given.arguments, given.device)


if __name__ == "__main__":
    main()
