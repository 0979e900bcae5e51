"""Reads windows of kept segments, a batch ahead of their use; files that cannot be read are left out and named."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from antiphon.errors import DecodeError
from antiphon.training.windows import KeptRow

Result = TypeVar("Result")


class WindowReader:
    """Reads rows in a pool of threads.

    Attributes
    ----------
    damaged : of each segment whose file could not be read, why. It is not tried again.
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
        """`function` of the rows of each part, with their places, computed while the part before is in use.

        Parameters
        ----------
        parts : places in `rows`. A row that cannot be read is missing from what is given for its part.
        function : reads a row; raises DecodeError where its file is damaged.
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
            except DecodeError as error:
                self.damaged[rows[place].segment_id] = str(error)
            else:
                yield place, result
