"""What was computed last, so that it is not computed again within a request."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import RLock
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Kept = TypeVar("Kept")


class Recent(Generic[Key, Kept]):
    """Keep what was computed for the keys that were asked for last; several threads may ask.

    Parameters
    ----------
    most : int
        How many keys are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Key, Kept] = OrderedDict()
        self._lock = RLock()

    def get(self, key: Key, compute: Callable[[], Kept]) -> Kept:
        """Return what is kept for a key, or compute it: one thread at a time, so that none repeats another's work."""
        with self._lock:
            if key not in self._kept:
                self._kept[key] = compute()
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
            return self._kept[key]
