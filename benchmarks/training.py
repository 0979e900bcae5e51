"""Processor time, wall time and memory of training.

    python benchmarks/training.py [CASE …] [--old CHECKOUT] [--out FILE]

Each measurement is a process of its own on one thread of arithmetic (two for `--threads 2`). With `--old`, another
checkout is measured in turn with this one, in the same environment, and the ratio of the medians is printed. All
features but YouTube-8M's are made up: a few common factors in noise.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from antiphon.dual_encoder import DualEncoder
from antiphon.evaluation.learning_curve import learning_curve
from antiphon.features import Features
from antiphon.features.importing import from_yt8m

HERE = Path(__file__).resolve().parent.parent
FACTORS = 40

# name: videos to train on and to validate with, segments of each, sizes of sound and pictures, recipe
MADE = {
    "540 pairs, 512 and 512 values": (540, 60, 1, 512, 512, "antiphon-base"),
    "540 pairs, 1,506 and 2,560 values": (540, 60, 1, 1506, 2560, "antiphon-base"),
    "450 tracks of 24 segments, 512 and 512 values": (450, 50, 24, 512, 512, "antiphon-track"),
}
YOUTUBE8M = "8,000 pairs of YouTube-8M"
CURVE = "learning curve of 540 pairs, 1,506 and 2,560 values"
SHORT = ("540 pairs, 512 and 512 values", "540 pairs, 1,506 and 2,560 values", CURVE)
CASES = (*MADE, YOUTUBE8M, CURVE)
NAMES = {"pairs": YOUTUBE8M, "track": "450 tracks of 24 segments, 512 and 512 values", "curve": CURVE}
"""Short names of cases."""


def made_up(videos: int, segments: int, sizes: tuple[int, int], part: int) -> Features:
    """Features of videos whose segments share factors, seen by sound and pictures through noise."""
    world, draws = np.random.default_rng(0), np.random.default_rng(1 + part)
    seen = np.repeat(draws.normal(size=(videos, FACTORS)), segments, axis=0)
    seen = seen + 0.7 * (segments > 1) * draws.normal(size=seen.shape)
    audio, video = (
        (seen @ world.normal(size=(FACTORS, size)) / 6 + draws.normal(size=(len(seen), size))).astype(np.float32)
        for size in sizes
    )
    starts_s = np.tile(8.0 * np.arange(segments), videos)
    groups = [f"{part}-{row // segments}" for row in range(len(seen))]
    return Features.from_arrays(audio=audio, video=video, groups=groups, starts_s=starts_s)


def parts(case: str, table: Path) -> tuple[Features, Features, str]:
    """Return training and validation features of a case, and its recipe."""
    if case == YOUTUBE8M:
        features = from_yt8m([table])
        train, validation = np.split(np.random.default_rng(0).permutation(len(features))[:8800], [8000])
        return features.take(train), features.take(validation), "antiphon-base"
    train, validation, segments, *sizes, recipe = MADE["540 pairs, 1,506 and 2,560 values" if case == CURVE else case]
    both = (made_up(count, segments, (sizes[0], sizes[1]), part) for part, count in enumerate((train, validation)))
    return *both, recipe


def measure(case: str, table: Path) -> None:
    """Print processor seconds, wall seconds, the highest memory in MB, epochs and the validation rank, as JSON."""
    import torch

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    train, validation, recipe = parts(case, table)
    model = DualEncoder(recipe, device="cpu")
    if case == CURVE:
        model.fit(train, validation, verbose=False)
    started, wall = time.process_time(), time.perf_counter()
    if case == CURVE:
        learning_curve(model, train, validation)
    else:
        model.fit(train, validation, verbose=False)
    found = {
        "processor_s": time.process_time() - started,
        "wall_s": time.perf_counter() - wall,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "epochs": len(model.history),
        "validation_rank": float(np.exp(min(epoch.validation_log_rank for epoch in model.history))),
    }
    print(json.dumps(found))


def measured(case: str, checkout: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Measure a case with the code of a checkout, in a process of its own."""
    threads = {name: str(options.threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    environment = os.environ | threads | {"PYTHONPATH": str(checkout / "src")}
    command = [sys.executable, __file__, "--one", case, "--data", str(options.data)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)


def compared(case: str, options: argparse.Namespace) -> dict[str, Any]:
    """Return the medians of a case, of this checkout and of the old one, measured in turn."""
    checkouts = {"new": HERE} | ({"old": options.old.resolve()} if options.old else {})
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in checkouts}
    for _ in range(options.repeats):
        for name, checkout in checkouts.items():
            rows[name].append(measured(case, checkout, options))
    found = {name: {key: median(row[key] for row in of) for key in of[0]} for name, of in rows.items()}
    ratio = found["old"]["processor_s"] / found["new"]["processor_s"] if "old" in found else None
    return {"case": case, **found, "ratio": ratio}


def shown(row: dict[str, Any]) -> str:
    """Return a row of the table."""
    ways = [
        f"{row[name]['processor_s']:.1f} s ({row[name]['wall_s']:.1f}), {row[name]['peak_mb']:,.0f} MB, "
        f"{row[name]['epochs']:.0f}"
        for name in ("old", "new")
        if name in row
    ]
    return f"| {' | '.join([row['case'], *ways])} | {'' if row['ratio'] is None else format(row['ratio'], '.1f')} |"


def main() -> None:
    """Measure the cases that are named, or all, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "cases", nargs="*", metavar="CASE", help=f"short, {', '.join(NAMES)}, or among: {'; '.join(CASES)}"
    )
    parser.add_argument("--old", type=Path, metavar="CHECKOUT")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--data", type=Path, default=HERE.parent / "shared" / "data" / "yt8m" / "music.parquet")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        measure(options.one, options.data)
        return
    named = [NAMES.get(case, case) for case in options.cases]
    cases = SHORT if named == ["short"] else named or CASES
    unknown = set(cases) - set(CASES)
    if unknown:
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    print(f"| case |{' old |' if options.old else ''} processor time (wall), memory, epochs | old / new |")
    rows: list[dict[str, Any]] = []
    for case in cases:
        if case == YOUTUBE8M and not options.data.exists():
            print(f"| {case} | skipped: {options.data.name} is not there |")
            continue
        rows.append(compared(case, options))
        print(shown(rows[-1]), flush=True)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(_about(options) | {"rows": rows}, indent=2) + "\n", encoding="utf-8")


def _about(options: argparse.Namespace) -> dict[str, Any]:
    versions = {name: version(name) for name in ("torch", "numpy")} | {"python": platform.python_version()}
    return {
        "machine": {"processor": _processor(), "cores": os.cpu_count(), "load": os.getloadavg()[0]},
        "versions": versions,
        "threads": options.threads,
        "repeats": options.repeats,
    }


def _processor() -> str:
    """Return the name of the processor, and its model where the name says little."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    named = dict(line.split("\t", 1) for line in lines if line.startswith(("model name", "model\t", "cpu family")))
    return " ".join(value.strip(" \t:") for value in named.values()) or platform.processor()


if __name__ == "__main__":
    main()
