"""Which arithmetic made a feature, and which ones may stand side by side.

What is promised: the same runtime of the same version on the same processor gives the same bits, whatever the size of a
batch and the number of threads. Other runtimes, versions and processors add the terms of a sum in another order, and
give nearly the same values: arithmetics are compatible where features of real files differ by no more than the
tolerances here (`tests/backbones/test_runtime.py`; `benchmarks/networks.py` prints what was measured).

On a GPU a precision below float32 can be asked for by name. It keeps no such tolerance, so its features stand in a
store of their own (`benchmarks/gpu.py` prints how far they are). They promise no bits: a network is compiled once that
pays (`antiphon.backbones.accelerated`), and then rounds in other places.
"""

from typing import Literal

Precision = Literal["float32", "tf32", "bfloat16"]
"""Precision of a network: "float32" is exact; "tf32" (products of 10 bits) and "bfloat16" (7 bits) are of GPUs."""

TORCH = "torch float32"
"""PyTorch in float32: the fallback, GPUs, plug-ins, and features of versions that recorded no arithmetic."""
OPENVINO = "openvino float32"
"""OpenVINO in float32 on the processor."""
TF32 = "torch tf32"
"""PyTorch on tensor cores of a GPU, with products of float32 rounded to 10 bits."""
BFLOAT16 = "torch bfloat16"
"""PyTorch in bfloat16 on a GPU."""

MAX_DIFFERENCE = 1e-5
"""Largest difference of a value, relative to the largest value of its feature."""
MIN_COSINE = 1 - 1e-7
"""Least cosine, in float64, between a feature and the same by another compatible arithmetic."""

WHY_COMPATIBLE = f"These are compatible: features of the same window have a cosine of at least {MIN_COSINE:.7f}."

_COMPATIBLE = frozenset({TORCH, OPENVINO})


def compatible(one: str, other: str) -> bool:
    """Return whether features of two arithmetics may be mixed, because they differ by no more than the tolerances.

    Parameters
    ----------
    one, other : str
        Names of arithmetics.

    Returns
    -------
    bool
        True for the same name, and for two that were measured to be as close.
    """
    return one == other or {one, other} <= _COMPATIBLE
