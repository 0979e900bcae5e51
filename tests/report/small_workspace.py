"""A small workspace with media, features, a trained run and its metrics, made in about a second."""

import json
import math
import shutil
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pyarrow as pa

from antiphon.catalogue import Catalogue
from antiphon.dual_encoder import DualEncoder
from antiphon.evaluation import evaluate
from antiphon.features.assembly import assemble
from antiphon.features.store import FeatureStore, VideoFeatures
from antiphon.model.recipe import Recipe, load_recipe
from antiphon.segments.sampling import SamplingConfig, segment_rows
from antiphon.tables import SEGMENTS, write_table
from antiphon.workspace import Failure, Workspace

RUN = "small run"
SECONDS = 12
RATE_HZ = 22_050
SCRIPT = "</script><script>window.hacked = 1</script>"
IMAGE = "\"'><img src=x onerror=window.hacked=1>"
TEMPLATE = "{{ 7 * 7 }} & <b>bold</b>"
TEST_VIDEOS, TRAIN_VIDEOS, VALIDATION_VIDEOS = 12, 24, 4


def brightness(time_s: float) -> int:
    """Grey of the pictures at a time."""
    return 30 + round(15 * time_s)


def pitch_hz(time_s: float) -> float:
    """Of the tone at a time: steps up every second."""
    return 300.0 + 100 * math.floor(time_s)


def make_media(path: Path, *, pictures: bool = True, sound: bool = True, size: tuple[int, int] = (96, 64)) -> Path:
    """A file whose pictures get brighter and whose tone gets higher, so that it can be told what was cut from where."""
    with av.open(str(path), "w", format="mp4") as container:
        video = container.add_stream("libx264", rate=10) if pictures else None
        audio = container.add_stream("aac", rate=RATE_HZ, layout="mono") if sound else None
        if video is not None:
            video.width, video.height, video.pix_fmt = *size, "yuv420p"
            video.options = {"preset": "ultrafast", "x264-params": "log-level=none"}
            for number in range(SECONDS * 10):
                shade = np.full((size[1], size[0], 3), brightness(number / 10), np.uint8)
                container.mux(video.encode(av.VideoFrame.from_ndarray(shade, format="rgb24")))
            container.mux(video.encode(None))
        if audio is not None:
            pitches = np.repeat([pitch_hz(second) for second in range(SECONDS)], RATE_HZ)
            tone = (0.5 * np.sin(2 * np.pi * np.cumsum(pitches) / RATE_HZ)).astype(np.float32)
            for first in range(0, tone.size, 1024):
                frame = av.AudioFrame.from_ndarray(tone[None, first : first + 1024], format="fltp", layout="mono")
                frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, first, Fraction(1, RATE_HZ)
                container.mux(audio.encode(frame))
            container.mux(audio.encode(None))
    return path


def make_catalogue(folder: Path) -> Catalogue:
    """Test videos with hostile titles and media of every kind; the others without media."""
    both = str(make_media(folder / "both.mp4"))
    special = {
        "test-0": {"title": SCRIPT, "artist": IMAGE, "tags": [TEMPLATE, SCRIPT], "genre": IMAGE},
        "test-1": {"path": str(make_media(folder / "sound.mp4", pictures=False)), "title": TEMPLATE},
        "test-2": {"path": str(make_media(folder / "pictures.mp4", sound=False))},
        "test-3": {"path": str(folder / "gone.mp4")},
    }
    counts = {"train": TRAIN_VIDEOS, "validation": VALIDATION_VIDEOS, "test": TEST_VIDEOS}
    rows = [
        {
            "id": f"{split}-{number}",
            "path": str(shutil.copy(both, folder / f"{number}.mp4")) if split == "test" else None,
            "artist": f"{split} artist {number // 2}",
            "title": f"Song {number}",
            "genre": ("pop", "rock")[number % 2],
            "tags": ["loud", f"mood {number % 3}"],
            "split": split,
            "start_s": 0.0,
            "duration_s": float(SECONDS),
            "has_audio": True,
            "has_video": True,
        }
        for split, count in counts.items()
        for number in range(count)
    ]
    return Catalogue([row | special.get(row["id"], {}) for row in rows])


def make_recipe() -> Recipe:
    """The base recipe, small and short."""
    recipe = load_recipe("antiphon-base")
    head = recipe.head.model_copy(update={"hidden": (32,), "embedding_dim": 16, "dropout": 0.0, "input_dropout": 0.0})
    training = recipe.training.model_copy(update={"epochs": 6, "min_steps": 0})
    return recipe.model_copy(update={"name": "small", "head": head, "training": training})


def make_workspace(root: Path) -> Workspace:
    """Catalogue, segments, features whose pictures follow the sound, failures, a run and its metrics."""
    workspace = Workspace(root)
    root.mkdir()
    catalogue = make_catalogue(root)
    catalogue.save(workspace.catalogue)
    sampling = SamplingConfig(sections=2)
    segments = {row["id"]: segment_rows(row["id"], SECONDS, sampling) for row in catalogue.records()}
    write_table(pa.Table.from_pylist([row for rows in segments.values() for row in rows], SEGMENTS), workspace.segments)
    random = np.random.default_rng(0)
    sound = {name: random.normal(size=(2, 8)).astype(np.float32) for name in segments}
    for store, sign in (("hearing", 1), ("seeing", -1)):
        rows = [
            VideoFeatures(name, [row["segment_id"] for row in segments[name]], sign * vectors[:, ::sign])
            for name, vectors in sound.items()
        ]
        FeatureStore(workspace.features / store, {"backbone": store}).append(rows)
    workspace.write_failures(
        [Failure("lonely", "segments", "DecodeError", SCRIPT)]
        + [Failure(f"broken-{number}", "extract", "DecodeError", "cut short") for number in range(11)]
    )
    features = assemble(workspace, catalogue, "hearing", "seeing")
    model = DualEncoder(make_recipe(), seed=1).fit(features["train"], features["validation"])
    model.save(workspace.run(RUN))
    found = {"split": "test", "audio": "hearing", "video": "seeing", "seed": 3} | evaluate(
        model, features["test"], seed=3
    )
    write_json(workspace, "metrics.json", found)
    return workspace


def write_json(workspace: Workspace, name: str, data: object) -> None:
    """Write a file of the run."""
    (workspace.run(RUN) / name).write_text(json.dumps(data), encoding="utf-8")
