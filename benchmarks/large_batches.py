"""Memory and time of losses in chunks beside the whole matrix of scores: `python benchmarks/large_batches.py [pairs]`.

Each measurement is a process of its own, which computes a loss of unit embeddings of 256 values and its gradients. The
naive loss is the matrix of scores and two cross-entropies (for the sigmoid, one sum of softplus).
"""

import resource
import subprocess
import sys
import time
from statistics import median

import torch
from torch import Tensor
from torch.nn import functional

from antiphon.model.losses import info_nce, sigmoid

CHUNK_SIZE = 1024
DIM = 256
REPEATS = 3


def naive_info_nce(audio: Tensor, video: Tensor, temperature: Tensor) -> Tensor:
    """As anybody would write it."""
    scores = audio @ video.T / temperature
    pairs = torch.arange(len(scores))
    return functional.cross_entropy(scores, pairs) + functional.cross_entropy(scores.T, pairs)


def naive_sigmoid(audio: Tensor, video: Tensor, temperature: Tensor) -> Tensor:
    """As in the pseudocode of Zhai et al. (2023)."""
    signs = 2 * torch.eye(len(audio)) - 1
    return -functional.logsigmoid(signs * (audio @ video.T / temperature - 10)).sum() / len(audio)


LOSSES = {
    "info_nce": (naive_info_nce, lambda a, v, t: info_nce(a, v, t, CHUNK_SIZE)),
    "sigmoid": (naive_sigmoid, lambda a, v, t: sigmoid(a, v, t, -10.0, CHUNK_SIZE)),
}


def measure(name: str, chunked: bool, pairs: int) -> None:
    """Print seconds of processor time, and the most MB beyond what stood in memory before: gradients are part of it."""
    random = torch.Generator().manual_seed(0)
    sides = [functional.normalize(torch.randn(pairs, DIM, generator=random)).requires_grad_() for _ in range(2)]
    temperature = torch.tensor(0.07, requires_grad=True)
    LOSSES[name][chunked](*(side[:64] for side in sides), temperature).backward()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started_s = time.process_time()
    LOSSES[name][chunked](*sides, temperature).backward()
    took_s = time.process_time() - started_s
    print(took_s, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)


def main() -> None:
    """Measure both losses both ways, in turn, and print medians."""
    if len(sys.argv) == 4:
        measure(sys.argv[1], sys.argv[2] == "chunked", int(sys.argv[3]))
        return
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 16_384
    for name in LOSSES:
        found: dict[str, list[tuple[float, float]]] = {"naive": [], "chunked": []}
        for _ in range(REPEATS):
            for way, rows in found.items():
                command = [sys.executable, __file__, name, way, str(pairs)]
                printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
                rows.append((float(printed[0]), float(printed[1])))
        (naive_s, naive_mb), (took_s, used_mb) = (
            tuple(median(column) for column in zip(*rows, strict=True)) for rows in found.values()
        )
        print(
            f"{name}, {pairs} pairs, {torch.get_num_threads()} threads: chunks of {CHUNK_SIZE} {took_s:.1f} s of "
            f"processor time, {used_mb:.0f} MB; whole {naive_s:.1f} s, {naive_mb:.0f} MB; "
            f"{took_s / naive_s:.2f} of the time"
        )


if __name__ == "__main__":
    main()
