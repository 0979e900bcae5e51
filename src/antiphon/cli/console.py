"""Console output for encodings other than UTF-8, and for pipes and files."""

import codecs
import io
import json
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, TextIO

from rich.console import Console

_PLAIN = {
    "\N{RIGHTWARDS ARROW}": "->",
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{MINUS SIGN}": "-",
    "\N{MULTIPLICATION SIGN}": "x",
    "\N{HORIZONTAL ELLIPSIS}": "...",
    "\N{MIDDLE DOT}": "-",
    "\N{LEFT DOUBLE QUOTATION MARK}": '"',
    "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
}
_EVERY_S = 10.0


def degrade_gracefully(*streams: TextIO) -> None:
    """Make streams write characters outside their encoding as ASCII look-alikes or "?", instead of failing.

    Parameters
    ----------
    streams : TextIO
        Streams to change.
    """
    codecs.register_error("antiphon-plain", _as_plain)
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="antiphon-plain")


def json_text(data: Any, stream: TextIO) -> str:
    """Format a JSON document for a stream: text as it is in UTF-8, with escapes in any other encoding.

    Parameters
    ----------
    data : dict, list, str, int, float, bool or None
        What to format.
    stream : TextIO
        Where it will be written.

    Returns
    -------
    str
        The document, with a newline at its end.
    """
    return json.dumps(data, indent=2, ensure_ascii=not _is_utf8(stream)) + "\n"


def _is_utf8(stream: TextIO) -> bool:
    try:
        return codecs.lookup(stream.encoding or "ascii").name == "utf-8"
    except LookupError:
        return False


def _as_plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_PLAIN.get(letter, "?") for letter in error.object[error.start : error.end]), error.end


class PipedConsole(Console):
    """Console that raises `BrokenPipeError` when its pipe is closed, where rich exits."""

    def on_broken_pipe(self) -> None:
        """Raise `BrokenPipeError`."""
        raise BrokenPipeError


class Heartbeat:
    """Periodic progress lines, for output that is not a terminal.

    Parameters
    ----------
    console : Console
        Where to print.
    label : str
        Name of the task.
    every_s : float
        Seconds between two lines.
    """

    def __init__(self, console: Console, label: str, every_s: float = _EVERY_S) -> None:
        self._console, self._label, self._every_s = console, label, every_s
        self._state = ""
        self._started_s = self._said_s = time.monotonic()
        self._ended = threading.Event()

    @contextmanager
    def beating(self) -> Generator[None]:
        """Print a line every `every_s` seconds within the block, and one at its end if it took longer."""
        thread = threading.Thread(target=self._beat, name="progress", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()
            if time.monotonic() - self._started_s > self._every_s:
                self._say()

    def report(self, done: int, total: int, note: str = "") -> None:
        """Update the state that the next line shows.

        Parameters
        ----------
        done : int
            Finished items.
        total : int
            All items.
        note : str
            Short remark.
        """
        self._state = f"{done} of {total}{f' ({note})' if note else ''}"

    def _beat(self) -> None:
        while not self._ended.wait(self._every_s):
            self._say()

    def _say(self) -> None:
        elapsed_s = round(time.monotonic() - self._started_s)
        clock = f"{elapsed_s // 60}:{elapsed_s % 60:02d}"
        parts = filter(None, (self._state, clock))
        self._console.print(f"{self._label}: {', '.join(parts)}", markup=False, soft_wrap=True)
