"""Errors that FFmpeg logs while it reads and decodes: it conceals damage, but reports it.

FFmpeg has one log for the whole process. PyAV hands each thread the messages of its own calls, and decoders run on one
thread here, so that what is heard belongs to the packet at hand, whatever other threads decode.
"""

import logging
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeVar

import av.logging

Result = TypeVar("Result")

# After seeking to a key frame that is not the first, frames from before it are missed for the books alone.
_HARMLESS = ("mmco: unref short failure",)
# Said of damaged MP3 in passing, as information.
_TELLTALE = ("overread",)


@contextmanager
def listening() -> Generator[None]:
    """Make PyAV pass on what FFmpeg says in the block, which it drops otherwise.

    Yields
    ------
    None
    """
    _log_level.add()
    try:
        yield
    finally:
        _log_level.remove()


def heard(call: Callable[[], Result]) -> tuple[Result, bool]:
    """Call FFmpeg, and note whether it complains; it can only be heard within `listening`.

    Parameters
    ----------
    call : callable
        Reads or decodes a packet.

    Returns
    -------
    result : Result
        What it returned.
    complained : bool
        Whether FFmpeg reported an error that did not stop it.
    """
    with av.logging.Capture() as messages:
        result = call()
    return result, bool(messages) and any(_is_complaint(level, text) for level, _, text in messages)


class _LogLevel:
    """Level of PyAV's log, raised while any thread listens and then left as it was."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners = 0
        self._before: tuple[int | None, bool] = (None, True)
        # Without a handler Python would print what other threads hear meanwhile.
        logging.getLogger("libav").addHandler(logging.NullHandler())

    def add(self) -> None:
        with self._lock:
            self._listeners += 1
            if self._listeners == 1:
                self._before = (av.logging.get_level(), av.logging.get_skip_repeated())
                av.logging.set_level(max(self._before[0] or 0, av.logging.INFO))
                # Of equal messages in a row only the first would come, whichever thread it was said in.
                av.logging.set_skip_repeated(False)

    def remove(self) -> None:
        with self._lock:
            self._listeners -= 1
            if self._listeners == 0:
                av.logging.set_level(self._before[0])
                av.logging.set_skip_repeated(self._before[1])


_log_level = _LogLevel()


def _is_complaint(level: int, text: str) -> bool:
    if level > av.logging.ERROR:
        return any(words in text for words in _TELLTALE)
    return not any(words in text for words in _HARMLESS)
