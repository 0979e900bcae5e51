"""Networks of transformers run in PyTorch as they are: OpenVINO's graphs are made for our own networks alone."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor

from antiphon.backbones.arithmetic import BFLOAT16, TF32, TORCH
from antiphon.backbones.inference import exact_inference
from antiphon.backbones.runtime import Outputs, Runtime


class EagerRuntime(Runtime[Any]):
    """A function of a network in PyTorch: batches of one shape, each on one thread of a processor."""

    @property
    def arithmetic(self) -> str:
        """Name of the arithmetic; see `antiphon.backbones.arithmetic`."""
        return {"float32": TORCH, "tf32": TF32, "bfloat16": BFLOAT16}[self._precision]

    def _plain(self, batches: Sequence[Tensor]) -> list[Outputs]:
        threads = torch.get_num_threads()
        if threads == 1 or not self._on_processor():
            return [self._exact(batch) for batch in batches]
        try:
            workers = min(threads, len(batches))
            with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
                return list(pool.map(self._exact, batches))
        finally:
            torch.set_num_threads(threads)

    def _exact(self, batch: Tensor) -> Outputs:
        with exact_inference():
            return tuple(self._part(batch))
