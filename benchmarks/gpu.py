"""What the networks do on a GPU: windows a second by precision, how far features are from float32, how long it waits.

    python benchmarks/gpu.py [--media FOLDER] [--windows N] [--files N] [--out FILE]

Each backbone gets windows of 3 s of a real file, preprocessing and the copies to and from the GPU included, in float32
(exact), TF32 and bfloat16, the last also compiled. The first calls, with compilation, are timed apart. Distances are
those of features of 12 windows of real files from exact ones. Then whole videos are extracted, and the share of the
time is printed in which the GPU had nothing to do. Everything takes less than 8 minutes on an H100. Backbones whose
weights are not in the cache have random ones, which cost as much and are no measure of distances.
"""

import argparse
import json
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from antiphon import Catalogue, backbones, extract
from antiphon.backbones import AudioBackbone, accelerated
from antiphon.backbones.r2plus1d import R2Plus1D
from antiphon.backbones.r2plus1d_network import R2Plus1D18
from antiphon.features import computed_videos
from antiphon.media.decoding import decode_stretches
from networks import AUDIO, Backbone

NAMES = ("r2plus1d_18", "efficientnet_lite0", "musicnn-mtt")
WAYS = (("float32", False), ("tf32", False), ("bfloat16", False), ("bfloat16", True))
TOGETHER = computed_videos.GPU_WINDOWS
STARTS_S = tuple(range(12))


def built(name: str, device: str) -> tuple[Backbone, bool]:
    """A backbone, and whether its weights are pretrained."""
    if backbones.info(name).cached:
        return backbones.load(name, device), True
    torch.manual_seed(0)
    return R2Plus1D({key: value.numpy() for key, value in R2Plus1D18().state_dict().items()}, name, device), False


def windows(network: Backbone, media: Path) -> np.ndarray:
    """Twelve windows of a real file, (12, ...)."""
    audio = isinstance(network, AudioBackbone)
    path = media / (AUDIO if audio else "video/sintel_trailer.mp4")
    layouts, rate_hz = ([], network.rate_hz) if isinstance(network, AudioBackbone) else ([network.layout], None)
    decoded = decode_stretches(str(path), [(start_s, start_s + 3) for start_s in STARTS_S], layouts, rate_hz)
    return np.stack(
        [one.waveform if isinstance(network, AudioBackbone) else one.frames[network.layout] for one in decoded]
    )


@contextmanager
def compiled_at_once(wanted: bool) -> Iterator[None]:
    kept, accelerated.COMPILE_AFTER = accelerated.COMPILE_AFTER, 0 if wanted else 1 << 60
    yield
    accelerated.COMPILE_AFTER = kept


def distance(found: np.ndarray, exact: np.ndarray) -> tuple[float, float]:
    """Largest difference relative to the largest value, and the least cosine."""
    one, other = found.astype(np.float64), exact.astype(np.float64)
    cosines = (one * other).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)
    return float(np.abs(one - other).max() / np.abs(other).max()), float(cosines.min())


def measure(name: str, device: str, media: Path, count: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    exact = None
    for precision, compiled in WAYS if torch.device(device).type == "cuda" else WAYS[:1]:
        network, pretrained = built(name, device)
        network.set_precision(precision)
        real = windows(network, media)
        batch = np.resize(real, (TOGETHER, *real.shape[1:]))
        with compiled_at_once(compiled):
            begun_s = time.perf_counter()
            found = network(real)
            network(batch)
            first_s = time.perf_counter() - begun_s
            begun_s = time.perf_counter()
            for _ in range(max(1, count // TOGETHER)):
                network(batch)
            taken_s = time.perf_counter() - begun_s
        exact = found if exact is None else exact
        difference, cosine = distance(found, exact)
        rows.append(
            {
                "backbone": name,
                "pretrained": pretrained,
                "precision": precision,
                "compiled": compiled,
                "windows/s": max(1, count // TOGETHER) * TOGETHER / taken_s,
                "first calls s": first_s,
                "difference": difference,
                "1 - cosine": 1 - cosine,
                "peak GB": torch.cuda.max_memory_allocated() / 1e9 if torch.cuda.is_available() else None,
            }
        )
        print(
            f"{name:20} {precision:9}{' compiled' if compiled else '':9} {rows[-1]['windows/s']:8.0f} windows/s, "
            f"first calls {first_s:5.1f} s, differs by {difference:.1e}, 1 - cosine {1 - cosine:.1e}"
            f"{'' if pretrained else ' (random weights)'}",
            flush=True,
        )
    return rows


def waiting_share(device: str, media: Path, count: int, precision: Any) -> dict[str, Any]:
    """Extract copies of real files, and return how much of the time the networks had nothing to do."""
    files = sorted((media / "video").glob("*.mp4"))
    busy_s: list[float] = []
    together = computed_videos.features_together

    def timed(*arguments: Any) -> Any:
        begun_s = time.perf_counter()
        try:
            return together(*arguments)
        finally:
            busy_s.append(time.perf_counter() - begun_s)

    with tempfile.TemporaryDirectory() as folder:
        videos = Path(folder) / "videos"
        videos.mkdir()
        for number in range(count):
            file = files[number % len(files)]
            shutil.copy(file, videos / f"{number:04d}-{file.name}")
            with (videos / f"{number:04d}-{file.name}").open("ab") as copy:
                copy.write(number.to_bytes(8, "big"))  # No two are the same file.
        catalogue = Catalogue.from_folder(videos)
        computed_videos.features_together = timed
        try:
            begun_s = time.perf_counter()
            features = extract(catalogue, workspace=Path(folder) / "work", device=device, precision=precision)
            whole_s = time.perf_counter() - begun_s
        finally:
            computed_videos.features_together = together
    found = {"files": count, "segments": len(features), "seconds": whole_s, "waiting": 1 - sum(busy_s) / whole_s}
    print(
        f"extraction of {count} files ({len(features)} segments) by {os.cpu_count()} processes, {precision}: "
        f"{whole_s:.0f} s, {len(features) / whole_s:.1f} windows/s, GPU waiting {found['waiting']:.0%}"
    )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--media", type=Path, default=Path("../shared/data/media"))
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--windows", type=int, default=2048)
    parser.add_argument("--files", type=int, default=320)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        print("There is no GPU here: skipped.")
        return
    gpu = torch.cuda.get_device_name() if options.device == "cuda" else platform.processor()
    found: dict[str, Any] = {"device": gpu, "torch": torch.__version__, "cores": os.cpu_count(), "networks": []}
    print(f"{gpu}, torch {torch.__version__}, {os.cpu_count()} cores")
    for name in NAMES:
        found["networks"] += measure(name, options.device, options.media, options.windows)
    precisions = ("float32", "bfloat16") if options.device == "cuda" else ("float32",)
    found["extraction"] = {one: waiting_share(options.device, options.media, options.files, one) for one in precisions}
    if options.out is not None:
        options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
