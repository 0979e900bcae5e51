"""What a network runs in: OpenVINO on the processor, PyTorch on a GPU and where OpenVINO cannot be used.

All take batches of one fixed shape, filled up with zeros, and a processor computes each on one thread, so that neither
the other rows of a call nor the number of threads can change a row's bits.
"""

import os
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from antiphon.backbones.accelerated import Accelerated
from antiphon.backbones.arithmetic import BFLOAT16, OPENVINO, TF32, TORCH, Precision
from antiphon.cores import usable_cores
from antiphon.errors import ConfigError

SETTINGS: dict[str, Any] = {
    "INFERENCE_PRECISION_HINT": "f32",  # else bfloat16 or float16 where the processor has it
    "NUM_STREAMS": usable_cores(),
    "INFERENCE_NUM_THREADS": usable_cores(),
    "ENABLE_CPU_PINNING": False,  # decoders and other processes need the same cores
}
"""Of OpenVINO: a stream of one thread for each core."""
Network = TypeVar("Network", bound=nn.Module)
Outputs = tuple[Tensor, ...]
_SHAPES = 4
"""Shapes of input for which a network is kept compiled: windows of the same layout share one."""


def use_cores(count: int) -> None:
    """Leave the other cores to other processes. Networks that have run already keep theirs.

    Parameters
    ----------
    count : int
        Number of streams, of one thread each.
    """
    SETTINGS.update(NUM_STREAMS=count, INFERENCE_NUM_THREADS=count)


class Runtime(Generic[Network]):
    """A function of a network, run fast. Weights may change in place: the next call runs with the new ones.

    Parameters
    ----------
    network : Network
        Network in evaluation mode.
    function : callable
        What to compute: (network, float32 tensor) → sequence of tensors. It is traced, so shapes must not decide what
        it does.
    """

    def __init__(self, network: Network, function: Callable[[Network, Tensor], Sequence[Tensor]]) -> None:
        self._part = _Part(network, function)
        self._precision: Precision = "float32"
        self._compiled: dict[tuple[int, ...], _Compiled | Accelerated] = {}
        self._weights: list[tuple[int, int]] = []
        self._finite = True
        self._lock = Lock()

    @property
    def arithmetic(self) -> str:
        """Name of the arithmetic; see `antiphon.backbones.arithmetic`."""
        if self._precision != "float32":
            return TF32 if self._precision == "tf32" else BFLOAT16
        return OPENVINO if self._on_processor() and not _is_forked() and openvino_works() else TORCH

    def __call__(self, rows: Tensor, batch: int) -> Outputs:
        """Compute the outputs of rows.

        Parameters
        ----------
        rows : Tensor, shape (n, ...)
            Inputs on the network's device.
        batch : int
            Rows that the network takes at a time.

        Returns
        -------
        tuple of Tensor
            Outputs, each of n rows.
        """
        if not len(rows):
            return tuple(self._part(rows))
        filled = torch.cat([rows, rows.new_zeros(-len(rows) % batch, *rows.shape[1:])])
        compiled = self._compiled_for((batch, *rows.shape[1:]))
        run = compiled or self._plain
        return tuple(torch.cat(parts)[: len(rows)] for parts in zip(*run(filled.split(batch)), strict=True))

    def set_precision(self, precision: Precision) -> None:
        """Compute in another precision from now on.

        Parameters
        ----------
        precision : {'float32', 'tf32', 'bfloat16'}
            The precision.

        Raises
        ------
        ConfigError
            It is none of these, or needs a GPU.
        """
        if precision not in ("float32", "tf32", "bfloat16"):
            raise ConfigError(f"precision must be 'float32', 'tf32' or 'bfloat16', not {precision!r}.")
        if precision != "float32" and self._on_processor():
            raise ConfigError(
                f"Precision {precision} needs a GPU: on a processor it is slower than float32, and less exact. Leave "
                "it out, or choose device cuda."
            )
        with self._lock:
            self._precision, self._compiled = precision, {}

    def _plain(self, batches: Sequence[Tensor]) -> list[Outputs]:
        """Run batches in PyTorch."""
        return [tuple(self._part(batch)) for batch in batches]

    def _on_processor(self) -> bool:
        return all(values.device.type == "cpu" for values in self._part.parameters())

    def _compiled_for(self, shape: tuple[int, ...]) -> "_Compiled | Accelerated | None":
        """Return the network made fast for a shape; where weights have changed since, they are read again.

        None for exact PyTorch, and where weights are not finite: OpenVINO's ReLU makes 0 of NaN, and what is broken
        would pass for a feature.
        """
        if self.arithmetic == TORCH:
            return None
        with self._lock:
            state = self._part.state_dict(keep_vars=True).values()
            weights = [(values.data_ptr(), _changes(values)) for values in state]
            if weights != self._weights:
                self._compiled, self._weights = {}, weights
                self._finite = all(bool(values.isfinite().all()) for values in state)
            if not self._finite:
                return None
            if shape not in self._compiled:
                while len(self._compiled) >= _SHAPES:
                    del self._compiled[next(iter(self._compiled))]
                exact = self._precision == "float32"
                self._compiled[shape] = (
                    _Compiled(self._part, shape) if exact else Accelerated(self._part, self._precision)
                )
            return self._compiled[shape]


class RunsNetwork:
    """A backbone whose network runs in a `Runtime`, called `_run`."""

    _run: Runtime[Any]
    arithmetic: str

    def set_precision(self, precision: Precision) -> None:
        """Compute in another precision from now on; raises as `Runtime.set_precision`."""
        self._run.set_precision(precision)
        self.arithmetic = self._run.arithmetic


def _changes(values: Tensor) -> int:
    """Count the changes in place; those made for inference alone are not counted, and are not tuned."""
    return 0 if values.is_inference() else values._version


class _Part(nn.Module):
    """The function of a network as a module."""

    def __init__(self, network: Any, function: Callable[[Any, Tensor], Sequence[Tensor]]) -> None:
        super().__init__()
        self.network = network
        self._function = function
        self.eval()

    def forward(self, batch: Tensor) -> Sequence[Tensor]:
        return self._function(self.network, batch)


class _Compiled:
    """A part compiled by OpenVINO for one shape: as many streams as there are cores, each of one thread."""

    def __init__(self, part: nn.Module, shape: tuple[int, ...]) -> None:
        from antiphon.backbones.openvino_graph import converted

        self._model = _core().compile_model(converted(part, shape), "CPU", SETTINGS)
        self._free: SimpleQueue[Any] = SimpleQueue()

    def __call__(self, batches: Sequence[Tensor]) -> list[Outputs]:
        """Run batches, as many at a time as torch has threads here."""
        requests = [self._take() for _ in range(min(torch.get_num_threads(), len(batches)))]
        outputs: list[Outputs] = []
        try:
            for first in range(0, len(batches), len(requests)):
                under_way = list(zip(requests, batches[first : first + len(requests)], strict=False))
                for request, batch in under_way:
                    request.start_async([batch.contiguous().numpy()])
                for request, _ in under_way:
                    request.wait()
                    outputs.append(tuple(torch.from_numpy(found.data.copy()) for found in request.output_tensors))
        finally:
            for request in requests:
                request.wait()
                self._free.put(request)
        return outputs

    def _take(self) -> Any:
        try:
            return self._free.get_nowait()
        except Empty:
            return self._model.create_infer_request()


_PROCESS = os.getpid()


def _is_forked() -> bool:
    """Return whether this process was forked: OpenVINO's threads do not come along, and waiting for them never ends."""
    return os.getpid() != _PROCESS


@cache
def _core() -> Any:
    from antiphon.backbones.openvino_import import openvino

    return openvino.Core()


@cache
def openvino_works() -> bool:
    """Return whether OpenVINO can be used here; where not, warn once.

    Returns
    -------
    bool
        True if a small network runs in it.
    """
    reason = "it computes wrong values"
    try:
        relu = _Compiled(_Part(nn.ReLU(), lambda network, rows: [network(rows)]), (1, 2))
        works = relu([torch.tensor([[-1.0, 1.0]])])[0][0].tolist() == [[0.0, 1.0]]
    except Exception as error:  # noqa: BLE001 - whatever a native library raises on a processor that it does not know
        works, reason = False, f"{type(error).__name__}: {error}"
    if not works:
        warnings.warn(
            f"OpenVINO cannot be used here ({reason}), so networks run in PyTorch, about half as fast, with nearly the "
            "same values. Install it with: pip install openvino",
            UserWarning,
            stacklevel=2,
        )
    return works
