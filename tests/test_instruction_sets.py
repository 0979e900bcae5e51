"""What is marked `numeric`, again, as older and newer processors compute it.

Each set of instructions adds the terms of a sum in another order. A library chooses its own when it is loaded, so the
tests run in a process of their own.
"""

import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

TESTS = Path(__file__).parent
X86 = platform.machine().lower() in ("x86_64", "amd64")
# Of numpy's, which names them from version to version in other ways, those beyond a set are disabled.
BEYOND = {
    "SSE": lambda name: True,
    "AVX2": lambda name: name.startswith(("AVX512", "X86_V4")),
    "AVX-512": lambda name: False,
}
SETTINGS = {
    "SSE": {
        "ATEN_CPU_CAPABILITY": "default",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
        "OPENBLAS_CORETYPE": "Nehalem",
    },
    "AVX2": {
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "OPENBLAS_CORETYPE": "Haswell",
    },
    "AVX-512": {
        "ATEN_CPU_CAPABILITY": "avx512",
        "ONEDNN_MAX_CPU_ISA": "AVX512_CORE",
        "MKL_ENABLE_INSTRUCTIONS": "AVX512",
        "OPENBLAS_CORETYPE": "SkylakeX",
    },
}
NEEDED = {"SSE": (), "AVX2": ("AVX2", "X86_V3"), "AVX-512": ("AVX512F", "X86_V4")}
"""One of these numpy must have found."""


def found() -> list[str]:
    """The instructions of this processor that numpy makes use of."""
    return np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])


def has(name: str) -> bool:
    """Whether this processor has a set of instructions."""
    return not NEEDED[name] or bool(set(NEEDED[name]) & set(found()))


@pytest.mark.skipif(not X86, reason="the sets are those of x86 processors")
@pytest.mark.parametrize("name", SETTINGS)
def test_numbers_and_orders_hold(name: str, tmp_path: Path) -> None:
    if not has(name):
        pytest.skip(f"this processor has no {name}")
    if not any(has(newer) for newer in list(SETTINGS)[list(SETTINGS).index(name) + 1 :]):
        pytest.skip(f"{name} is what all other tests run with here")
    files = [str(path) for path in sorted(TESTS.rglob("test_*.py")) if "mark.numeric" in path.read_text("utf-8")]
    assert len(files) > 20
    others = ("OPENBLAS_", "PYTEST_", "COV_")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(others)}
    environment |= SETTINGS[name] | {"OMP_NUM_THREADS": "1"}
    if disabled := " ".join(filter(BEYOND[name], found())):
        environment["NPY_DISABLE_CPU_FEATURES"] = disabled
    # Both musicnn networks have the same layers: one of them tells.
    options = ["-q", "-m", "numeric", "-k", "not msd", "-p", "no:cacheprovider", "--basetemp", str(tmp_path / "base")]
    command = [sys.executable, "-m", "pytest", *options, *files]
    done = subprocess.run(
        command, cwd=TESTS.parent, env=environment, capture_output=True, text=True, timeout=3000, check=False
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]


@pytest.mark.numeric
def test_the_process_computes_as_it_was_told() -> None:
    told = os.environ.get("ATEN_CPU_CAPABILITY")
    if told is not None:
        assert torch.backends.cpu.get_cpu_capability().lower() == told
    disabled = os.environ.get("NPY_DISABLE_CPU_FEATURES", "").split()
    assert not set(disabled) & set(found())
