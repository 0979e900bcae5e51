"""One small catalogue through the real stages, a service over it, and a browser."""

import hashlib
import json
import shutil
import socket
import subprocess
import tarfile
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import platformdirs
import polars as pl
import pytest
from fastapi import FastAPI

from antiphon.app.application import create_app
from antiphon.app.server import Server
from antiphon.catalogue import Catalogue
from antiphon.cli.app import run
from antiphon.cli.opening import workspace_features
from antiphon.dual_encoder import DualEncoder
from antiphon.evaluation import evaluate
from antiphon.model.recipe import Recipe, load_recipe
from antiphon.runs import METRICS_FILE, REPORT_FILE
from antiphon.search import Index
from antiphon.workspace import Workspace

with warnings.catch_warnings():
    # Starlette wants another client than httpx soon; the one in constraints.txt does it well.
    warnings.simplefilter("ignore")
    from fastapi.testclient import TestClient

RUN = "base"
HOST = "http://localhost"
AXE = "axe-core@4.14.1"
AXE_SHA256 = "e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745"
# What people call their files, and what attackers do.
IDS = (
    "live/../Ä 1.mp4",
    "../../etc/passwd",
    "a/b//c.mp4",
    "\"quotes' & <b>bold</b>",
    "100% #1? yes;no=1",
    "/starts with a slash",
    "{{ 7 * 7 }} %0A",
    "Ω/日本 – 🎵",
    "plain",
    "plus+and%2Fencoded",
    "back\\slash",
    "x/..",
)
SCRIPT = "<script>window.hacked = 1</script>"
SPLITS = 6 * ["train"] + 3 * ["validation"] + 3 * ["test"]


@pytest.fixture(scope="session")
def workspace(synthetic_table: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Twelve music videos with hostile ids, their features, a run and an index."""
    root = tmp_path_factory.mktemp("app")
    table = pl.read_csv(synthetic_table)
    folder = synthetic_table.parent
    table = table.with_columns(
        pl.Series("id", IDS),
        pl.Series("split", SPLITS),
        pl.col("path").map_elements(lambda path: str(folder / path), pl.String),
        title=pl.when(pl.int_range(pl.len()) == 3).then(pl.lit(SCRIPT)).otherwise("title"),
    )
    table.write_csv(root / "videos.csv")
    place = root / "work"
    for call in (["catalogue", "add", str(root / "videos.csv"), "--by", "video"], ["extract", "--sections", "2"]):
        assert run(["--workspace", str(place), *call]) == 0
    found = Workspace(place)
    catalogue = Catalogue.load(found.catalogue)
    features = workspace_features(found, None, None)
    model = DualEncoder(short_recipe(), seed=0).fit(features["train"], features["validation"])
    model.save(found.run(RUN))
    metrics = {"split": "test"} | evaluate(model, features["test"])
    (found.run(RUN) / METRICS_FILE).write_text(json.dumps(metrics), encoding="utf-8")
    (found.run(RUN) / REPORT_FILE).write_text("<!doctype html><title>Report</title><h1>A report</h1>", encoding="utf-8")
    Index.build(model, features, found.index, catalogue)
    return found


def short_recipe() -> Recipe:
    """The base recipe, small and short."""
    recipe = load_recipe("antiphon-base")
    head = recipe.head.model_copy(update={"hidden": (32,), "embedding_dim": 16, "dropout": 0.0, "input_dropout": 0.0})
    training = recipe.training.model_copy(update={"epochs": 3, "min_steps": 0})
    return recipe.model_copy(update={"name": "short", "head": head, "training": training})


@pytest.fixture(scope="session")
def index(workspace: Workspace) -> Index:
    """Open for reading."""
    return Index.open(workspace.index)


@pytest.fixture(scope="session")
def app(workspace: Workspace, index: Index) -> FastAPI:
    """The service."""
    return create_app(workspace, index, RUN)


@pytest.fixture(scope="session")
def client(app: FastAPI) -> Iterator[TestClient]:
    """Asks the service without a network."""
    with TestClient(app, base_url=HOST) as found:
        yield found


@pytest.fixture(scope="session")
def song(workspace: Workspace) -> Path:
    """A music video of the catalogue, as a file to send."""
    return Path(next(row["path"] for row in Catalogue.load(workspace.catalogue).records() if row["id"] == "plain"))


@pytest.fixture(scope="session")
def server(workspace: Workspace, index: Index) -> Iterator[str]:
    """The service behind a real socket; its address."""
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        line.listen()
        serving = Server(create_app(workspace, index, RUN))
        thread = threading.Thread(target=serving.run, kwargs={"sockets": [line]}, daemon=True)
        thread.start()
        while not serving.started:
            time.sleep(0.05)
        yield f"http://127.0.0.1:{line.getsockname()[1]}"
        serving.should_exit = True
        thread.join(10)


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, fetched once from npm."""
    folder = Path(platformdirs.user_cache_dir("antiphon")) / "tests"
    kept = folder / "axe-core-4.14.1.tgz"
    if not kept.exists():
        if shutil.which("npm") is None:
            pytest.skip(f"needs npm for {AXE}: apt-get install npm")
        folder.mkdir(parents=True, exist_ok=True)
        packed = subprocess.run(["npm", "pack", AXE], cwd=folder, capture_output=True, timeout=120, check=False)
        if packed.returncode:
            pytest.skip(f"npm does not get {AXE}: {packed.stderr.decode()[-200:]}")
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == AXE_SHA256
    with tarfile.open(kept) as archive:
        member = archive.extractfile("package/axe.min.js")
        assert member is not None
        return member.read().decode()
