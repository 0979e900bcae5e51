"""What leaving out unneeded pictures saves, and how fast windows decode: processor time, as ratios.

Usage: python benchmarks/decoding.py FILE...

For each file, six windows of 3 s are decoded as extraction does it, once with the decoder told to skip pictures that
neither a wanted time nor another picture needs, once without. The pictures must be equal bit for bit.
"""

import sys
import time
from pathlib import Path

import numpy as np

from antiphon.catalogue.media import probe
from antiphon.segments.decoding import decode_stretches
from antiphon.segments.frames import PictureReader
from antiphon.segments.layout import FrameLayout
from antiphon.segments.sampling import SamplingConfig, segment_rows

LAYOUT = FrameLayout(size_px=112)
REPEATS = 5


def windows(path: Path) -> list[tuple[float, float]]:
    info = probe(path)
    rows = segment_rows(path.name, info.duration_s, SamplingConfig(), info.start_s)
    return [(float(row["window_start_s"]), float(row["window_end_s"])) for row in rows]


def decode(path: Path, stretches: list[tuple[float, float]], rate_hz: int | None) -> tuple[float, np.ndarray]:
    """Processor time in seconds, the least of some repeats, and the frames."""
    least_s, frames = float("inf"), np.empty(0)
    for _ in range(REPEATS):
        begun_s = time.process_time()
        decoded = list(decode_stretches(str(path), stretches, [LAYOUT], rate_hz))
        least_s = min(least_s, time.process_time() - begun_s)
        frames = np.concatenate([stretch.frames[LAYOUT] for stretch in decoded])
    return least_s, frames


def main(paths: list[str]) -> None:
    skips = PictureReader.is_needed
    print(f"{'file':40} {'skipping / not':>14} {'pictures':>10} {'with sound':>10}   (ms a window)")
    for path in map(Path, paths):
        stretches = windows(path)
        lean_s, lean = decode(path, stretches, None)
        PictureReader.is_needed = lambda self, packet, stamps_s: True  # type: ignore[method-assign]
        full_s, full = decode(path, stretches, None)
        PictureReader.is_needed = skips  # type: ignore[method-assign]
        assert np.array_equal(lean, full), path
        both_s, _ = decode(path, stretches, 16_000)
        per_window = 1000 / len(stretches)
        print(f"{path.name[:40]:40} {lean_s / full_s:14.2f} {lean_s * per_window:10.1f} {both_s * per_window:10.1f}")


if __name__ == "__main__":
    main(sys.argv[1:])
