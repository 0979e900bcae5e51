"""Extraction on Ray against the local one: start-up, and seconds a video after it.

    python benchmarks/ray_executor.py FILES --copies 4 --repeats 3

Each run extracts copies of the files on all cores, local and Ray in turn. The steady state is from the video that ends
the first quarter to the last one, so that neither start-up nor the first files count; Ray's come in batches, so
that it takes many files to tell.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from antiphon.catalogue import Catalogue
from antiphon.features.extraction import Progress, extract

EXECUTORS = ("local", "ray")


def main() -> None:
    """Print medians of both executors, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+", help="media files")
    parser.add_argument("--copies", type=int, default=4, help="of each file")
    parser.add_argument("--repeats", type=int, default=3, help="pairs of runs")
    parser.add_argument("--workers", type=int, help="of Ray; default: one for four cores")
    parser.add_argument("--run", choices=EXECUTORS, help=argparse.SUPPRESS)
    parser.add_argument("--workspace", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run:
        print(json.dumps(measured(given.files, given.run, given.workspace, given.workers)))
        return
    with tempfile.TemporaryDirectory() as place:
        files = copied(given.files, given.copies, Path(place) / "media")
        runs = {executor: [] for executor in EXECUTORS}
        for repeat in range(given.repeats):
            for executor in EXECUTORS:
                workspace = Path(place) / f"{executor}-{repeat}"
                runs[executor].append(apart(files, executor, workspace, given.workers))
                print(executor, runs[executor][-1], file=sys.stderr, flush=True)
    show(runs, len(files))


def copied(files: list[Path], copies: int, place: Path) -> list[Path]:
    """Copy each file several times."""
    place.mkdir()
    return [
        Path(shutil.copy(file, place / f"{copy}-{number}-{file.name}"))
        for copy in range(copies)
        for number, file in enumerate(files)
    ]


def apart(files: list[Path], executor: str, workspace: Path, workers: int | None) -> dict[str, float]:
    """Measure one run in a process of its own."""
    command = [sys.executable, __file__, *map(str, files), "--run", executor, "--workspace", str(workspace)]
    command += [] if workers is None else ["--workers", str(workers)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def measured(files: list[Path], executor: str, workspace: Path, workers: int | None) -> dict[str, float]:
    """Extract files, and return when the first video, the first quarter and the last one were there."""
    catalogue = Catalogue([{"id": file.name, "path": str(file)} for file in files]).split()
    catalogue, _ = catalogue.probe()
    ends: list[float] = []

    def note(_: Progress) -> None:
        ends.append(time.monotonic())

    started = time.monotonic()
    extract(
        catalogue,
        workspace=workspace,
        executor=executor,
        workers=workers if executor == "ray" else None,
        progress=note,
    )
    quarter = len(ends) // 4
    return {
        "first_s": ends[0] - started,
        "a_video_s": (ends[-1] - ends[quarter]) / (len(ends) - 1 - quarter),
        "whole_s": time.monotonic() - started,
    }


def show(runs: dict[str, list[dict[str, float]]], videos: int) -> None:
    """Print the medians as a table."""
    print(f"{videos} videos, medians of {len(runs['local'])} runs in turn")
    for name, said in (
        ("first_s", "first video after, s"),
        ("a_video_s", "then a video, s"),
        ("whole_s", "whole, s"),
    ):
        local, ray = (statistics.median(run[name] for run in runs[executor]) for executor in EXECUTORS)
        pairs = [other[name] / one[name] for one, other in zip(runs["local"], runs["ray"], strict=True)]
        print(f"{said:24} local {local:8.2f}   ray {ray:8.2f}   ratio {statistics.median(pairs):.3f}")


if __name__ == "__main__":
    main()
