"""`antiphon index` and `antiphon search`, on made-up features and on a file."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from antiphon import backbones
from antiphon.app.encoding import EncodingJob, prepare_model
from antiphon.app.library import Library
from antiphon.app.searching import Searcher, asking_modalities
from antiphon.app.served import Snapshot
from antiphon.catalogue import Catalogue
from antiphon.cli.app import run
from antiphon.cli.opening import look_at_files, workspace_features
from antiphon.cli.session import Session
from antiphon.dual_encoder import DualEncoder
from antiphon.embeddings import ModalityEmbeddings
from antiphon.errors import StaleIndexError
from antiphon.features.assembly import assemble
from antiphon.features.planning import plan_segments
from antiphon.features.single import SourceFeatures
from antiphon.features.store import FeatureStore, VideoFeatures
from antiphon.model.recipe import load_recipe, recipe_from
from antiphon.search import Index, Query
from antiphon.search.explaining import Facts
from antiphon.search.filters import Conditions
from antiphon.segments.sampling import SamplingConfig
from antiphon.tables import write_table
from antiphon.workspace import Workspace

pytestmark = pytest.mark.usefixtures("quick_default")


@pytest.fixture(scope="module")
def made(synthetic_table, tmp_path_factory):
    """Synthetic media with made-up features of all but the last two videos, a run and an index."""
    workspace = Workspace(tmp_path_factory.mktemp("index-cli") / "w")
    base = ["-w", str(workspace.root)]
    assert (
        run([*base, "catalogue", "add", str(synthetic_table), "--by", "video", "--fractions", "0.4", "0.2", "0.4"]) == 0
    )
    segments = plan_segments(workspace, Catalogue.load(workspace.catalogue), SamplingConfig(sections=2))[0].by_video
    for seed, modality in ((1, "audio"), (2, "video")):
        _append(workspace, modality, seed, {name: segments[name] for name in segments if name not in _late(workspace)})
    assert run([*base, "train", "--no-learning-curve", "--name", "base"]) == 0
    assert run([*base, "index", "build"]) == 0
    return workspace


@pytest.fixture
def place(made, tmp_path):
    """A copy of it, which a test may change."""
    shutil.copytree(made.root, tmp_path / "place")
    return Workspace(tmp_path / "place")


def _late(workspace):
    """Two test videos whose features come later."""
    rows = Catalogue.load(workspace.catalogue).records()
    return [row["id"] for row in rows if row["split"] == "test"][-2:]


def _append(workspace, modality, seed, segments):
    random = np.random.default_rng(seed)
    store = FeatureStore(workspace.features / f"by-{modality}", {"backbone": "made up", "modality": modality})
    for video, rows in segments.items():
        vectors = random.normal(size=(len(rows), 8)).astype(np.float32)
        store.append([VideoFeatures(video, [row["segment_id"] for row in rows], vectors)])


def call(capsys, *arguments):
    code = run([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def call_json(capsys, place, *arguments):
    code, out, err = call(capsys, "-w", place.root, *arguments, "--json")
    assert code == 0, err
    return json.loads(out)


def test_build_add_remove_stats_and_compact(place, capsys):
    found = call_json(capsys, place, "index", "stats")
    rows = {(row["side"], row["level"]): row["count"] for row in found["rows"]}
    assert rows == {
        (side, level): count for side in ("audio", "video") for level, count in (("segment", 20), ("track", 10))
    }
    assert (found["origin"]["run"], found["origin"]["audio"]) == ("base", "by-audio")
    segments = plan_segments(place, Catalogue.load(place.catalogue), SamplingConfig(sections=2))[0].by_video
    for seed, modality in ((3, "audio"), (4, "video")):
        _append(place, modality, seed, {name: segments[name] for name in _late(place)})
    assert call_json(capsys, place, "index", "add")["added"] == sorted(_late(place))
    assert call_json(capsys, place, "index", "add")["added"] == []
    gone = _late(place)[0]
    assert call_json(capsys, place, "index", "remove", gone) == {"removed": [gone], "missing": [], "videos": 11}
    code, _, err = call(capsys, "-w", place.root, "index", "remove", gone)
    assert code == 1
    assert f"'{gone}' is not in the index" in err
    assert call_json(capsys, place, "index", "add")["added"] == [gone]
    assert call_json(capsys, place, "index", "compact")["parts"] == 1
    code, out, _ = call(capsys, "-w", place.root, "index", "stats")
    assert "12 music videos, 32 values per row" in out
    assert "24 audio, segments" in out


def test_an_add_measures_what_it_adds_and_nothing_else(place, tmp_path, capsys):
    shutil.copytree(place.root, tmp_path / "w")
    copy = Workspace(tmp_path / "w")
    copy.attributes.unlink()
    gone = Index.open(copy.index).ids[:2]
    call_json(capsys, copy, "index", "remove", *gone)
    assert call_json(capsys, copy, "index", "add")["added"] == gone
    assert set(pq.read_table(copy.attributes)["video_id"].to_pylist()) == set(gone)
    copy.attributes.unlink()
    assert call_json(capsys, copy, "index", "add")["added"] == []
    assert not copy.attributes.exists()


def test_moments_lie_where_the_segments_do(place, capsys):
    features = assemble(place, Catalogue.load(place.catalogue), "by-audio", "by-video")
    video = str(features.groups[0])
    (hit,) = call_json(capsys, place, "search", video, "--target", "audio", "--k", "1")["hits"]
    starts = features.starts_s[features.groups == hit["id"]]
    for moment in hit["moments"]:
        assert np.isclose(starts, moment["start_s"]).any()
        assert moment["end_s"] - moment["start_s"] == pytest.approx(3)


def test_search_by_id_is_what_the_index_says(place, capsys):
    index = Index.open(place.index, DualEncoder.load(place.run("base")))
    video = index.ids[0]
    data = call_json(capsys, place, "search", video, "--by", "audio", "--k", "3")
    assert [hit["id"] for hit in data["hits"]] == [
        hit.id for hit in index.search(Query.from_id(index, video), by="audio", k=3)
    ]
    data = call_json(capsys, place, "search", video, "--target", "video", "--k", "3", "--rerank", "--diversity", "0.4")
    expected = index.search(Query.from_id(index, video), target="video", k=3, rerank=True, diversity=0.4)
    assert [hit["id"] for hit in data["hits"]] == [hit.id for hit in expected]
    artist = data["hits"][0]["artist"]
    data = call_json(capsys, place, "search", video, "--not-artist", artist, "--k", "100")
    assert data["hits"]
    assert artist not in {hit["artist"] for hit in data["hits"]}
    code, out, _ = call(capsys, "-w", place.root, "search", video, "--target", "audio")
    assert code == 0
    assert "Songs for the pictures of" in out
    code, out, err = call(capsys, "-w", place.root, "search", video, "--genre", "none such")
    assert "has the genre 'none such'" in err
    assert "No hits" in out


@pytest.fixture
def track_model(place, tmp_path):
    """A workspace whose run embeds tracks by a track model, with its index."""
    shutil.copytree(place.root, tmp_path / "w", ignore=shutil.ignore_patterns("runs", "index"))
    workspace = Workspace(tmp_path / "w")
    base = load_recipe("antiphon-track").model_dump(exclude_none=True)
    small = {
        "head": base["head"] | {"hidden": (8,), "embedding_dim": 8},
        "training": base["training"] | {"epochs": 2, "min_steps": 0},
        "track": base["track"] | {"num_axes": 2},
    }
    features = workspace_features(workspace, None, None)
    model = DualEncoder(recipe_from(base | small, "small")).fit(features["train"], features["validation"])
    model.save(workspace.run("tracks"))
    assert run(["-w", str(workspace.root), "index", "build"]) == 0
    return workspace, features


@pytest.mark.parametrize("target", ["both", "audio", "video"])
def test_a_file_of_the_catalogue_has_the_answers_of_its_id_by_a_track_model(track_model, capsys, monkeypatch, target):
    workspace, features = track_model
    index = Index.open(workspace.index)
    record = next(row for row in Catalogue.load(workspace.catalogue).records() if row["id"] == index.ids[0])
    own = features.take(features.groups == record["id"])

    def file_features(path, networks, sampling, batch_size):
        sides = {"by-audio": ("audio", own.audio), "by-video": ("video", own.video)}
        windows = [(start_s, start_s + 3) for start_s in own.starts_s]
        return SourceFeatures(windows, dict(sides[network] for network in networks))

    def files_features(paths, networks, sampling, batch_size, **limits):
        yield paths[0], file_features(paths[0], networks, sampling, batch_size)

    monkeypatch.setattr("antiphon.encoding.file_features", file_features)
    monkeypatch.setattr("antiphon.encoding.files_features", files_features)
    monkeypatch.setattr("antiphon.dual_encoder.loaded_backbone", lambda name, device: name)
    monkeypatch.setattr("antiphon.app.encoding._warm_up", lambda model: None)
    options = ["--target", target]
    by_id = call_json(capsys, workspace, "search", record["id"], *options, "--k", "100")["hits"]
    by_file = call_json(capsys, workspace, "search", record["path"], *options, "--k", "100")["hits"]
    scores = {hit["id"]: hit["score"] for hit in by_file}
    assert [hit["id"] for hit in by_id] == [name for name in scores if name != record["id"]]
    assert [hit["score"] for hit in by_id] == pytest.approx([scores[hit["id"]] for hit in by_id], abs=1e-5)
    searcher = Searcher(Library.of(workspace), index, Facts.of({}))
    encode = prepare_model(str(workspace.run("tracks")), index.origin.model)
    (encodings,) = encode(EncodingJob(record["path"], asking_modalities(target)))
    served = searcher.by_file(encodings, Conditions(k=100), target)
    assert {found.video.id: found.score for found in served} == pytest.approx(scores, abs=1e-5)


def test_a_file_never_indexed_is_encoded(place, synthetic_table, capsys, monkeypatch):
    """With the features of an indexed video given for the file, the answer is that video's."""
    index = Index.open(place.index)
    _, vectors, _ = index.embeddings("audio", "segment")
    asked = []

    def encode_files(self, paths, *, limits):
        asked.extend(Path(path).name for path in paths)
        yield paths[0], {"audio": ModalityEmbeddings.from_segments(vectors[:2], starts_s=[0.0, 5.0])}

    monkeypatch.setattr(DualEncoder, "encode_files", encode_files)
    file = next(synthetic_table.parent.glob("*.mp4"))
    (hit,) = call_json(capsys, place, "search", file, "--by", "audio", "--k", "1")["hits"]
    assert (hit["id"], round(hit["score"], 4)) == (index.ids[0], 1.0)
    assert {moment["query_start_s"] for moment in hit["moments"]} == {0.0, 5.0}
    assert asked == [file.name]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["search", "nothing"], "neither a music video of this index nor a file"),
        (["search", "x", "--path", "/nowhere/index"], "no index here. Build one first: antiphon index build"),
        (["index", "stats", "--path", "/nowhere/index"], "Build one first: antiphon index build"),
        (["index", "remove"], "at least one"),
    ],
)
def test_what_cannot_be_done_says_why(place, capsys, arguments, message):
    code, out, err = call(capsys, "-w", place.root, *arguments)
    assert (code, out) == (1, "")
    assert message in err


def test_a_file_that_is_no_media_is_refused(place, tmp_path, capsys, monkeypatch):
    """The run's features come from no backbone, so one of ours stands in: the file is refused before it is run."""
    (tmp_path / "x.mp4").write_bytes(b"PK\x03\x04" + bytes(200))
    monkeypatch.setattr("antiphon.dual_encoder.loaded_backbone", lambda name, device: backbones.load("musicnn-mtt"))
    code, _, err = call(capsys, "-w", place.root, "search", tmp_path / "x.mp4")
    assert code == 1
    assert "x.mp4" in err


def test_a_file_beyond_its_limits_is_refused(place, synthetic_table, capsys, monkeypatch):
    monkeypatch.setattr("antiphon.dual_encoder.loaded_backbone", lambda name, device: backbones.load("musicnn-mtt"))
    file = next(synthetic_table.parent.glob("*.mp4"))
    code, _, err = call(capsys, "-w", place.root, "search", file, "--max-decoding-s", "0.000001")
    assert code == 1
    assert f"{file.name}: took longer than" in err
    assert "needs higher limits" in err


def test_both_verbs_take_both_names_of_k(place, capsys):
    video = Index.open(place.index).ids[0]
    for verb, *asked in (("search", video), ("recommend", "--like", video)):
        for name in ("-k", "--k"):
            assert len(call_json(capsys, place, verb, *asked, name, "2")["hits"]) == 2
        assert call(capsys, "-w", place.root, verb, *asked, "-k", "0")[0] != 0


def test_an_index_of_features_made_otherwise_is_not_searched(place, capsys):
    video = Index.open(place.index).ids[0]
    parts = list((place.features / "by-audio").glob("part-*.parquet"))
    before = {part: pq.read_table(part) for part in parts}
    try:
        for part, table in before.items():
            write_table(table.replace_schema_metadata(table.schema.metadata | {b"weights": b"others"}), part)
        code, out, err = call(capsys, "-w", place.root, "search", video)
    finally:
        for part, table in before.items():
            write_table(table, part)
    assert (code, out) == (1, "")
    assert "the audio features have been recomputed with other weights" in err
    assert "antiphon index build" in err
    assert call(capsys, "-w", place.root, "search", video)[0] == 0


def test_an_index_without_its_features_or_its_run_answers(place, tmp_path, capsys):
    video = Index.open(place.index).ids[0]
    expected = call_json(capsys, place, "search", video)
    shutil.copytree(place.root, tmp_path / "w")
    copy = Workspace(tmp_path / "w")
    for folder in (copy.features, copy.runs):
        shutil.rmtree(folder)
        assert call_json(capsys, copy, "search", video) == expected


def test_a_file_is_not_embedded_by_another_model_than_the_index_is_of(place):
    with pytest.raises(StaleIndexError, match="trained again"):
        prepare_model(str(place.run("base")), "another")


def test_a_video_that_left_the_catalogue_is_not_found(place, capsys):
    video, gone = Index.open(place.index).ids[:2]
    catalogue = Catalogue.load(place.catalogue)
    assert gone in {hit["id"] for hit in call_json(capsys, place, "search", video, "-k", "20")["hits"]}
    Catalogue([row for row in catalogue.records() if row["id"] != gone]).save(place.catalogue)
    assert gone not in {hit["id"] for hit in call_json(capsys, place, "search", video, "-k", "20")["hits"]}


def test_an_index_of_another_model_is_refused(place, capsys):
    video = Index.open(place.index).ids[0]
    assert run(["-w", str(place.root), "train", "--no-learning-curve", "--name", "base", "--seed", "9"]) == 0
    capsys.readouterr()
    for asked in (["index", "add"], ["search", video]):
        code, _, err = call(capsys, "-w", place.root, *asked)
        assert code == 1
        assert "built with another model" in err
        assert "antiphon index build" in err


def test_a_corrected_table_is_seen_by_the_next_search_and_by_a_service_that_runs(place, tmp_path, capsys):
    query, other, third = Index.open(place.index).ids[:3]
    searcher = Snapshot(place, Index.open(place.index), every_s=0.0)
    assert call_json(capsys, place, "search", query, "--genre", "corrected")["hits"] == []
    (tmp_path / "corrected.csv").write_text(f"id,title,genre,artist\n{other},A New Title,corrected,\n")
    call_json(capsys, place, "catalogue", "add", tmp_path / "corrected.csv")
    (hit,) = call_json(capsys, place, "search", query, "--genre", "corrected")["hits"]
    assert (hit["id"], hit["title"]) == (other, "A New Title")
    assert call_json(capsys, place, "search", "A New Title", "--k", "1")["query"] == other
    (found,) = searcher.searcher.by_id(query, Conditions(genre=("corrected",)))
    assert (found.video.id, found.video.title) == (other, "A New Title")
    call_json(capsys, place, "catalogue", "remove", third)
    assert third not in {hit["id"] for hit in call_json(capsys, place, "search", query, "--k", "20")["hits"]}
    assert third not in {found.video.id for found in searcher.searcher.by_id(query, Conditions(k=20))}


def test_a_replaced_file_leaves_the_index_until_it_is_computed_anew(place, capsys):
    rows, index = Catalogue.load(place.catalogue).records(), Index.open(place.index)
    replaced = index.ids[0]
    index._place.write_contents(index._record, index._place.contents(index._record) | {replaced: "before"})
    for row in rows:
        row["content_hash"], row["size_bytes"] = ("before", 1) if row["id"] == replaced else (row["content_hash"], 2)
    Catalogue(rows).save(place.catalogue)
    code, out, err = call(capsys, "-w", place.root, "index", "add")
    assert code == 0
    assert "0 music videos added; 9 in the index" in out
    assert f"1 file was replaced ('{replaced}' is the first). To find what is there now, run antiphon extract" in err
    segments = plan_segments(place, Catalogue.load(place.catalogue), SamplingConfig(sections=2))[0].by_video
    for seed, modality in ((3, "audio"), (4, "video")):
        assert replaced not in FeatureStore.existing(place.features / f"by-{modality}").done()
        _append(place, modality, seed, {replaced: segments[replaced]})
    assert call_json(capsys, place, "index", "add")["added"] == [replaced]
    features = assemble(place, Catalogue.load(place.catalogue), "by-audio", "by-video")
    expected, _ = DualEncoder.load(place.run("base")).embed(features.take(features.groups == replaced), per="track")
    item = Index.open(place.index).item(replaced)
    np.testing.assert_allclose(item.sides["audio"].track, expected[0], atol=1e-5)


def test_an_index_is_built_while_another_process_writes_and_says_that_it_did_not_look(place, capsys):
    with place.lock():
        look_at_files(Session(place.root))
    assert "Files were not looked at." in capsys.readouterr().err
