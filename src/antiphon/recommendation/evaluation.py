"""Evaluation of recommendation: content against chance, genre and popularity of the artist."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from antiphon.errors import ConfigError
from antiphon.metrics.paired import mean_interval
from antiphon.metrics.recommendation import Places, chance, coverage, ndcg, places, recall
from antiphon.ordering import rounded
from antiphon.recommendation.baselines import artist_popularity, genre_match
from antiphon.recommendation.content import content_scores
from antiphon.recommendation.holdout import Held, HoldOut, hold_out
from antiphon.recommendation.interactions import Interactions
from antiphon.recommendation.null import PERMUTATIONS, permuted_content
from antiphon.recommendation.space import Space
from antiphon.seeding import generator

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
Scorer = Callable[[IntArray], FloatArray]
"""Maps the rows that a user liked to scores of the new tracks."""

CONTENT = "content"
BASELINES = ("random", "genre match", "artist popularity")


@dataclass(frozen=True, eq=False)
class Listener:
    """Rows of old tracks that a user liked, and which of the (n,) new ones they liked."""

    liked: IntArray
    relevant: npt.NDArray[np.bool_]


def evaluate_recommendation(
    space: Space,
    interactions: Interactions,
    config: HoldOut | None = None,
    *,
    k: int = 10,
    weight: float = 0.5,
    seen: Collection[str] = (),
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> dict[str, Any]:
    """Recommend held-out tracks to the users who liked some of them, from their other likes.

    All new tracks are candidates for every user. Only users who liked at least one new and one old track count. If
    tracks are held out by date and interactions have times, only likes before the first new track's release form a
    history.

    Methods: "content" (`content_scores`), "random", "genre match" (fraction of the history in the genre) and "artist
    popularity" (likes of the artist's old tracks). The null is content with tracks' vectors permuted: the mean over
    permutations, and their middle 95%. Its differences are the null minus a method, with intervals over permutations
    and users. Ties are averaged over all orders.

    Parameters
    ----------
    space : Space
        Tracks with their metadata: split, artist, genre, and year or release date.
    interactions : Interactions
        What users liked.
    config : HoldOut, optional
        Which tracks are new. Default: half of the test split, drawn at random.
    k : int
        Length of the lists.
    weight : float
        Weight of audio.
    seen : collection of str
        Ids that the model was trained or chosen on; "seen_by_model" counts new tracks among them.
    progress : callable
        Called with the number of methods done, and of all.

    Returns
    -------
    dict
        {"k", "weight", "synthetic", "hold_out", "new", "old", "seen_by_model", "users", "users_left_out", "relevant",
        "methods": {name: {"recall@k", "ndcg@k", "coverage@k"}}, "differences": {other: {"recall@k", "ndcg@k"}}, "null":
        {"permutations", "recall@k", "ndcg@k", "differences": {method: {"recall@k", "ndcg@k"}}}}. Numbers of a method
        include chance. Recall and nDCG are means over users with 95% bootstrap intervals over users. Coverage has none:
        a resample has fewer distinct users and covers less. "differences" are content minus each other method, paired
        by user.

    Raises
    ------
    ConfigError
        There is nothing to hold out, or no user liked both new and old tracks.
    """
    config = config or HoldOut()
    held = hold_out(space, config)
    listeners, users = _listeners(space, interactions, held)
    methods = _methods(space, held, interactions, weight)
    lists: dict[str, list[Places]] = {}
    for number, (name, score) in enumerate(methods.items(), start=1):
        lists[name] = [places(score(one.liked), k) for one in listeners]
        progress(number, len(methods))
    relevant = [int(one.relevant.sum()) for one in listeners]
    expected = chance(relevant, len(held.new), k)
    values = {name: _per_user(found, listeners, k) for name, found in lists.items()}
    return {
        "k": k,
        "weight": weight,
        "synthetic": interactions.synthetic,
        "hold_out": config.model_dump() | {"since": held.since.date().isoformat() if held.since else None},
        "new": len(held.new),
        "old": len(held.old),
        "seen_by_model": len({space.ids[row] for row in held.new} & set(seen)),
        "users": len(listeners),
        "users_left_out": users - len(listeners),
        "relevant": float(np.mean(relevant)),
        "methods": {
            name: _summary(numbers, expected, config.seed)
            | {f"coverage@{k}": {"value": coverage(_listed(lists[name])), "chance": expected["coverage"]}}
            for name, numbers in values.items()
        },
        "differences": {
            name: _summary({key: values[CONTENT][key] - numbers[key] for key in numbers}, None, config.seed)
            for name, numbers in values.items()
            if name != CONTENT
        },
        "null": _null(space, listeners, held, values, k, weight, config.seed),
    }


def _per_user(found: Sequence[Places], listeners: Sequence[Listener], k: int) -> dict[str, FloatArray]:
    """Return the (users,) recall and nDCG of one method."""
    pairs = list(zip(found, listeners, strict=True))
    return {
        f"recall@{k}": np.array([recall(place, one.relevant) for place, one in pairs]),
        f"ndcg@{k}": np.array([ndcg(place, one.relevant, k) for place, one in pairs]),
    }


def _null(
    space: Space,
    listeners: Sequence[Listener],
    held: Held,
    values: Mapping[str, Mapping[str, FloatArray]],
    k: int,
    weight: float,
    seed: int,
) -> dict[str, Any]:
    """Return the null of content, and its difference to each method but random."""
    null = permuted_content(
        space,
        [one.liked for one in listeners],
        np.array([one.relevant for one in listeners]),
        held.new,
        k,
        weight,
        generator(seed, "permuted content"),
    )
    metrics = ("recall", "ndcg")
    return {
        "permutations": PERMUTATIONS,
        **{f"{metric}@{k}": null.summary(metric) for metric in metrics},
        "differences": {
            name: {f"{metric}@{k}": null.ahead_of(metric, values[name][f"{metric}@{k}"], seed) for metric in metrics}
            for name in (CONTENT, "genre match", "artist popularity")
        },
    }


def _listed(found: Sequence[Places]) -> FloatArray:
    return np.array([place.listed for place in found])


def _summary(
    values: Mapping[str, FloatArray], expected: Mapping[str, float] | None, seed: int
) -> dict[str, dict[str, Any]]:
    result: dict[str, dict[str, Any]] = {}
    for key, numbers in values.items():
        value, ci95 = mean_interval(numbers, seed=seed)
        result[key] = {"value": value, "ci95": ci95}
        if expected is not None:
            result[key]["chance"] = expected[key.partition("@")[0]]
    return result


def _methods(space: Space, held: Held, interactions: Interactions, weight: float) -> dict[str, Scorer]:
    """Return functions from a user's likes to scores of the new tracks, by name."""
    new = [space.about[row] for row in held.new]
    likes = _artist_likes(space, held, interactions)
    return {
        CONTENT: lambda liked: rounded(content_scores(space, liked, held.new, weight)),
        "random": lambda _: np.zeros(len(new)),  # a single tie, averaged over all orders
        "genre match": lambda liked: genre_match([space.about[row] for row in liked], new),
        "artist popularity": lambda _: artist_popularity(likes, new),
    }


def _likes(space: Space, interactions: Interactions) -> pl.DataFrame:
    """Return user_id, row and, if known, time of all likes of tracks of the space."""
    rows = pl.DataFrame({"video_id": list(space.ids), "row": np.arange(len(space.ids))})
    return interactions.table.filter(pl.col("liked")).join(rows, on="video_id", maintain_order="left")


def _old_likes(space: Space, interactions: Interactions, held: Held) -> pl.DataFrame:
    likes = _likes(space, interactions)
    old = likes.filter(pl.col("row").is_in(held.old.tolist()))
    return old if held.since is None or "time" not in old.columns else old.filter(pl.col("time") < held.since)


def _artist_likes(space: Space, held: Held, interactions: Interactions) -> Counter[str]:
    artists = (space.about[row].get("artist") for row in _old_likes(space, interactions, held)["row"])
    return Counter(str(artist) for artist in artists if artist is not None)


def _listeners(space: Space, interactions: Interactions, held: Held) -> tuple[list[Listener], int]:
    """Return the users who liked new and old tracks, and the number of users who liked anything."""
    likes = _likes(space, interactions)
    place = np.full(len(space.ids), -1)
    place[held.new] = np.arange(len(held.new))
    old = dict(_old_likes(space, interactions, held).group_by("user_id").agg("row").iter_rows())
    new = dict(likes.filter(pl.col("row").is_in(held.new.tolist())).group_by("user_id").agg("row").iter_rows())
    found: list[Listener] = []
    for user in sorted(old.keys() & new.keys()):
        relevant = np.zeros(len(held.new), dtype=np.bool_)
        relevant[place[new[user]]] = True
        found.append(Listener(np.array(old[user], dtype=np.int64), relevant))
    if not found:
        raise ConfigError(
            f"No user liked both one of the {len(held.new)} new tracks and one of the {len(held.old)} old ones. "
            "Hold out a larger share, or provide more interactions."
        )
    return found, likes["user_id"].n_unique()
