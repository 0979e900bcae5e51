"""What is exported, loaded by the tools that it is for, in an environment of their own.

    .venv/bin/python benchmarks/interchange.py make FOLDER --media MEDIA.mp4
    OTHER/bin/python benchmarks/interchange.py check FOLDER --out results/interchange/checks.json

`make` trains small models on synthetic vectors, writes every export, and what it must give. `check` runs where
antiphon, onnx, onnxruntime, sentence-transformers, mteb, lancedb, embedding-atlas, fiftyone and tensorboard are
installed, as far as they are: a tool that is not there is left out and named.
"""

import argparse
import csv
import json
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

AUDIO, VIDEO = "musicnn-mtt", "efficientnet_lite0"


def coupled(count: int, seed: int, segments: int = 3, dims: tuple[int, int] = (1506, 2560)) -> Any:
    """Vectors of both sides that share ten hidden values: synthetic."""
    from antiphon import Features

    random, mix = np.random.default_rng(seed), np.random.default_rng(99)
    hidden = np.repeat(random.normal(size=(count, 10)), segments, axis=0)
    sound, pictures = (
        hidden @ mix.normal(size=(10, size)) + 2 * random.normal(size=(count * segments, size)) for size in dims
    )
    groups = np.repeat([f"{seed}-{number:03d}" for number in range(count)], segments)
    ids = [f"{group}/{row % segments}" for row, group in enumerate(groups)]
    starts_s = np.tile(np.arange(segments) * 5.0, count)
    names = {"audio_name": AUDIO, "video_name": VIDEO} if dims == (1506, 2560) else {}
    return Features.from_arrays(sound, pictures, ids=ids, groups=groups, starts_s=starts_s, **names)


def make(folder: Path, media: Path | None) -> None:
    """Train, export, and note what must come out."""
    from antiphon import Catalogue, DualEncoder, evaluate
    from antiphon.interchange import embedding_files as files
    from antiphon.interchange.embedding_table import embedding_table
    from antiphon.interchange.hub_folder import write_hub_folder
    from antiphon.interchange.model_card import CardFacts
    from antiphon.interchange.onnx_check import write_checked

    train, validation, test = coupled(400, 1), coupled(120, 2), coupled(200, 3)
    folder.mkdir(parents=True, exist_ok=True)
    for name, falls_back in (("base", False), ("fallback", True)):
        model = DualEncoder(seed=1).fit(train, validation, verbose=False, falls_back=falls_back)
        write_checked(model, folder / "onnx" / name)
        audio, video = model.embed(test)
        given = {"audio": test.audio, "video": test.video}
        np.savez(folder / f"{name}.npz", wanted_audio=audio, wanted_video=video, **given)
        if falls_back:
            continue
        found = evaluate(model, test, seed=0)
        write_hub_folder(model, folder / "hub", CardFacts("other", "Synthetic vectors."), found)
        catalogue = Catalogue([{"id": str(group), "title": f"Song {group}"} for group in np.unique(test.groups)])
        table = embedding_table(model, test, catalogue)
        files.write_parquet(table, folder / "embeddings.parquet")
        files.write_atlas(table, folder / "atlas.parquet")
        files.write_projector(table, folder / "projector")
        paths = {str(group): str(folder / f"{group}.mp4") for group in np.unique(test.groups)}
        files.write_fiftyone(table, folder / "fiftyone", paths)
        if media is not None:
            sides = {"audio": model.encode_audio(media, per="track"), "video": model.encode_video(media, per="track")}
            np.savez(folder / "media.npz", path=str(media.absolute()), **sides)


def make_harder(folder: Path) -> None:
    """Train on fewer values, which tell less of what both sides share, so that not every rank is the first."""
    from antiphon import DualEncoder, evaluate

    train, validation, test = (coupled(count, seed, dims=(12, 10)) for count, seed in ((300, 1), (100, 2), (200, 3)))
    model = DualEncoder(seed=1).fit(train, validation, verbose=False)
    model.save(folder / "harder")
    (folder / "metrics.json").write_text(json.dumps({"split": "test"} | evaluate(model, test, seed=0)))
    given = {"audio": test.audio, "video": test.video}
    np.savez(folder / "test.npz", groups=test.groups, starts_s=test.starts_s, ids=test.ids, **given)


def check_onnx(folder: Path) -> dict[str, Any]:
    """Largest difference of ONNX Runtime from PyTorch, and the verdict of ONNX's own checker."""
    import onnx
    import onnxruntime

    differences: dict[str, float] = {}
    for name in ("base", "fallback"):
        known = np.load(folder / f"{name}.npz")
        for side in ("audio", "video"):
            path = folder / "onnx" / name / f"{side}.onnx"
            onnx.checker.check_model(onnx.load(path), full_check=True)
            session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
            (made,) = session.run(["embeddings"], {"features": known[side]})
            differences[f"{name} {side}"] = float(np.abs(made - known[f"wanted_{side}"]).max())
    return {"rows": len(known["audio"]), "largest_difference": differences, "holds": max(differences.values()) <= 1e-5}


def check_sentence_transformers(folder: Path) -> dict[str, Any]:
    """Embed a file's sound and pictures in sentence-transformers, with the flag that it asks for and without."""
    from sentence_transformers import SentenceTransformer

    from antiphon.interchange.sentence_folder import load

    try:
        SentenceTransformer(str(folder / "hub"), local_files_only=True)
        refused = None
    except ValueError as error:
        refused = str(error).splitlines()[0].replace(str(folder), "FOLDER")
    known = np.load(folder / "media.npz")
    path, differences = str(known["path"]), {}
    flagged = SentenceTransformer(str(folder / "hub"), trust_remote_code=True, local_files_only=True)
    for way, model in (("trust_remote_code=True", flagged), ("sentence_folder.load", load(folder / "hub"))):
        found = {"video": model.encode(path), "audio": model.encode(path, modality="audio")}
        differences[way] = max(float(np.abs(found[side] - known[side][0]).max()) for side in found)
    return {
        "without_the_flag": refused,
        "largest_difference": differences,
        "holds": max(differences.values()) <= 1e-5 and refused is not None,
    }


def check_mteb(folder: Path) -> dict[str, Any]:
    """Recall at k by mteb and by antiphon, of tracks."""
    from antiphon import DualEncoder, Features
    from antiphon.interchange.mteb_tasks import media_of, music_video_tasks, recalls, tracks_of

    known = np.load(folder / "test.npz")
    about = {name: known[name] for name in ("groups", "starts_s", "ids")}
    test = Features.from_arrays(known["audio"], known["video"], **about)
    model = DualEncoder.load(folder / "harder")
    theirs = recalls(model, music_video_tasks(tracks_of(test)))
    ours = json.loads((folder / "metrics.json").read_text())["tracks"]
    pairs = {
        f"{way} recall@{k}": {"antiphon": ours[way][f"recall@{k}"], "mteb": theirs[way][f"recall_at_{k}"]}
        for way in ("a2v", "v2a")
        for k in (1, 5, 10)
    }
    found = {"pool": ours["a2v"]["n"], "recall": pairs}
    if (folder / "media.npz").exists():
        path = str(np.load(folder / "media.npz")["path"])
        model = DualEncoder.load(folder / "hub" / "antiphon")
        media = recalls(model, music_video_tasks(media_of({"a": path, "b": path})))
        found["media_files"] = {"videos": 2, "recall_at_3": media["a2v"]["recall_at_3"]}
    found["holds"] = all(abs(pair["antiphon"] - pair["mteb"]) < 1e-4 for pair in pairs.values())
    return found


def check_lancedb(folder: Path) -> dict[str, Any]:
    """Write the table, open it again, and search it."""
    import lancedb
    import pyarrow.parquet as pq

    from antiphon.interchange.embedding_files import LANCE_TABLE, write_lance

    table = pq.read_table(folder / "embeddings.parquet")
    place = folder / "lance"
    if not (place / f"{LANCE_TABLE}.lance").exists():
        write_lance(table, place)
    opened = lancedb.connect(str(place)).open_table(LANCE_TABLE)
    vector = np.asarray(table["vector"][7].as_py(), dtype=np.float32)
    nearest = opened.search(vector).limit(1).to_list()[0]
    same = (nearest["id"], nearest["modality"]) == (table["id"][7].as_py(), table["modality"][7].as_py())
    return {"rows": opened.count_rows(), "nearest_is_itself": same, "holds": same and opened.count_rows() == len(table)}


def check_atlas(folder: Path) -> dict[str, Any]:
    """Have embedding-atlas write its page of the table, its projection of our vectors included."""
    command = [str(Path(sys.executable).parent / "embedding-atlas"), str(folder / "atlas.parquet"), "--text", "name"]
    page = folder / "atlas.zip"
    command += ["--vector", "vector", "--export-application", str(page)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    return {"written_bytes": page.stat().st_size if page.exists() else 0, "holds": run.returncode == 0} | (
        {"said": run.stderr.splitlines()[-1]} if run.returncode else {}
    )


def check_projector(folder: Path) -> dict[str, Any]:
    """Parse the configuration with TensorBoard's own message, and read the vectors by its plugin's function."""
    from google.protobuf import text_format
    from tensorboard.plugins.projector import projector_plugin
    from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

    config = text_format.Parse((folder / "projector" / "projector_config.pbtxt").read_text(), ProjectorConfig())
    (embedding,) = config.embeddings
    vectors = projector_plugin._read_tensor_tsv_file(str(folder / "projector" / embedding.tensor_path))
    lines = (folder / "projector" / embedding.metadata_path).read_text().splitlines()
    return {"shape": list(vectors.shape), "holds": len(lines) - 1 == len(vectors)}


def check_fiftyone(folder: Path) -> dict[str, Any]:
    """Read labels.csv by FiftyOne's importer of that format, without its database."""
    import fiftyone.utils.csv as fouc

    importer = fouc.CSVDatasetImporter(dataset_dir=str(folder / "fiftyone"))
    importer.setup()
    samples = [sample["video_id"] for sample in importer]
    with (folder / "fiftyone" / "labels.csv").open(encoding="utf-8") as file:
        rows = [row["video_id"] for row in csv.DictReader(file)]
    vectors = np.load(folder / "fiftyone" / "embeddings-video.npy")
    same = samples == rows and len(rows) == len(vectors)
    return {"samples": len(samples), "vectors": list(vectors.shape), "holds": same}


CHECKS: dict[str, tuple[Callable[[Path], dict[str, Any]], tuple[str, ...]]] = {
    "ONNX": (check_onnx, ("onnx", "onnxruntime")),
    "sentence-transformers": (check_sentence_transformers, ("sentence-transformers",)),
    "mteb": (check_mteb, ("mteb",)),
    "LanceDB": (check_lancedb, ("lancedb",)),
    "embedding-atlas": (check_atlas, ("embedding-atlas",)),
    "TensorBoard": (check_projector, ("tensorboard",)),
    "FiftyOne": (check_fiftyone, ("fiftyone",)),
}


def check(folder: Path, out: Path, only: list[str]) -> int:
    """Run what can be run here, and add it to the results of other environments."""
    found = json.loads(out.read_text()) if out.exists() else {}
    for name in only or CHECKS:
        run, packages = CHECKS[name]
        try:
            versions = {package: version(package) for package in packages}
        except PackageNotFoundError as error:
            print(f"{name}: left out, {error.name} is not installed")
            continue
        found[name] = {"versions": versions} | run(folder)
        print(name, json.dumps(found[name], indent=2))
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(found, indent=2) + "\n")
    return 0 if all(result["holds"] for result in found.values()) else 1


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=("make", "check"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--media", type=Path)
    parser.add_argument("--out", type=Path, default=Path("results/interchange/checks.json"))
    parser.add_argument("--only", nargs="*", choices=CHECKS, default=[])
    given = parser.parse_args()
    if given.verb == "make":
        make(given.folder, given.media)
        make_harder(given.folder)
        return 0
    return check(given.folder, given.out, given.only)


if __name__ == "__main__":
    sys.exit(main())
