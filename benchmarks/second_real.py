"""Do windows of a real file know each other again? Default backbones, candidates, and both side by side.

    python benchmarks/second_real.py WHEELS MEDIA

How often two windows of 3 s of one file are more alike than two of different files, by cosines of values standardised
over all windows; "beside" gives both networks the same weight. Files of one film count as one. The interval is the
range that leaving out one file after the other gives: there are too few files for a bootstrap.
"""

import argparse
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch

from antiphon import backbones
from antiphon.errors import DecodeError
from antiphon.media.decoding import decode_stretches
from antiphon.media.layout import FrameLayout
from packaged_networks import Array, Candidate
from packaged_people import Faces, Poses
from packaged_pictures import VIDEO
from packaged_sound import AUDIO
from second_features import BASE, layout_of

WINDOWS = 5
LITE0 = FrameLayout(size_px=224, every=3)
SOUND = ("music/*.ogg", "video/big_buck_bunny.mp4", "video/friday.mp4", "video/sintel_trailer.mp4")
PICTURES = ("video/*.mp4", "video/*.webm")


def unit(values: Array) -> Array:
    """Standardise columns, and give rows length 1."""
    scaled = (values - values.mean(0)) / (values.std(0) + 1e-6)
    return scaled / np.linalg.norm(scaled, axis=1, keepdims=True)


def share_alike(rows: Array, files: Array) -> float:
    cosines, same = rows @ rows.T, files[:, None] == files
    upper = np.triu(np.ones(same.shape, bool), 1)
    within, between = cosines[upper & same], cosines[upper & ~same]
    return float((within[:, None] > between).mean())


def told(rows: Array, files: Array) -> str:
    edges = [share_alike(rows[files != each], files[files != each]) for each in np.unique(files)]
    return f"{share_alike(rows, files):.3f} [{min(edges):.3f}, {max(edges):.3f}]"


def stretches(path: Path) -> list[tuple[float, float]]:
    with av.open(str(path)) as container:
        length_s = float((container.duration or 0) / 1e6)
    count = min(WINDOWS, int((length_s - 0.3) // 3))
    starts = np.linspace(0.1, length_s - 3.3, count) if count else []
    return [(float(start), float(start) + 3) for start in starts]


def decoded(paths: list[Path], layouts: list[Any], rate_hz: int | None) -> tuple[list[Any], Array]:
    windows: list[Any] = []
    files: list[str] = []
    for path in paths:
        try:
            found = list(decode_stretches(str(path), stretches(path), layouts, rate_hz))
        except DecodeError as error:
            print(error)
            continue
        windows += [each.frames if layouts else each.waveform for each in found]
        files += [path.stem.split("_5s")[0].split("_30s")[0]] * len(found)
    return windows, np.array(files)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheels", type=Path)
    parser.add_argument("media", type=Path)
    parser.add_argument("--only", nargs="*", help="names of candidates")
    given = parser.parse_args()
    torch.set_num_threads(1)
    everyone: list[Candidate] = [kind(given.wheels) for kind in (*AUDIO, *VIDEO, Faces, Poses)]
    chosen = [each for each in everyone if given.only is None or each.name in given.only]
    for side, patterns, name in (("audio", SOUND, BASE[0]), ("video", PICTURES, BASE[1])):
        paths = sorted(path for pattern in patterns for path in given.media.glob(pattern))
        base: Any = backbones.load(name, "cpu")
        layouts = sorted({layout_of(each) for each in chosen if each.side == "video"} | {LITE0}, key=str)
        by_rate = {rate: decoded(paths, [], rate) for rate in (16_000, 22_050)} if side == "audio" else {}
        pictures, files = decoded(paths, layouts, None) if side == "video" else by_rate[16_000]
        inputs = pictures if side == "audio" else [each[base.layout] for each in pictures]
        own = unit(np.concatenate([base(each) for each in inputs]))
        print(f"{name}: {told(own, files)}, {len(files)} windows of {len(np.unique(files))} files", flush=True)
        for each in chosen:
            if each.side == side:
                rows = by_rate[each.rate_hz][0] if side == "audio" else [one[layout_of(each)] for one in pictures]
                values = unit(np.stack([each(row) for row in rows]))
                print(
                    f"{each.name}: {told(values, files)}, beside {told(np.concatenate([own, values], 1), files)}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
