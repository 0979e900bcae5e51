"""A server on loopback that sends parts of files, counts what it sends, and fails on request."""

import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit


@dataclass
class Served:
    """A running server.

    Attributes
    ----------
    folder : Path
        What it serves.
    url : str
        Its address, without a slash at the end.
    sent : int
        Bytes of files sent so far.
    ranges : list of (int, int)
        First byte and length of each part sent.
    fails : dict of str to str
        What happens to requests for a file, by its name: "403", "404", "500", "reset", "half", "hang", "whole" (ranges
        are ignored), "no ranges" (and it says so), or "unsized".
    healthy : int
        How many requests for parts of a file that fails are answered well before.
    broken : int, optional
        How many of them fail after that. Default: all.
    asked : list of str
        What was asked for, with queries.
    """

    folder: Path
    url: str = ""
    sent: int = 0
    ranges: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    fails: dict[str, str] = field(default_factory=dict[str, str])
    healthy: int = 0
    broken: int | None = None
    asked: list[str] = field(default_factory=list[str])
    closing: threading.Event = field(default_factory=threading.Event)

    def forget(self) -> None:
        """Count from zero."""
        self.sent, self.ranges, self.asked = 0, [], []


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    served: Served

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        served = self.served
        served.asked.append(self.path)
        name = unquote(urlsplit(self.path).path).lstrip("/")
        path = served.folder / name
        fault = served.fails.get(name, "")
        if fault in ("reset", "half", "hang", "500") and served.healthy > 0:
            served.healthy -= body
            fault = ""
        elif served.broken is not None and fault and body:
            fault, served.broken = fault if served.broken else "", max(0, served.broken - 1)
        if fault == "hang":
            served.closing.wait(30)
        if fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
            return
        if fault.isdigit() or not path.is_file():
            self.send_response(int(fault) if fault.isdigit() else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self._send(path.read_bytes(), path, fault, body=body)

    def _send(self, content: bytes, path: Path, fault: str, *, body: bool) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        first, end = (int(asked[1]), min(int(asked[2]) + 1, len(content))) if asked else (0, len(content))
        if fault in ("whole", "no ranges"):
            asked, first, end = None, 0, len(content)
        self.send_response(206 if asked else 200)
        if fault == "unsized":
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(end - first))
        self.send_header("Last-Modified", formatdate(path.stat().st_mtime, usegmt=True))
        self.send_header("Accept-Ranges", "none" if fault == "no ranges" else "bytes")
        if asked:
            self.send_header("Content-Range", f"bytes {first}-{end - 1}/{len(content)}")
        self.end_headers()
        if not body:
            return
        part = content[first:end]
        if fault == "half":
            part, self.close_connection = part[: len(part) // 2], True
        self._count(first, part, fault)

    def _count(self, first: int, part: bytes, fault: str) -> None:
        served = self.served
        served.ranges.append((first, len(part)))
        for start in range(0, len(part), 1 << 14):
            piece = part[start : start + (1 << 14)]
            try:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if fault == "unsized" else piece)
            except OSError:  # Who asked has heard enough.
                self.close_connection = True
                return
            served.sent += len(piece)
        if fault == "unsized":
            self.wfile.write(b"0\r\n\r\n")


@contextmanager
def range_server(folder: Path) -> Iterator[Served]:
    """Serve a folder on a free port of loopback."""
    served = Served(folder)
    handler = type("Handler", (_Handler,), {"served": served})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    served.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        served.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
