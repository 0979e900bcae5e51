"""How long it takes from dropping a file on a page to its first answers, as a browser sees it.

    python benchmarks/first_answer.py WORKSPACE FILE [--repeats 3]

Starts the service of a workspace with an index, sends the file as the page does, follows it to its page, and waits
until that shows answers: without a browser, and asking as often as the pages' script does. "cold" is the first file
after the service was started, "ready" the first after its networks were loaded (as `antiphon serve` does before
anybody asks), "again" another one. The aim is 5 s for 30 s of film on two idle cores.
"""

import argparse
import os
import socket
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx

from antiphon.app.application import create_app
from antiphon.app.server import Server
from antiphon.app.state import State
from antiphon.media.probing import probe_media
from antiphon.search import Index
from antiphon.workspace import Workspace

_ASKS_EVERY_S = 0.4
_AIM_S = 5.0


@contextmanager
def serving(place: Workspace) -> Generator[tuple[str, State]]:
    """The service's address, and its state."""
    index = Index.open(place.index)
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        line.listen()
        app = create_app(place, index, index.origin.run)
        server = Server(app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [line]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{line.getsockname()[1]}", app.state.antiphon
        server.should_exit = True
        thread.join(30)


def first_answer_s(client: httpx.Client, file: Path) -> float:
    """Seconds from sending a file until its page shows answers."""
    content = file.read_bytes()
    begun_s = time.perf_counter()
    sent = client.post("/find/file", files={"file": (file.name, content)}, headers={"accept": "application/json"})
    sent.raise_for_status()
    place = sent.json()["page"]
    while True:
        page = client.get(place)
        if page.status_code != 200:
            sys.exit(f"{file}: {page.status_code}")
        if 'id="matches"' in page.text:
            return time.perf_counter() - begun_s
        while client.get(f"{place}/progress").status_code == 200:
            time.sleep(_ASKS_EVERY_S)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    info = probe_media(given.file)
    begun_s = time.process_time()
    sum(range(1_000_000))
    print(f"{given.file.name}: {info.duration_s:.1f} s, {given.file.stat().st_size / 1e6:.1f} MB")
    loop_ms = 1e3 * (time.process_time() - begun_s)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(f"{os.cpu_count()} cores, load {load:.1f} (idle: below 0.5), a million additions take {loop_ms:.0f} ms")
    for ready in (False, True):
        with (
            serving(Workspace(given.workspace)) as (address, here),
            httpx.Client(base_url=address, timeout=300) as client,
        ):
            if ready:
                begun_s = time.perf_counter()
                here.warm_up()
                print(f"loading the networks takes {time.perf_counter() - begun_s:.1f} s")
            for number in range(given.repeats + 1 if ready else 1):
                took_s = first_answer_s(client, given.file)
                name = "again" if number else "ready" if ready else "cold"
                print(
                    f"{name:6} {took_s:6.2f} s{'' if took_s <= _AIM_S else f', above the aim of {_AIM_S:g} s'}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
