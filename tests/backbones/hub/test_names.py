"""Names of hub models, and what is said where they cannot be used."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from antiphon import backbones
from antiphon.backbones.hub import packages, pins
from antiphon.backbones.hub.entries import ENTRIES
from antiphon.backbones.hub.names import parsed
from antiphon.cli.app import run
from antiphon.errors import ConfigError, FeatureStoreError, WeightsError
from antiphon.features.store import VideoFeatures
from antiphon.features.targets import Target, open_target
from antiphon.segments.sampling import SamplingConfig
from antiphon.workspace import Workspace

from .conftest import Tiny

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    "name",
    [
        "hub:",
        "hub:clip",
        "hub:a/b/c",
        "hub:../a",
        "hub:a/b@",
        "hub:a/b@../c",
        "hub:a--b/c",
        "hub:a/b@x y",
        "hub:http://a/b",
    ],
)
def test_what_is_no_name_is_refused(name: str) -> None:
    if name == "hub:../a":
        assert parsed(name).folder == Path("../a").resolve()
        return
    with pytest.raises(ConfigError, match="names no model"):
        backbones.load(name)


@pytest.mark.parametrize("name", ["hub:a/b", "hub:a/b@main", "hub:a/b@refs/pr/1#audio", "hub:/a/b c#video"])
def test_names_come_back_as_they_were(name: str) -> None:
    assert str(parsed(name)) == name


def test_entries_are_listed_and_say_how_to_fetch_them(empty_cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert set(ENTRIES) <= set(backbones.names())
    info = backbones.info("clap")
    assert (info.modality, info.dim, info.licence, info.cached) == ("audio", 512, "Apache-2.0", False)
    assert info.source == "https://huggingface.co/laion/larger_clap_general"
    with pytest.raises(
        WeightsError, match=r"is not here yet.*antiphon backbones fetch hub:laion/larger_clap_general@16c8"
    ):
        backbones.load("clap")
    assert not backbones.check("clap").ok
    assert run(["backbones", "list"]) == 0
    assert "https://huggingface.co/openai/clip-vit-large-patch14" in capsys.readouterr().out


def test_everything_but_loading_needs_neither_torch_nor_transformers() -> None:
    code = (
        "import sys; from antiphon import backbones\n"
        "for name in backbones.names(): backbones.info(name)\n"
        "print([name for name in ('torch', 'transformers', 'huggingface_hub') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_without_transformers_the_extra_is_named(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"hub:{tiny('clip')}"
    monkeypatch.setattr(packages, "find_spec", lambda package: None)
    with pytest.raises(WeightsError, match=r"needs transformers. Install it: pip install 'antiphon\[hub\]'"):
        backbones.load(name)
    with pytest.raises(WeightsError, match=r"needs huggingface_hub. Install it: pip install 'antiphon\[hub\]'"):
        backbones.fetch("hub:some/model")


def test_a_wrong_rate_and_too_long_a_window_are_refused(audio_of: Callable[[str], backbones.AudioBackbone]) -> None:
    backbone = audio_of("clap")
    with pytest.raises(ConfigError, match="rate_hz must be 16000 for this backbone, not 44100"):
        backbone(np.zeros(44_100, np.float32), 44_100)
    with pytest.raises(ConfigError, match=r"takes at most 128,000 \(8 s at 16000 Hz\). Use shorter windows"):
        backbone(np.zeros(16_000 * 9, np.float32), 16_000)


def copied(tiny: Tiny, name: str, folder: Path) -> Path:
    shutil.copytree(tiny(name), folder / name)
    return folder / name


def changed(path: Path, **values: Any) -> None:
    stated = json.loads(path.read_text()) | values
    path.write_text(json.dumps({key: value for key, value in stated.items() if value is not None}))


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"has no config.json, so it is no model"):
        backbones.load(f"hub:{tmp_path}")
    (tmp_path / "config.json").write_text("[1]")
    with pytest.raises(WeightsError, match=r"config.json is damaged \(is a list, not an object\)"):
        backbones.load(f"hub:{tmp_path}")


def test_unknown_classes_are_refused_and_code_of_their_own_is_named(tiny: Tiny, tmp_path: Path) -> None:
    folder = copied(tiny, "clip", tmp_path)
    changed(folder / "config.json", model_type="their_model", auto_map={"AutoModel": "modeling.Model"})
    with pytest.raises(
        WeightsError, match=r"class 'their_model', which is not known. It asks for code .* Known are .*clip"
    ):
        backbones.load(f"hub:{folder}")


def test_code_in_the_folder_of_a_known_class_is_never_run(tiny: Tiny, tmp_path: Path) -> None:
    folder = copied(tiny, "clip", tmp_path)
    for name in ("config.json", "preprocessor_config.json", "tokenizer_config.json"):
        auto_map = {key: f"evil.{key}" for key in ("AutoModel", "AutoConfig", "AutoTokenizer", "AutoImageProcessor")}
        changed(folder / name, auto_map=auto_map, attn_implementation="someone/kernels")
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    backbone, plain = (backbones.load(f"hub:{one}", device="cpu") for one in (folder, tiny("clip")))
    assert backbone.text_side is not None and plain.text_side is not None
    assert np.array_equal(backbone.text_side.embed_text(["calm"]), plain.text_side.embed_text(["calm"]))
    assert not (tmp_path / "ran").exists()
    assert backbone.fingerprint != plain.fingerprint


def test_weights_are_read_from_safetensors_alone(tiny: Tiny, tmp_path: Path) -> None:
    folder = copied(tiny, "clip", tmp_path)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(WeightsError, match=r"has pytorch_model.bin, but no model.safetensors.*save_pretrained"):
        backbones.load(f"hub:{folder}")
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../../secret.safetensors"}}')
    with pytest.raises(WeightsError, match="names no safetensors files beside it"):
        backbones.load(f"hub:{folder}")


def test_shards_are_read(tiny: Tiny, tmp_path: Path) -> None:
    import transformers

    folder = copied(tiny, "clip", tmp_path)
    model = transformers.CLIPModel.from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder, max_shard_size="10KB")
    assert len(list(folder.glob("*.safetensors"))) > 1
    frames = np.random.default_rng(0).integers(0, 256, (1, 2, 40, 40, 3), dtype=np.uint8)
    found, whole = (backbones.load(f"hub:{one}", device="cpu") for one in (folder, tiny("clip")))
    assert isinstance(found, backbones.VideoBackbone) and isinstance(whole, backbones.VideoBackbone)
    assert np.array_equal(found(frames), whole(frames))


def test_weights_of_another_model_and_damaged_ones_are_refused(tiny: Tiny, tmp_path: Path) -> None:
    folder = copied(tiny, "clip", tmp_path)
    shutil.copy(tiny("clap") / "model.safetensors", folder)
    with pytest.raises(WeightsError, match="its weights are those of another model"):
        backbones.load(f"hub:{folder}")
    (folder / "model.safetensors").write_bytes(b"\xff" * 100)
    with pytest.raises(WeightsError, match="its files do not make a CLIPModel"):
        backbones.load(f"hub:{folder}")


def test_a_missing_processor_is_named(tiny: Tiny, tmp_path: Path) -> None:
    for name, part in (("clip", "image processor"), ("clap", "feature extractor")):
        folder = copied(tiny, name, tmp_path)
        (folder / "preprocessor_config.json").unlink()
        with pytest.raises(WeightsError, match=rf"has no configuration of its {part} \(preprocessor_config.json\)"):
            backbones.load(f"hub:{folder}")


def test_a_missing_tokenizer_is_named_when_text_is_embedded(tiny: Tiny, tmp_path: Path) -> None:
    folder = copied(tiny, "clip", tmp_path)
    for path in folder.glob("tokenizer*"):
        path.unlink()
    text_side = backbones.load(f"hub:{folder}", device="cpu").text_side
    assert text_side is not None
    with pytest.raises(WeightsError, match="has no vocabulary"):
        text_side.embed_text(["calm"])
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(WeightsError, match="its tokenizer cannot be used"):
        text_side.embed_text(["calm"])


def test_quantised_weights_and_adapters_are_refused(tiny: Tiny, tmp_path: Path) -> None:
    folder = copied(tiny, "clip", tmp_path)
    (folder / "adapter_config.json").write_text("{}")
    with pytest.raises(WeightsError, match="is an adapter of another model"):
        backbones.load(f"hub:{folder}")
    (folder / "adapter_config.json").unlink()
    changed(folder / "config.json", quantization_config={"quant_method": "bitsandbytes"})
    with pytest.raises(WeightsError, match="has quantised weights"):
        backbones.load(f"hub:{folder}")


class FakeHub:
    """The functions of huggingface_hub that are used, over a folder; `revision` is what the main branch is at."""

    def __init__(self, folder: Path, licence: str | None = "apache-2.0") -> None:
        self.folder, self.licence, self.revision = folder, licence, COMMIT
        self.asked: list[str] = []
        self.hub = self

    def HfApi(self) -> "FakeHub":
        return self

    def model_info(self, repository: str, revision: str | None, *, files_metadata: bool) -> Any:
        self.asked.append(f"info {repository} {revision}")
        files = [*self.folder.iterdir(), self.folder / "pytorch_model.bin"]
        siblings = [SimpleNamespace(rfilename=one.name, size=1_000_000) for one in files]
        card = SimpleNamespace(license=self.licence, license_name=None)
        return SimpleNamespace(sha=self.revision, siblings=siblings, card_data=card)

    def hf_hub_download(self, repository: str, name: str, *, revision: str) -> str:
        assert revision == self.revision
        return str(self.folder / name)

    def snapshot_download(self, repository: str, *, revision: str, allow_patterns: list[str]) -> str:
        assert revision == self.revision
        assert "pytorch_model.bin" not in allow_patterns and "model.safetensors" in allow_patterns
        self.asked.append(f"download {repository} {revision}")
        return str(self.folder)


@pytest.fixture
def hub(tiny: Tiny, monkeypatch: pytest.MonkeyPatch, empty_cache: Path) -> FakeHub:
    made = FakeHub(tiny("clip"))
    genuine = packages.import_module
    monkeypatch.setattr(packages, "import_module", lambda name: made if name == "huggingface_hub" else genuine(name))
    return made


def test_licence_and_size_are_said_before_a_download(hub: FakeHub, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["backbones", "fetch", "hub:some/clip"]) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert f"some/clip at {COMMIT[:12]}: licence apache-2.0" in said and "MB; https://huggingface.co/some/clip" in said
    assert hub.asked == ["info some/clip None", f"download some/clip {COMMIT}"]
    assert run(["backbones", "check", "hub:some/clip"]) == 0
    assert backbones.info("hub:some/clip").licence == "apache-2.0"


def test_a_name_stays_with_its_commit_until_it_is_fetched_anew(hub: FakeHub) -> None:
    backbones.fetch("hub:some/clip")
    first = backbones.load("hub:some/clip", device="cpu")
    assert (first.name, first.revision) == ("hub:some/clip", COMMIT)
    hub.revision = "f" * 40
    backbones.fetch("hub:some/clip")
    assert backbones.load("hub:some/clip", device="cpu").fingerprint == first.fingerprint
    pins.pin_file(parsed("hub:some/clip")).unlink()
    backbones.fetch("hub:some/clip")
    moved = backbones.load("hub:some/clip", device="cpu")
    assert (moved.revision, moved.fingerprint == first.fingerprint) == ("f" * 40, False)


def test_what_cannot_be_used_is_not_downloaded(hub: FakeHub, tmp_path: Path) -> None:
    shutil.copytree(hub.folder, tmp_path / "model")
    hub.folder = tmp_path / "model"
    changed(hub.folder / "config.json", model_type="llama")
    with pytest.raises(WeightsError, match="class 'llama', which is not known"):
        backbones.fetch("hub:some/clip")
    (hub.folder / "model.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"no model.safetensors in this revision.*hub:some/clip@refs/pr/NUMBER"):
        backbones.fetch("hub:some/clip")
    assert not [asked for asked in hub.asked if asked.startswith("download")]


def test_a_hub_out_of_reach_is_said(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise OSError("[Errno -2] Name or service not known")

    monkeypatch.setattr(hub, "model_info", unreachable)
    with pytest.raises(WeightsError, match=r"could not be downloaded \(OSError.*copy the model's files into a folder"):
        backbones.fetch("clip")


def test_a_damaged_record_of_a_download_is_refused(hub: FakeHub) -> None:
    backbones.fetch("hub:some/clip")
    pins.pin_file(parsed("hub:some/clip")).write_text("{")
    with pytest.raises(WeightsError, match="is damaged"):
        backbones.load("hub:some/clip")


def test_another_commit_is_refused_by_the_store(hub: FakeHub, tmp_path: Path) -> None:
    def target() -> Target:
        backbones.fetch("hub:some/clip")
        return open_target(Workspace(tmp_path), backbones.load("hub:some/clip", device="cpu"), SamplingConfig())

    target().store.append([VideoFeatures("a", ["a/0"], np.ones((1, 8), np.float32))])
    assert target().done == {"a"}
    hub.revision = "f" * 40
    pins.pin_file(parsed("hub:some/clip")).unlink()
    with pytest.raises(FeatureStoreError, match=f"was made with revision = {COMMIT}, not ffff"):
        target()
