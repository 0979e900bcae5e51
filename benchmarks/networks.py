"""What the networks cost on the processor: PyTorch as it was, other ways of running it, OpenVINO, ONNX Runtime.

    python benchmarks/networks.py [--media FOLDER] [--rounds N] [--threads N …] [--out FILE] [NAME …]

Each backbone gets one window of 3 s of a real file. All ways are run in turn, several rounds, and compared by the
processor time (user and system) of a whole call, preprocessing included: ratios are medians over the rounds of the time
in PyTorch as it was to that of the same round. "of the peak" is the share of the arithmetic that a product of large
matrices reaches here, both on as many threads. ONNX Runtime is measured where it and onnx are installed. Backbones
whose weights are not in the cache have random ones, which cost as much.
"""

import argparse
import importlib.util
import json
import os
import platform
import statistics
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.utils.flop_counter import FlopCounterMode

from antiphon import backbones
from antiphon.backbones import AudioBackbone, VideoBackbone, runtime
from antiphon.backbones.r2plus1d import R2Plus1D
from antiphon.backbones.r2plus1d_network import R2Plus1D18
from antiphon.backbones.won_musicnn import WonMusicnn
from antiphon.backbones.won_musicnn_network import WonMusicnnNetwork
from antiphon.media.decoding import decode_stretches

NAMES = ("efficientnet_lite0", "musicnn-mtt", "musicnn-won-mtat", "r2plus1d_18")
UNITS = {"efficientnet_lite0": ("frame", 10)}
VIDEO, AUDIO = "video/friday.mp4", "music/Kevin_MacLeod_-_Vibe_Ace.ogg"
BEFORE, NOW = "torch, as before", "OpenVINO"
Backbone = AudioBackbone | VideoBackbone


def built(name: str) -> Backbone:
    if backbones.info(name).cached:
        return backbones.load(name, "cpu")
    torch.manual_seed(0)
    kind, network = (R2Plus1D, R2Plus1D18()) if name.startswith("r2") else (WonMusicnn, WonMusicnnNetwork())
    return kind({key: value.numpy() for key, value in network.state_dict().items()}, name)


@contextmanager
def without_openvino() -> Iterator[None]:
    kept, runtime.openvino_works = runtime.openvino_works, lambda: False
    yield
    runtime.openvino_works = kept


def ways(name: str, threads: int) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Ways of running a backbone, PyTorch as it was first."""
    network = built(name)

    def in_torch(inputs: np.ndarray, backbone: Any) -> np.ndarray:
        with without_openvino():
            return backbone(inputs)

    found: dict[str, Callable[[np.ndarray], np.ndarray]] = {BEFORE: lambda inputs: in_torch(inputs, network)}
    if name == "efficientnet_lite0":
        other: Any = built(name)
        other.network.to(memory_format=torch.contiguous_format)
        found["torch, contiguous"] = lambda inputs: in_torch(inputs, other)
    elif name == "r2plus1d_18":
        folded: Any = built(name)
        fold(folded.network)
        folded.network.to(memory_format=torch.channels_last_3d)
        found["torch, folded, channels last"] = lambda inputs: in_torch(inputs, folded)
    found[NOW] = built(name)
    with settings({"INFERENCE_PRECISION_HINT": "bf16"}):
        half = built(name)
        half(np.zeros_like(real_input(half, None)))
    found["OpenVINO, bfloat16"] = half
    if importlib.util.find_spec("onnxruntime") and importlib.util.find_spec("onnx"):
        exported: Any = built(name)
        exported._run = OnnxRuntime(exported._run, threads)
        found["ONNX Runtime"] = exported
    return found


@contextmanager
def settings(changes: Mapping[str, Any]) -> Iterator[None]:
    kept, runtime.SETTINGS = runtime.SETTINGS, runtime.SETTINGS | changes
    yield
    runtime.SETTINGS = kept


def fold(network: nn.Module) -> None:
    """Fold each batch norm into the convolution before it; of R(2+1)D all stand in sequences."""
    for parent in [module for module in network.modules() if isinstance(module, nn.Sequential)]:
        for place in range(1, len(parent)):
            if isinstance(parent[place], nn.BatchNorm3d):
                owner, last = (
                    (parent, place - 1) if isinstance(parent[place - 1], nn.Conv3d) else (parent[place - 1], -1)
                )
                owner[last] = fuse_conv_bn_eval(owner[last], parent[place])
                parent[place] = nn.Identity()


class OnnxRuntime:
    """A `Runtime` in ONNX Runtime."""

    def __init__(self, run: Any, threads: int) -> None:
        self._part, self._threads, self._session = run._part, threads, None

    def __call__(self, rows: torch.Tensor, batch: int) -> tuple[torch.Tensor, ...]:
        import onnxruntime

        parts = [part.contiguous() for part in rows.split(batch)]
        if self._session is None:
            file = BytesIO()
            with warnings.catch_warnings(action="ignore"):
                torch.onnx.export(self._part, (parts[0].clone(),), file, dynamo=False)
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = self._threads
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
            self._session = onnxruntime.InferenceSession(file.getvalue(), options, providers=["CPUExecutionProvider"])
        name = self._session.get_inputs()[0].name
        found = [self._session.run(None, {name: part.numpy()}) for part in parts]
        return tuple(torch.from_numpy(np.concatenate(values)) for values in zip(*found, strict=True))


def real_input(backbone: Backbone, media: Path | None) -> np.ndarray:
    """One window of 3 s; zeros without media."""
    if isinstance(backbone, AudioBackbone):
        if media is None:
            return np.zeros(3 * backbone.rate_hz, np.float32)
        (window,) = decode_stretches(str(media / AUDIO), [(5.0, 8.0)], [], backbone.rate_hz)
        return window.waveform
    if media is None:
        return np.zeros((30 // backbone.layout.every, backbone.layout.size_px, backbone.layout.size_px, 3), np.uint8)
    (window,) = decode_stretches(str(media / VIDEO), [(0.5, 3.5)], [backbone.layout], None)
    return window.frames[backbone.layout]


def timed(function: Callable[[], Any]) -> tuple[float, float, Any]:
    """Processor time and wall time in seconds, and what came out."""
    wall, processor = time.perf_counter(), time.process_time()
    value = function()
    return time.process_time() - processor, time.perf_counter() - wall, value


def peak_gflops() -> float:
    """Arithmetic of a product of large matrices, in 10⁹ operations per second of processor time."""
    one, size = torch.rand(1536, 1536), 1536
    return max(2e-9 * size**3 / timed(lambda: one @ one)[0] for _ in range(8))


def gflop(name: str, inputs: np.ndarray) -> float:
    with without_openvino(), FlopCounterMode(display=False) as counter:
        built(name)(inputs)
    return counter.get_total_flops() / 1e9


def compared(name: str, threads: int, rounds: int, media: Path) -> list[dict[str, Any]]:
    torch.set_num_threads(threads)
    contestants = ways(name, threads)
    unit, count = UNITS.get(name, ("window", 1))
    inputs = real_input(built(name), media)
    operations = gflop(name, inputs)
    values = {way: run(inputs) for way, run in contestants.items()}
    spent: dict[str, list[tuple[float, float]]] = {way: [] for way in contestants}
    peaks: list[float] = []
    for _ in range(rounds):
        peaks.append(peak_gflops())
        for way, run in contestants.items():
            spent[way].append(timed(lambda run=run: run(inputs))[:2])
    rows: list[dict[str, Any]] = []
    expected = values[BEFORE].ravel().astype(np.float64)
    for way, times in spent.items():
        found = values[way].ravel().astype(np.float64)
        processor_s = statistics.median(one for one, _ in times)
        ratios = [before / after for (before, _), (after, _) in zip(spent[BEFORE], times, strict=True)]
        rows.append(
            {
                "backbone": name,
                "threads": threads,
                "way": way,
                "unit": unit,
                "processor_ms": 1000 * processor_s / count,
                "wall_ms": 1000 * statistics.median(wall for _, wall in times) / count,
                "times_faster": statistics.median(ratios),
                "share_of_peak": operations / processor_s / statistics.median(peaks),
                "relative_difference": float(np.abs(found - expected).max() / np.abs(expected).max()),
                "cosine": float(found @ expected / np.linalg.norm(found) / np.linalg.norm(expected)),
            }
        )
        print(line(rows[-1]), flush=True)
    return rows


def line(row: Mapping[str, Any]) -> str:
    return (
        f"{row['backbone']:19} {row['threads']} {row['way']:29} {row['processor_ms']:8.1f} ms a {row['unit']:6} "
        f"{row['times_faster']:5.2f} ×  {row['share_of_peak']:4.0%} of the peak  "
        f"differs by {row['relative_difference']:.0e}, cosine 1 - {max(0.0, 1 - row['cosine']):.0e}"
    )


def machine() -> dict[str, Any]:
    about = {"processor": platform.machine(), "cores": os.cpu_count(), "python": platform.python_version()}
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        about["processor"] = next(text.split(": ")[1] for text in lines if text.startswith("model name"))
    about["torch_instructions"] = torch.backends.cpu.get_cpu_capability()
    about["load"] = round(os.getloadavg()[0], 1)
    for package in ("torch", "openvino", "onnxruntime"):
        try:
            about[package] = version(package)
        except PackageNotFoundError:
            about[package] = None
    return about


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--media", type=Path, default=Path("../shared/data/media"))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    about = machine()
    print(json.dumps(about))
    rows: list[dict[str, Any]] = []
    for threads in given.threads:
        for name in given.names:
            rows += compared(name, threads, given.rounds, given.media)
    if given.out:
        text = json.dumps({"machine": about, "rows": rows}, indent=1)
        given.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
