"""What a second network adds: ranks with its values beside those of the default backbones, paired, with intervals.

    python benchmarks/second_network.py synthetic FEATURES     files of second_features.py
    python benchmarks/second_network.py muvisync FILE          five_seconds.parquet of MuVi-Sync

Tracks are ranked, of five disjoint test sets that keep artists together; models are fitted on the other videos. "alone"
puts the candidate in the place of its side, "beside" joins its values to those of its side, "votes" joins the
embeddings of the base and of "alone". "noise" is "beside" with the candidate's values of other videos, which have its
size and nothing to tell. All values are standardised before. Factors are ratios of geometric mean ranks, above 1 where
ranks are lower than without the candidate, paired by query, with 95% bootstrap intervals over videos. Of a synthetic
catalogue it is also measured how much of what is known of each song a ridge regression tells with a candidate and
without, unless candidates are named.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch

import antiphon as ap
from antiphon.experiments.comparison.common import usual_draws
from antiphon.experiments.draws import drawn
from antiphon.experiments.study import CCA
from antiphon.features.features import Features
from antiphon.metrics.paired import mean_interval, rank_ratio
from antiphon.metrics.ranks import ranks
from antiphon.model.cca_tuning import fit_tuned
from antiphon.seeding import generator
from antiphon.synthetic import SyntheticConfig
from antiphon.synthetic.composition import compose
from antiphon.synthetic.rendering import SyntheticVideo, draw_video
from antiphon.synthetic.timeline import lay_out

Array = np.ndarray[Any, np.dtype[Any]]
DRAWS = 5
BASE = {"audio": "musicnn-mtt", "video": "efficientnet_lite0"}
SIDES = {
    "audio": ("notes", "pitch", "voice", "speech", "mood", "singer"),
    "video": ("efficientnet_lite1", "efficientnet_lite2", "cuts", "nudity", "faces", "poses"),
}
Embeddings = list[tuple[Array, Array]]
"""Of sound and of pictures, for each draw."""


def embedded(features: Features, method: str) -> tuple[Embeddings, list[Array]]:
    """Fit on each draw, and embed its test tracks; their names come along."""
    settings = usual_draws(features, DRAWS, 0)
    found: Embeddings = []
    names: list[Array] = []
    for draw in range(DRAWS):
        dealt = drawn(features, settings, draw, "all")
        train, validation, test = dealt["train"], dealt["validation"], dealt["test"]
        if method == CCA:
            model: Any = fit_tuned(train, validation, 0)
        else:
            model = ap.DualEncoder(method, 0, "cpu").fit(train, validation, verbose=False)
        found.append(model.embed(test, per="track"))
        names.append(np.unique(test.groups))
    return found, names


def ranked(embeddings: Embeddings) -> Array:
    """Return all ranks, both ways: (2 × tracks,)."""
    ways = [[ranks(*pair)[0] for pair in embeddings], [ranks(*pair[::-1])[0] for pair in embeddings]]
    return np.concatenate([np.concatenate(way) for way in ways])


def voting(one: Embeddings, other: Embeddings) -> Embeddings:
    """Join embeddings, so that a score is the mean of both."""
    return [
        tuple(np.concatenate([a, b], 1) for a, b in zip(first, second, strict=True))
        for first, second in zip(one, other, strict=True)
    ]  # type: ignore[return-value]


def standardised(values: Array) -> Array:
    """Give each column mean 0 and variance 1, so that networks count by their number of values."""
    return ((values - values.mean(0)) / np.maximum(values.std(0), 1e-6)).astype(np.float32)


def of_others(values: Array, groups: Array, seed: str) -> Array:
    """Give each video the values of another one."""
    order = {group: np.flatnonzero(groups == group) for group in np.unique(groups)}
    mixed = list(generator(0, "values of others", seed).permutation(list(order)))
    found = values.copy()
    for group, other in zip(order, mixed, strict=True):
        rows = order[str(other)]
        found[order[group]] = values[np.resize(rows, len(order[group]))]
    return found


def measured(base: Features, candidates: Mapping[str, tuple[str, Array]], method: str) -> list[dict[str, Any]]:
    """Return what each candidate, by name its side and (n, dim) values, brings beside the base."""
    reference, names = embedded(base, method)
    before = ranked(reference)
    videos = np.tile(np.concatenate(names), 2)
    rows: list[dict[str, Any]] = [
        {"name": "base", "method": method, "rank": float(np.median(before)), "queries": len(before)}
        | {"pool": float(np.mean([len(each) for each in names]))}
    ]
    print(json.dumps(rows[0]), flush=True)
    for name, (side, values) in candidates.items():

        def given(*arrays: Array, side: str = side) -> Embeddings:
            return embedded(replace(base, **{side: np.concatenate(arrays, 1).astype(np.float32)}), method)[0]

        own = getattr(base, side)
        found = {"alone": given(values), "beside": given(own, values)}
        found["votes"] = voting(reference, found["alone"])
        found["noise"] = given(own, of_others(values, base.groups, name))
        row: dict[str, Any] = {"name": name, "side": side, "dim": values.shape[1]}
        for way, embeddings in found.items():
            after = ranked(embeddings)
            ratio, ci95 = rank_ratio(after, before, videos)
            row[way] = {"rank": float(np.median(after)), "ratio": ratio, "ci95": ci95}
        rows.append(row)
        print(json.dumps(row), flush=True)
    return rows


def probed(
    base: Features, candidates: Mapping[str, tuple[str, Array]], truth: Mapping[str, Array]
) -> list[dict[str, Any]]:
    """Return how well ridge regression tells what is known of each song from features, held-out artists' videos."""
    rows: list[dict[str, Any]] = []
    for target, wanted in truth.items():
        for name, (side, values) in candidates.items():
            own = getattr(base, side)
            errors = {
                label: residuals(given, wanted, base.artists)
                for label, given in (("without", own), ("with", np.concatenate([own, values], 1)), ("alone", values))
            }
            gain, ci95 = mean_interval(errors["without"] - errors["with"], base.groups)
            shares = {label: round(1 - float(np.mean(each)), 3) for label, each in errors.items()}
            rows.append({"probe": target, "name": name} | shares | {"gain": gain, "ci95": ci95})
            print(json.dumps(rows[-1]), flush=True)
    return rows


def residuals(values: Array, wanted: Array, artists: Array) -> Array:
    """Squared errors out of fold, as shares of the variance; the penalty is chosen within the training part."""
    parties = np.unique(artists, return_inverse=True)[1]
    found = np.empty(len(values))
    for fold in range(5):
        test = parties % 5 == fold
        inner = (parties % 5 == (fold + 1) % 5) & ~test
        best = min(PENALTIES, key=lambda each: np.mean(_ridge(values, wanted, ~test & ~inner, inner, each) ** 2))
        found[test] = _ridge(values, wanted, ~test, test, best) ** 2
    return found / wanted.var()


PENALTIES = (0.01, 0.1, 1.0, 10.0)


def _ridge(values: Array, wanted: Array, train: Array, test: Array, penalty: float) -> Array:
    mean, scale = values[train].mean(0), values[train].std(0) + 1e-6
    one, other = (values[train] - mean) / scale, np.clip((values[test] - mean) / scale, -10, 10)
    gram = one @ one.T
    weights = np.linalg.solve(
        gram + penalty * np.trace(gram) / len(gram) * np.eye(len(gram)), wanted[train] - wanted[train].mean()
    )
    return wanted[test] - wanted[train].mean() - other @ one.T @ weights


def synthetic(folder: Path) -> tuple[Features, dict[str, tuple[str, Array]], dict[str, Array]]:
    """Return default features, candidates, and what is known of each song, of a synthetic catalogue."""
    files = sorted(folder.glob("synthetic-*.npz"))
    tables = [dict(np.load(file)) for file in files]
    config = SyntheticConfig(videos=len(files))
    drawn_videos = [draw_video(config, int(file.stem[-4:]) - 1) for file in files]
    rows = np.repeat(np.arange(len(files)), len(tables[0][BASE["audio"]]))
    groups = np.array([files[row].stem for row in rows])
    arrays = {
        name: np.concatenate([table[name] for table in tables])
        for name in tables[0]
        if name not in ("seconds", "starts_s")
    }
    base = Features.from_arrays(
        audio=arrays[BASE["audio"]],
        video=arrays[BASE["video"]],
        groups=groups,
        artists=[drawn_videos[row].style.artist for row in rows],
        audio_name=BASE["audio"],
        video_name=BASE["video"],
    )
    candidates = {name: (side, arrays[name]) for side, names in SIDES.items() for name in names}
    truth = {
        "notes a second": notes_a_second(config, drawn_videos, [table["starts_s"] for table in tables]),
        "tempo": np.array([np.log(drawn_videos[row].style.tempo_bpm) for row in rows]),
        "bright mode": np.array([float(drawn_videos[row].style.is_bright_mode) for row in rows]),
        "seconds a shot": np.array([np.log(drawn_videos[row].look.cut_s) for row in rows]),
    }
    return base, candidates, truth


def notes_a_second(config: SyntheticConfig, videos: Sequence[SyntheticVideo], starts_s: Sequence[Array]) -> Array:
    """How many notes of any part start in each window, a second."""
    found: list[float] = []
    for video, starts in zip(videos, starts_s, strict=True):
        timeline = lay_out(video.style, video.duration_s)
        song = compose(video.style, timeline, generator(config.seed, "sound", video.index))
        times = np.array([note.start_s for part in song.parts.values() for note in part for _ in note.pitches])
        found += [float(((times >= start) & (times < start + 3)).sum()) / 3 for start in starts]
    return np.array(found)


def muvisync(path: Path) -> tuple[Features, dict[str, tuple[str, Array]]]:
    """Return means and deviations over 500 official music videos, without and with what a candidate would tell."""
    table = pq.read_table(path)
    videos = np.array(table["video_id"].to_pylist())
    artist = dict(zip(videos, table["artist"].to_pylist(), strict=True))
    names = np.unique(videos)

    def summary(column: str) -> Array:
        width = table.schema.field(column).type.list_size
        values = np.asarray(table[column].combine_chunks().flatten(), np.float32).reshape(-1, width)
        each = [values[videos == name] for name in names]
        return np.stack([np.stack([rows.mean(0), rows.std(0)]) for rows in each])  # (videos, 2, width)

    audio, video = summary("audio"), summary("video")

    def part(values: Array, *places: slice) -> Array:
        return np.concatenate([values[:, :, place].reshape(len(names), -1) for place in places], 1)

    base = Features.from_arrays(
        audio=part(audio, slice(0, 3), slice(5, 32)),
        video=part(video, slice(0, 776)),
        groups=names,
        artists=[artist[name] for name in names],
    )
    candidates = {
        "cuts": ("video", part(video, slice(776, 778))),
        "density of notes": ("audio", part(audio, slice(3, 5))),
    }
    return base, candidates


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["synthetic", "muvisync"])
    parser.add_argument("data", type=Path)
    parser.add_argument("--method", default=CCA, help="cca, or a recipe such as antiphon-base")
    parser.add_argument("--only", nargs="*", help="names of candidates")
    parser.add_argument("--out", type=Path, help="JSON file for the rows")
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.what == "synthetic":
        base, candidates, truth = synthetic(given.data)
        rows = [] if given.only else probed(base, candidates, truth)
    else:
        base, candidates = muvisync(given.data)
        rows = []
    base = replace(base, audio=standardised(base.audio), video=standardised(base.video))
    chosen = {
        name: (side, standardised(values))
        for name, (side, values) in candidates.items()
        if given.only is None or name in given.only
    }
    rows += measured(base, chosen, given.method)
    if given.out:
        given.out.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
