"""What a request costs: processor time of the service, by page, on made-up catalogues.

    python benchmarks/service.py [videos …] [--profile REQUEST] [--out FILE]

A real server on the loopback answers one request after the other, each of another music video. Counted is the processor
time of the whole process (all threads, the client with them), the median of
requests; "again" is the same request once more. Default: 200 videos, and 8,000, whose index has 112,000 rows.
"""

import argparse
import cProfile
import json
import os
import platform
import pstats
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote, unquote

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from antiphon.app import atlas
from antiphon.app.application import create_app
from antiphon.app.server import Server
from antiphon.search import Index
from antiphon.workspace import Workspace
from made_up import names, workspace

ASKED = 30
atlas.project = lambda vectors: np.linspace([-1, -1], [1, 1], len(vectors), dtype=np.float32)  # made once, in minutes
REQUESTS: dict[str, Callable[[str, int], str]] = {
    "nothing (health)": lambda id, n: "/api/health",
    "/api/similar": lambda id, n: f"/api/similar?id={id}",
    "  with conditions": lambda id, n: f"/api/similar?id={id}&genre=genre%20{n % 12}&min_year=1990&other_artists=true",
    "  varied": lambda id, n: f"/api/similar?id={id}&diversity=0.4",
    "/api/match": lambda id, n: f"/api/match?id={id}&target=audio",
    "/api/recommend": lambda id, n: f'/api/recommend {{"history":["{unquote(id)}"]}}',
    "/api/items (words)": lambda id, n: f"/api/items?q=title%20{n}",
    "video page": lambda id, n: f"/video/{id}",
    "match page": lambda id, n: f"/match/{id}",
    "gallery": lambda id, n: f"/gallery?seed={n}",
    "map page": lambda id, n: "/map",
    "map.json": lambda id, n: "/map.json",
}


@contextmanager
def serving(place: Workspace, index: Index) -> Generator[tuple[str, int]]:
    """The service, and where it listens."""
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        line.listen(512)
        server = Server(create_app(place, index))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [line]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.02)
        yield line.getsockname()
        server.should_exit = True
        thread.join(30)


class Client:
    """A connection that is kept; little more than a socket, so that it hardly counts."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._line = socket.create_connection(address, timeout=600)
        self._file = self._line.makefile("rb")

    def ask(self, path: str) -> int:
        """Ask by GET, or by POST with what follows a blank; read the whole answer, and return its status."""
        path, _, body = path.partition(" ")
        head = f"{'POST' if body else 'GET'} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {len(body)}\r\n"
        self._line.sendall(f"{head}content-type: application/json\r\n\r\n{body}".encode())
        status, length = int(self._file.readline().split()[1]), 0
        while (line := self._file.readline()) != b"\r\n":
            if line.startswith(b"content-length:"):
                length = int(line[15:])
        self._file.read(length)
        return status


def costs_ms(client: Client, paths: list[str]) -> list[float]:
    """Processor time of each request."""
    took: list[float] = []
    for path in paths:
        begun_s = time.process_time()
        status = client.ask(path)
        took.append(1e3 * (time.process_time() - begun_s))
        if status != 200:
            sys.exit(f"{path}: {status}")
    return took


def measure(videos: int, profiled: str) -> list[dict[str, object]]:
    """Ask everything of a catalogue of so many videos."""
    found: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder:
        place, built = workspace(Path(folder) / "work", videos)
        rows = sum(part["count"] for part in built.stats()["rows"])
        with serving(place, Index.open(place.index)) as address:
            client = Client(address)
            while client.ask("/map.json") == 202:
                time.sleep(0.2)
            asked = [quote(names(videos)[number * 37 % videos], safe="") for number in range(ASKED + 1)]
            for name, path in REQUESTS.items():
                paths = [path(id, number) for number, id in enumerate(asked)]
                first = costs_ms(client, paths[:1])[0]
                took, again = costs_ms(client, paths[1:]), costs_ms(client, paths[1:])
                row: dict[str, object] = {"videos": videos, "rows": rows, "request": name.strip()}
                row |= {"first_ms": first, "median_ms": float(np.median(took)), "again_ms": float(np.median(again))}
                found.append(row)
                print(
                    f"{videos:7,} videos, {rows:9,} rows  {name:20} first {first:8.1f} ms, then "
                    f"{row['median_ms']:7.1f} ms, again {row['again_ms']:7.1f} ms",
                    flush=True,
                )
        if profiled:
            profile(place, [REQUESTS[profiled](id, number) for number, id in enumerate(asked)])
    return found


def profile(place: Workspace, paths: list[str]) -> None:
    """Print where the time goes, in one thread: the routes are called without a server."""
    import asyncio

    app = create_app(place, Index.open(place.index))

    async def ask(path: str) -> None:
        where, _, query = path.partition("?")
        scope = {"type": "http", "method": "GET", "path": unquote(where), "raw_path": where.encode()}
        scope |= {"query_string": query.encode(), "headers": [(b"host", b"localhost")], "http_version": "1.1"}
        scope |= {"scheme": "http", "server": ("localhost", 80), "client": ("127.0.0.1", 1), "root_path": ""}

        async def receive() -> dict[str, object]:
            return {"type": "http.request"}

        async def send(message: dict[str, object]) -> None:
            assert message.get("status", 200) == 200, (path, message)

        await app(scope, receive, send)  # type: ignore[arg-type]

    import anyio.to_thread
    import starlette.concurrency

    async def here(function, *arguments, **_):  # type: ignore[no-untyped-def]
        return function(*arguments)

    anyio.to_thread.run_sync = starlette.concurrency.anyio.to_thread.run_sync = here  # type: ignore[assignment]
    asyncio.run(ask(paths[0]))
    with cProfile.Profile() as found:
        for path in paths:
            asyncio.run(ask(path))
    pstats.Stats(found).sort_stats("tottime").print_stats(40)


def loop_ms() -> float:
    """Processor time of a million additions, which tells how busy the machine is: about 10 ms on an idle one."""
    begun_s = time.process_time()
    sum(range(1_000_000))
    return 1e3 * (time.process_time() - begun_s)


def machine() -> dict[str, str]:
    """What was measured with."""
    cpu = next((line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name")), platform.machine())
    versions = {name: version(name) for name in ("numpy", "pyarrow", "fastapi", "uvicorn")}
    return {"cpu": cpu, "cores": str(os.cpu_count()), "python": platform.python_version(), **versions}


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def main() -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("videos", type=int, nargs="*", default=[200, 8_000])
    parser.add_argument("--profile", default="", choices=["", *REQUESTS])
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    print(f"a loop of a million additions: {loop_ms():.0f} ms", flush=True)
    found = [row for videos in given.videos for row in measure(videos, given.profile)]
    if given.out:
        text = json.dumps({"machine": machine(), "loop_ms": loop_ms(), "requests": found}, indent=1)
        given.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
