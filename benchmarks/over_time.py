"""What else of a track's time could tell its partner: `benchmarks/over_time.py FIVE_SECONDS.parquet [--out FILE]`.

On each fold of `muvi_sync.py` antiphon-track is trained once, and three things that it does not have are tried: its
curves at other lags (the best of some, and their mean); the correlation of the self-similarity matrices of both sides,
without the mean matrix of the test tracks; and, in the tuned linear analysis of the summaries, the share of a track's
time in each of 16 clusters of segments. Other sound of the same length shows what the length tells the second; chance
is a typical rank of 38.0 in pools of 100. Prints typical ranks and factors by which partners rank higher, with 95%
intervals over artists. All weights of an addition are shown on the test tracks, so the best of them flatters it.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.cluster import KMeans

from antiphon.evaluation.retrieval import with_other_sound
from antiphon.features import Features
from antiphon.features.tracks import Tracks
from antiphon.metrics.paired import rank_ratio
from antiphon.model.cca_tuning import fit_tuned
from antiphon.model.closed_form import SIDES
from antiphon.model.embedding import embed_tracks, whole_tracks
from antiphon.model.recipe import load_recipe
from antiphon.model.towers import Towers
from antiphon.model.track_model import TrackModel
from antiphon.runs import versions
from antiphon.training.loop import train as train_towers
from antiphon.training.track_models import summarised
from muvi_sync import FloatArray, both_ways, dealt, divided, read, scored

CPU = torch.device("cpu")
WEIGHTS = (0.1, 0.25, 0.5)
CLUSTERS = 16


def unit(rows: FloatArray) -> FloatArray:
    """Rows of any shape, brought to length 1; zeros stay."""
    flat = rows.reshape(len(rows), -1)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)


def at_lag(curves: list[FloatArray], lag: int) -> FloatArray:
    """Correlations of all pairs of curves, the sound some parts later than the pictures."""
    audio, video = curves if lag >= 0 else curves[::-1]
    shown = audio[:, abs(lag) :], video[:, : video.shape[1] - abs(lag)]
    first, second = (unit(side - side.mean(axis=1, keepdims=True)) for side in shown)
    return first @ second.T if lag >= 0 else second @ first.T


def self_similarity(parts: FloatArray) -> FloatArray:
    """Ranks of the cosines of a track's parts with each other, without what all tracks have in common."""
    deviation = parts.std(axis=(0, 1)) + 1e-6
    scaled = parts / deviation
    scaled = scaled / np.maximum(np.linalg.norm(scaled, axis=2, keepdims=True), 1e-9)
    cosines = np.einsum("ipd,iqd->ipq", scaled, scaled)
    one, other = np.triu_indices(cosines.shape[1], 2)
    places = cosines[:, one, other].argsort(axis=1).argsort(axis=1).astype(float)
    return unit(places - places.mean(axis=0))


def with_shares(summaries: Features, features: Features, clusters: dict[str, KMeans]) -> Features:
    """Summaries and the share of each track's time in each cluster."""
    rows = Tracks.of(features.groups, features.starts_s).rows
    longer: dict[str, Any] = {}
    for side in SIDES:
        numbers = clusters[side].predict(getattr(features, side))
        shares = np.array([np.bincount(numbers[of], minlength=CLUSTERS) / len(of) for of in rows], dtype=np.float32)
        longer[side] = np.concatenate([getattr(summaries, side), shares], axis=1)
    return replace(summaries, **longer)


def measured(train: Features, validation: Features, test: Features) -> dict[str, FloatArray]:
    """(2, t) ranks by the model, and by each addition at each weight."""
    towers: Towers = train_towers(load_recipe("antiphon-track"), train, validation, seed=0, device=CPU).towers
    model = towers.tracks
    assert isinstance(model, TrackModel) and model.course is not None
    timed = (test.groups, test.starts_s, CPU)
    scores = scored(tuple(embed_tracks(towers, side, getattr(test, side), *timed)[1] for side in SIDES))
    tracks = Tracks.of(test.groups, test.starts_s)
    with torch.inference_mode():
        parts = {
            side: whole_tracks(model.course.parts, torch.from_numpy(getattr(test, side)), tracks) for side in SIDES
        }
        shape = (len(tracks.rows), model.course.num_parts, -1)
        other = whole_tracks(model.course.parts, torch.from_numpy(with_other_sound(test).audio), tracks)
        curves = [model.course.curves(side, parts[side]).numpy().reshape(shape).astype(float) for side in SIDES]
    lags = {lag: at_lag(curves, lag) for lag in range(-4, 5)}
    alike = [self_similarity(side.numpy().astype(float)) for side in (parts["audio"], parts["video"], other)]
    additions = {
        "time course again": lags[0],
        **{f"best lag of {n}": np.max([lags[lag] for lag in range(-n, n + 1)], axis=0) for n in (1, 2, 4)},
        **{f"mean lag of {n}": np.mean([lags[lag] for lag in range(-n, n + 1)], axis=0) for n in (1, 2)},
        "self-similarity": alike[0] @ alike[1].T,
    }
    found = {"antiphon-track": both_ways(scores)}
    found["self-similarity, other sound of the same length"] = both_ways(alike[2] @ alike[1].T)
    for name, more in additions.items():
        found[f"{name}, alone"] = both_ways(more)
        for weight in WEIGHTS:
            found[f"{name}, {weight}"] = both_ways(scores / scores.std() + weight * more / more.std())
    known, held_out, asked = (summarised(model, part) for part in (train, validation, test))
    found["tuned CCA of summaries"] = both_ways(scored(fit_tuned(known, held_out, 0).embed(asked)))
    clusters = {side: KMeans(CLUSTERS, random_state=0).fit(getattr(train, side)) for side in SIDES}
    known, held_out, asked = (
        with_shares(rows, part, clusters)
        for rows, part in zip((known, held_out, asked), (train, validation, test), strict=True)
    )
    found["tuned CCA with clusters"] = both_ways(scored(fit_tuned(known, held_out, 0).embed(asked)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("features", type=Path)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    features = read(given.features)
    turns = dealt(features, given.folds, 0)
    found: dict[str, list[FloatArray]] = {}
    artists: list[str] = []
    for turn in range(given.folds):
        train, validation, test = divided(features, turns, turn)
        of_video = dict(zip(test.groups.tolist(), test.artists.tolist(), strict=True))
        artists += [of_video[name] for name in np.unique(test.groups)]
        for name, ranks in measured(train, validation, test).items():
            found.setdefault(name, []).append(ranks)
        print(f"fold {turn}", flush=True)
    joined = {name: np.concatenate(parts, axis=1).reshape(1, -1) for name, parts in found.items()}
    gains: dict[str, Any] = {}
    for name, ranks in joined.items():
        base = joined["tuned CCA of summaries" if name.startswith("tuned CCA") else "antiphon-track"]
        gains[name] = rank_ratio(ranks, base, np.tile(artists, 2))
        print(f"{name:48s} {np.exp(np.log(ranks).mean()):6.2f}  {gains[name][0]:.3f} {np.round(gains[name][1], 3)}")
    if given.out is not None:
        given.out.write_text(json.dumps({"versions": versions(), "gains": gains}, indent=1) + "\n")


if __name__ == "__main__":
    main()
