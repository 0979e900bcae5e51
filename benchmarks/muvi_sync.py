"""Real music videos over time: `benchmarks/muvi_sync.py FIVE_SECONDS.parquet [--folds 5] [--seeds 3] [--out FOLDER]`.

`--tracks N` trains and validates on N tracks of a fold's others, drawn at random.

Ranks whole tracks of MuVi-Sync (Kang, Poria and Herremans, 2023), as five-second features with the columns id,
video_id, artist, start_s, audio and video, both ways, in folds that share no artist. Prints mean normalised ranks
(rank / pool) and ratios of geometric mean ranks, with 95% intervals from a bootstrap over artists, and writes them to
FOLDER. The features state no licence, so they are not part of the project.

- "same lengths" ranks each track among those whose length differs by 15 s at most: what is left where length tells
  nothing. "length alone" ranks by the difference in length, which any score that a track's length enters would know.
- "sound shifted" moves the sound by 40 s in a circle: the same statistics at other times.
- "other sound" gives each track the sound of another one, stretched to its length: nothing but length is shared.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import torch

from antiphon.embeddings import within_side
from antiphon.evaluation.retrieval import with_other_sound
from antiphon.features import Features
from antiphon.features.tracks import Tracks, track_embeddings
from antiphon.metrics.paired import mean_interval, rank_ratio
from antiphon.metrics.ranks import ranks
from antiphon.model.cca_tuning import fit_tuned
from antiphon.model.closed_form import SIDES
from antiphon.model.embedding import embed_rows, embed_tracks
from antiphon.model.recipe import load_recipe
from antiphon.runs import versions
from antiphon.seeding import generator
from antiphon.training.loop import train as train_towers
from antiphon.training.track_models import summarised

PLAIN = "without hubness correction"
SHIFT, LENGTH_WINDOW = 8, 3
"""In segments of 5 s."""

FloatArray = npt.NDArray[np.float64]
Sides = tuple[npt.NDArray[np.float32], ...]


def read(path: Path) -> Features:
    """Read the five-second features."""
    table = pq.read_table(path)
    audio, video = (
        np.array(table[side].combine_chunks().flatten(), dtype=np.float32).reshape(table.num_rows, -1) for side in SIDES
    )
    groups, artists = ([str(name) for name in table[column].to_pylist()] for column in ("video_id", "artist"))
    return Features.from_arrays(
        audio=audio,
        video=video,
        ids=table["id"].to_pylist(),
        groups=groups,
        artists=artists,
        starts_s=table["start_s"].to_pylist(),
    )


def dealt(features: Features, folds: int, seed: int) -> npt.NDArray[np.int64]:
    """Deal rows to folds of about as many videos each, the videos of an artist to the same one."""
    first = np.unique(features.groups, return_index=True)[1]
    artists, counts = np.unique(features.artists[first], return_counts=True)
    sizes, turn = np.zeros(folds), np.zeros(len(artists), dtype=np.int64)
    shuffled = generator(seed, "folds").permutation(len(artists))
    for number in shuffled[np.argsort(-counts[shuffled], kind="stable")]:
        turn[number] = sizes.argmin()
        sizes[turn[number]] += counts[number]
    return turn[np.searchsorted(artists, features.artists)]


def divided(
    features: Features, turns: npt.NDArray[np.int64], turn: int, tracks: int | None = None
) -> tuple[Features, Features, Features]:
    """Training, validation (a tenth of the other artists) and test rows; at most `tracks` that are not tested."""
    rest = features.take(turns != turn)
    drawn = generator(turn, "tracks").permutation(np.unique(rest.groups))[:tracks]
    rest = rest.take(np.isin(rest.groups, drawn))
    artists = generator(turn, "validation").permutation(np.unique(rest.artists))
    held_out = np.isin(rest.artists, artists[: len(artists) // 10])
    return rest.take(~held_out), rest.take(held_out), features.take(turns == turn)


def shifted(features: Features) -> Features:
    """The same sound 40 s later, in a circle."""
    audio = features.audio.copy()
    for rows in Tracks.of(features.groups, features.starts_s).rows:
        audio[rows] = features.audio[np.roll(rows, SHIFT)]
    return replace(features, audio=audio)


def both_ways(scores: FloatArray) -> FloatArray:
    """(2, t) ranks of true pairs, which are on the diagonal."""
    rows = np.eye(len(scores), dtype=np.float64)
    return np.stack([ranks(scores, rows)[0], ranks(scores.T, rows)[0]])


def among_same_lengths(scores: FloatArray, lengths: npt.NDArray[np.int64]) -> FloatArray:
    """(2, t) normalised ranks among tracks of nearly the same length, without the half step of a rank; NaN for few."""
    near = np.abs(lengths[:, None] - lengths) <= LENGTH_WINDOW
    found = np.full((2, len(scores)), np.nan)
    for way, given in enumerate((scores, scores.T)):
        for row in np.flatnonzero(near.sum(axis=1) >= 5):
            others = given[row, near[row]]
            found[way, row] = ((others > given[row, row]).sum() + 0.5 * (others == given[row, row]).sum()) / len(others)
    return found


def scored(sides: Sides) -> FloatArray:
    """Scores of all pairs of some tracks."""
    return (sides[0] @ sides[1].T).astype(np.float64)


def measure(train: Features, validation: Features, test: Features, seed: int) -> dict[str, FloatArray]:
    """Train once and rank the test tracks; each entry is (2, t)."""
    cpu = torch.device("cpu")
    towers = train_towers(load_recipe("antiphon-track"), train, validation, seed=seed, device=cpu).towers
    assert towers.tracks is not None

    def tracks(features: Features) -> Sides:
        timed = (features.groups, features.starts_s, cpu)
        return tuple(embed_tracks(towers, side, getattr(features, side), *timed)[1] for side in SIDES)

    part = towers.tracks.towers.embedding_dim
    lengths = np.array([len(rows) for rows in Tracks.of(test.groups, test.starts_s).rows])
    whole = tracks(test)
    plain = tuple(within_side(side, towers.correction_dim) for side in whole)
    known, held_out, asked = (summarised(towers.tracks, features) for features in (train, validation, test))
    rows = (embed_rows(towers, side, getattr(test, side), cpu) for side in SIDES)
    unit = (within_side(side, towers.correction_dim) for side in rows)
    means = tuple(track_embeddings(side, test.groups)[1] for side in unit)
    pools: dict[str, FloatArray] = {
        "antiphon-track": scored(whole),
        PLAIN: scored(plain),
        "summaries alone": scored((plain[0][:, :part], plain[1][:, :part])),
        "time course alone": scored((plain[0][:, part:], plain[1][:, part:])),
        "tuned CCA of the summaries": scored(fit_tuned(known, held_out, seed).embed(asked)),
        "antiphon-base, means of segments": scored(means),
        "sound shifted by 40 s": scored(tracks(shifted(test))),
        "other sound of the same length": scored(tracks(with_other_sound(test))),
        "length alone": -np.abs(lengths[:, None] - lengths).astype(np.float64),
    }
    found = {name: both_ways(scores) for name, scores in pools.items()}
    return found | {f"{name}, same lengths": among_same_lengths(pools[name], lengths) for name in list(pools)[:5]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("features", type=Path)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tracks", type=int)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    features = read(given.features)
    turns = dealt(features, given.folds, 0)
    found: dict[str, list[list[FloatArray]]] = {}
    artists: list[str] = []
    pools: list[int] = []
    for turn in range(given.folds):
        train, validation, test = divided(features, turns, turn, given.tracks)
        of_video = dict(zip(test.groups.tolist(), test.artists.tolist(), strict=True))
        artists += [of_video[name] for name in np.unique(test.groups)]
        pools.append(len(of_video))
        for seed in range(given.seeds):
            for name, values in measure(train, validation, test, seed).items():
                found.setdefault(name, [[] for _ in range(given.seeds)])[seed].append(values)
            print(f"fold {turn}, seed {seed}: {found['antiphon-track'][seed][-1].mean(axis=1)}", flush=True)
    tables = {name: np.stack([np.concatenate(of_seed, axis=1) for of_seed in seeds]) for name, seeds in found.items()}
    summary = summed_up(tables, np.array(artists), pools)
    print(json.dumps(summary, indent=1))
    if given.out is not None:
        given.out.mkdir(parents=True, exist_ok=True)
        record = {"versions": versions(), "folds": given.folds, "seeds": given.seeds, "pools": pools} | summary
        name = "muvi_sync" + (f"-{given.tracks}" if given.tracks else "")
        (given.out / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n")


def summed_up(tables: dict[str, FloatArray], artists: npt.NDArray[np.str_], pools: list[int]) -> dict[str, object]:
    """Mean normalised ranks both ways, and ratios of ranks to those of the whole model; (seeds, 2, t) ranks each."""
    pool = np.repeat(pools, pools)

    def normalised(name: str) -> FloatArray:
        values = tables[name].mean(axis=0)
        return values if name.endswith("same lengths") else values / pool

    def interval(values: FloatArray) -> list[float]:
        there = np.isfinite(values)
        mean, edges = mean_interval(values[there], artists[there])
        return [mean, *edges]

    both: Callable[[str], FloatArray] = lambda name: tables[name].reshape(len(tables[name]), -1)  # noqa: E731
    others = [name for name in tables if not name.endswith("same lengths") and name != "antiphon-track"]
    return {
        "mean_normalised_rank": {
            name: {way: interval(normalised(name)[row]) for row, way in enumerate(("a2v", "v2a"))} for name in tables
        },
        "chance": float(np.mean((np.array(pools) + 1) / 2 / np.array(pools))),
        "recall@1 of other sound": float((tables["other sound of the same length"] <= 1).mean()),
        "ratio to antiphon-track": {
            name: rank_ratio(both("antiphon-track"), both(name), np.tile(artists, 2)) for name in others
        },
        f"ratio to antiphon-track {PLAIN}": {
            name: rank_ratio(both(PLAIN), both(name), np.tile(artists, 2)) for name in others if name != PLAIN
        },
    }


if __name__ == "__main__":
    main()
