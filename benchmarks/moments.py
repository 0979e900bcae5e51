"""Moments of real songs: `benchmarks/moments.py FIVE_SECONDS.parquet [SECONDS.parquet] [--folds 5] [--out FOLDER]`.

Given half a minute of the pictures of a music video of MuVi-Sync (Kang, Poria and Herremans, 2023), where in its song
do they belong? And given half a minute of the song, where in the pictures? Ranks the true offset among all offsets of
the track, one segment apart, in folds that share no artist, by the segments' embeddings of `antiphon-track` (which are
those of `antiphon-base`), by the curves of its time course, and by both. SECONDS.parquet has the same videos second by
second; there a time course alone is fitted, and offsets are one second apart. Prints Markdown, and writes JSON to
FOLDER.

- "other track" looks at the same place of another track: what is found there is known from the place alone.
- "sound shifted" moves the sound of each track in a circle by half of it, and "sound of another track" stretches that
  of another one to its length; both must be at chance, or at what the place alone tells.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import torch

from antiphon.evaluation.retrieval import with_other_sound
from antiphon.features import Features
from antiphon.features.tracks import Tracks
from antiphon.metrics.moments import Question, questions, summary
from antiphon.metrics.results import WAYS
from antiphon.model.closed_form import SIDES, Side
from antiphon.model.embedding import embed_rows, segment_curves, whole_tracks
from antiphon.model.recipe import load_recipe
from antiphon.model.time_course import TimeCourse, spans_s
from antiphon.model.towers import Towers
from antiphon.runs import versions
from antiphon.seeding import generator
from antiphon.training.loop import train as train_towers
from muvi_sync import dealt, divided, read

CPU = torch.device("cpu")
PARTS, CURVES = 32, 4
"""Those of the recipe `antiphon-track`."""
SECONDS_LENGTHS = (10, 30)

FloatArray = npt.NDArray[np.floating]
Sides = tuple[FloatArray, FloatArray]
Located = Callable[[Features], Sides]


def in_order(features: Features) -> Features:
    """The rows of each track in order of time."""
    return features.take(np.concatenate(Tracks.of(features.groups, features.starts_s).rows))


def read_seconds(path: Path, coarse: Features) -> Features:
    """Read the features of every second, with the artists of the five-second ones."""
    table = pq.read_table(path)
    audio, video = (
        np.array(table[side].combine_chunks().flatten(), dtype=np.float32).reshape(table.num_rows, -1) for side in SIDES
    )
    artists = dict(zip(coarse.groups.tolist(), coarse.artists.tolist(), strict=True))
    groups, seconds = (table[column].to_pylist() for column in ("video_id", "second"))
    return in_order(
        Features.from_arrays(
            audio=audio, video=video, groups=groups, artists=[artists[one] for one in groups], starts_s=seconds
        )
    )


def turned(features: Features) -> Features:
    """The same sound, moved in a circle by half of the track."""
    audio = features.audio.copy()
    for rows in Tracks.of(features.groups, features.starts_s).rows:
        audio[rows] = features.audio[np.roll(rows, len(rows) // 2)]
    return replace(features, audio=audio)


def centred(rows: FloatArray, groups: npt.NDArray[Any]) -> FloatArray:
    """Rows without the mean of their track."""
    numbers = np.unique(groups, return_inverse=True)[1]
    sums = np.zeros((numbers.max() + 1, rows.shape[1]))
    np.add.at(sums, numbers, rows)
    return rows - (sums / np.bincount(numbers)[:, None])[numbers]


def joined(first: Sides, second: Sides, groups: npt.NDArray[Any]) -> Sides:
    """Both ways of comparing side by side, products of either deviating as much within a track."""
    second = (centred(second[0], groups), centred(second[1], groups))
    spreads = [
        np.mean([(audio[groups == one] @ video[groups == one].T).std() for one in np.unique(groups)])
        for audio, video in (first, second)
    ]
    return np.hstack([first[0], second[0] * spreads[0] / spreads[1]]), np.hstack([first[1], second[1]])


def course_of(train: Features) -> TimeCourse:
    """A time course, fitted as that of `antiphon-track` is."""
    dims: dict[Side, int] = {side: getattr(train, side).shape[1] for side in SIDES}
    course, tracks = TimeCourse(dims, PARTS, CURVES), Tracks.of(train.groups, train.starts_s)
    with torch.inference_mode():
        parts: dict[Side, torch.Tensor] = {
            side: whole_tracks(course.parts, torch.from_numpy(getattr(train, side)), tracks) for side in SIDES
        }
        spans = whole_tracks(
            lambda _, mask, starts: spans_s(mask, starts), torch.from_numpy(train.audio[:, :1]), tracks
        )
        return course.fit(parts, spans, generator(0, "time course"))


def curves_of(course: TimeCourse, features: Features) -> Sides:
    """Curves of both sides at each row."""
    audio, video = (
        segment_curves(course, side, getattr(features, side), features.groups, features.starts_s, CPU) for side in SIDES
    )
    return audio, video


def ways_of(towers: Towers) -> dict[str, Located]:
    """What moments are found by, by name."""
    assert towers.tracks is not None and towers.tracks.course is not None
    course = towers.tracks.course

    def embeddings(features: Features) -> Sides:
        audio, video = (embed_rows(towers, side, getattr(features, side), CPU) for side in SIDES)
        return audio, video

    return {
        "embeddings of segments": embeddings,
        "time course": lambda features: curves_of(course, features),
        "both": lambda features: joined(curves_of(course, features), embeddings(features), features.groups),
    }


Asked = dict[str, tuple[list[Question], list[Question]]]


def asked(sides: Sides, test: Features, fold: int, length: int | None = None) -> Asked:
    """Questions of one fold in both directions, with tracks numbered apart from those of other folds."""
    audio, video = (rows.astype(np.float64) for rows in sides)
    numbers = np.unique(test.groups, return_inverse=True)[1] + fold * 10_000
    return {
        "a2v": questions(audio, video, numbers, length, seed=fold),
        "v2a": questions(video, audio, numbers, length, seed=fold),
    }


def five_seconds(train: Features, validation: Features, test: Features, fold: int) -> dict[str, Asked]:
    """Train once, and ask in every way."""
    ways = ways_of(train_towers(load_recipe("antiphon-track"), train, validation, seed=fold, device=CPU).towers)
    controls = {"sound shifted": turned(test), "sound of another track": with_other_sound(test)}
    found = {name: asked(ways[name](test), test, fold) for name in ways}
    return found | {
        f"time course, {name}": asked(ways["time course"](rows), test, fold) for name, rows in controls.items()
    }


def every_second(train: Features, test: Features, fold: int) -> dict[str, Asked]:
    """Fit a time course, and ask with stretches of ten and of thirty seconds."""
    course = course_of(train)
    sides, moved = curves_of(course, test), curves_of(course, turned(test))
    found = {f"time course, {length} s": asked(sides, test, fold, length) for length in SECONDS_LENGTHS}
    return found | {
        f"time course, {SECONDS_LENGTHS[-1]} s, sound shifted": asked(moved, test, fold, SECONDS_LENGTHS[-1])
    }


def summed(folds: Sequence[dict[str, Asked]]) -> dict[str, dict[str, Any]]:
    """Numbers of all folds together."""

    def every(name: str, way: str, kind: int) -> list[Question]:
        return [one for fold in folds for one in fold[name][way][kind]]

    return {name: {way: summary(every(name, way, 0), every(name, way, 1)) for way in WAYS} for name in folds[0]}


def told(number: dict[str, Any], ends: str = "ci95") -> str:
    """A number with its interval."""
    return f"{number['value']:.3f} ({number[ends][0]:.3f}–{number[ends][1]:.3f})"


def shown(found: dict[str, dict[str, Any]]) -> str:
    """The table as Markdown."""
    lines = [
        "| by | given → where | stretches, offsets | normalised rank | other track | difference | overlap .5 | "
        "overlap .7 | mean overlap |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, both in found.items():
        for way, words in (("v2a", "pictures → song"), ("a2v", "sound → pictures")):
            rank, *overlaps = both[way]["by_metric"].values()
            other = rank["other_track"]
            low, high = other["difference_ci95"]
            cells = [f"{told(overlap)}, chance {overlap['chance']:.3f}" for overlap in overlaps]
            lines.append(
                f"| {name} | {words} | {both[way]['n']:,}, {both[way]['offsets']} | {told(rank)} | {told(other)} | "
                f"{other['difference']:+.3f} ({low:+.3f} to {high:+.3f}) | {' | '.join(cells)} |"
            )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("five_seconds", type=Path)
    parser.add_argument("seconds", type=Path, nargs="?")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    coarse = in_order(read(given.five_seconds))
    turns = dealt(coarse, given.folds, 0)
    fine = None if given.seconds is None else read_seconds(given.seconds, coarse)
    folds: dict[str, list[dict[str, Asked]]] = {}
    for turn in range(given.folds):
        train, validation, test = divided(coarse, turns, turn)
        if fine is not None:
            known, asked_for = (fine.take(np.isin(fine.groups, part.groups)) for part in (train, test))
            folds.setdefault("seconds", []).append(every_second(known, asked_for, turn))
        folds.setdefault("five seconds", []).append(five_seconds(train, validation, test, turn))
        print(f"fold {turn + 1} of {given.folds}", flush=True)
    report: dict[str, Any] = {name: summed(found) for name, found in folds.items()}
    for name, found in report.items():
        print(f"\n{name}\n\n{shown(found)}")
    report["versions"] = versions()
    if given.out is not None:
        given.out.mkdir(parents=True, exist_ok=True)
        (given.out / "moments.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
