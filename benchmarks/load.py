"""The service under load: mixed requests at a steady rate, on two cores.

    python benchmarks/load.py [--seconds 300] [--rate 200] [--videos 200] [--workers 2] [--out FILE]

`antiphon serve` runs beside this process, limited to two cores where the system can do that. Requests begin at their
time whether or not others are answered, over connections that are kept: waiting counts. Printed are answers by
status, the times from when a request was due to the end of its answer, and the memory and processor time of all
processes of the service.
"""

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import psutil

from made_up import names, workspace
from service import Client, machine

MIXED = {  # share of the requests, and the address for an id and a number
    "/api/similar": (25, lambda id, n: f"/api/similar?id={id}"),
    "/api/similar, conditions": (10, lambda id, n: f"/api/similar?id={id}&genre=genre%20{n % 12}&min_year=1990"),
    "/api/match": (20, lambda id, n: f"/api/match?id={id}&target=audio"),
    "/api/items (words)": (20, lambda id, n: f"/api/items?q=title%20{n % 100}"),
    "video page": (10, lambda id, n: f"/video/{id}"),
    "gallery": (5, lambda id, n: f"/gallery?seed={n % 100}"),
    "map page": (5, lambda id, n: "/map"),
    "map.json": (5, lambda id, n: "/map.json"),
}


@contextmanager
def served(folder: Path, workers: int) -> Generator[tuple[tuple[str, int], psutil.Process]]:
    """Serve a workspace; its address, and the first process of the service."""
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        address = line.getsockname()
    command = [sys.executable, "-m", "antiphon", "--workspace", str(folder), "serve", "--read-only"]
    service = psutil.Popen([*command, "--workers", str(workers), "--port", str(address[1])], stdout=subprocess.DEVNULL)
    if hasattr(os, "sched_setaffinity"):
        service.cpu_affinity(sorted(os.sched_getaffinity(0))[:2])
    try:
        while not answers(address):
            if service.poll() is not None:
                raise SystemExit("the service does not start")
            time.sleep(0.2)
        yield address, service
    finally:
        service.terminate()
        service.wait(30)


def answers(address: tuple[str, int]) -> bool:
    """Whether a service answers, and its map is laid out."""
    try:
        return Client(address).ask("/map.json") == 200
    except ConnectionError:
        return False


def used(service: psutil.Process) -> tuple[float, float]:
    """Memory that the processes of the service hold now, in MB, and the processor seconds they have used."""
    processes = [service, *service.children(recursive=True)]
    times = [one.cpu_times() for one in processes]
    return sum(one.memory_info().rss for one in processes) / 1024**2, sum(one.user + one.system for one in times)


async def fetch(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> int:
    """Ask over a connection that is kept, and read the whole answer."""
    writer.write(f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = next(int(one[15:]) for one in head.split(b"\r\n") if one.startswith(b"content-length:"))
    await reader.readexactly(length)
    return int(head.split()[1])


async def load(address: tuple[str, int], videos: int, seconds: float, rate: float) -> list[tuple[str, float, str]]:
    """Begin requests at their times; return of each what it was, how long it took, and its status or error."""
    free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    kinds = np.random.default_rng(0).choice(
        list(MIXED), size=int(seconds * rate), p=np.array([share for share, _ in MIXED.values()]) / 100
    )
    ids = [quote(id, safe="") for id in names(videos)]
    found: list[tuple[str, float, str]] = []

    async def one(kind: str, path: str, due_s: float) -> None:
        try:
            while True:
                is_kept = bool(free)
                line = free.pop() if is_kept else await asyncio.open_connection(*address)
                try:
                    status = str(await asyncio.wait_for(fetch(*line, path), 30))
                except (ConnectionError, asyncio.IncompleteReadError) as error:
                    # A connection that was kept too long has been closed: any client then opens another one.
                    if is_kept and not getattr(error, "partial", b""):
                        continue
                    raise
                free.append(line)
                break
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            status = type(error).__name__
        found.append((kind, time.perf_counter() - due_s, status))

    begun_s = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number, kind in enumerate(kinds.tolist()):
            due_s = begun_s + number / rate
            await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
            group.create_task(one(kind, MIXED[kind][1](ids[number * 37 % videos], number), due_s))
    for _, writer in free:
        writer.close()
    return found


def times_ms(found: list[tuple[str, float, str]]) -> dict[str, float]:
    """Median, last twentieth and last hundredth."""
    took = [1e3 * took_s for _, took_s, _ in found]
    shares = {f"p{share}_ms": float(np.quantile(took, share / 100)) for share in (50, 95, 99)}
    return {"requests": len(took), **shares}


def measure(videos: int, seconds: float, rate: float, workers: int) -> dict[str, object]:
    """Load a service."""
    with tempfile.TemporaryDirectory() as folder:
        workspace(Path(folder) / "work", videos)
        with served(Path(folder) / "work", workers) as (address, service):
            asyncio.run(load(address, videos, 100 / rate, rate))  # what is read once
            begun_s = time.perf_counter()
            start_mb, used_s = used(service)
            found = asyncio.run(load(address, videos, seconds, rate))
            took_s = time.perf_counter() - begun_s
            end_mb, end_s = used(service)
    answers = {status: sum(one == status for *_, one in found) for status in sorted({one for *_, one in found})}
    return {
        "videos": videos,
        "workers": workers,
        "seconds": took_s,
        "rate_per_s": len(found) / took_s,
        "answers": answers,
        "all": times_ms(found),
        "by_request": {kind: times_ms([one for one in found if one[0] == kind]) for kind in MIXED},
        "resident_mb": {"start": start_mb, "end": end_mb},
        "processor_ms_a_request": 1e3 * (end_s - used_s) / len(found),
        "load_average": os.getloadavg()[0],
    }


def main() -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--videos", type=int, default=200)
    parser.add_argument("--workers", type=int, default=1, help="processes of the service")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    found = measure(given.videos, given.seconds, given.rate, given.workers)
    for name, row in {"all": found["all"], **found["by_request"]}.items():  # type: ignore[dict-item]
        times = ", ".join(f"p{share} {row[f'p{share}_ms']:7.1f} ms" for share in (50, 95, 99))
        print(f"{name:26} {row['requests']:7,} requests, {times}")
    shown = (
        "videos",
        "workers",
        "seconds",
        "rate_per_s",
        "answers",
        "resident_mb",
        "processor_ms_a_request",
        "load_average",
    )
    print(json.dumps({name: found[name] for name in shown}))
    if given.out:
        text = json.dumps({"machine": machine(), "load": found}, indent=1)
        given.out.write_text(text + "\n", encoding="utf-8")
    sys.exit(set(found["answers"]) != {"200"})  # type: ignore[call-overload]


if __name__ == "__main__":
    main()
