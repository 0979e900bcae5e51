"""The run's model on the held-out pairs: ranks of segments and tracks, and the best candidates of some queries."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.errors import AntiphonError
from antiphon.evaluation.answers import TopCandidates, evenly_spaced, top_candidates
from antiphon.evaluation.retrieval import track_pool
from antiphon.features.features import Features
from antiphon.metrics.ranks import ranks
from antiphon.report.loaded import LoadedRun

Ranks = dict[str, npt.NDArray[np.float64]]
Sides = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]

MAX_SEGMENTS = 20_000
QUERIES = 12
BEST = 5
MIN_RANKED = 2
"""Videos that a split must have to be ranked."""


@dataclass(frozen=True)
class Retrieved:
    """Ranks and best candidates in the pool of held-out videos.

    Attributes
    ----------
    levels : dict of str to Ranks
        "tracks" and, if videos have several rows, "segments": ranks of all queries in both directions.
    left_out : int
        Number of segments if they are too many to rank again (`MAX_SEGMENTS`), else 0.
    videos : list of str
        Ids of the pool's tracks.
    a2v, v2a : list of TopCandidates
        Candidates of the same queries in each direction, evenly spaced over the ranks from best to worst.
    """

    levels: dict[str, Ranks]
    left_out: int
    videos: list[str]
    a2v: list[TopCandidates]
    v2a: list[TopCandidates]


def retrieve(loaded: LoadedRun | str, split: str) -> Retrieved | str:
    """Embed and rank the held-out pairs, and find the best candidates of twelve queries.

    Parameters
    ----------
    loaded : LoadedRun or str
        The model and the features, or the reason why they cannot be loaded.
    split : str
        Split to rank.

    Returns
    -------
    Retrieved or str
        The ranks, or the reason why there are none.
    """
    if isinstance(loaded, str):
        return loaded
    try:
        features = loaded.features[split].paired
        if len(np.unique(features.groups)) < MIN_RANKED:
            return f"The {split} split has fewer than two videos with both audio and video."
        several = len(np.unique(features.groups)) < len(features)
        pool = track_pool(features) if several else features
        segments, tracks = loaded.model.embed(features), loaded.model.embed(pool, per="track")
    except AntiphonError as error:
        return str(error)
    return _retrieved(np.unique(pool.groups), segments, tracks)


def usable_videos(features: Features, split: str) -> int:
    """Count the videos of a split that can be ranked.

    Parameters
    ----------
    features : Features
        Features of all splits.
    split : str
        The split.

    Returns
    -------
    int
        Number of videos with a segment that has both audio and video.
    """
    paired = features.paired
    return len(np.unique(paired.groups[paired.splits == split]))


def _retrieved(videos: npt.NDArray[np.str_], segments: Sides, whole: Sides) -> Retrieved:
    sound, pictures = whole
    tracks = _both_ways(sound, pictures)
    levels = {"tracks": tracks}
    count = len(segments[0])
    several = len(videos) < count
    if several and count <= MAX_SEGMENTS:
        levels["segments"] = _both_ways(*segments)
    rows = evenly_spaced(np.log(tracks["a2v"]) + np.log(tracks["v2a"]), QUERIES)
    return Retrieved(
        levels=levels,
        left_out=count if several and "segments" not in levels else 0,
        videos=[str(name) for name in videos],
        a2v=top_candidates(sound, pictures, rows, BEST),
        v2a=top_candidates(pictures, sound, rows, BEST),
    )


def levels_of(metrics: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the pools that metrics are about.

    Parameters
    ----------
    metrics : dict
        Content of metrics.json.

    Returns
    -------
    dict of str to dict
        Numbers by "tracks" and, if there are any, "segments".
    """
    rows = {way: metrics[way] for way in ("a2v", "v2a")}
    return {"tracks": metrics["tracks"], "segments": rows} if "tracks" in metrics else {"tracks": rows}


def disagreement(retrieved: Retrieved, metrics: dict[str, Any]) -> str | None:
    """Compare the ranks with the stored metrics.

    Parameters
    ----------
    retrieved : Retrieved
        The ranks.
    metrics : dict
        Content of metrics.json.

    Returns
    -------
    str, optional
        A warning if the median ranks differ.
    """
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
