"""From real files to answers with hub backbones, on the command line."""

import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import antiphon
from antiphon import backbones
from antiphon.app import wording
from antiphon.app.application import create_app
from antiphon.cli.app import run
from antiphon.features.named_stores import store_names
from antiphon.workspace import Workspace

from .conftest import Tiny

FILES = ("crystal.mp4", "elf.mp4", "monster.mp4", "pig.mp4", "rabbit.webm", "big_buck_bunny_5s_51audio.mp4")


@pytest.fixture(scope="module")
def folder(media_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("files")
    for name in FILES:
        (made / name).symlink_to(media_folder / "video" / name)
    return made


def told(capsys: pytest.CaptureFixture[str], *call: str) -> dict[str, Any]:
    capsys.readouterr()
    assert run([*call, "--json"]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def test_extract_train_and_search_with_clap_and_clip(
    folder: Path, tiny: Tiny, tmp_path: Path, quick_default: None, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    audio, video = f"hub:{tiny('clap')}", f"hub:{tiny('clip')}"
    work = ["-w", str(tmp_path / "work")]
    told(capsys, *work, "catalogue", "add", str(folder), "--by", "video", "--fractions", "0.5", "0.25", "0.25")
    found = told(capsys, *work, "extract", "--audio", audio, "--video", video, "--sections", "2", "--workers", "1")
    assert (found["audio"], found["video"], found["failures"]) == (audio, video, [])
    workspace = Workspace(tmp_path / "work")
    assert store_names(workspace.features) == sorted([audio, video])
    assert [row["name"] for row in told(capsys, *work, "features", "list")["features"]] == sorted([audio, video])

    # A relative folder is the same one, and nothing is computed again.
    monkeypatch.chdir(tiny("clip").parent)
    parts = sorted(workspace.features.glob("*/part-*"))
    again = antiphon.extract(
        antiphon.Catalogue.load(workspace.catalogue), audio, f"hub:./{tiny('clip').name}", workspace.root
    )
    assert sorted(workspace.features.glob("*/part-*")) == parts
    assert again.video is not None and again.video.shape[1] == 8

    told(capsys, *work, "train", "--audio", audio, "--video", f"hub:./{tiny('clip').name}")
    told(capsys, *work, "index", "build")
    answers = told(capsys, *work, "search", str(folder / "elf.mp4"), "-k", "1")
    assert answers["hits"][0]["id"] == "elf.mp4"

    # Words go through the backbones' text sides and the heads, as a feature does.
    model = antiphon.DualEncoder.load(workspace.root / "runs" / "antiphon-base")
    embedded = model.embed_text("green rabbits")
    for side, name in (("audio", audio), ("video", video)):
        words = backbones.load(name, device="cpu").text_side.embed_text(["green rabbits"])
        others = {f"{side}_name": name, side: words, "ids": ["words"]}
        row = model.embed(antiphon.Features.from_arrays(**others))[0 if side == "audio" else 1]
        np.testing.assert_allclose(embedded[side], row[0], atol=1e-6)
    index = antiphon.Index.open(workspace.index)
    hits = index.search(antiphon.Query.from_text(index, "green rabbits", model), k=6)
    assert len(hits) == len({hit.id for hit in hits}) >= 4
    asked = told(capsys, *work, "search", "--text", "green rabbits", "-k", "6")
    assert [hit["id"] for hit in asked["hits"]] == [hit.id for hit in hits]
    assert hits[0].score > 0.5 > hits[-1].score  # nothing but the text side tells: no tags, and words that mean nothing
    beside = told(capsys, *work, "search", str(folder / "elf.mp4"), "--text", "green rabbits", "-k", "6")
    file = antiphon.Query.from_file(folder / "elf.mp4", model).and_words(index, "green rabbits", model)
    assert [hit["id"] for hit in beside["hits"]] == [hit.id for hit in index.search(file, k=6)]
    service_answers_alike(workspace, index, [hit.id for hit in hits], monkeypatch)


class InProcess:
    """A worker without a process."""

    def __init__(self, prepare: Callable[..., Any], arguments: tuple[Any, ...], _limits: object) -> None:
        self.run = prepare(*arguments)

    def close(self) -> None: ...


def service_answers_alike(
    workspace: Workspace, index: antiphon.Index, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wording, "Worker", InProcess)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from fastapi.testclient import TestClient
    with TestClient(create_app(workspace, index, "antiphon-base"), base_url="http://localhost") as client:
        found = client.get("/api/search", params={"q": "green rabbits", "k": 6}).json()
    assert [hit["id"] for hit in found["hits"]] == expected


def test_changed_weights_are_refused_by_the_store(
    folder: Path, tiny: Tiny, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "clip"
    shutil.copytree(tiny("clip"), own)
    one = tmp_path / "one"
    one.mkdir()
    (one / "elf.mp4").symlink_to(folder / "elf.mp4")
    work = ["-w", str(tmp_path / "work")]
    extract = [*work, "extract", "--audio", "none", "--video", f"hub:{own}", "--sections", "1", "--workers", "1"]
    told(capsys, *work, "catalogue", "add", str(one))
    told(capsys, *extract)
    weights = bytearray((own / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (own / "model.safetensors").write_bytes(weights)
    assert run(extract) == 1
    assert "was made with weights =" in capsys.readouterr().err.replace("\n", " ")


@pytest.mark.parametrize("name", ["clip", "clap"])
def test_features_do_not_depend_on_what_else_is_computed(name: str, tiny: Tiny) -> None:
    backbone = backbones.load(f"hub:{tiny(name)}", device="cpu")
    random = np.random.default_rng(3)
    sounds = random.uniform(-0.5, 0.5, (5, 30_000)).astype(np.float32)
    frames = random.integers(0, 256, (5, 3, 40, 40, 3), dtype=np.uint8)

    def computed(rows: slice) -> np.ndarray:
        if isinstance(backbone, backbones.AudioBackbone):
            return backbone(sounds[rows], backbone.rate_hz)
        return backbone(frames[rows])

    whole = computed(slice(5))
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        assert np.array_equal(np.concatenate([computed(slice(2)), computed(slice(2, 5))]), whole)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
