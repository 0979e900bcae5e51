"""Artefacts of every kind, small and real, with what reads them: for tests of damage, and for `benchmarks/fuzz.py`."""

import gzip
import json
import re
import struct
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np
import polars as pl
import pyarrow as pa
import tomli_w
import torch

import antiphon.report.inputs
from antiphon import DualEncoder, Features, Index
from antiphon.app.jobs import read_record
from antiphon.app.kept_files import KeptFiles
from antiphon.app.layout import Layout, laid_out
from antiphon.app.outlines import read_outline
from antiphon.app.sent_records import SentFile, dumped, read_sent
from antiphon.backbones.tensorflow_checkpoint import read_index
from antiphon.backbones.weights import read_pth, read_tensors, write_tensors
from antiphon.catalogue import Catalogue
from antiphon.catalogue.description import synthetic_coupling
from antiphon.checksums import masked_crc32c
from antiphon.embeddings import ModalityEmbeddings
from antiphon.evaluation import audit, evaluate
from antiphon.evaluation_log import freeze, frozen, keep_evaluation, read_evaluations
from antiphon.experiments.cells import Outcome, read_outcome, write_outcome
from antiphon.experiments.kept import Kept
from antiphon.experiments.study import load_study
from antiphon.features.attributes import read_attributes
from antiphon.features.importing import from_yt8m, import_features, with_label_names
from antiphon.features.planning import read_segments
from antiphon.features.store import FeatureStore
from antiphon.judging import Judgements
from antiphon.judging.questions import Question
from antiphon.judging.records import RunScore
from antiphon.judging.report import judging_report
from antiphon.model.recipe import changed_recipe, load_recipe
from antiphon.recommendation.interactions import read_interactions
from antiphon.report.audit_section import audit_context
from antiphon.report.build import render
from antiphon.report.inputs import read_inputs
from antiphon.runs import read_metrics, read_run
from antiphon.search import lists
from antiphon.search.explaining import workspace_facts
from antiphon.segments.kept import KeptSegment, encode_segment, read_kept
from antiphon.segments.sampling import SamplingConfig, segment_rows
from antiphon.shortlists import Rejections, Shortlists, added, noted
from antiphon.synthetic.generation import _read_record
from antiphon.tables import ATTRIBUTES, SEGMENTS, write_table
from antiphon.workspace import Failure, Workspace
from foreign_artefacts import foreign

RUN = "small"
_DIM = 8
_SMALL = {
    "head": {"hidden": [8], "embedding_dim": 4},
    "training": {"epochs": 2, "batch_size": 16, "min_steps": 0, "min_pairs": 2},
}


@dataclass(frozen=True)
class Artefact:
    """A file, and what reads it.

    Attributes
    ----------
    file : str
        Its path below the folder of all.
    read : callable
        Reads it; takes that folder.
    sealed : bool
        Whether any change of it must be noticed.
    """

    file: str
    read: Callable[[Path], object]
    sealed: bool = False

    @property
    def name(self) -> str:
        """Name of the artefact, for tests and the command line."""
        return self.file.replace("/", "-")


def make(root: Path) -> list[Artefact]:
    """Make all artefacts in a folder.

    Parameters
    ----------
    root : Path
        An empty folder.

    Returns
    -------
    list of Artefact
        What was made, the folder's files being as a workspace has them.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        workspace = Workspace(root)
        _tables(workspace)
        _run(workspace)
        _others(root)
        others = [Artefact(file, read) for file, read in foreign(root)]
        index = [*_index(root / "index"), *_index(root / "lists", least_listed=1)]
    return [*_of_workspace(root), *_of_run(), *_of_people(), *index, *_of_weights(), *others]


def _features() -> Features:
    random = np.random.default_rng(0)
    sound = random.normal(size=(40, _DIM)).astype(np.float32)
    return Features.from_arrays(
        audio=sound,
        video=sound[:, ::-1] + random.normal(size=sound.shape) / 4,
        ids=[f"v{row:02d}/0" for row in range(40)],
        groups=[f"v{row:02d}" for row in range(40)],
        artists=[f"artist {row}" for row in range(40)],
        genres=["rock", "jazz"] * 20,
        splits=["train"] * 24 + ["validation"] * 8 + ["test"] * 8,
        labels=[["loud", "live"]] * 40,
        audio_name="hearing",
        video_name="seeing",
    )


def _tables(workspace: Workspace) -> None:
    import_features(_features(), workspace)
    sampling = SamplingConfig(sections=1)
    rows = [row | {"segment_id": f"v{n:02d}/0"} for n in range(40) for row in segment_rows(f"v{n:02d}", 20.0, sampling)]
    table = pa.Table.from_pylist(rows, SEGMENTS)
    write_table(table.replace_schema_metadata({b"sampling": sampling.model_dump_json()}), workspace.segments)
    workspace.write_failures([Failure("v00", "extract", "DecodeError", "cut short")])
    measured = {name: 0.5 for name in ATTRIBUTES.names if ATTRIBUTES.field(name).type == pa.float64()}
    names = ("segment_id", "video_id", "window_start_s", "window_end_s")
    about = [measured | {"black_and_white": False} | {name: row[name] for name in names} for row in rows]
    made_by = {b"measured": b"96 px, 10 frames per second, tempo, 3"}
    write_table(pa.Table.from_pylist(about, ATTRIBUTES).replace_schema_metadata(made_by), workspace.attributes)


def _run(workspace: Workspace) -> None:
    features, folder = _features(), workspace.run(RUN)
    recipe = changed_recipe(load_recipe("antiphon-base"), _SMALL, "small")
    model = DualEncoder(recipe, seed=1).fit(features["train"], features["validation"], verbose=False)
    model.save(folder)
    found = {"split": "test", "seed": 3} | evaluate(model, features["test"], seed=3)
    (folder / "metrics.json").write_text(json.dumps(found))
    keep_evaluation(folder, found).rename(folder / "evaluations" / "20260131T101500000000Z.json")
    freeze(workspace, "old", ["v01", "v02"])
    (folder / "audit.json").write_text(json.dumps(audit(model, features).to_dict()))
    point = {"videos": 8, "pairs": 8, "n": 8, "median_rank": {"a2v": 2.0, "v2a": 2.0}, "geometric_mean_rank": 2.0}
    (folder / "learning_curve.json").write_text(json.dumps({"points": [point, point], "verdict": "No gain."}))


def _index(folder: Path, least_listed: int = lists.MIN_ROWS) -> list[Artefact]:
    vectors = np.random.default_rng(1).normal(size=(20, 4))
    names = [f"v{row}" for row in range(20)]
    about = [{"artist": "A", "title": name, "genre": "rock", "tags": ["loud"], "year": 1999} for name in names]
    with patch.object(lists, "MIN_ROWS", least_listed):
        index = Index.from_vectors(names, vectors, folder, metadata=about)
    index.remove("v3")

    def read(root: Path) -> object:
        opened = Index.open(root / folder.name)
        hits = opened.search(vectors[:1], k=5)
        return [(hit.id, round(hit.score, 6), hit.artist, hit.title) for hit in hits[0]], opened.titles()

    files = [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]
    return [
        Artefact(path.relative_to(folder.parent).as_posix(), read, path.suffix == ".parquet") for path in sorted(files)
    ]


def _of_workspace(root: Path) -> list[Artefact]:
    def assembled(name: str) -> Callable[[Path], object]:
        def read(folder: Path) -> object:
            store = FeatureStore.existing(folder / "features" / name)
            rows = store.read()
            return store.made_by, sorted(store.done()), rows.segment_ids, rows.vectors.tobytes()

        return read

    def segments(folder: Path) -> object:
        found = read_segments(Workspace(folder))
        return found, antiphon.report.inputs._segments(Workspace(folder))

    parts = [path.relative_to(root).as_posix() for path in sorted((root / "features").rglob("*.parquet"))]
    return [
        Artefact("catalogue.parquet", lambda folder: Catalogue.load(folder / "catalogue.parquet").records(), True),
        Artefact("segments.parquet", segments, True),
        Artefact("failures.parquet", lambda folder: Workspace(folder).read_failures(), True),
        Artefact("attributes.parquet", _attributes, True),
        *(Artefact(part, assembled(part.split("/")[1]), True) for part in parts),
    ]


def _attributes(folder: Path) -> object:
    read_attributes(Workspace(folder), ["v00/0"])
    return workspace_facts(Workspace(folder))


def _of_run() -> list[Artefact]:
    def model(folder: Path) -> object:
        loaded = DualEncoder.load(folder / "runs" / RUN, device="cpu")
        return loaded.fingerprint, loaded.history, [names.tolist() for names in loaded._seen]

    def page(folder: Path) -> object:
        inputs = read_inputs(Workspace(folder), RUN)
        return render(inputs, "left out", None, inputs.audit or {"reason": "none"})

    def record(folder: Path) -> object:
        read_run(folder / "runs" / RUN)
        page(folder)
        return model(folder)

    def stored(folder: Path) -> object:
        read_metrics(folder / "runs" / RUN)
        audit_context(read_inputs(Workspace(folder), RUN).audit or {"reason": "none"})
        return page(folder)

    place = f"runs/{RUN}"
    return [
        Artefact(f"{place}/run.toml", record),
        Artefact(f"{place}/model.safetensors", model, True),
        Artefact(f"{place}/history.parquet", model, True),
        Artefact(f"{place}/videos.parquet", model, True),
        Artefact(f"{place}/metrics.json", stored),
        Artefact(f"{place}/evaluations/20260131T101500000000Z.json", lambda folder: read_evaluations(folder / place)),
        Artefact("test-sets/old.txt", lambda folder: frozen(Workspace(folder), "old"), True),
        Artefact(f"{place}/learning_curve.json", stored),
        Artefact(f"{place}/audit.json", stored),
    ]


def _others(root: Path) -> None:
    """Write what people bring, and what is kept between runs."""
    (root / "recipe.toml").write_text(tomli_w.dumps({"inherits": "paper-base", "head": {"hidden": [16]}}))
    step = {"name": "one", "inherits": "paper-base", "changes": {"head": {"hidden": [16]}}}
    (root / "study.toml").write_text(tomli_w.dumps({"name": "s", "step": [step], "videos": [8, "all"]}))
    (root / "synthetic.toml").write_text(tomli_w.dumps({"version": 1, "synthetic": {"coupling": 0.5}}))
    (root / "history.csv").write_text("user,video,time,plays\nu,v1,2026-01-31,2\nu,v2,2026-01-31T10:00:00Z,0\n")
    pl.DataFrame({"user_id": ["u", "u"], "video_id": ["v1", "v2"]}).write_parquet(root / "history.parquet")
    (root / "songs.csv").write_text("id,title,genre,tags,year\na,A,rock,loud;live,1999\nb,B,jazz,,2001\n")
    pl.DataFrame({"id": ["a", "b"], "genre": ["rock", None], "year": [1999, None]}).write_parquet(
        root / "songs.parquet"
    )
    random = np.random.default_rng(2)
    vectors = {"id": [f"r{n}" for n in range(9)], "x": random.normal(size=(9, 3)), "genre": ["rock"] * 9}
    pl.DataFrame(vectors).write_parquet(root / "vectors.parquet")
    (root / "names.csv").write_text("index,name\n3,Concert\n14,Music video\n")
    bodies = [_example(f"v{n}".encode(), random.normal(size=3).astype("<f4")) for n in range(3)]
    shard = b"".join(struct.pack("<Q", len(b)) + _crc(struct.pack("<Q", len(b))) + b + _crc(b) for b in bodies)
    (root / "s.tfrecord").write_bytes(shard)
    (root / "s.tfrecord.gz").write_bytes(gzip.compress(shard, mtime=0))
    numbers = {way: np.arange(4, dtype=np.float64) + 1 for way in ("a2v", "v2a")}
    names = np.array(["a", "b", "c", "d"])
    write_outcome(Outcome({"train_pairs": 3}, numbers, numbers, names, names), "key", root / "cell.npz")
    Kept(root, "inputs").get("kept", {}, lambda: {"a": [1, 2.5, "x"]})
    rows = random.normal(size=(20, 5)).astype(np.float32)
    laid_out([f"v{n:02d}" for n in range(20)], rows / np.linalg.norm(rows, axis=1)[:, None]).write(root / "map.parquet")
    job = {"id": "a" * 16, "what": "add", "video": "v", "state": "working", "asked_s": 1.5, "process": "p"}
    (root / "job.json").write_text(json.dumps(job))
    heard = ModalityEmbeddings.from_segments(rows[:2], starts_s=[0, 5], ends_s=[3, 8])
    sent = SentFile("t" * 22, root / f"{'0a' * 8}.mp4", "a.mp4", 5, 1e9, encodings={"audio": heard})
    (root / "sent.json").write_text(dumped(sent))
    _judged(root)
    _listed(root)
    _outlined(root)
    frames = random.integers(0, 255, (5, 16, 16, 3)).astype(np.uint8)
    segment = KeptSegment(frames, random.normal(size=8000).astype(np.float32) / 8)
    (root / "segment.mkv").write_bytes(encode_segment(segment))
    tensors = {"layer.weight": random.normal(size=(3, 4)).astype(np.float32), "layer.bias": np.zeros(3, np.float32)}
    write_tensors(tensors, root / "weights.safetensors")
    state = {name: torch.from_numpy(values) for name, values in tensors.items()}
    torch.save(state, root / "weights.pth")
    torch.save(state, root / "legacy.pth", _use_new_zipfile_serialization=False)
    (root / "checkpoint.index").write_bytes(_checkpoint_index())


def _judged(root: Path) -> None:
    judgements = Judgements(root / "judgements.sqlite")
    question = Question("overall", "random", "v1", "v2", "v3", "random", "random", 0.25)
    scores = [RunScore(RUN, "f", by, 0.25, 0.5) for by in ("both", "sound", "pictures")]
    judgements.add_round([(question, scores)] * 3, key="k", seed=1, per_judge=2, repeat_share=0.0, pool=20)
    judgements.join("Ada")
    task = judgements.next_task("Ada")
    assert task is not None
    judgements.answer("Ada", task.item, "left")


def _listed(root: Path) -> None:
    lists = Shortlists(root / "shortlists.sqlite")
    made = lists.create("Opening titles")
    lists.change(made.key, lambda one: noted(added(one, "v1"), "v1", "the bridge"))
    Rejections(root / "rejections.sqlite").add("v1", "audio", "v2")


def _outlined(root: Path) -> None:
    outline = {"length_s": 2.0, "peaks": [0, 255, 8], "beats_s": [0.5, 1.0]}
    (root / "outline.json").write_text(json.dumps(outline))


def _of_people() -> list[Artefact]:
    def judged(folder: Path) -> object:
        judgements = Judgements(folder / "judgements.sqlite")
        latest = judgements.round()
        if latest is None:
            return None
        return judging_report(judgements, latest), judgements.unanswered("Ada"), judgements.progress("Ada")

    def kept(folder: Path) -> object:
        return Kept(folder, "inputs").find("kept", {})

    def shard(name: str) -> Callable[[Path], object]:
        return lambda folder: from_yt8m([folder / name]).fingerprint()

    def vectors(folder: Path) -> object:
        return Features.from_parquet(folder / "vectors.parquet", audio="x", genres="genre").fingerprint()

    def named(folder: Path) -> object:
        features = Features.from_arrays(audio=np.ones((1, 2)), labels=[["3"]])
        return with_label_names(features, folder / "names.csv").labels

    def synthetic(folder: Path) -> object:
        found = Catalogue([{"id": "a", "path": str(folder / "a.mp4")}])
        return synthetic_coupling(found), _read_record(folder / "synthetic.toml")

    known = ["v1", "v2"]
    return [
        Artefact("recipe.toml", lambda folder: load_recipe(folder / "recipe.toml")),
        Artefact("study.toml", lambda folder: load_study(folder / "study.toml")),
        Artefact("synthetic.toml", synthetic),
        Artefact("history.csv", lambda folder: read_interactions(folder / "history.csv", known)),
        Artefact("history.parquet", lambda folder: read_interactions(folder / "history.parquet", known)),
        Artefact("songs.csv", lambda folder: Catalogue.from_csv(folder / "songs.csv")),
        Artefact("songs.parquet", lambda folder: Catalogue.from_parquet(folder / "songs.parquet")),
        Artefact("vectors.parquet", vectors),
        Artefact("names.csv", named),
        Artefact("s.tfrecord", shard("s.tfrecord")),
        Artefact("s.tfrecord.gz", shard("s.tfrecord.gz")),
        Artefact("cell.npz", lambda folder: read_outcome("key", folder / "cell.npz")),
        Artefact("kept.json", kept),
        Artefact("job.json", lambda folder: read_record(folder / "job.json")),
        Artefact("sent.json", lambda folder: read_sent(folder / "sent.json")),
        Artefact("map.parquet", lambda folder: Layout.read(folder / "map.parquet")),
        Artefact("judgements.sqlite", judged),
        Artefact("shortlists.sqlite", lambda folder: Shortlists(folder / "shortlists.sqlite").all()),
        Artefact("rejections.sqlite", lambda folder: Rejections(folder / "rejections.sqlite").of("v1", "audio")),
        Artefact("outline.json", _outline),
        Artefact("segment.mkv", lambda folder: read_kept(folder / "segment.mkv")),
    ]


def _outline(folder: Path) -> object:
    found = KeptFiles(folder, ".json", 10).read("outline", 1 << 19)
    return None if found is None else read_outline(found, "audio")


def _of_weights() -> list[Artefact]:
    def pth(name: str) -> Callable[[Path], object]:
        return lambda folder: read_pth(folder / name)

    return [
        Artefact("weights.safetensors", lambda folder: read_tensors(folder / "weights.safetensors")[1], True),
        Artefact("weights.pth", pth("weights.pth")),
        Artefact("legacy.pth", pth("legacy.pth")),
        Artefact("checkpoint.index", lambda folder: read_index((folder / "checkpoint.index").read_bytes())),
    ]


def _crc(data: bytes) -> bytes:
    return struct.pack("<I", masked_crc32c(data))


def _field(number: int, payload: bytes) -> bytes:
    return bytes([number << 3 | 2, len(payload)]) + payload


def _example(name: bytes, vector: np.ndarray) -> bytes:
    floats = _field(2, _field(1, vector.tobytes()))
    kinds = {b"id": _field(1, _field(1, name)), b"mean_rgb": floats, b"mean_audio": floats}
    kinds[b"labels"] = _field(3, _field(1, bytes([3, 14])))
    return _field(1, b"".join(_field(1, _field(1, key) + _field(2, kind)) for key, kind in kinds.items()))


def _checkpoint_index() -> bytes:
    entry = b"\x08\x01\x12\x04\x12\x02\x08\x04\x28\x10"

    def block(*pairs: tuple[bytes, bytes]) -> bytes:
        entries = (bytes([0, len(key), len(value)]) + key + value for key, value in pairs)
        body = b"".join(entries) + struct.pack("<I", 0) + b"\0"
        return body + _crc(body)

    values = block((b"", b""), (b"bias", entry), (b"scale", entry))
    pointing = block((b"z", bytes([0, len(values) - 5])))
    footer = bytes([0, 0, len(values), len(pointing) - 5])
    return values + pointing + footer.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)


ABSURD = ("1000000000000", "-1", "0", "1e999", "nan", "true", '""', "[]", "{}", "9" * 5000, "[" * 3000, "{a=" * 3000)
"""What is put in place of a value, in TOML or JSON."""


def damaged(content: bytes, random: np.random.Generator) -> bytes:
    """Damage a file in one of the ways in which files get damaged, or are forged.

    Parameters
    ----------
    content : bytes
        The whole file.
    random : numpy.random.Generator
        Draws the way and the place.

    Returns
    -------
    bytes
        Other bytes.
    """
    data = bytearray(content)
    place = int(random.integers(len(data)))
    way = int(random.integers(8))
    if way < 3:
        data[place] ^= 1 << int(random.integers(8))
    elif way == 3:
        del data[place:]
    elif way == 4:
        data[place : place + 8] = bytes(random.integers(0, 256, 8).tolist())
    elif way == 5:
        data[place : place + int(random.integers(1, 64))] = b""
    elif way == 6:
        other = int(random.integers(len(data)))
        data[place:place] = data[other : other + 64]
    else:
        data[place : place + 8] = (1 << 40).to_bytes(8, "little")
    return bytes(data)


def forged(content: bytes, random: np.random.Generator) -> bytes:
    """Put an absurd value in place of one of a text's values.

    Parameters
    ----------
    content : bytes
        TOML or JSON.
    random : numpy.random.Generator
        Draws the value and its place.

    Returns
    -------
    bytes
        Other text.
    """
    text = content.decode()
    values = list(re.finditer(r'(?<=[=:\[,] )("[^"]*"|[\d.e+-]+|true|false)|(?<=[:\[,])("[^"]*"|[\d.e+-]+)', text))
    chosen = values[int(random.integers(len(values)))]
    new = ABSURD[int(random.integers(len(ABSURD)))]
    return (text[: chosen.start()] + new + text[chosen.end() :]).encode()
