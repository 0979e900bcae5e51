"""`antiphon gallery`: the page and its numbers, on media and on features alone."""

import json
import re

import numpy as np
import pytest

from antiphon.catalogue import Catalogue
from antiphon.cli.app import run
from antiphon.tables import read_table

from .features import with_features

pytestmark = pytest.mark.usefixtures("quick_default")


@pytest.fixture(scope="module")
def place(synthetic_table, tmp_path_factory):
    """Synthetic media with made-up features, and a run."""
    workspace = with_features(tmp_path_factory.mktemp("gallery-cli") / "w", synthetic_table)
    base = ["-w", str(workspace.root)]
    assert run([*base, "train", "--no-learning-curve", "--name", "base"]) == 0
    return workspace


def call(capsys, *arguments):
    code = run([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_page_and_numbers(place, capsys):
    code, out, _ = call(capsys, "-w", place.root, "gallery", "--videos", "2", "--segments", "1", "--json")
    assert code == 0
    found = json.loads(out)
    folder = place.run("base")
    assert found.pop("page") == str(folder / "gallery.html")
    assert json.loads((folder / "gallery.json").read_text(encoding="utf-8")) == found
    assert (len(found["seeds"]["videos"]), len(found["seeds"]["segments"])) == (2, 1)
    assert found["attributes"]["segments"] == found["segments"]
    assert "Synthetic music videos" in (folder / "gallery.html").read_text(encoding="utf-8")
    pool = [row["id"] for row in Catalogue.load(place.catalogue).records() if row["split"] == "test"]
    assert set(read_table(place.attributes)["video_id"].to_pylist()) == set(pool)


def test_one_tag_in_words(place, capsys):
    code, out, _ = call(capsys, "-w", place.root, "gallery", "--videos", "1", "--segments", "0", "--tag", "drums")
    assert code == 0
    assert re.search(r"of videos tagged “drums” have the tag too, and [\d.]+% of all other videos", out)
    assert "gallery.html" in out
    listed = json.loads((place.run("base") / "gallery.json").read_text(encoding="utf-8"))["tags"]
    assert [item["tag"] for item in listed] == ["drums"]


def test_a_tag_that_nobody_carries(place, capsys):
    code, _, err = call(capsys, "-w", place.root, "gallery", "--tag", "no such tag")
    assert code == 1
    assert "No video of the pool carries the tag 'no such tag'" in err


def test_features_alone(tmp_path, capsys):
    random = np.random.default_rng(0)
    rows = [
        {
            "id": f"v{number}",
            "sound": random.normal(size=6).tolist(),
            "look": random.normal(size=5).tolist(),
            "tags": ["x"],
        }
        for number in range(60)
    ]
    import polars as pl

    pl.DataFrame(rows).write_parquet(tmp_path / "ready.parquet")
    base = ["-w", tmp_path / "w"]
    ready = [
        "features",
        "import",
        tmp_path / "ready.parquet",
        "--audio",
        "sound",
        "--video",
        "look",
        "--labels",
        "tags",
    ]
    assert call(capsys, *base, *ready)[0] == 0
    assert call(capsys, *base, "train", "--no-learning-curve")[0] == 0
    code, out, _ = call(capsys, *base, "gallery", "--json")
    assert code == 0
    found = json.loads(out)
    assert found["attributes"] == {"reason": "No media in this workspace."}
    assert found["seeds"]["segments"] == []
    assert not (tmp_path / "w" / "attributes.parquet").exists()


def test_interrupted_it_leaves_no_half_page(place, capsys, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    (place.run("base") / "gallery.html").unlink(missing_ok=True)
    monkeypatch.setattr("antiphon.report.neighbour_items.render_all", interrupt)
    assert call(capsys, "-w", place.root, "gallery", "--videos", "1")[0] == 130
    assert not (place.run("base") / "gallery.html").exists()
    assert not list(place.root.rglob("*.partial"))
