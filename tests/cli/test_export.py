"""`antiphon export`: what it writes, and what it says."""

import json

import pyarrow.parquet as pq
import pytest

from antiphon.cli.app import run

from .features import with_features

pytestmark = pytest.mark.usefixtures("quick_default")


@pytest.fixture(scope="module")
def workspace(synthetic_table, tmp_path_factory):
    made = with_features(tmp_path_factory.mktemp("export") / "w", synthetic_table)
    assert run(["-w", str(made.root), "train", "--no-learning-curve", "--name", "base"]) == 0
    return made


@pytest.fixture
def call(workspace, capsys):
    def called(*arguments):
        code = run(["-w", str(workspace.root), *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return called


def test_onnx_is_compared_with_pytorch(call, tmp_path):
    code, out, _ = call("--json", "export", "onnx", "--out", tmp_path)
    assert code == 0
    assert max(json.loads(out)["differences"].values()) < 1e-5
    assert {path.name for path in tmp_path.iterdir()} == {"audio.onnx", "video.onnx"}
    assert "from PyTorch" in call("export", "onnx", "--out", tmp_path)[1]


@pytest.mark.parametrize("form", ["parquet", "embedding-atlas"])
def test_embeddings_as_one_file(call, form, tmp_path):
    code, out, _ = call("export", "embeddings", "--format", form, "--out", tmp_path / "e.parquet", "--per", "segment")
    assert code == 0
    assert "48 embeddings" in out
    assert pq.read_table(tmp_path / "e.parquet").num_rows == 48


@pytest.mark.parametrize(("form", "files"), [("tensorboard", 3), ("fiftyone", 3)])
def test_embeddings_as_a_folder(call, form, files, tmp_path):
    code, out, _ = call("--json", "export", "embeddings", "--format", form, "--out", tmp_path)
    assert code == 0
    found = json.loads(out)
    assert (found["rows"], len(found["files"])) == (24, files)


def test_without_a_run_it_says_what_to_do(tmp_path, synthetic_table, capsys):
    assert run(["-w", str(tmp_path), "catalogue", "add", str(synthetic_table)]) == 0
    assert run(["-w", str(tmp_path), "export", "onnx"]) == 1
    assert "Run antiphon train first" in capsys.readouterr().err
