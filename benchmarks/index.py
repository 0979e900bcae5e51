"""The index, exact and by LanceDB: `python benchmarks/index.py [rows] [--isotropic] [--vectors FILE.npy]`.

Prints recall against the exact search, times, disk and memory. Building and reading are processes of their own, so that
each peak of memory is one thing's. The vectors are of 256 values. Default: synthetic, a mixture of 1,000 Gaussian
clusters of different sizes, two vectors of one cluster having a cosine of about 0.5, and queries that are further draws
of it. `--isotropic` has no clusters at all, which is harder than any real embedding: nothing is near anything.
`--vectors` takes rows of yours, the last 200 as queries.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from antiphon.search import Index, Where

DIM = 256
CLUSTERS = 1000
QUERIES = 200
ADDED = 1000
K = 10


def drawn(rows: int, isotropic: bool) -> np.ndarray:
    """(rows, 256) float32 vectors."""
    random = np.random.default_rng(0)
    vectors = random.standard_normal((rows, DIM), dtype=np.float32)
    if not isotropic:
        shares = random.lognormal(size=CLUSTERS)
        centres = random.standard_normal((CLUSTERS, DIM), dtype=np.float32)
        vectors += centres[random.choice(CLUSTERS, size=rows, p=shares / shares.sum())]
    return vectors


def about(rows: int) -> list[dict[str, object]]:
    """Metadata: 20 genres, 5,000 artists, 40 years."""
    return [{"artist": f"artist {n % 5000}", "genre": f"genre {n % 20}", "year": 1980 + n % 40} for n in range(rows)]


def names(rows: int, first: int = 0) -> list[str]:
    """Ids."""
    return [f"video-{first + row:08d}" for row in range(rows)]


def peak_mb() -> float:
    """The most memory that this process has taken."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def build(kind: str, folder: Path, vectors: np.ndarray) -> dict[str, float]:
    """Build, then add 1,000 vectors without building again."""
    rows = len(vectors) - QUERIES - ADDED
    metadata, given_mb, started_s = about(rows), peak_mb(), time.perf_counter()
    index = Index.from_vectors(names(rows), vectors[:rows], folder, kind=kind, metadata=metadata)
    built_s, peak = time.perf_counter() - started_s, peak_mb()
    started_s = time.perf_counter()
    index.add_vectors(names(ADDED, rows), vectors[rows : rows + ADDED], metadata=about(ADDED))
    added_s = time.perf_counter() - started_s
    stats = index.stats()
    return {
        "build_s": built_s,
        "add_s": added_s,
        "disk_mb": stats["bytes"] / 1e6,
        "unindexed": stats["unindexed"],
        "build_peak_mb": peak,
        "given_mb": given_mb,
    }


def read(folder: Path, vectors: np.ndarray) -> dict[str, object]:
    """Open, and ask one query after the other, without and with a condition that a twentieth of the rows meet."""
    started_s = time.perf_counter()
    index = Index.open(folder)
    first = index.search(vectors[:1], k=K)
    opened_s = time.perf_counter() - started_s
    found: dict[str, object] = {"first_query_s": opened_s, "first": len(first[0])}
    for name, where in (("", None), ("genre_", Where(genre=("genre 7",)))):
        index.search(vectors[:1], k=K, where=where)
        times, hits = [], []
        for query in vectors:
            started_s = time.perf_counter()
            (answer,) = index.search(query[None], k=K, where=where)
            times.append(time.perf_counter() - started_s)
            hits.append([hit.id for hit in answer])
        found |= {
            f"{name}hits": hits,
            f"{name}p50_ms": 1e3 * float(np.median(times)),
            f"{name}p95_ms": 1e3 * float(np.quantile(times, 0.95)),
        }
    return found | {"read_peak_mb": peak_mb()}


def recall(found: list[list[str]], exact: list[list[str]]) -> float:
    """The share of the exact hits that was found."""
    pairs = list(zip(found, exact, strict=True))
    return sum(len(set(some) & set(every)) for some, every in pairs) / sum(len(every) for _, every in pairs)


def in_process(step: str, kind: str, folder: Path, options: list[str]) -> dict[str, object]:
    """One step in a process of its own."""
    command = [sys.executable, __file__, *options, "--step", step, "--kind", kind, "--folder", str(folder)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def show(kind: str, row: dict[str, object], exact: dict[str, object]) -> None:
    """Print one store's numbers."""
    found, filtered = recall(row["hits"], exact["hits"]), recall(row["genre_hits"], exact["genre_hits"])
    print(
        f"{kind}: recall@{K} {found:.4f}, query p50 {row['p50_ms']:.1f} ms, p95 {row['p95_ms']:.1f} ms; with a "
        f"condition recall {filtered:.4f}, p50 {row['genre_p50_ms']:.1f} ms; first query of a process "
        f"{row['first_query_s']:.2f} s\n"
        f"  build {row['build_s']:.1f} s, add of {ADDED:,} {row['add_s']:.2f} s (then {row['unindexed']:,} rows "
        f"searched one by one), disk {row['disk_mb']:.0f} MB\n"
        f"  peak memory: building {row['build_peak_mb']:.0f} MB, of which vectors and metadata as given "
        f"{row['given_mb']:.0f} MB; reading {row['read_peak_mb']:.0f} MB",
        flush=True,
    )


def main() -> None:
    """Measure both stores on the same vectors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int, nargs="?", default=100_000)
    parser.add_argument("--isotropic", action="store_true")
    parser.add_argument("--vectors", type=Path)
    for hidden in ("--step", "--kind", "--folder"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step:
        folder = Path(given.folder)
        if given.step == "build":
            total = given.rows + ADDED + QUERIES
            vectors = np.load(given.vectors) if given.vectors else drawn(total, given.isotropic)
            np.save(folder.parent / "queries.npy", vectors[-QUERIES:])
            print(json.dumps(build(given.kind, folder, vectors)))
        else:
            print(json.dumps(read(folder, np.load(folder.parent / "queries.npy"))))
        return
    what = str(given.vectors or ("isotropic" if given.isotropic else "clustered"))
    print(f"{given.rows:,} × {DIM} vectors, {what}, {QUERIES} queries one by one" if not given.vectors else what)
    found: dict[str, dict[str, object]] = {}
    for kind in ("exact", "lancedb"):
        with tempfile.TemporaryDirectory(dir=Path.cwd()) as place:
            folder = Path(place) / "index"
            found[kind] = in_process("build", kind, folder, sys.argv[1:]) | in_process(
                "read", kind, folder, sys.argv[1:]
            )
        show(kind, found[kind], found["exact"])


if __name__ == "__main__":
    main()
