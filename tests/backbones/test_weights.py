import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from antiphon.backbones import weights
from antiphon.backbones.builtin import MUSICNN_WHEEL
from antiphon.backbones.downloads import Url
from antiphon.backbones.weights import Weights, read_pth, read_tensors, tensors_fingerprint, write_tensors
from antiphon.errors import WeightsError

TENSORS = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "steps": np.array(7)}


class Harmful:
    """Would run a command if it were unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch harmed",)


def test_tensors_come_back_as_they_were(tmp_path: Path) -> None:
    write_tensors(TENSORS, tmp_path / "a.safetensors")
    tensors, found = read_tensors(tmp_path / "a.safetensors")
    assert tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        np.testing.assert_array_equal(tensors[name], tensor)
        assert tensors[name].dtype == tensor.dtype
        assert tensors[name].shape == tensor.shape
    assert found == tensors_fingerprint(TENSORS)


def test_a_fingerprint_depends_on_names_shapes_types_and_values_only() -> None:
    other = [
        {"b": TENSORS["a"], "steps": TENSORS["steps"]},
        {"a": TENSORS["a"].reshape(3, 2), "steps": TENSORS["steps"]},
        {"a": TENSORS["a"] + 1, "steps": TENSORS["steps"]},
        {"a": TENSORS["a"].view(np.int32), "steps": TENSORS["steps"]},
    ]
    assert len({tensors_fingerprint(tensors) for tensors in [TENSORS, *other]}) == 5
    assert tensors_fingerprint(dict(reversed(TENSORS.items()))) == tensors_fingerprint(TENSORS)


@pytest.mark.parametrize("damage", ["cut", "flip", "empty"])
def test_a_damaged_file_is_noticed(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "a.safetensors"
    write_tensors(TENSORS, path)
    whole = bytearray(path.read_bytes())
    whole[-1] ^= 1
    path.write_bytes({"cut": bytes(whole[:-5]), "flip": bytes(whole), "empty": b""}[damage])
    with pytest.raises(
        WeightsError, match=r"a.safetensors: is (not a readable|damaged).*Delete it, and fetch it again"
    ):
        read_tensors(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"none\.safetensors: is not a readable safetensors file"):
        read_tensors(tmp_path / "none.safetensors")


def test_only_tensors_are_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"a": Harmful()}, tmp_path / "harmful.pth")
    with pytest.raises(WeightsError, match=r"harmful\.pth: is not a PyTorch state file that is safe to read"):
        read_pth(tmp_path / "harmful.pth")
    assert not (tmp_path / "harmed").exists()


def test_what_is_no_state_is_refused(tmp_path: Path) -> None:
    torch.save({"a": {"b": torch.zeros(1)}}, tmp_path / "nested.pth")
    with pytest.raises(WeightsError, match="is not a mapping of names to tensors"):
        read_pth(tmp_path / "nested.pth")
    with pytest.raises(WeightsError, match="state file: is not a PyTorch state file"):
        read_pth(b"no state")
    with pytest.raises(WeightsError, match=r"none.pth: is not a PyTorch state file"):
        read_pth(tmp_path / "none.pth")


def published(folder: Path) -> Weights:
    """Weights whose published file lies in the cache already, as if brought by hand."""
    folder.mkdir(exist_ok=True)
    torch.save({name: torch.from_numpy(value) for name, value in TENSORS.items()}, folder / "net.pth")
    return Weights("net", Url("http://127.0.0.1:9/net.pth", ""), read_pth, 0)


def test_weights_are_converted_once(empty_cache: Path) -> None:
    net = published(empty_cache)
    assert not net.cached
    assert net.fetch() == empty_cache / "net.safetensors"
    assert net.cached
    (empty_cache / "net.pth").unlink()
    tensors, found = net.read()
    np.testing.assert_array_equal(tensors["a"], TENSORS["a"])
    assert found == tensors_fingerprint(TENSORS)


def test_a_local_file_takes_the_place_of_the_cache(empty_cache: Path, tmp_path: Path) -> None:
    net = published(empty_cache)
    write_tensors({"a": TENSORS["a"] + 1}, tmp_path / "mine.safetensors")
    assert net.read(tmp_path / "mine.safetensors")[0]["a"][0, 0] == 1
    assert net.read(empty_cache / "net.pth")[1] == tensors_fingerprint(TENSORS)
    assert not net.cached


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("ANTIPHON_CACHE", str(tmp_path / "file" / "cache"))
    net = Weights("net", Url("http://127.0.0.1:9/net.pth", ""), read_pth, 0)
    with pytest.raises(WeightsError, match="ANTIPHON_CACHE"):
        net.fetch()


def test_the_cache_is_the_users_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTIPHON_CACHE", raising=False)
    assert weights.cache_dir().name == "antiphon"
    monkeypatch.setenv("ANTIPHON_CACHE", "~/elsewhere")
    assert weights.cache_dir() == Path.home() / "elsewhere"


def test_two_processes_may_fetch_at_once(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    shutil.copy(MUSICNN_WHEEL.obtain(weights.cache_dir()), cache)
    command = [sys.executable, "-c", "from antiphon import backbones; print(backbones.fetch('musicnn-mtt'))"]
    environment = {**os.environ, "ANTIPHON_CACHE": str(cache), "PIP_NO_INDEX": "1"}
    both = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in both:
        out, errors = process.communicate(timeout=60)
        assert (out.strip(), errors) == (str(cache / "musicnn-mtt.safetensors"), "")
    assert sorted(path.name for path in cache.iterdir()) == [MUSICNN_WHEEL.filename, "musicnn-mtt.safetensors"]
    assert read_tensors(cache / "musicnn-mtt.safetensors")[0]["hidden.weight"].shape == (200, 1506)


def test_a_write_that_is_interrupted_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_tensors: object, path: Path, metadata: object) -> None:
        Path(path).write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr("safetensors.numpy.save_file", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_tensors(TENSORS, tmp_path / "a.safetensors")
    assert list(tmp_path.iterdir()) == []
