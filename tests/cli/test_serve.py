"""`antiphon serve`: what it says, what it builds, and that it serves."""

import json
import shutil
import socket
import subprocess
import sys
import urllib.request

import numpy as np
import pyarrow.parquet as pq
import pytest

from antiphon.cli.app import run
from antiphon.cli.opening import workspace_features
from antiphon.cli.serve import ready_index, served_run
from antiphon.cli.serving import listening
from antiphon.cli.session import Session
from antiphon.dual_encoder import DualEncoder
from antiphon.errors import ConfigError, SearchError
from antiphon.model.recipe import load_recipe
from antiphon.search import Index
from antiphon.tables import write_table
from antiphon.workspace import Workspace

pytestmark = pytest.mark.usefixtures("quick_default")


def test_an_empty_workspace_says_what_to_do(tmp_path, capsys):
    assert run(["--workspace", str(tmp_path), "serve"]) == 1
    assert "antiphon catalogue add" in capsys.readouterr().err


def test_a_taken_port_says_what_to_do(place, tmp_path, capsys):
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        line.listen()
        port = line.getsockname()[1]
        with pytest.raises(ConfigError, match="another --port"):
            listening("127.0.0.1", port)
        # It is said before anything is loaded, and a workspace without a run is no matter yet.
        assert run(["-w", str(place), "serve", "--port", str(port)]) == 1
        said = capsys.readouterr().err
        assert "another --port" in said and "Loading" not in said
        assert run(["-w", str(tmp_path / "w"), "up", str(tmp_path), "--port", str(port)]) == 1
        assert "another --port" in capsys.readouterr().err


@pytest.fixture(scope="module")
def place(extracted, tmp_path_factory):
    """A workspace with features and no run."""
    found = tmp_path_factory.mktemp("serve") / "w"
    shutil.copytree(extracted, found)
    return found


def test_without_a_run_it_says_what_to_do(place, capsys):
    assert run(["--workspace", str(place), "serve"]) == 1
    assert "antiphon train" in capsys.readouterr().err


@pytest.fixture(scope="module")
def trained(place, tmp_path_factory):
    """A copy with two runs."""
    workspace = Workspace(tmp_path_factory.mktemp("trained") / "w")
    shutil.copytree(place, workspace.root)
    recipe = load_recipe("paper-base")
    training = recipe.training.model_copy(update={"epochs": 2, "min_steps": 0})
    recipe = recipe.model_copy(update={"name": "short", "training": training})
    features = workspace_features(workspace, None, None)
    for seed in (1, 2):
        model = DualEncoder(recipe, seed=seed).fit(features["train"], features["validation"])
        model.save(workspace.run(f"r{seed}"))
    return workspace


def test_it_builds_the_index_once_and_again_for_another_model(trained, capsys):
    session, workspace = Session(trained.root), trained
    first = ready_index(session, workspace.run("r1"))
    assert "Building the index of run r1." in capsys.readouterr().err
    assert len(first) == 12
    ready_index(session, workspace.run("r1"))
    assert "Building" not in capsys.readouterr().err
    other = ready_index(session, workspace.run("r2"))
    assert "another model" in capsys.readouterr().err
    assert other.origin.model != first.origin.model
    assert Index.open(workspace.index).origin == other.origin


def test_an_index_of_another_whole_run_is_served_as_it_is(trained, tmp_path, capsys):
    workspace = Workspace(tmp_path / "w")
    shutil.copytree(trained.root, workspace.root)
    session = Session(workspace.root)
    before = ready_index(session, workspace.run("r1"))
    (workspace.run("r2") / "run.toml").touch()  # r2 is the one trained last
    capsys.readouterr()
    folder = served_run(session, None)
    told = capsys.readouterr().err
    assert folder == workspace.run("r1") and "antiphon serve --run r2" in told
    assert ready_index(session, folder).version == before.version
    assert "Building" not in capsys.readouterr().err
    assert served_run(session, "r2") == workspace.run("r2")  # asked for by name
    (workspace.run("r1") / "model.safetensors").write_bytes(b"damaged")
    assert served_run(session, None) == workspace.run("r2")
    shutil.rmtree(workspace.run("r1"))
    assert served_run(session, None) == workspace.run("r2")
    ready_index(session, workspace.run("r2"))
    told = capsys.readouterr().err
    assert "another model (r1, " in told and "Building the index of run r2." in told
    assert "without a name" not in told and "antiphon index build" not in told


def test_videos_that_are_missing_are_told_of_and_not_added(trained, capsys):
    session, workspace = Session(trained.root), trained
    index = ready_index(session, workspace.run("r1"))
    index.remove(index.ids[:2])
    left = index.ids
    assert ready_index(session, workspace.run("r1")).ids == left
    assert "2 music videos with features are not in the index" in capsys.readouterr().err


@pytest.mark.parametrize("made", ["of vectors", "from Python"])
def test_an_index_that_came_without_a_run_is_never_replaced(trained, tmp_path, made):
    workspace = Workspace(tmp_path / "w")
    shutil.copytree(trained.root, workspace.root, ignore=shutil.ignore_patterns("index"))
    if made == "of vectors":
        Index.from_vectors(["a", "b"], np.eye(2), path=workspace.index)
    else:
        Index.build(DualEncoder.load(workspace.run("r2")), workspace_features(workspace, None, None), workspace.index)
    before = Index.open(workspace.index).ids
    with pytest.raises(SearchError, match="not an index of run r1, and it has no run"):
        ready_index(Session(workspace.root), workspace.run("r1"))
    assert run(["-w", str(workspace.root), "recommend", "--run", "r1", "--like", "synthetic-0001"]) == 0
    assert Index.open(workspace.index).ids == before


def test_features_made_otherwise_mean_a_new_index(trained, capsys):
    session, workspace = Session(trained.root), trained
    ready_index(session, workspace.run("r1"))
    capsys.readouterr()
    kept = {part: pq.read_table(part) for part in (workspace.features / "efficientnet_lite0").glob("part-*.parquet")}
    try:
        for part, table in kept.items():
            write_table(table.replace_schema_metadata(table.schema.metadata | {b"weights": b"others"}), part)
        ready_index(session, workspace.run("r1"))
        told = capsys.readouterr().err
        assert (
            "the video features have been recomputed with other weights" in told
            and "Building the index of run r1." in told
        )
    finally:
        for part, table in kept.items():
            write_table(table, part)


def test_it_prints_where_to_look_and_serves_until_it_is_stopped(trained):
    call = [sys.executable, "-m", "antiphon", "--json", "--workspace", str(trained.root), "serve", "--port", "0"]
    with subprocess.Popen(call, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            text = "".join(iter(process.stdout.readline, "}\n")) + "}"
            url = json.loads(text)["url"]
            with urllib.request.urlopen(f"{url}api/health", timeout=30) as answer:
                assert json.load(answer)["videos"] == 12
        finally:
            process.terminate()
        process.wait(timeout=30)
