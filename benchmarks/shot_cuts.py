"""Hard cuts: TransNet V2 against ours (`antiphon.media.appearance.find_cuts`) and FFmpeg's scene score.

    python benchmarks/shot_cuts.py WHEELS MEDIA [--synthetic FOLDER]

Three kinds of videos whose cuts are known: single shots of real files joined at known places, with dissolves, flashes
and camera movements that are no cuts; two films, whose frames were looked at wherever any of the methods, far below its
threshold, or a jump of colours had something to say; and a synthetic catalogue, whose shot list is known. An answer is
right within 0.15 s of a cut that no other answer has. Ours is also measured as extraction uses it: in windows of 3 s at
10 frames a second.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from torch.nn import functional as F

from antiphon.media.appearance import find_cuts
from antiphon.media.decoding import decode_stretches
from antiphon.media.layout import FrameLayout
from antiphon.metrics.paired import mean_interval
from antiphon.seeding import generator
from antiphon.synthetic import SyntheticConfig
from antiphon.synthetic.rendering import draw_video
from antiphon.synthetic.shots import plan_shots
from packaged_networks import Array
from packaged_pictures import Cuts

SINGLE_SHOTS = ("crystal.mp4", "elf.mp4", "flower.mp4", "frog.mp4", "monster.mp4", "pig.mp4")
FILMS = {"sintel_trailer.mp4": (417,), "big_buck_bunny.mp4": (1, 285, 378, 553, 1145, 1346)}
"""Frames that begin a shot by a hard cut, counted from 0."""
SIDE_PX, RATE = 96, 25.0
NEAR_S = 0.15
Video = tuple[Array, float, list[float]]
"""Frames (n, 96, 96, 3), frames a second, and times of the cuts."""
Detector = Callable[[Array, float], list[float]]


def assembled(media: Path, count: int) -> list[Video]:
    """Join single shots of real files."""
    layout = FrameLayout(size_px=2 * SIDE_PX, crop="whole")
    shots = []
    for name in SINGLE_SHOTS:
        path = str(media / "video" / name)
        with av.open(path) as container:
            length_s = float((container.duration or 0) / 1e6)
        (found,) = decode_stretches(path, [(0, length_s - 0.2)], [layout], None, RATE)
        shots.append(found.frames[layout])
    return [_joined(shots, generator(0, "assembled", number)) for number in range(count)]


def _joined(shots: Sequence[Array], random: np.random.Generator) -> Video:
    """About 20 s of takes of 0.4 to 3 s; each begins with a cut, or one in five with a dissolve."""
    frames, cuts = _take(shots, random), list[float]()
    while len(frames) < 20 * RATE:
        after = _take(shots, random)
        if random.random() < 0.2 and min(len(after), len(frames)) > 20:
            share = np.linspace(0, 1, 15)[:, None, None, None]
            frames[-15:] = (frames[-15:] * (1 - share) + after[:15] * share).astype(np.uint8)
            frames = np.concatenate([frames, after[15:]])
        else:
            cuts.append(len(frames) / RATE)
            frames = np.concatenate([frames, after])
    return frames, RATE, cuts


def _take(shots: Sequence[Array], random: np.random.Generator) -> Array:
    """Part of a shot, some seen through a moving or closer view, some with a flash or brighter."""
    shot = shots[random.integers(len(shots))]
    length = int(min(random.uniform(0.4, 3.0) * RATE, len(shot) - 1))
    first = int(random.integers(len(shot) - length))
    size = int(random.choice([2 * SIDE_PX, 144, 96]))
    free = 2 * SIDE_PX - size
    places = np.linspace(random.uniform(0, free, 2), random.uniform(0, free, 2), length).astype(int)
    views = np.stack(
        [
            frame[top : top + size, left : left + size]
            for frame, (top, left) in zip(shot[first : first + length], places, strict=True)
        ]
    )
    views = resized(views, SIDE_PX, SIDE_PX)
    if random.random() < 0.3:
        at = int(random.integers(1, length - 2)) if length > 6 else 1
        views[at : at + int(random.integers(1, 3))] = 255
    return views


def resized(frames: Array, height: int, width: int) -> Array:
    values = F.interpolate(torch.from_numpy(frames).permute(0, 3, 1, 2).float(), (height, width), mode="area")
    return values.round().byte().permute(0, 2, 3, 1).contiguous().numpy()


def synthetic(folder: Path, count: int) -> list[Video]:
    """The first videos of a catalogue."""
    files = sorted(folder.glob("synthetic-*.mp4"))[:count]
    found = []
    for number, path in enumerate(files):
        video = draw_video(SyntheticConfig(), number)
        shots = plan_shots(video.look, video.duration_s, generator(SyntheticConfig().seed, "pictures", number))
        found.append((*read(path), [shot.start_s for shot in shots[1:]]))
    return found


def films(media: Path) -> list[Video]:
    found = []
    for name, cuts in FILMS.items():
        frames, rate = read(media / "video" / name)
        found.append((frames, rate, [cut / rate for cut in cuts]))
    return found


def read(path: Path) -> tuple[Array, float]:
    """All frames of a file."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        rate = float(stream.average_rate or RATE)
        frames = [
            frame.reformat(SIDE_PX, SIDE_PX, "rgb24", interpolation="AREA").to_ndarray()
            for frame in container.decode(stream)
        ]
    return np.stack(frames), rate


def ours(frames: Array, rate: float) -> list[float]:
    return [(place + 1) / rate for place in np.flatnonzero(find_cuts(frames))]


def ours_in_windows(frames: Array, rate: float) -> list[float]:
    """As extraction does it: 3 s at 10 frames a second."""
    chosen = np.minimum(np.round(np.arange(0, len(frames) / rate, 0.1) * rate).astype(int), len(frames) - 1)
    thin, found = frames[chosen], list[float]()
    for first in range(0, len(thin) - 2, 29):
        part = thin[first : first + 30]
        found += [(first + place + 0.5) / 10 for place in np.flatnonzero(find_cuts(part))]
    return found


def by_ffmpeg(frames: Array, rate: float) -> list[float]:
    """FFmpeg's scene score above 0.3."""
    graph = av.filter.Graph()
    size = f"{frames.shape[2]}x{frames.shape[1]}"
    source = graph.add("buffer", f"video_size={size}:pix_fmt=rgb24:time_base=1/1000:pixel_aspect=1/1")
    select, sink = graph.add("select", "gt(scene,0.3)"), graph.add("buffersink")
    source.link_to(select)
    select.link_to(sink)
    graph.configure()
    found: list[float] = []
    for number, image in enumerate(frames):
        frame = av.VideoFrame.from_ndarray(image, "rgb24")
        frame.pts, frame.time_base = round(1000 * number / rate), Fraction(1, 1000)
        graph.push(frame)
        while True:
            try:
                found.append(float(graph.pull().pts) / 1000)  # type: ignore[union-attr]
            except (BlockingIOError, av.EOFError):
                break
    return found


def by_transnet(network: Any, thin: bool) -> Detector:
    def detect(frames: Array, rate: float) -> list[float]:
        step = rate / 10 if thin else 1.0
        chosen = np.minimum(np.round(np.arange(0, len(frames), step)).astype(int), len(frames) - 1)
        _, cuts = network.along(torch.from_numpy(resized(frames[chosen], 27, 48)))
        above = np.flatnonzero((cuts > 0.5) & ~np.concatenate([[False], cuts[:-1] > 0.5]))
        return [float(chosen[place] + chosen[min(place + 1, len(chosen) - 1)] + 1) / 2 / rate for place in above]

    return detect


def matched(found: Sequence[float], cuts: Sequence[float]) -> int:
    """Number of cuts with an answer of their own."""
    left, right = sorted(found), 0
    for cut in sorted(cuts):
        near = [each for each in left if abs(each - cut) <= NEAR_S]
        if near:
            left.remove(min(near, key=lambda each: abs(each - cut)))
            right += 1
    return right


def table(videos: Sequence[Video], detectors: dict[str, Detector]) -> None:
    """Print precision, recall and F1 over all cuts, the mean F1 of a video with its interval, and cost."""
    seconds = sum(len(frames) / rate for frames, rate, _ in videos)
    print(f"{len(videos)} videos, {seconds:.0f} s, {sum(len(cuts) for *_, cuts in videos)} cuts")
    kept: dict[str, Array] = {}
    for name, detect in detectors.items():
        started, counts = time.process_time(), []
        for frames, rate, cuts in videos:
            found = detect(frames, rate)
            counts.append((matched(found, cuts), len(found), len(cuts)))
        spent_s = time.process_time() - started
        right, said, there = np.array(counts, float).T
        kept[name] = 2 * right / np.maximum(said + there, 1)
        value, edges = mean_interval(kept[name])
        print(
            f"{name:34} precision {right.sum() / max(said.sum(), 1):.3f}, recall {right.sum() / there.sum():.3f}, "
            f"F1 {2 * right.sum() / (said.sum() + there.sum()):.3f}; F1 of a video {value:.3f} "
            f"[{edges[0]:.3f}, {edges[1]:.3f}]; {1000 * spent_s / seconds:.1f} ms a second of video"
        )
    reference, *others = kept
    for name in others:
        value, edges = mean_interval(kept[name] - kept[reference])
        print(f"{name:34} F1 of a video over {reference}: {value:+.3f} [{edges[0]:+.3f}, {edges[1]:+.3f}]")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheels", type=Path)
    parser.add_argument("media", type=Path)
    parser.add_argument("--synthetic", type=Path)
    parser.add_argument("--videos", type=int, default=8)
    given = parser.parse_args()
    torch.set_num_threads(1)
    network = Cuts(given.wheels).network
    detectors: dict[str, Detector] = {
        "ours, 3 s at 10 frames a second": ours_in_windows,
        "ours, all frames": ours,
        "FFmpeg's scene score": by_ffmpeg,
        "TransNet V2, all frames": by_transnet(network, thin=False),
        "TransNet V2, 10 frames a second": by_transnet(network, thin=True),
    }
    print("Joined from real shots:")
    table(assembled(given.media, given.videos), detectors)
    print("Films:")
    table(films(given.media), detectors)
    if given.synthetic:
        print("Synthetic:")
        table(synthetic(given.synthetic, given.videos), detectors)


if __name__ == "__main__":
    main()
