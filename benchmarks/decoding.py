"""What leaving out unneeded pictures saves, and how fast windows decode: processor time, as ratios.

Usage: python benchmarks/decoding.py FILE...

For each file, six windows of 3 s are decoded as extraction does it, once with the decoder told to skip pictures that
neither a wanted time nor another picture needs, once without. The pictures must be equal bit for bit.
"""

import sys
import time
from pathlib import Path

import numpy as np

from antiphon.media.decoding import decode_stretches
from antiphon.media.frames import FrameReader
from antiphon.media.layout import FrameLayout
from antiphon.media.probing import probe_media
from antiphon.segments.sampling import SamplingConfig, segment_rows

LAYOUT = FrameLayout(size_px=112)
REPEATS = 5


def windows(path: Path) -> list[tuple[float, float]]:
    info = probe_media(path)
    rows = segment_rows(path.name, info.duration_s, SamplingConfig(), info.start_s)
    return [(float(row["window_start_s"]), float(row["window_end_s"])) for row in rows]


def decode(path: Path, stretches: list[tuple[float, float]], rate_hz: int | None) -> tuple[float, np.ndarray]:
    """Processor time in seconds, and the frames."""
    begun_s = time.process_time()
    decoded = list(decode_stretches(str(path), stretches, [LAYOUT], rate_hz))
    taken_s = time.process_time() - begun_s
    return taken_s, np.concatenate([stretch.frames[LAYOUT] for stretch in decoded])


def main(paths: list[str]) -> None:
    skips = FrameReader.is_needed
    print(f"{'file':40} {'skipping / not':>14} {'pictures':>10} {'with sound':>10}   (ms a window)")
    for path in map(Path, paths):
        stretches = windows(path)
        lean_s, full_s, both_s = [], [], []
        for _ in range(REPEATS):  # in turns, so that other load falls on all of them; the least of each counts
            taken_s, lean = decode(path, stretches, None)
            lean_s.append(taken_s)
            both_s.append(decode(path, stretches, 16_000)[0])
            FrameReader.is_needed = lambda self, packet, stamps_s: True  # type: ignore[method-assign]
            taken_s, full = decode(path, stretches, None)
            full_s.append(taken_s)
            FrameReader.is_needed = skips  # type: ignore[method-assign]
            assert np.array_equal(lean, full), path
        lean_ms, both_ms = (1000 * min(times) / len(stretches) for times in (lean_s, both_s))
        print(f"{path.name[:40]:40} {min(lean_s) / min(full_s):14.2f} {lean_ms:10.1f} {both_ms:10.1f}")


if __name__ == "__main__":
    main(sys.argv[1:])
