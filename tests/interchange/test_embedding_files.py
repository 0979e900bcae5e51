"""Embeddings as the files of other tools, read by those tools or as their documentation says."""

import csv
import json
import re

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from antiphon.catalogue import Catalogue
from antiphon.dual_encoder import DualEncoder
from antiphon.errors import ConfigError, FeatureStoreError
from antiphon.features import Features
from antiphon.interchange import embedding_files
from antiphon.interchange.embedding_table import embedding_schema, embedding_table, vectors_of
from antiphon.model.recipe import changed_recipe, load_recipe

QUICK = {"head": {"hidden": [16], "embedding_dim": 8}, "training": {"epochs": 1, "min_steps": 0}, "closed_form": None}


@pytest.fixture(scope="module")
def made():
    """A model, features of 30 videos of two segments, of which one has no sound, and a catalogue."""
    random = np.random.default_rng(0)
    sound, pictures = random.normal(size=(2, 60, 6))
    sound[:2] = np.nan
    groups = [f"v{n // 2:02d}" for n in range(60)]
    ids = [f"v{n // 2:02d}/{n % 2}" for n in range(60)]
    features = Features.from_arrays(sound, pictures, ids=ids, groups=groups, starts_s=[n % 2 * 5.0 for n in range(60)])
    recipe = changed_recipe(load_recipe("paper-base"), {name: QUICK[name] for name in ("head", "training")}, "quick")
    model = DualEncoder(recipe).fit(features, verbose=False)
    rows = [{"id": f"v{n:02d}", "title": f"Song\t{n}", "artist": "=A", "tags": ["loud", "live"]} for n in range(29)]
    catalogue = Catalogue([*rows, {"id": "v29"}])
    return model, features, catalogue


@pytest.fixture(scope="module")
def tracks(made):
    return embedding_table(*made)


def test_a_row_is_a_side_of_a_track_with_what_is_known_of_it(made, tracks):
    model, features, _ = made
    assert tracks.schema.equals(embedding_schema(model.dim), check_metadata=False)
    audio, video = model.embed(features, per="track")
    assert tracks.num_rows == 59
    np.testing.assert_array_equal(vectors_of(tracks), np.concatenate([audio[1:], video]))
    first = tracks.slice(0, 1).to_pylist()[0]
    assert (first["id"], first["modality"], first["title"], first["tags"]) == (
        "v01",
        "audio",
        "Song\t1",
        ["loud", "live"],
    )
    about = json.loads(tracks.schema.metadata[b"antiphon"])
    assert (about["fingerprint"], about["per"]) == (model.fingerprint, "track")
    assert about["correction_dim"] == model.correction_dim


def test_segments_have_their_ids_and_times(made):
    model, features, catalogue = made
    rows = embedding_table(model, features, catalogue, "segment").to_pylist()
    assert [(row["segment_id"], row["start_s"]) for row in rows[:2]] == [("v01/0", 0.0), ("v01/1", 5.0)]
    np.testing.assert_array_equal(rows[-1]["vector"], model.embed(features)[1][-1])


def test_nothing_to_embed_is_said(made):
    model, features, catalogue = made
    with pytest.raises(FeatureStoreError, match="no features to embed"):
        embedding_table(model, features.take(np.zeros(60, dtype=bool)), catalogue)


def test_parquet_comes_back_with_its_schema(tracks, tmp_path):
    (path,) = embedding_files.write_parquet(tracks, tmp_path / "e.parquet")
    assert pq.read_table(path).equals(tracks)
    with pytest.raises(ConfigError, match=r"ends in \.parquet"):
        embedding_files.write_parquet(tracks, tmp_path / "e.csv")


def test_embedding_atlas_has_names_to_show_and_plain_lists(tracks, tmp_path):
    (path,) = embedding_files.write_atlas(tracks, tmp_path / "e.parquet")
    frame = pl.read_parquet(path)
    assert frame["vector"].dtype == pl.List(pl.Float32)
    np.testing.assert_array_equal(np.stack(frame["vector"].to_list()), vectors_of(tracks))
    assert frame["name"][0] == "=A – Song\t1"
    assert frame["name"][-1] == "v29"
    assert frame["tags"][0] == "loud, live"


def test_the_projector_has_a_line_of_metadata_for_each_vector(tracks, tmp_path):
    embedding_files.write_projector(tracks, tmp_path)
    vectors = np.loadtxt(tmp_path / "vectors.tsv", delimiter="\t", dtype=np.float32)
    np.testing.assert_allclose(vectors, vectors_of(tracks), rtol=1e-6)
    header, *lines = (tmp_path / "metadata.tsv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(vectors)
    assert {line.count("\t") for line in [header, *lines]} == {10}
    assert lines[0].split("\t")[:2] == ["=A – Song 1", "v01"]
    config = (tmp_path / "projector_config.pbtxt").read_text(encoding="utf-8")
    named = re.findall(r'(tensor|metadata)_path: "(.*)"', config)
    assert all((tmp_path / name).is_file() for _, name in named) and len(named) == 2


def test_fiftyone_has_a_row_per_file_and_its_vectors_in_that_order(made, tracks, tmp_path):
    model, features, _ = made
    paths = {"v00": "/videos/0.mp4", "v02": "/videos/2.mp4"}
    embedding_files.write_fiftyone(tracks, tmp_path, paths)
    with (tmp_path / "labels.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["video_id"], row["filepath"], row["artist"]) for row in rows] == [
        ("v00", "/videos/0.mp4", "'=A"),
        ("v02", "/videos/2.mp4", "'=A"),
    ]
    assert (rows[0]["labels"], (tmp_path / "data").is_dir()) == ("loud;live", True)
    audio, video = model.embed(features, per="track")
    np.testing.assert_array_equal(np.load(tmp_path / "embeddings-audio.npy"), audio[[0, 2]])
    np.testing.assert_array_equal(np.load(tmp_path / "embeddings-video.npy"), video[[0, 2]])
    with pytest.raises(ConfigError, match="No music video has a media file"):
        embedding_files.write_fiftyone(tracks, tmp_path, {})


def test_lancedb_has_the_table_and_keeps_one_that_is_there(tracks, tmp_path, monkeypatch):
    class Database:
        def __init__(self, place):
            self.place = place

        def create_table(self, name, table):
            pq.write_table(table, self.place + f"/{name}.lance")

    monkeypatch.setitem(__import__("sys").modules, "lancedb", None)
    with pytest.raises(ConfigError, match=r"pip install 'antiphon\[lance\]'"):
        embedding_files.write_lance(tracks, tmp_path)
    stand_in = type("lancedb", (), {"connect": staticmethod(Database)})
    monkeypatch.setitem(__import__("sys").modules, "lancedb", stand_in)
    (path,) = embedding_files.write_lance(tracks, tmp_path)
    assert isinstance(pq.read_table(path), pa.Table)
    with pytest.raises(ConfigError, match="there is such a table"):
        embedding_files.write_lance(tracks, tmp_path)
