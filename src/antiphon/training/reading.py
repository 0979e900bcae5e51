"""Prefetching of windows of kept segments; unreadable files are skipped and listed."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from antiphon.errors import AntiphonError
from antiphon.training.windows import KeptRow
from antiphon.workers.limits import JobError, ends_run
from antiphon.workers.reasons import reason

Result = TypeVar("Result")


class WindowReader:
    """Reader of windows in a pool of threads.

    Parameters
    ----------
    pool : ThreadPoolExecutor
        Threads to read in.

    Attributes
    ----------
    damaged : dict of str to str
        Reason for each segment whose file could not be read. It is not tried again.
    """

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool
        self.damaged: dict[str, str] = {}

    def read(
        self,
        rows: Sequence[KeptRow],
        parts: Iterable[npt.NDArray[np.int64]],
        function: Callable[[KeptRow], Result],
    ) -> Iterator[list[tuple[int, Result]]]:
        """Apply a function to the rows of each part, computing one part ahead.

        Parameters
        ----------
        rows : sequence of KeptRow
            Kept segments.
        parts : iterable of ndarray of int64
            Positions in `rows`, part by part.
        function : callable
            Reads a row; whatever it raises is the fault of its file, unless nothing can be opened any more.

        Yields
        ------
        list of (int, Result)
            Positions and results of a part, without the rows that cannot be read.
        """
        under_way: deque[list[tuple[int, Future[Result]]]] = deque()
        for part in parts:
            readable = [place for place in map(int, part) if rows[place].segment_id not in self.damaged]
            under_way.append([(place, self._pool.submit(function, rows[place])) for place in readable])
            if len(under_way) > 1:
                yield list(self._finished(rows, under_way.popleft()))
        while under_way:
            yield list(self._finished(rows, under_way.popleft()))

    def _finished(
        self, rows: Sequence[KeptRow], part: Sequence[tuple[int, Future[Result]]]
    ) -> Iterator[tuple[int, Result]]:
        for place, future in part:
            try:
                result = future.result()
            except Exception as error:
                if ends_run(error) or isinstance(error, MemoryError):
                    raise
                known = isinstance(error, AntiphonError)
                self.damaged[rows[place].segment_id] = reason(rows[place].path, error if known else JobError.of(error))
            else:
                yield place, result
