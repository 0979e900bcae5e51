import dataclasses
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from antiphon import backbones
from antiphon.backbones import builtin, checks, registry
from antiphon.backbones.hub.entries import ENTRIES
from antiphon.backbones.inference import resolve_device
from antiphon.backbones.spec import BackboneSpec
from antiphon.errors import ConfigError, WeightsError

OURS = [
    "efficientnet_lite0",
    "efficientnet_lite0-style",
    "musicnn-msd",
    "musicnn-msd-penultimate",
    "musicnn-mtt",
    "musicnn-mtt-penultimate",
    "r2plus1d_18",
]


def with_plugins(monkeypatch: pytest.MonkeyPatch, *plugins: tuple[str, str]) -> None:
    points = [EntryPoint(name, value, registry.GROUP) for name, value in plugins]
    own = list(registry._points().values())
    monkeypatch.setattr(registry, "entry_points", lambda group: [*own, *points])


def test_our_backbones_are_listed() -> None:
    assert set(OURS) <= set(backbones.names())


def test_built_in_backbones_have_entry_points() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    specs = {name: spec for name, spec in vars(builtin).items() if isinstance(spec, BackboneSpec)}
    expected = {spec.name: f"antiphon.backbones.builtin:{name}" for name, spec in specs.items()}
    assert project["entry-points"][registry.GROUP] == expected


def test_listing_needs_no_torch() -> None:
    code = (
        "import sys; from antiphon import backbones\n"
        "for name in backbones.names(): backbones.info(name)\n"
        "print(len(backbones.names()), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[1] == "False"
    assert int(done.stdout.split()[0]) >= len(OURS)


@pytest.mark.parametrize("name", OURS)
def test_info_says_what_loading_will_give(name: str) -> None:
    info = backbones.info(name)
    assert info.name == name
    assert info.licence in {"ISC", "Apache-2.0", "BSD-3-Clause"}
    assert "==" in info.source or info.source.startswith("https://")
    if info.cached:
        assert Path(info.path).stat().st_size == info.size_bytes
        backbone = backbones.load(name)
        assert (backbone.name, backbone.modality, backbone.dim) == (name, info.modality, info.dim)
        assert len(backbone.fingerprint) == 64


def test_info_of_weights_not_fetched(empty_cache: Path) -> None:
    info = backbones.info("musicnn-mtt")
    assert not info.cached
    assert info.path == str(empty_cache / "musicnn-mtt.safetensors")


@pytest.mark.parametrize("ask", [backbones.load, backbones.fetch, backbones.check, backbones.info])
def test_an_unknown_name_lists_near_misses_and_all_names(ask: object) -> None:
    with pytest.raises(
        WeightsError, match=r"Unknown backbone 'musicnn_mtt'. Did you mean musicnn-mtt.*Use one of .*r2plus1d_18"
    ):
        ask("musicnn_mtt")  # type: ignore[operator]
    with pytest.raises(WeightsError, match=r"Unknown backbone 'zzz'. Use one of "):
        ask("zzz")  # type: ignore[operator]
    with pytest.raises(WeightsError, match=r"registered in a notebook is known there alone.*plug-in \(docs/how-to/bac"):
        ask("zzz")  # type: ignore[operator]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("no_such_package:SPEC", "cannot be imported: ModuleNotFoundError"),
        ("antiphon.errors:NONE", "cannot be imported: AttributeError"),
        ("antiphon.errors:WeightsError", "must be a BackboneSpec, not a type"),
    ],
)
def test_a_broken_plugin_breaks_nothing_else(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, value: str, reason: str
) -> None:
    with_plugins(monkeypatch, ("broken", value))
    names = backbones.names()
    assert "broken" not in names
    assert set(OURS) <= set(names)
    assert reason in caplog.text
    with pytest.raises(WeightsError, match=reason):
        backbones.load("broken")


def test_a_plugin_cannot_take_our_names(monkeypatch: pytest.MonkeyPatch) -> None:
    with_plugins(
        monkeypatch, ("musicnn-mtt", "no_such_package:SPEC"), ("mine", "antiphon.backbones.builtin:R2PLUS1D_18")
    )
    assert "mine" in backbones.names()
    assert backbones.info("musicnn-mtt").dim == 1506


@pytest.mark.parametrize("name", OURS[:-1])
def test_check_of_weights_in_the_cache(name: str) -> None:
    backbones.fetch(name)
    check = backbones.check(name)
    assert (check.cached, check.loads, check.matches, check.ok) == (True, True, True, True)
    assert "as expected" in check.message


def test_check_notices_other_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = builtin.MUSICNN_MTT
    monkeypatch.setattr(builtin, "MUSICNN_MTT", dataclasses.replace(spec, build=builtin.MUSICNN_MSD.build))
    check = backbones.check("musicnn-mtt")
    assert (check.loads, check.matches, check.ok) == (True, False, False)
    assert "other weights" in check.message
    monkeypatch.setattr(builtin, "MUSICNN_MTT", dataclasses.replace(spec, golden=None))
    assert backbones.check("musicnn-mtt").ok


def test_check_fetches_nothing(empty_cache: Path) -> None:
    check = backbones.check("musicnn-mtt")
    assert (check.cached, check.loads, check.matches, check.ok) == (False, None, None, False)
    assert "not cached" in check.message
    assert not empty_cache.exists()


def test_check_of_a_damaged_file(empty_cache: Path) -> None:
    empty_cache.mkdir()
    (empty_cache / "musicnn-mtt.safetensors").write_bytes(b"damaged")
    check = backbones.check("musicnn-mtt")
    assert (check.cached, check.loads, check.ok) == (True, False, False)
    assert "is not a readable safetensors file" in check.message


def test_sound_has_no_layout() -> None:
    with pytest.raises(ConfigError, match="musicnn-mtt is an audio backbone: leave out every"):
        backbones.load("musicnn-mtt", every=2)


# "meta" holds no numbers, "hpu" needs a package of its own, and no machine has a hundred GPUs.
@pytest.mark.parametrize("device", ["abacus", "meta", "hpu", "cuda:99", "cuda:-1"])
def test_a_device_that_is_not_there(device: str) -> None:
    with pytest.raises(ConfigError, match=f"Device '{device}' is not available"):
        backbones.load("musicnn-mtt", device=device)


def test_the_device_is_found_by_itself() -> None:
    assert backbones.load("musicnn-mtt", device="auto").name == "musicnn-mtt"


def test_the_fixed_inputs_do_not_change() -> None:
    audio, frames = checks.sweep(), checks.gradients(224)
    assert audio.shape == (48_000,)
    assert np.abs(audio).max() <= 0.5
    assert float(np.abs(audio).sum()) == pytest.approx(9164.97, abs=0.1)
    assert frames.shape == (4, 224, 224, 3)
    assert frames.mean() == pytest.approx(126.3987, abs=1e-4)


class Loudness(backbones.AudioBackbone):
    """Mean absolute amplitude, times a gain."""

    dim, rate_hz = 1, 16_000

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, waveform: npt.ArrayLike, rate_hz: int = 16_000) -> npt.NDArray[np.float32]:
        return self.gain * np.abs(np.atleast_2d(waveform)).mean(axis=1, keepdims=True).astype(np.float32)


@pytest.fixture
def own_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_registered", {})


@pytest.mark.usefixtures("own_names")
def test_a_registered_backbone_is_listed_described_checked_and_loaded() -> None:
    mine = Loudness()
    backbones.register("loudness", mine, licence="MIT", description="How loud")
    assert "loudness" in backbones.names()
    others = [name for name in backbones.names() if name not in ENTRIES]
    assert backbones.names() == [*sorted(others), *ENTRIES]
    info = backbones.info("loudness")
    assert (info.modality, info.dim, info.licence, info.cached, info.size_bytes) == ("audio", 1, "MIT", True, 0)
    assert backbones.load("loudness") is mine
    assert backbones.check("loudness").ok
    with pytest.raises(WeightsError, match="has no weights to fetch"):
        backbones.fetch("loudness")
    with pytest.raises(WeightsError, match=r"Unknown backbone 'loudnes'. Did you mean loudness\?"):
        backbones.load("loudnes")


@pytest.mark.usefixtures("own_names")
def test_registering_again_replaces_and_another_version_is_another_network() -> None:
    prints: list[str] = []
    for version in ("1", "1", "2"):
        backbones.register("loudness", Loudness(), version=version)
        prints.append(backbones.load("loudness").fingerprint)
    assert prints[0] == prints[1] != prints[2]
    backbones.register("loudness", Loudness(gain=3))
    assert backbones.load("loudness")(np.ones(16_000)).item() == 3  # type: ignore[operator]


@pytest.mark.usefixtures("own_names")
def test_what_is_no_backbone_of_ones_own_is_refused() -> None:
    class Half(backbones.AudioBackbone):
        __call__ = Loudness.__call__

    with pytest.raises(ConfigError, match="must be an instance of AudioBackbone or VideoBackbone"):
        backbones.register("loudness", Loudness)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="Half must set dim and rate_hz"):
        backbones.register("half", Half())

    class Colours(backbones.VideoBackbone):
        dim = 3

        def __call__(self, frames: npt.ArrayLike) -> npt.NDArray[np.float32]:
            return np.zeros((len(np.asarray(frames)), 3), np.float32)

    with pytest.raises(ConfigError, match=r"Colours must set layout, such as FrameLayout\(size_px=224, every=3\)\."):
        backbones.register("colours", Colours())
    Colours.layout = backbones.FrameLayout(size_px=224, every=3)
    backbones.register("colours", Colours())
    with pytest.raises(ConfigError, match="musicnn-mtt: is the name of an installed backbone"):
        backbones.register("musicnn-mtt", Loudness())


@pytest.mark.parametrize(
    ("rank", "device", "expected"),
    [
        (None, "auto", "cuda:0"),
        ("1", "auto", "cuda:1"),
        ("1", "cuda", "cuda:1"),
        ("1", "cuda:0", "cuda:0"),
        ("5", "auto", "cuda:1"),
        ("1", "cpu", "cpu"),
    ],
)
def test_each_process_under_torchrun_has_its_own_gpu(rank, device, expected, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: True)
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: 2)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda: torch.device("cuda"))
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    if rank is not None:
        monkeypatch.setenv("LOCAL_RANK", rank)
    assert resolve_device(device) == torch.device(expected)
