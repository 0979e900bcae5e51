"""What is fetched of a film at an address, by the size of the blocks in which it is read.

    python benchmarks/addresses.py FILM.mp4 [--minutes 10]

The film is repeated to that length without encoding it again, once with its index at the start and once at the end,
and served on loopback by the server of the tests, which counts. Probing and decoding six windows of 3 s, with
attributes and the tempo, as extraction does it, are told apart. The last row is fsspec's own setting.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import imageio_ffmpeg

from antiphon.features.attributes import measured_segments
from antiphon.media import ranges
from antiphon.media.extents import Extents
from antiphon.media.layout import FrameLayout
from antiphon.media.probing import probe_media
from antiphon.media.windows import WindowsJob, decode_windows
from antiphon.segments.sampling import SamplingConfig, segment_rows

sys.path.append(str(Path(__file__).parents[1] / "tests" / "media"))
from range_server import Served, range_server

LAYOUT = FrameLayout(size_px=224, every=3)
KEPT_BYTES = 16 << 20
HEAD = "| block | probe, index at the start | at the end | windows, at the start | at the end |"
BLOCKS_KIB = (64, 128, 256, 512, 1024, 2048)


def make_films(film: Path, minutes: float, folder: Path) -> None:
    """Repeat a film, with the index at the start and at the end."""
    times = max(1, round(60 * minutes / probe_media(film).duration_s))
    for name, flags in (("start.mp4", ("-movflags", "+faststart")), ("end.mp4", ())):
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-stream_loop", str(times - 1), "-i", str(film)]
        command += ["-c", "copy", "-map", "0:v:0", "-map", "0:a:0", *flags, str(folder / name)]
        subprocess.run(command, check=True)


@contextmanager
def read_in(kib: int | None) -> Iterator[None]:
    """Read files in blocks of this size, or as fsspec does it by itself."""
    if kib is None:
        with mock.patch.object(ranges, "_opened", lambda system, path: system.open(path, "rb")):
            yield
        return
    kept = max(1, KEPT_BYTES // (kib << 10))
    with mock.patch.multiple(ranges, BLOCK_BYTES=kib << 10, KEPT_BLOCKS=kept):
        yield


def fetched(served: Served, name: str) -> list[tuple[float, int]]:
    """Return megabytes and requests of a probe and of six windows."""
    address = f"{served.url}/{name}"
    served.forget()
    info = probe_media(address)
    probed = served.sent / 1e6, len(served.asked)
    rows = segment_rows(name, info.duration_s, SamplingConfig(), info.start_s)
    windows = tuple((row["window_start_s"], row["window_end_s"]) for row in rows)
    extents = Extents.of(vars(info))
    job = WindowsJob(name, address, windows, (LAYOUT,), 16_000, 0, extents, measured_segments(rows))
    served.forget()
    for _ in decode_windows(job):
        pass
    return [probed, (served.sent / 1e6, len(served.asked))]


def main(film: Path, minutes: float) -> None:
    """Print a table."""
    with tempfile.TemporaryDirectory() as folder:
        make_films(film, minutes, Path(folder))
        sizes = ", ".join(f"{path.name} {path.stat().st_size / 1e6:.1f} MB" for path in sorted(Path(folder).iterdir()))
        sys.stdout.write(f"{sizes}\n\n{HEAD}\n{'|---' * 5}|\n")
        with range_server(Path(folder)) as served:
            for kib in (*BLOCKS_KIB, None):
                with read_in(kib):
                    start, end = fetched(served, "start.mp4"), fetched(served, "end.mp4")
                cells = [f"{size:.1f} MB, {count}" for pair in zip(start, end, strict=True) for size, count in pair]
                sys.stdout.write(f"| {'fsspec' if kib is None else f'{kib} KiB'} | {' | '.join(cells)} |\n")
                sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("film", type=Path)
    parser.add_argument("--minutes", type=float, default=10)
    main(**vars(parser.parse_args()))
