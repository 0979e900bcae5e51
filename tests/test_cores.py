"""Cores that a process may use: bound to some, or with a share of them in a container."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from antiphon import cores
from antiphon.cores import limited_threads, prepare_threads, usable_cores
from antiphon.dual_encoder import DualEncoder
from antiphon.features import Features
from antiphon.model.recipe import load_recipe

THERE = 8


@pytest.fixture(autouse=True)
def eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight cores, to all of which the process is bound."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(THERE)), raising=False)
    for name in ("OMP", "OPENBLAS", "MKL"):
        monkeypatch.delenv(f"{name}_NUM_THREADS", raising=False)


def write(root: Path, files: dict[str, str]) -> Path:
    """Write files below a root."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, THERE),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, THERE),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "200000 100000\n"}, 2),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "150000 100000\n"}, 2),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "5000 100000\n"}, 1),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "6400000 100000\n"}, THERE),
        # The limit is on a group above, as systemd's slices have it.
        (
            {
                "proc/self/cgroup": "0::/limited.slice/a.service\n",
                "sys/fs/cgroup/limited.slice/cpu.max": "300000 100000\n",
                "sys/fs/cgroup/limited.slice/a.service/cpu.max": "max 100000\n",
            },
            3,
        ),
        # Version 1, whose group is told by the path of the host, which the container does not see.
        (
            {
                "proc/self/cgroup": "12:memory:/docker/1\n4:cpu,cpuacct:/docker/1\n0::/\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "400000\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            4,
        ),
        (
            {
                "proc/self/cgroup": "4:cpu:/\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            THERE,
        ),
        # Another controller's group says nothing about the processor.
        ({"proc/self/cgroup": "4:cpuset:/\n", "sys/fs/cgroup/cpu/cpu.max": "100000 100000\n"}, THERE),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "no number\n"}, THERE),
    ],
)
def test_a_share_of_the_processor_counts(tmp_path: Path, files: dict[str, str], cores: int) -> None:
    assert usable_cores(write(tmp_path, files)) == cores


def test_a_limited_process_has_no_more_threads_than_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limited = write(tmp_path, {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "200000 100000\n"})
    monkeypatch.setattr(os, "environ", {})
    prepare_threads(limited)
    assert os.environ["OMP_NUM_THREADS"] == os.environ["MKL_NUM_THREADS"] == "2"
    monkeypatch.setattr(os, "environ", {"OMP_NUM_THREADS": "3"})
    prepare_threads(limited)
    assert os.environ["OMP_NUM_THREADS"] == os.environ["MKL_NUM_THREADS"] == "3"


def test_threads_do_not_spin_while_they_wait_unless_the_user_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", {"OPENBLAS_NUM_THREADS": "4"})
    prepare_threads(tmp_path)
    assert os.environ == {"OMP_WAIT_POLICY": "PASSIVE", "OPENBLAS_NUM_THREADS": "4"}


def test_where_nothing_is_limited_libraries_decide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {})
    prepare_threads(tmp_path)
    assert "OMP_NUM_THREADS" not in os.environ and "MKL_NUM_THREADS" not in os.environ


def test_the_command_limits_threads_before_it_loads_arithmetic() -> None:
    """Libraries read their number of threads when they are loaded."""
    done = subprocess.run(
        [sys.executable, "-c", "import antiphon.cli.app, sys; print('numpy' in sys.modules, 'torch' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["False", "False"]


def threads() -> dict[str, set[int]]:
    """Threads of the libraries that are loaded, by what they are."""
    found = threadpool_info()
    return {
        kind: {one["num_threads"] for one in found if one["internal_api"] == kind} for kind in ("openmp", "openblas")
    }


def test_libraries_that_are_loaded_use_no_more_threads_than_cores(tmp_path: Path) -> None:
    limited = write(tmp_path, {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "200000 100000\n"})
    with threadpool_limits(3):
        if threads() != {"openmp": {3}, "openblas": {3}}:
            pytest.skip("needs OpenMP and OpenBLAS with several threads")
        with limited_threads(limited):
            assert threads() == {"openmp": {2}, "openblas": {1}}
        assert threads() == {"openmp": {3}, "openblas": {3}}
    with threadpool_limits(1), limited_threads(limited):
        assert threads() == {"openmp": {1}, "openblas": {1}}


def test_a_training_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "usable_cores", lambda *_: 2)
    random = np.random.default_rng(0)
    features = Features.from_arrays(audio=random.normal(size=(40, 4)), video=random.normal(size=(40, 4)))
    recipe = load_recipe("antiphon-base")
    training = recipe.training.model_copy(update={"epochs": 1, "min_steps": 0})
    seen: list[dict[str, set[int]]] = []
    with threadpool_limits(3):
        before = threads()
        model = DualEncoder(recipe.model_copy(update={"training": training}), device="cpu")
        model.fit(features, progress=lambda *_: seen.append(threads()))
        assert threads() == before
    assert all(most <= 2 for told in seen for most in told["openmp"])
    assert all(most == 1 for told in seen for most in told["openblas"])
    assert seen


def test_the_command_prepares_threads() -> None:
    code = (
        "import os\nfrom antiphon.cli import main\n"
        "try:\n    main(['backbones', 'list', '--json'])\nfinally:\n    print(os.environ['OMP_WAIT_POLICY'])"
    )
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert done.stdout.splitlines()[-1:] == ["PASSIVE"], done.stderr


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system binds no process to cores")
def test_a_process_that_is_bound_to_a_core_uses_one() -> None:
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); "
        "from antiphon.cores import usable_cores; print(usable_cores())"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "1\n"
