"""Which structure finds the candidates of `similar` in 1,200,000 segments: processor time, recall, building, memory.

    python benchmarks/large_index.py [videos] [--only NAME …] [--out FILE]

A made-up catalogue of 100,000 videos with six segments on a side; one side is measured, and `similar` asks two, so its
time is twice what is printed. Each structure gives the 100 nearest of the query's track and of each of its six
segments; all that are named are then ranked exactly, as the index does it. Recall is of the ten best against comparing
everything.
faiss-cpu, usearch and lancedb are measured where they are installed; Antiphon needs none of them.
"""

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from antiphon.search import lists
from antiphon.search.blocks import Block

SEGMENTS, DIM, NEAR, K, ASKED = 6, 256, 100, 10, 60
Find = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Video numbers near a track (1, dim) and segments (6, dim)."""


def drawn(videos: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit rows of tracks (videos, dim) and of segments (6 videos, dim): clusters of about twenty videos."""
    random = np.random.default_rng(0)
    centres = random.standard_normal((max(20, videos // 20), DIM), dtype=np.float32)
    tracks = centres[random.integers(len(centres), size=videos)] + random.standard_normal(
        (videos, DIM), dtype=np.float32
    )
    segments = np.repeat(tracks, SEGMENTS, axis=0)
    for first in range(0, len(segments), 60_000):
        block = segments[first : first + 60_000]
        block += random.standard_normal(block.shape, dtype=np.float32)
        block /= np.linalg.norm(block, axis=1, keepdims=True)
    tracks = segments.reshape(videos, SEGMENTS, DIM).mean(axis=1)
    return tracks / np.linalg.norm(tracks, axis=1, keepdims=True), segments


def products(rows: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """(q, n) cosines, in blocks that stay in the cache."""
    lines = np.empty((len(queries), len(rows)), dtype=np.float32)
    for first in range(0, len(rows), 8192):
        lines[:, first : first + 8192] = (rows[first : first + 8192] @ queries.T).T
    return lines


def ranked(tracks: np.ndarray, segments: np.ndarray, asked: int, videos: np.ndarray) -> np.ndarray:
    """The ten best of some videos."""
    videos = videos[videos != asked]
    own = segments.reshape(-1, SEGMENTS, DIM)
    scores = own[videos].reshape(-1, DIM) @ own[asked].T
    best = scores.reshape(len(videos), SEGMENTS, SEGMENTS).max(axis=1).mean(axis=1)
    total = (best + tracks[videos] @ tracks[asked]) / 2
    return videos[np.argsort(-total)[:K]]


def exact(tracks: np.ndarray, segments: np.ndarray, folder: Path) -> Find:
    """Every row is compared."""

    def find(track: np.ndarray, parts: np.ndarray) -> np.ndarray:
        near = [np.argpartition(-line, NEAR)[:NEAR] for line in products(tracks, track)]
        near += [np.argpartition(-line, NEAR)[:NEAR] // SEGMENTS for line in products(segments, parts)]
        return np.unique(np.concatenate(near))

    return find


def row_lists(tracks: np.ndarray, segments: np.ndarray, folder: Path) -> Find:
    """The index's own: rows in lists, of which those nearest to each vector are compared in float32."""
    made = []
    for rows in (tracks, segments):
        numbers = lists.numbered(rows)
        order = np.argsort(numbers, kind="stable")
        np.save(folder / f"{len(rows)}", rows[order])
        vectors = rows[order]
        made.append((order, Block(np.arange(len(rows)), vectors, None, lists.Lists.of(numbers[order], vectors))))

    def ask(part: tuple[np.ndarray, Block], queries: np.ndarray) -> np.ndarray:
        order, block = part
        return order[np.concatenate(block.near(queries, NEAR, None))]

    return lambda track, parts: named(ask(made[0], track), ask(made[1], parts))


def named(near_tracks: np.ndarray, near_segments: np.ndarray) -> np.ndarray:
    """The videos of rows."""
    return np.unique(np.concatenate([near_tracks.ravel(), near_segments.ravel() // SEGMENTS])).astype(np.int64)


def faiss_of(kind: str, probes: int) -> Callable[..., Find]:
    """A structure of faiss by the name that its factory has for it; L is the number of lists."""

    def make(tracks: np.ndarray, segments: np.ndarray, folder: Path) -> Find:
        import faiss

        made = []
        for rows, count in ((tracks, 512), (segments, 2048)):
            index = faiss.index_factory(DIM, kind.replace("L", str(count)), faiss.METRIC_INNER_PRODUCT)
            faiss.omp_set_num_threads(2)
            index.train(rows[np.random.default_rng(0).permutation(len(rows))[: 40 * count]])
            index.add(rows)
            faiss.omp_set_num_threads(1)
            if "IVF" in kind:
                faiss.extract_index_ivf(index).nprobe = probes
            elif "HNSW" in kind:
                faiss.downcast_index(index).hnsw.efSearch = 2 * NEAR
            faiss.write_index(index, str(folder / f"{len(rows)}"))
            made.append(index)
        return lambda track, parts: named(made[0].search(track, NEAR)[1], made[1].search(parts, NEAR)[1])

    return make


def usearch(tracks: np.ndarray, segments: np.ndarray, folder: Path) -> Find:
    """A graph over vectors rounded to 8 bits."""
    from usearch.index import Index

    made = []
    for rows in (tracks, segments):
        index = Index(ndim=DIM, metric="cos", dtype="i8", connectivity=16, expansion_add=64, expansion_search=128)
        index.add(np.arange(len(rows)), rows, threads=2)
        index.save(str(folder / f"{len(rows)}"))
        made.append(index)
    return lambda track, parts: named(
        made[0].search(track, NEAR, threads=1).keys, made[1].search(parts, NEAR, threads=1).keys
    )


def lancedb_of(is_graph: bool) -> Callable[..., Find]:
    """A table of LanceDB with lists of vectors rounded to 8 bits, or with a graph."""

    def make(tracks: np.ndarray, segments: np.ndarray, folder: Path) -> Find:
        import lancedb
        import pyarrow as pa
        from lancedb.index import HnswSq, IvfSq

        database, made = lancedb.connect(str(folder)), []
        for name, rows in (("tracks", tracks), ("segments", segments)):
            column = pa.FixedSizeListArray.from_arrays(pa.array(rows.reshape(-1)), DIM)
            table = database.create_table(name, pa.table({"number": np.arange(len(rows)), "vector": column}))
            inverted = IvfSq(distance_type="cosine", num_partitions=max(1, len(rows) // 3000))
            graph = HnswSq(distance_type="cosine", num_partitions=1, m=16, ef_construction=64)
            table.create_index("vector", config=graph if is_graph else inverted)
            made.append(table)

        def ask(table: Any, queries: np.ndarray) -> np.ndarray:
            asked = table.search(list(queries), vector_column_name="vector").distance_type("cosine")
            asked = asked.nprobes(40).refine_factor(1).select(["number", "_distance"])
            return asked.limit(NEAR).to_arrow()["number"].to_numpy()

        return lambda track, parts: named(ask(made[0], track), ask(made[1], parts))

    return make


STRUCTURES: dict[str, Callable[..., Find]] = {
    "exact, float32 (numpy)": exact,
    "lists of rows, float32 (numpy)": row_lists,
    "faiss IVF, 8 bits": faiss_of("IVFL,SQ8", 24),
    "faiss IVF-PQ fast scan": faiss_of("IVFL,PQ128x4fs", 24),
    "LanceDB IVF, 8 bits": lancedb_of(is_graph=False),
    "usearch HNSW, 8 bits": usearch,
    "LanceDB HNSW, 8 bits": lancedb_of(is_graph=True),
    "faiss HNSW, 8 bits": faiss_of("HNSW16_SQ8", 0),
}


def peak_mb() -> float:
    """The most memory that this process has taken."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(
    name: str, tracks: np.ndarray, segments: np.ndarray, asked: np.ndarray, truth: list[np.ndarray]
) -> dict[str, object]:
    """Build, then ask one video after the other; `truth` is filled by the first structure that is measured."""
    own = segments.reshape(-1, SEGMENTS, DIM)
    with tempfile.TemporaryDirectory() as folder:
        begun_s, before_mb = time.process_time(), peak_mb()
        find = STRUCTURES[name](tracks, segments, Path(folder))
        built_s, built_mb = time.process_time() - begun_s, peak_mb()
        disk_mb = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) / 1e6
        took_s, answers, compared = [], [], []
        for video in asked:
            begun_s = time.process_time()
            videos = find(tracks[video][None], own[video])
            answers.append(ranked(tracks, segments, video, videos))
            took_s.append(time.process_time() - begun_s)
            compared.append(len(videos))
    truth = truth or answers
    found = sum(len(set(some.tolist()) & set(every.tolist())) for some, every in zip(answers, truth, strict=True))
    return {
        "structure": name,
        "p50_ms": 1e3 * float(np.median(took_s)),
        "p95_ms": 1e3 * float(np.quantile(took_s, 0.95)),
        "recall": found / (K * len(asked)),
        "compared": float(np.median(compared)),
        "build_s": built_s,
        "disk_mb": disk_mb,
        "peak_more_mb": built_mb - before_mb,
        "answers": [answer.tolist() for answer in answers],
    }


def main() -> None:
    """Measure all structures, the exact one first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("videos", type=int, nargs="?", default=100_000)
    parser.add_argument("--only", nargs="*", default=list(STRUCTURES))
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    tracks, segments = drawn(given.videos)
    asked = np.random.default_rng(1).permutation(given.videos)[:ASKED]
    truth: list[np.ndarray] = []
    rows: list[dict[str, object]] = []
    first = next(iter(STRUCTURES))
    for name in [first, *(one for one in given.only if one != first)]:
        try:
            row = measure(name, tracks, segments, asked, truth)
        except ImportError as error:
            print(f"{name}: not installed ({error})", flush=True)
            continue
        answers = cast(list[list[int]], row.pop("answers"))
        truth = truth or [np.array(answer) for answer in answers]
        rows.append(row)
        print(
            f"{name:34} p50 {row['p50_ms']:7.1f} ms, p95 {row['p95_ms']:7.1f} ms, recall@10 {row['recall']:.3f}, "
            f"{row['compared']:5.0f} videos compared, build {row['build_s']:6.1f} s, "
            f"{row['disk_mb']:.0f} MB on disk, {row['peak_more_mb']:.0f} MB more",
            flush=True,
        )
        if given.out:
            given.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
