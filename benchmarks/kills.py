"""Kill commands at random moments and run them again: is the result that of an undisturbed run?

Each verb starts from a copy of a small workspace, is killed (SIGKILL, with all its workers) after a random part of the
time that it takes undisturbed, and is run again to its end. What the workspace then holds is compared with that of a
run that was never killed: the rows of every table, the values of every tensor, the fields of every record but times.

Run with `python benchmarks/kills.py --kills 50`.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow.parquet as pq
from safetensors.numpy import load_file

from antiphon.catalogue import Catalogue
from antiphon.cli.app import run
from antiphon.features import Features
from antiphon.features.importing import import_features
from antiphon.workspace import Workspace

RATE_HZ = 16_000
VIDEOS, FIRST = 40, 25
_RECIPE = """
inherits = "antiphon-base"
name = "small"
description = "antiphon-base, small"
head.hidden = [32]
training.epochs = 40
"""
_STUDY = """
name = "Small"
description = "Made-up features"
seeds = 2
reference = "small"
[draws]
count = 2
test = 8
[[step]]
name = "cca"
label = "CCA"
[[step]]
name = "paper-base"
label = "The paper's base"
[[step]]
name = "small"
label = "antiphon-base, small"
inherits = "antiphon-base"
changes.head.hidden = [32]
changes.training.epochs = 10
"""
_TIMES = ("_utc", "seconds", "time", "written", "trained", "versions", "duration")


@dataclass(frozen=True)
class Verb:
    """A command to kill.

    Attributes
    ----------
    name : str
        What it is called.
    arguments : tuple of str
        Its arguments, after `--workspace`; "{films}" and "{here}" are replaced.
    state : str
        Workspace that it starts from: a folder of `prepare`.
    ends : tuple of int
        Exit codes of a call that is not killed. Removing what an earlier call has removed ends with 1.
    """

    name: str
    arguments: tuple[str, ...]
    state: str
    ends: tuple[int, ...] = (0,)


VERBS = (
    Verb("catalogue add", ("catalogue", "add", "{films}"), "empty"),
    Verb("extract", ("extract", "--workers", "2"), "films"),
    Verb("train", ("train", "--recipe", "{here}/small.toml", "--name", "again"), "features"),
    Verb("index build", ("index", "build", "--run", "small"), "run"),
    Verb("index add", ("index", "add"), "grown"),
    Verb("index remove", ("index", "remove", *(f"v{number:02d}" for number in range(0, FIRST, 2))), "indexed", (0, 1)),
    Verb("study", ("study", "{here}/study.toml", "--out", "{work}/study"), "features"),
    Verb("judge", ("judge", "prepare", "--run", "small", "--split", "all", "--questions", "30"), "playable"),
)


def prepare(folder: Path) -> None:
    """Make the small workspaces that the verbs start from, in folders of `folder`."""
    films = folder / "films"
    films.mkdir(parents=True)
    for number in range(6):
        write_film(films / f"film{number}.mkv", 220.0 + 40 * number, 60 + 20 * number)
    (folder / "small.toml").write_text(_RECIPE, encoding="utf-8")
    (folder / "study.toml").write_text(_STUDY, encoding="utf-8")
    (folder / "empty").mkdir()
    _called(folder / "made-films", "catalogue", "add", str(films))
    (folder / "made-films").rename(folder / "films-workspace")
    first, rest = made_features(range(FIRST)), made_features(range(FIRST, VIDEOS))
    import_features(first, Workspace(folder / "features"))
    shutil.copytree(folder / "features", folder / "run")
    _called(folder / "run", "train", "--recipe", str(folder / "small.toml"), "--name", "small")
    shutil.copytree(folder / "run", folder / "indexed")
    _called(folder / "indexed", "index", "build", "--run", "small")
    shutil.copytree(folder / "indexed", folder / "grown")
    import_features(rest, Workspace(folder / "grown"))
    shutil.copytree(folder / "run", folder / "playable")
    with_media(Workspace(folder / "playable"), films / "film0.mkv", folder / "links")


def with_media(workspace: Workspace, film: Path, links: Path) -> None:
    """Give every video of a workspace a file of its own to play."""
    links.mkdir()
    rows = Catalogue.load(workspace.catalogue).records()
    for row in rows:
        path = links / f"{row['id']}.mkv"
        path.hardlink_to(film)
        row |= {"path": str(path), "duration_s": 8.0, "start_s": 0.0, "has_audio": True, "has_video": True}
    Catalogue(rows).save(workspace.catalogue)


def made_features(numbers: range) -> Features:
    """Return made-up features of videos whose pictures follow the sound, four segments each."""
    mixing = np.random.default_rng(0).normal(size=(12, 10))
    rows = [(number, section) for number in numbers for section in range(4)]
    audio = np.stack([np.random.default_rng(row).normal(size=12) for row in rows])
    splits = ["train", "train", "train", "validation", "test"]
    return Features.from_arrays(
        audio=audio,
        video=audio @ mixing,
        ids=[f"v{number:02d}#{section}" for number, section in rows],
        groups=[f"v{number:02d}" for number, _ in rows],
        splits=[splits[number % 5] for number, _ in rows],
        audio_name="hearing",
        video_name="seeing",
    )


def write_film(path: Path, pitch_hz: float, shade: int, seconds: float = 8.0) -> None:
    """Write a film of one tone and one shade, with a line that moves, 10 pictures a second."""
    tone = 0.3 * np.sin(2 * np.pi * pitch_hz * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)
    with av.open(str(path), "w") as container:
        video, audio = container.add_stream("mpeg4", rate=10), container.add_stream("pcm_s16le", rate=RATE_HZ)
        video.width, video.height, video.pix_fmt, audio.layout = 64, 64, "yuv420p", "mono"
        for number in range(round(10 * seconds)):
            picture = np.full((64, 64, 3), shade, np.uint8)
            picture[number % 64] = 255 - shade
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(video.encode(None))
        for first in range(0, tone.size, 4096):
            samples = (tone[None, first : first + 4096] * 32_767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, first, Fraction(1, RATE_HZ)
            container.mux(audio.encode(frame))
        container.mux(audio.encode(None))


def _called(workspace: Path, *arguments: str) -> None:
    code = run(["--workspace", str(workspace), "--json", *arguments])
    if code != 0:
        raise RuntimeError(f"antiphon {' '.join(arguments)} ended with {code}")


def start(verb: Verb, made: Path, work: Path) -> "subprocess.Popen[str]":
    """Start a verb in a process group of its own."""
    words = [word.format(films=made / "films", here=made, work=work) for word in verb.arguments]
    command = [sys.executable, "-m", "antiphon", "--workspace", str(work), "--json", *words]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, env=os.environ
    )


def finish(verb: Verb, made: Path, work: Path) -> float:
    """Run a verb to its end and return how long it took, in seconds."""
    started = time.monotonic()
    process = start(verb, made, work)
    out, errors = process.communicate()
    if process.returncode not in verb.ends:
        raise RuntimeError(f"{verb.name} ended with {process.returncode}:\n{out}\n{errors}")
    return time.monotonic() - started


def kill(verb: Verb, made: Path, work: Path, after_s: float) -> bool:
    """Start a verb and kill it after a time; return whether it was still running."""
    process = start(verb, made, work)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(after_s)
    running = process.poll() is None
    if running:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    return running


def begin(verb: Verb, made: Path, work: Path) -> Path:
    """Copy the workspace that a verb starts from."""
    state = "films-workspace" if verb.state == "films" else verb.state
    shutil.copytree(made / state, work)
    return work


def contents(workspace: Path) -> dict[str, Any]:
    """Read everything that a workspace holds, without times, names drawn at random and the order of rows."""
    found: dict[str, Any] = {}
    rows: dict[str, Counter[str]] = {}
    for path in sorted(workspace.rglob("*")):
        name = path.relative_to(workspace).as_posix()
        if not path.is_file() or path.name.endswith((".lock", "-wal", "-shm")) or path.suffix == ".html":
            continue
        if path.suffix == ".parquet":
            place = "/".join("entries" if part.startswith("entries-") else part for part in name.split("/")[:-1])
            kind = "part" if path.name.startswith("part-") else path.name
            rows.setdefault(f"{place}/{kind}", Counter()).update(map(repr, pq.read_table(path).to_pylist()))
        elif path.suffix == ".safetensors":
            found[name] = {key: value.tobytes() for key, value in sorted(load_file(path).items())}
        elif path.suffix == ".json" and path.name != "manifest.json":
            found[name] = _timeless(json.loads(path.read_text(encoding="utf-8")))
        elif path.suffix == ".toml":
            found[name] = _timeless(tomllib.loads(path.read_text(encoding="utf-8")))
        elif path.suffix == ".sqlite":
            found[name] = _database(path)
        elif path.suffix == ".partial":
            found[name] = "left over"
    return found | rows


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _timeless(item)
            for key, item in value.items()
            if not any(word in key for word in _TIMES) and key != "entries"
        }
    return [_timeless(item) for item in value] if isinstance(value, list) else value


def _database(path: Path) -> dict[str, list[str]]:
    with sqlite3.connect(path) as database:
        database.row_factory = sqlite3.Row
        tables = [row["name"] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {
            table: sorted(repr(_timeless(dict(row))) for row in database.execute(f"SELECT * FROM {table}"))  # noqa: S608
            for table in tables
        }
    database.close()
    return found


def trial(verb: Verb, made: Path, folder: Path, expected: dict[str, Any], after_s: float) -> tuple[bool, list[str]]:
    """Kill a verb once and run it again; return whether the kill met it alive, and what differs in the end."""
    work = begin(verb, made, folder / "work")
    try:
        met = kill(verb, made, work, after_s)
        finish(verb, made, work)
        held = contents(work)
        differing = [name for name in expected.keys() | held.keys() if expected.get(name) != held.get(name)]
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return met, sorted(differing)


def undisturbed(verb: Verb, made: Path, folder: Path) -> tuple[float, dict[str, Any]]:
    """Run a verb undisturbed; return its seconds and what the workspace then holds."""
    work = begin(verb, made, folder / "work")
    took_s = finish(verb, made, work)
    held = contents(work)
    shutil.rmtree(work)
    return took_s, held


def main() -> None:
    """Kill all verbs in turn, and print and write a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    draws = random.Random(options.seed)  # noqa: S311
    tell: Callable[[str], None] = print
    lines = ["| verb | kills | met it running | differing results |", "|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as place:
        made = Path(place) / "made"
        prepare(made)
        for number, verb in enumerate(VERBS):
            took_s, expected = undisturbed(verb, made, Path(place))
            count = len(range(number, options.kills, len(VERBS)))
            told = [trial(verb, made, Path(place), expected, draws.uniform(0, took_s)) for _ in range(count)]
            differing = [", ".join(names) for _, names in told if names]
            met = sum(running for running, _ in told)
            lines.append(f"| {verb.name} | {count} | {met} | {'; '.join(differing) or 'none'} |")
            tell(lines[-1])
    if options.out is not None:
        options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
