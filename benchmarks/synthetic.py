"""How fast synthetic music videos are rendered: `python benchmarks/synthetic.py [videos] [processes]`."""

import os
import sys
import tempfile
import time
from pathlib import Path

from antiphon.synthetic import SyntheticConfig, render_catalogue


def main() -> None:
    """Render a catalogue into a temporary folder and print seconds and bytes per video."""
    videos, processes = (*map(int, sys.argv[1:3]), *(22, 2)[len(sys.argv[1:3]) :])
    config = SyntheticConfig(videos=videos)
    with tempfile.TemporaryDirectory() as name:
        started_s = time.perf_counter()
        render_catalogue(Path(name), config, processes=processes)
        took_s = time.perf_counter() - started_s
        # What the processor spent, which other work on the machine prolongs less than the time that passed.
        used = os.times()
        busy_s = used.user + used.system + used.children_user + used.children_system
        size = sum(path.stat().st_size for path in Path(name).glob("*.mp4")) / videos
    print(
        f"{videos} videos of about {config.duration_s:g} s, {processes} processes: {took_s:.1f} s, "
        f"{took_s / videos:.3f} s per video, {busy_s / videos:.3f} s of processor time each, "
        f"{size / 1e6:.2f} MB each"
    )


if __name__ == "__main__":
    main()
