"""A few things that are costly to make, kept until there are too many."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """Things by key; the one that was asked for longest ago goes first. Thread-safe.

    Parameters
    ----------
    max_things : int
        How many are kept.
    """

    def __init__(self, max_things: int) -> None:
        self._max_things = max_things
        self._things: OrderedDict[Hashable, T] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], tuple[T, bool]]) -> T:
        """Return a thing, made if it is not there.

        Parameters
        ----------
        key : hashable
            What it is.
        make : callable
            Makes it, and says whether it may be kept. Not held up by others that make something meanwhile.

        Returns
        -------
        object
            The thing.
        """
        with self._lock:
            if key in self._things:
                self._things.move_to_end(key)
                return self._things[key]
        made, may_be_kept = make()
        if may_be_kept:
            with self._lock:
                self._things[key] = made
                while len(self._things) > self._max_things:
                    self._things.popitem(last=False)
        return made

    def clear(self) -> None:
        """Keep nothing of what is there."""
        with self._lock:
            self._things.clear()

    def __len__(self) -> int:
        return len(self._things)
