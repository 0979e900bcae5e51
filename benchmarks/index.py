"""What the index costs and what it misses: `python benchmarks/index.py [videos …] [--exact] [--out FILE]`.

Made-up music videos (`made_up.py`) with six segments on both sides: 14 rows a video. Building and asking are processes
of their own, so that each peak of memory is one thing's. `similar` is asked by a music video of the index (its track
and six segments on both sides), `match` by its pictures for songs, "one vector" by an array. Recall is of the ten best
of `similar` against scoring every music video. `--exact` makes no lists, whatever the size. One thread.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from antiphon import Features, Index, Query
from antiphon.search import Where, lists
from antiphon.workspace import Workspace
from made_up import SEGMENTS_EACH, Clusters, names, workspace

ASKED, ADDED, K = 60, 100, 10


def peak_mb() -> float:
    """The most memory that this process has taken."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def build(place: Workspace, videos: int) -> dict[str, float]:
    """Build the index of a workspace; only that is timed."""
    index = workspace(place.root, videos)[1]
    parts = [path.stat().st_size for path in place.index.rglob("*") if path.is_file()]
    return {"build_s": TOOK_S[-1], "disk_mb": sum(parts) / 1e6, "build_peak_mb": peak_mb(), "rows": rows_of(index)}


TOOK_S: list[float] = []


def timed_build() -> None:
    """Have `Index.build` say how long writing took, embedding not counted."""
    create = Index._create.__func__  # pyright: ignore[reportFunctionMemberAccess]

    def timed(cls: type[Index], *given: object) -> Index:
        begun_s = time.perf_counter()
        made = create(cls, *given)
        TOOK_S.append(time.perf_counter() - begun_s)
        return made

    Index._create = classmethod(timed)  # pyright: ignore[reportAttributeAccessIssue]


def rows_of(index: Index) -> int:
    """Number of rows."""
    return sum(part["count"] for part in index.stats()["rows"])


def asked_of(place: Workspace, videos: int) -> dict[str, object]:
    """Open the index, ask, add, and ask again."""
    begun_s = time.perf_counter()
    index = Index.open(place.index)
    ids = [names(videos)[number * 37 % videos] for number in range(ASKED + 1)]
    index.search(Query.from_id(index, ids[-1]), k=K)
    found: dict[str, object] = {"first_s": time.perf_counter() - begun_s}
    ids.pop()
    genre = Where(genre="genre 3")
    asks: dict[str, Callable[[str], list[str]]] = {
        "similar": lambda id: hits(index, id),
        "with_genre": lambda id: hits(index, id, genre),
        "match": lambda id: [hit.id for hit in index.search(Query.from_id(index, id), target="audio", k=K)],
        "one_vector": lambda id: [hit.id for hit in index.search(index.item(id).sides["audio"].track[None], k=K)[0]],
    }
    answers = {name: timed(name, ask, ids, found) for name, ask in asks.items()}
    found["read_peak_mb"] = peak_mb()
    for name, where in (("similar", None), ("with_genre", "genre 3")):
        truth = best(index, ids, where)
        shared = sum(len(set(some) & set(every)) for some, every in zip(answers[name], truth, strict=True))
        found[f"{name}_recall"] = shared / sum(map(len, truth))
    return found | added(index, ids, asks["similar"])


def best(index: Index, asked: list[str], genre: str | None) -> list[list[str]]:
    """The best of all music videos, scored one like the other by arrays."""
    totals: list[np.ndarray] = []
    known: list[str] = []
    for side in ("audio", "video"):
        known, tracks, about = index.embeddings(side)
        segments = index.embeddings(side, "segment")[1]
        rows = [known.index(id) for id in asked]
        own = segments.reshape(-1, SEGMENTS_EACH, segments.shape[1])
        scores = np.stack(
            [(segments @ own[row].T).reshape(*own.shape[:2], -1).max(axis=1).mean(axis=1) for row in rows]
        )
        scores = (scores + tracks[rows] @ tracks.T) / 2
        scores[np.arange(len(rows)), rows] = -np.inf
        scores[:, [genre not in (None, one["genre"]) for one in about]] = -np.inf
        totals.append(scores)
    return [[known[row] for row in np.argsort(-line)[:K]] for line in sum(totals)]


def added(index: Index, ids: list[str], similar: Callable[[str], list[str]]) -> dict[str, object]:
    """Add a hundred music videos, and ask once more."""
    new = [f"new {number:03d}" for number in range(ADDED)]
    one = np.ones((ADDED * SEGMENTS_EACH, 1), dtype=np.float32)
    groups = np.repeat(new, SEGMENTS_EACH)
    features = Features.from_arrays(one, one, ids=[f"{id}-{row}" for row, id in enumerate(groups)], groups=groups)
    begun_s, found = time.perf_counter(), {}
    index.add(Clusters(), features)
    found["add_s"] = time.perf_counter() - begun_s
    similar(ids[0])
    timed("similar_after", similar, ids, found)
    return found


def hits(index: Index, id: str, where: Where | None = None) -> list[str]:
    """What is like a music video."""
    return [hit.id for hit in index.search(Query.from_id(index, id), k=K, where=where)]


def timed(name: str, ask: Callable[[str], list[str]], ids: list[str], found: dict[str, object]) -> list[list[str]]:
    """Ask one after the other, and note the times."""
    took_s, work_s, answers = [], [], []
    for id in ids:
        begun_s, begun_work_s = time.perf_counter(), time.process_time()
        answers.append(ask(id))
        took_s.append(time.perf_counter() - begun_s)
        work_s.append(time.process_time() - begun_work_s)
    for what, times in ((name, took_s), (f"{name}_work", work_s)):
        found[f"{what}_p50_ms"] = 1e3 * float(np.median(times))
        found[f"{what}_p95_ms"] = 1e3 * float(np.quantile(times, 0.95))
    return answers


def show(videos: int, row: dict[str, float]) -> None:
    """Print one size."""
    said = {name: f"{value:,.1f}" for name, value in row.items()}
    recall = f"{row['similar_recall']:.4f}", f"{row['with_genre_recall']:.4f}"
    lines = (
        f"{videos:,} music videos, {row['rows']:,} rows: build {said['build_s']} s (peak {said['build_peak_mb']} MB), "
        f"{said['disk_mb']} MB on disk; first question {said['first_s']} s, then at most {said['read_peak_mb']} MB",
        f"  similar p50 {said['similar_p50_ms']} ms, p95 {said['similar_p95_ms']} ms (processor time "
        f"{said['similar_work_p50_ms']}, {said['similar_work_p95_ms']}), recall@10 {recall[0]}",
        f"  of one genre of 12: p50 {said['with_genre_p50_ms']} ms, recall@10 {recall[1]}; match p50 "
        f"{said['match_p50_ms']} ms; one vector p50 {said['one_vector_p50_ms']} ms",
        f"  add {ADDED} music videos {said['add_s']} s, then similar p50 {said['similar_after_p50_ms']} ms",
    )
    print("\n".join(lines), flush=True)


def main() -> None:
    """Build and ask indexes of each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("videos", type=int, nargs="*", default=[8_000, 30_000, 100_000])
    parser.add_argument("--exact", action="store_true")
    parser.add_argument("--out", type=Path)
    for hidden in ("--step", "--folder"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.exact:
        lists.MIN_ROWS = 10**9
    if given.step:
        timed_build()
        step = build if given.step == "build" else asked_of
        print(json.dumps(step(Workspace(Path(given.folder)), given.videos[0])))
        return
    found: dict[int, dict[str, float]] = {}
    for videos in given.videos:
        with tempfile.TemporaryDirectory() as folder:
            row = found[videos] = {}
            for step in ("build", "ask"):
                command = [sys.executable, __file__, str(videos), "--step", step, "--folder", f"{folder}/work"]
                command += ["--exact"] * given.exact
                row |= json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        show(videos, row)
        if given.out:
            given.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
