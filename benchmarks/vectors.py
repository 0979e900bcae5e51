"""Nearest vectors, exact and approximate: 100,000 × 256 by one vector and by batches, time, recall, building.

    OMP_NUM_THREADS=1 python benchmarks/vectors.py [--rows 100000] [--rounds 5] [--table music.parquet …] [--out FILE]

Compared are Antiphon's exact product (`search/blocks.py`), its lists (`search/lists.py`), LanceDB (all rows, and a
graph in lists), and the graphs (HNSW) of hnswlib, usearch and faiss. The latter four are measured where they are
installed; Antiphon needs none of them. Made-up vectors lie in clusters of about twenty; with tables of YouTube-8M,
pictures' features are measured too, centred and reduced to 256 axes. Questions are vectors that are not indexed.

One thread. Structures answer in turn, round by round; the ratio to the exact product is the median over the rounds of
the ratios within one. Recall is of the ten nearest, against comparing every row in float64.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("LANCE_CPU_THREADS", "1")
os.environ.setdefault("RAYON_NUM_THREADS", "1")

import numpy as np

from antiphon.features.importing import from_yt8m
from antiphon.search import lists
from antiphon.search.blocks import Block
from service import machine

DIM, K, ASKED, LINKS, BUILD_WIDTH = 256, 10, 256, 16, 100
WIDTHS = (64, 256)
"""How many candidates a graph keeps while it looks; recall grows with it, and time."""
SIZES = (1, 16, 256)
"""Questions that are asked at once."""
Find = Callable[[np.ndarray], np.ndarray]
"""Numbers of the K nearest rows, (q, K), of (q, DIM) unit vectors."""


def clusters(rows: int) -> np.ndarray:
    """Unit rows in clusters of about twenty, whose spread is as large as what tells the centres apart."""
    random = np.random.default_rng(0)
    centres = random.standard_normal((max(20, rows // 20), DIM), dtype=np.float32)
    return unit(centres[random.integers(len(centres), size=rows)] + random.standard_normal((rows, DIM), dtype="f4"))


def pictures(tables: list[Path]) -> np.ndarray:
    """Unit rows of the pictures of YouTube-8M, centred, along their 256 principal axes."""
    rows = np.concatenate([from_yt8m([table]).video for table in tables])
    rows = rows - rows.mean(axis=0)
    axes = np.linalg.eigh(rows.T @ rows)[1][:, -DIM:]
    return unit(rows @ axes)[np.random.default_rng(0).permutation(len(rows))]


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows of length 1."""
    return np.ascontiguousarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def sorted_of(rows: np.ndarray, block: Block) -> Find:
    """The nearest that a block of the index finds, in order."""

    def find(queries: np.ndarray) -> np.ndarray:
        answers = []
        for query, near in zip(queries, block.near(queries, K, None), strict=True):
            answers.append(near[np.argsort(-(block.take(near) @ query))[:K]])
        return np.stack(answers)

    return find


def exact(rows: np.ndarray, folder: Path) -> dict[str, Find]:
    """Antiphon's product with every row."""
    return {"exact (Antiphon)": sorted_of(rows, Block(np.arange(len(rows)), rows))}


def in_lists(rows: np.ndarray, folder: Path) -> dict[str, Find]:
    """Antiphon's lists."""
    numbers = lists.numbered(rows)
    places = np.argsort(numbers, kind="stable")
    vectors, where = rows[places], np.empty_like(places)
    where[places] = np.arange(len(places))
    block = Block(np.arange(len(rows)), vectors, where, lists.Lists.of(numbers[places], vectors))
    return {"lists (Antiphon)": sorted_of(rows, block)}


def by_hnswlib(rows: np.ndarray, folder: Path) -> dict[str, Find]:
    """The graph of hnswlib."""
    import hnswlib

    index = hnswlib.Index(space="ip", dim=DIM)
    index.init_index(len(rows), M=LINKS, ef_construction=BUILD_WIDTH)
    index.set_num_threads(1)
    index.add_items(rows)
    index.save_index(str(folder / "hnswlib"))

    def of(width: int) -> Find:
        def find(queries: np.ndarray) -> np.ndarray:
            index.set_ef(width)
            return index.knn_query(queries, k=K, num_threads=1)[0].astype(np.int64)

        return find

    return {f"hnswlib, {width}": of(width) for width in WIDTHS}


def by_usearch(rows: np.ndarray, folder: Path) -> dict[str, Find]:
    """The graph of usearch, over float32."""
    from usearch.index import Index

    settings = {"metric": "ip", "dtype": "f32", "connectivity": LINKS, "expansion_add": BUILD_WIDTH}
    index = Index(ndim=DIM, **settings)
    index.add(np.arange(len(rows)), rows, threads=1)
    index.save(str(folder / "usearch"))

    def of(width: int) -> Find:
        def find(queries: np.ndarray) -> np.ndarray:
            index.expansion_search = width
            return np.asarray(index.search(queries, K, threads=1).keys).reshape(len(queries), K).astype(np.int64)

        return find

    return {f"usearch, {width}": of(width) for width in WIDTHS}


def by_faiss(rows: np.ndarray, folder: Path) -> dict[str, Find]:
    """The graph of faiss."""
    import faiss

    faiss.omp_set_num_threads(1)
    index = faiss.IndexHNSWFlat(DIM, LINKS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = BUILD_WIDTH
    index.add(rows)
    faiss.write_index(index, str(folder / "faiss"))

    def of(width: int) -> Find:
        def find(queries: np.ndarray) -> np.ndarray:
            index.hnsw.efSearch = width
            return index.search(queries, K)[1]

        return find

    return {f"faiss, {width}": of(width) for width in WIDTHS}


def by_lancedb(rows: np.ndarray, folder: Path, graph: bool = False) -> dict[str, Find]:
    """A table of LanceDB: every row, or a graph over vectors rounded to 8 bits with the best compared exactly."""
    import lancedb
    import pyarrow as pa
    from lancedb.index import HnswSq

    column = pa.FixedSizeListArray.from_arrays(pa.array(rows.reshape(-1)), DIM)
    table = lancedb.connect(str(folder)).create_table("rows", pa.table({"row": np.arange(len(rows)), "vector": column}))
    if graph:
        table.create_index("vector", config=HnswSq(distance_type="dot", num_partitions=1, m=LINKS))

    def of(width: int | None) -> Find:
        def find(queries: np.ndarray) -> np.ndarray:
            asked = (
                table.search(list(queries), vector_column_name="vector")
                .distance_type("dot")
                .select(["row", "_distance"])
            )
            asked = asked.ef(width).refine_factor(2) if width else asked.bypass_vector_index()
            found = asked.limit(K).to_arrow().to_pydict()
            numbers = found.get("query_index", [0] * len(found["row"]))
            answers: list[list[int]] = [[] for _ in queries]
            for number, row in zip(numbers, found["row"], strict=True):
                answers[number].append(row)
            return np.array(answers)

        return find

    return {f"LanceDB graph, {width}": of(width) for width in WIDTHS} if graph else {"LanceDB, all rows": of(None)}


def by_lancedb_graph(rows: np.ndarray, folder: Path) -> dict[str, Find]:
    """A graph of LanceDB."""
    return by_lancedb(rows, folder, graph=True)


MAKERS = (exact, in_lists, by_lancedb, by_lancedb_graph, by_hnswlib, by_usearch, by_faiss)


def truth(rows: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """The nearest rows by float64."""
    scores = np.concatenate(
        [rows[first : first + 8192] @ queries.T.astype("f8") for first in range(0, len(rows), 8192)]
    )
    return np.argsort(-scores, axis=0, kind="stable")[:K].T


def timed(find: Find, queries: np.ndarray, size: int) -> tuple[float, float]:
    """Milliseconds of a question in batches of a size: the median of the batches, wall and processor time."""
    wall, work = [], []
    for first in range(0, min(len(queries), 32 * size), size):
        begun, begun_work = time.perf_counter(), time.process_time()
        find(queries[first : first + size])
        wall.append(time.perf_counter() - begun)
        work.append(time.process_time() - begun_work)
    return 1e3 * median(wall) / size, 1e3 * median(work) / size


def measured(rows: np.ndarray, queries: np.ndarray, rounds: int) -> list[dict[str, Any]]:
    """Build every structure, then ask them in turn."""
    right = truth(rows, queries)
    finds: dict[str, Find] = {}
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as root:
        for maker in MAKERS:
            folder, begun = Path(root) / maker.__name__, time.process_time()
            folder.mkdir()
            try:
                made = maker(rows, folder)
            except ImportError as error:
                print(f"{maker.__name__}: skipped, {error}", flush=True)
                continue
            built_s = time.process_time() - begun
            disk_mb = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
            for name, find in made.items():
                same = [
                    len(set(some) & set(all_))
                    for some, all_ in zip(find(queries).tolist(), right.tolist(), strict=True)
                ]
                finds[name] = find
                found[name] = {"build_s": built_s, "disk_mb": disk_mb, "recall": sum(same) / right.size}
                print(f"{name}: built in {built_s:.1f} s, recall@{K} {sum(same) / right.size:.4f}", flush=True)
        times: dict[tuple[str, int], list[tuple[float, float]]] = {(name, size): [] for name in finds for size in SIZES}
        for _ in range(rounds):
            for (name, size), row in times.items():
                row.append(timed(finds[name], queries, size))
    reference = next(iter(finds))
    for (name, size), row in times.items():
        ratios = [mine[1] / exact_[1] for mine, exact_ in zip(row, times[reference, size], strict=True)]
        found[name][f"{size} at once"] = {
            "wall_ms": median(wall for wall, _ in row),
            "processor_ms": median(work for _, work in row),
            "of_exact": median(ratios),
        }
    return [{"structure": name, **row} for name, row in found.items()]


def versions() -> dict[str, str]:
    """Versions of the libraries that are installed."""
    found = {}
    for name in ("lancedb", "hnswlib", "usearch", "faiss-cpu"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def main() -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--table", type=Path, nargs="*", default=[])
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    made: dict[str, np.ndarray] = {"made up": clusters(given.rows + ASKED)}
    if given.table:
        made["pictures of YouTube-8M"] = pictures(given.table)
    results = {}
    for name, vectors in made.items():
        rows, queries = vectors[:-ASKED], vectors[-ASKED:]
        print(f"\n{name}: {len(rows):,} × {DIM}")
        results[name] = {"rows": len(rows), "found": measured(rows, queries, given.rounds)}
        for row in results[name]["found"]:
            asked = "; ".join(
                f"{size}: {row[f'{size} at once']['wall_ms']:.3f} ms, {row[f'{size} at once']['processor_ms']:.3f} of "
                f"processor time, {row[f'{size} at once']['of_exact']:.3f} × exact"
                for size in SIZES
            )
            print(f"| {row['structure']} | {row['recall']:.4f} | {row['build_s']:.1f} s | {asked} |", flush=True)
    if given.out:
        about = {
            "command": " ".join(sys.argv),
            "machine": machine(),
            "load": os.getloadavg()[0],
            "versions": versions(),
        }
        given.out.write_text(json.dumps(about | results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
