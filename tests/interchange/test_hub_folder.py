"""A folder for the Hub: what the card says, what is in it, and what a push sends."""

import base64
import json
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import numpy as np
import pytest
import yaml

from antiphon.dual_encoder import DualEncoder
from antiphon.errors import ConfigError, ModelError, StorageError
from antiphon.evaluation import evaluate
from antiphon.features import Features
from antiphon.interchange.hub_folder import push, write_hub_folder
from antiphon.interchange.model_card import CardFacts
from antiphon.model.recipe import changed_recipe, load_recipe

QUICK = {"head": {"hidden": [16], "embedding_dim": 8}, "training": {"epochs": 2, "min_steps": 0, "batch_size": 32}}
TITLE = "Private Artist - Unreleased.mp4"


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    random = np.random.default_rng(0)
    sound = random.normal(size=(60, 8))
    ids = [TITLE, *(f"v{n}" for n in range(59))]
    features = Features.from_arrays(sound, sound[:, ::-1], ids=ids, audio_name="musicnn-mtt", video_name="own-net")
    model = DualEncoder(changed_recipe(load_recipe("antiphon-base"), QUICK, "quick")).fit(features, verbose=False)
    folder = tmp_path_factory.mktemp("hub") / "songs-and-pictures"
    metrics = json.loads(json.dumps({"split": "test"} | evaluate(model.without_videos(), features, seed=0)))
    write_hub_folder(model, folder, CardFacts("cc-by-4.0", "Sixty | made-up pairs: synthetic."), metrics)
    return model, features, folder, metrics


def test_the_card_has_what_the_hub_reads(exported):
    _, _, folder, metrics = exported
    front = yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---")[1])
    assert (front["license"], front["library_name"]) == ("cc-by-4.0", "antiphon")
    (first, second) = front["model-index"][0]["results"]
    found = {entry["type"]: entry["value"] for entry in first["metrics"]}
    assert found["recall@10"] == metrics["a2v"]["recall@10"]
    assert "pool of 60" in second["dataset"]["name"]


def test_the_card_has_pools_intervals_nulls_and_licences(exported):
    model, _, folder, metrics = exported
    card = (folder / "README.md").read_text(encoding="utf-8")
    low, high = metrics["a2v"]["by_metric"]["median_rank"]["ci95"]
    (row,) = re.findall(r"\| tracks, audio → video \| 60 \| median_rank \|.*", card)
    assert f"{low:g}–{high:g}" in row
    assert "| heads (in this folder) | cc-by-4.0 |" in card
    assert "| audio backbone musicnn-mtt (not in this folder) | ISC |" in card
    assert "| video backbone own-net (not in this folder) | not stated |" in card
    assert "Sixty | made-up pairs: synthetic." in card
    assert f"{model.training_counts['videos']} music videos" in card
    assert "null, 95%" in card
    assert f"The last {model.correction_dim} values of an embedding correct" in card


def test_the_folder_embeds_alike_and_names_no_music_video(exported):
    model, features, folder, _ = exported
    loaded = DualEncoder.load(folder / "antiphon")
    for found, wanted in zip(loaded.embed(features), model.embed(features), strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert json.loads((folder / "config.json").read_text())["fingerprint"] == model.fingerprint == loaded.fingerprint
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert not [path.name for path in files if TITLE.encode() in path.read_bytes()]
    assert {path.suffix for path in files} <= {".json", ".md", ".toml", ".safetensors", ".parquet", ".onnx"}
    assert model.trained_on(features).any() and not loaded.trained_on(features).any()


def test_a_model_that_was_not_evaluated_says_so(exported, tmp_path):
    write_hub_folder(exported[0], tmp_path / "m", CardFacts())
    assert "seen in training" not in (exported[2] / "README.md").read_text(encoding="utf-8")
    card = (tmp_path / "m" / "README.md").read_text(encoding="utf-8")
    assert "has not been evaluated" in card
    assert "model-index" not in card


class Hub(BaseHTTPRequestHandler):
    """A stand-in for the Hub's API: repositories are created, files come in one commit."""

    pushed: dict[str, Any]

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/api/repos/create":
            self.pushed["repo"] = json.loads(content)
            self.answer({"url": f"{self.pushed['base']}/me/songs"}, 403 if self.pushed.get("refuse") else 200)
        elif self.path == "/api/validate-yaml":
            self.pushed["card"] = json.loads(content)["content"]
            self.answer({"errors": [], "warnings": []})
        elif self.path == "/api/models/me/songs/preupload/main":
            files = json.loads(content)["files"]
            self.answer({"files": [{"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in files]})
        elif self.path == "/api/models/me/songs/commit/main":
            lines = [json.loads(line) for line in content.splitlines()]
            files = [line["value"] for line in lines if line["key"] == "file"]
            self.pushed["files"] = {file["path"]: base64.b64decode(file["content"]) for file in files}
            self.answer({"commitUrl": f"{self.pushed['base']}/me/songs/commit/1", "commitOid": "1"})
        else:
            self.answer({}, 404)

    def do_GET(self) -> None:
        self.answer({}, 404)

    def answer(self, content: Any, status: int = 200) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        del format, args


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    pytest.importorskip("huggingface_hub", reason="needs the extra hub")
    monkeypatch.setenv("HF_TOKEN", "hf_stand_in")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    Hub.pushed = {"base": f"http://127.0.0.1:{server.server_port}"}
    Thread(target=server.serve_forever, daemon=True).start()
    yield Hub.pushed
    server.shutdown()
    server.server_close()


def test_a_push_creates_a_private_repository_and_sends_what_was_exported(exported, hub):
    folder = exported[2]
    kept = {"notes.txt", "mine.json", "private/config.json", "antiphon/mine.parquet", "antiphon/sub/run.toml"}
    for name in kept:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("mine")
    assert push(folder, "me/songs", endpoint=hub["base"]) == f"{hub['base']}/me/songs/commit/1"
    assert (hub["repo"]["name"], hub["repo"]["organization"]) == ("songs", "me")
    assert hub["repo"].get("private") is True or hub["repo"].get("visibility") == "private"
    wanted = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert set(hub["files"]) == wanted - kept
    assert hub["card"] == (folder / "README.md").read_text(encoding="utf-8")
    assert hub["files"]["antiphon/model.safetensors"] == (folder / "antiphon" / "model.safetensors").read_bytes()


def test_a_refusal_is_told(exported, hub):
    hub["refuse"] = True
    with pytest.raises(StorageError, match=r"me/songs: the Hub did not take it \(.*403"):
        push(exported[2], "me/songs", endpoint=hub["base"])
    assert "files" not in hub


def test_what_is_no_export_or_no_name_is_not_pushed(exported, hub, tmp_path):
    with pytest.raises(ModelError, match="antiphon export hub first"):
        push(tmp_path, "me/songs", endpoint=hub["base"])
    with pytest.raises(ConfigError, match="is no name of a repository"):
        push(exported[2], "me/songs/../x", endpoint=hub["base"])
    assert "repo" not in hub


def test_ranks_of_videos_that_were_trained_on_are_called_what_they_are(exported, tmp_path):
    write_hub_folder(exported[0], tmp_path / "m", CardFacts(), exported[3] | {"seen": 3})
    assert "3 of the videos were seen in training" in (tmp_path / "m" / "README.md").read_text(encoding="utf-8")


def test_a_hub_that_is_not_there_is_told(exported, hub):
    with pytest.raises(StorageError, match="me/songs: the Hub did not take it"):
        push(exported[2], "me/songs", endpoint="http://127.0.0.1:9")
