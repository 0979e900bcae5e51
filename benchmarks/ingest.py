"""What a file costs to take in: decoding for a backbone, attributes in the same pass or in one of their own, memory.

Usage: python benchmarks/ingest.py [--repeats 5] [--out FILE] FILE...

For each file, the six windows of the paper are decoded as extraction does it, in turns: for EfficientNet-Lite0 and
musicnn alone; with the attributes and the tempo in the same pass; and the attributes and the tempo alone. Times are
processor time, medians. Peak memory is that of a process of its own that decodes the file with attributes, less what
it holds before, which is in the last column.
"""

import argparse
import json
import platform
import resource
import statistics
import time
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import av

from antiphon.media.layout import FrameLayout
from antiphon.media.probing import probe_media
from antiphon.media.windows import WindowsJob, decode_windows
from antiphon.segments.sampling import SamplingConfig, segment_rows

LAYOUT = FrameLayout(size_px=224, every=3)
RATE_HZ = 16_000
MEGABYTE = 1e6


def jobs(path: Path) -> dict[str, WindowsJob]:
    info = probe_media(path)
    rows = segment_rows(path.name, info.duration_s, SamplingConfig(), info.start_s)
    windows = tuple((row["window_start_s"], row["window_end_s"]) for row in rows)
    segments = tuple((row["start_s"], row["end_s"]) for row in rows)
    alone = WindowsJob(path.name, str(path), windows, (LAYOUT,), RATE_HZ, 0)
    return {
        "backbones": alone,
        "both": replace(alone, segments=segments),
        "attributes": replace(alone, layouts=(), rate_hz=None, segments=segments),
    }


def decode_s(job: WindowsJob) -> float:
    begun_s = time.process_time()
    for _ in decode_windows(job):
        pass
    return time.process_time() - begun_s


def peak_mb(job: WindowsJob) -> tuple[float, float]:
    before = high_water_mb()
    decode_s(job)
    return high_water_mb() - before, before


def high_water_mb() -> float:
    """Largest resident memory so far; that of getrusage is inherited from the parent process."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().split("VmHWM:")[1].split()[0]) * 1024 / MEGABYTE
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTE


def measure(path: Path, repeats: int) -> dict[str, Any]:
    kinds = jobs(path)
    taken_s: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(repeats):  # in turns, so that other load falls on all of them
        for name, job in kinds.items():
            taken_s[name].append(decode_s(job))
    median_s = {name: statistics.median(times) for name, times in taken_s.items()}
    with get_context("spawn").Pool(1) as pool:
        grown_mb, held_mb = pool.apply(peak_mb, (kinds["both"],))
    one_pass = median_s["both"] / (median_s["backbones"] + median_s["attributes"])
    return {"seconds": median_s, "one pass over two": one_pass, "grown MB": grown_mb, "held MB": held_mb}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    heads = ("backbones", "both", "attributes", "one/two", "peak MB", "before")
    print(f"{'file':30}", *(f"{head:>10}" for head in heads))
    found = {}
    for path in options.files:
        one = found[path.name] = measure(path, options.repeats)
        values = [*one["seconds"].values(), one["one pass over two"]]
        memory = (one["grown MB"], one["held MB"])
        print(f"{path.name[:30]:30}", *(f"{value:10.2f}" for value in values), *(f"{value:10.0f}" for value in memory))
    if options.out is not None:
        machine = {"machine": platform.machine(), "python": platform.python_version(), "av": av.__version__}
        options.out.write_text(json.dumps(machine | {"files": found}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
