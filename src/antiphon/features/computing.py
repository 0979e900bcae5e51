"""Runs the networks on decoded videos: several videos at a time, each on one thread of its own.

A network on one thread needs no barrier between threads, so it is not slowed by the decoders beside it, and its sums
do not depend on the number of cores.
"""

import os
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


def compute_in_threads(
    function: Callable[[Item], Result], items: Iterable[Item], *, threads: int | None = None
) -> Iterator[Result]:
    """Yield `function` of each item, in order; at most `threads` + 1 items are held at a time.

    Parameters
    ----------
    function : runs with torch on a single thread.
    threads : Default: one a core, or 1 where there is a GPU, which serves one network at a time.
    """
    count = threads or (1 if torch.cuda.is_available() else os.cpu_count() or 1)
    with _one_torch_thread_each(), ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        under_way: list[Future[Result]] = []
        for item in items:
            under_way.append(pool.submit(function, item))
            if len(under_way) > count:
                yield under_way.pop(0).result()
        while under_way:
            yield under_way.pop(0).result()


@contextmanager
def _one_torch_thread_each() -> Generator[None]:
    before = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)
