"""What the run's model does with the held-out pairs: ranks of segments and tracks, and the answers to show."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.errors import AntiphonError
from antiphon.evaluation.answers import Answer, answers, spread
from antiphon.evaluation.retrieval import track_pool
from antiphon.metrics.ranks import ranks
from antiphon.report.loaded import Loaded

Ranks = dict[str, npt.NDArray[np.float64]]
Sides = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]

MAX_SEGMENTS = 20_000
QUERIES = 12
BEST = 5


@dataclass(frozen=True)
class Retrieved:
    """Ranks and answers in the pool of held-out videos.

    Attributes
    ----------
    levels : dict of str to Ranks
        "tracks" and, where videos have several rows, "segments" → ranks of all queries both ways.
    left_out : int
        How many segments there are where they are too many to rank once more (`MAX_SEGMENTS`), else 0.
    videos : list of str
        Ids of the pool's tracks.
    a2v, v2a : list of Answer
        Answers of tracks to the same queries, spread over the ranks from best to worst.
    """

    levels: dict[str, Ranks]
    left_out: int
    videos: list[str]
    a2v: list[Answer]
    v2a: list[Answer]


def retrieve(loaded: Loaded | str, split: str) -> Retrieved | str:
    """Embed the held-out pairs, rank them, and answer a dozen queries; or the reason in words why that cannot be."""
    if isinstance(loaded, str):
        return loaded
    try:
        features = loaded.features[split].paired
        if len(np.unique(features.groups)) < 2:
            return f"The {split} split has fewer than two videos with both sound and pictures."
        several = len(np.unique(features.groups)) < len(features)
        pool = track_pool(features) if several else features
        segments, tracks = loaded.model.embed(features), loaded.model.embed(pool, per="track")
    except AntiphonError as error:
        return str(error)
    return _retrieved(np.unique(pool.groups), segments, tracks)


def _retrieved(videos: npt.NDArray[np.str_], segments: Sides, whole: Sides) -> Retrieved:
    sound, pictures = whole
    tracks = _both_ways(sound, pictures)
    levels = {"tracks": tracks}
    count = len(segments[0])
    several = len(videos) < count
    if several and count <= MAX_SEGMENTS:
        levels["segments"] = _both_ways(*segments)
    rows = spread(np.log(tracks["a2v"]) + np.log(tracks["v2a"]), QUERIES)
    return Retrieved(
        levels=levels,
        left_out=count if several and "segments" not in levels else 0,
        videos=[str(name) for name in videos],
        a2v=answers(sound, pictures, rows, BEST),
        v2a=answers(pictures, sound, rows, BEST),
    )


def levels_of(metrics: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The pools that metrics are about, by name: tracks first."""
    rows = {way: metrics[way] for way in ("a2v", "v2a")}
    return {"tracks": metrics["tracks"], "segments": rows} if "tracks" in metrics else {"tracks": rows}


def disagreement(retrieved: Retrieved, metrics: dict[str, Any]) -> str | None:
    """What to say where the features of today do not give the median ranks that were written down."""
    for name, both in levels_of(metrics).items():
        for way in ("a2v", "v2a"):
            if name not in retrieved.levels:
                continue
            found = retrieved.levels[name][way]
            if len(found) != both[way]["n"]:
                return (
                    f"The workspace has changed since the evaluation: {len(found)} {name} in the pool now, "
                    f"{both[way]['n']} then. Evaluate again."
                )
            if abs(float(np.median(found)) - both[way]["median_rank"]) > 0.51:
                return (
                    f"The workspace has changed since the evaluation: the median rank of {name} is "
                    f"{np.median(found):g} now and was {both[way]['median_rank']:g}. Evaluate again."
                )
    return None


def _both_ways(sound: npt.NDArray[np.float32], pictures: npt.NDArray[np.float32]) -> Ranks:
    return {"a2v": ranks(sound, pictures)[0], "v2a": ranks(pictures, sound)[0]}
