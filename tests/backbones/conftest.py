"""What the tests of backbones share."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from antiphon import backbones
from antiphon.backbones.efficientnet import EfficientNet
from antiphon.backbones.musicnn import Musicnn

REFERENCE = Path(__file__).parents[3] / "shared" / "data" / "musicnn" / "vibe_ace.npz"


@pytest.fixture(autouse=True, scope="package")
def one_thread() -> Iterator[None]:
    """Threads that wait for each other are slower than one where other processes want the cores too."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def assert_close(found: np.ndarray, expected: np.ndarray, share: float = 2e-5) -> None:
    """Nothing differs by more than a share of the largest value, as float32 sums in another order do.

    Small values are differences of large ones, so their own size says nothing. The networks here differ by up to 8e-6
    between instruction sets; another layer order, epsilon or padding makes some 1e-2.
    """
    np.testing.assert_allclose(found, expected, rtol=0, atol=share * float(np.abs(expected).max()))


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("ANTIPHON_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def reference() -> dict[str, np.ndarray]:
    """Outputs of the TensorFlow original for nine seconds of music."""
    if not REFERENCE.exists():
        pytest.skip("the stored outputs of the TensorFlow original are not beside this checkout")
    with np.load(REFERENCE) as stored:
        return dict(stored)


@pytest.fixture(scope="session", params=["mtt", "msd"])
def musicnn(request: pytest.FixtureRequest) -> Musicnn:
    loaded = backbones.load(f"musicnn-{request.param}")
    assert isinstance(loaded, Musicnn)
    return loaded


@pytest.fixture(scope="session")
def efficientnet() -> EfficientNet:
    loaded = backbones.load("efficientnet_lite0")
    assert isinstance(loaded, EfficientNet)
    return loaded
