"""The qualitative analysis of Veldkamp et al. (2023), with numbers for its explanations.

Neighbours of random seeds; whether neighbours share genre and tags; whether that depends on how consistent a video's
segments are; and how far simple visual attributes explain who is near whom.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.catalogue.artists import share_artist
from antiphon.dual_encoder import DualEncoder
from antiphon.embeddings import within_side
from antiphon.errors import ConfigError, ModelError
from antiphon.evaluation.agreement import artists_or_ids, has_tag, per_video, precision, same_genre, shared_tags
from antiphon.evaluation.attributes import explain_similarity
from antiphon.evaluation.consistency import centred_unit_rows, consistency, dependence, within_videos
from antiphon.evaluation.neighbours import Neighbours, find_neighbours, neighbour_spaces
from antiphon.features.features import Features
from antiphon.media.appearance import ATTRIBUTE_NAMES
from antiphon.plurals import counted
from antiphon.seeding import generator

FloatArray = npt.NDArray[np.floating]

K = 3
MIN_CARRIERS = 10
_ONE_ROW_EACH = "Every video has one row of features, so there are no segments to compare."


def qualitative(
    model: DualEncoder,
    features: Features,
    attributes: FloatArray | None = None,
    *,
    split: str = "test",
    videos: int = 25,
    segments: int = 20,
    tag: str | None = None,
    seed: int = 0,
    why_no_attributes: str = "The visual attributes were not measured.",
) -> dict[str, Any]:
    """Find neighbours of random videos and segments of a split, and measure what explains them.

    Parameters
    ----------
    model : DualEncoder
        Fitted model.
    features : Features
        Features of all splits; the training split gives the mean by which the backbones' features are centred.
    attributes : ndarray, optional
        (n, 5) attributes of row i of `features`, in the order of `antiphon.media.appearance.ATTRIBUTE_NAMES`; NaN
        where unknown.
    split : {"train", "validation", "test"}, default "test"
        The pool.
    videos, segments : int
        Number of random seeds to list with their `K` neighbours.
    tag : str, optional
        The one tag to measure. Default: every tag that at least `MIN_CARRIERS` videos of the pool carry.
    seed : int, default 0
        Seed of the seeds, bootstraps and permutations.
    why_no_attributes : str
        Reason given in place of numbers where `attributes` is None.

    Returns
    -------
    dict
        Values that can be written as JSON: "split", "seed", "k", "videos", "segments" and "seen" (videos of the pool
        that training saw); "agreement" by representation and "genre" or "tags"; "tags", a list by falling lift;
        "consistency", "dependence" and "attributes", each with "reason" in place of numbers where there are none;
        "seeds".

    Raises
    ------
    ModelError
        A split of fewer than two videos with both audio and video, or features that are not the model's.
    ConfigError
        A `tag` that no video of the pool carries.
    """
    rows = np.flatnonzero((features.splits == split) & features.has_audio & features.has_video)
    pool = features.take(rows)
    names, first = np.unique(pool.groups, return_index=True)
    if len(names) < 2:
        raise ModelError(
            f"The {split} split has {counted(len(names), 'video')} with both audio and video; at least two are needed. "
            "Take another one (--split), or add videos."
        )
    tracks = neighbour_spaces(*(within_side(rows, model.correction_dim) for rows in model.embed(pool, per="track")))
    neighbours = {name: find_neighbours(vectors, K) for name, vectors in tracks.items()}
    about = pool.take(first)
    several = len(names) < len(pool)
    embedded = neighbour_spaces(*(within_side(rows, model.correction_dim) for rows in model.embed(pool)))
    centre, centred_by = _centres(features, pool)
    plain = {f"{side} features": centred_unit_rows(getattr(pool, side), centre[side]) for side in ("audio", "video")}
    return {
        "split": split,
        "seed": seed,
        "k": int(neighbours["audio"].nearest.shape[1]),
        "videos": len(names),
        "segments": len(pool),
        "seen": model.seen_videos(pool),
        "audio": pool.audio_name,
        "video": pool.video_name,
        "agreement": _agreement(about, neighbours, seed),
        "tags": _tags(about, neighbours, tag, seed),
        "min_carriers": MIN_CARRIERS,
        "centred_by": centred_by,
        "consistency": _consistency(plain, embedded, pool.groups, seed) if several else {"reason": _ONE_ROW_EACH},
        "dependence": _dependence(plain, embedded, about, pool, neighbours, seed) if several else [],
        "attributes": _attributes(
            {**plain, **embedded},
            None if attributes is None else attributes[rows],
            pool.groups,
            why_no_attributes,
            seed,
        ),
        "seeds": {
            "videos": _video_seeds(about, neighbours, videos, seed),
            "segments": _segment_seeds(pool, embedded, segments, seed) if several else [],
        },
    }


def _agreement(about: Features, neighbours: Mapping[str, Neighbours], seed: int) -> dict[str, Any]:
    targets = {"genre": same_genre(about.genres), "tags": shared_tags(about.labels)}
    artists = artists_or_ids(about)
    return {
        representation: {name: precision(target, found.nearest, artists, seed=seed) for name, target in targets.items()}
        for representation, found in neighbours.items()
    }


def _tags(about: Features, neighbours: Mapping[str, Neighbours], tag: str | None, seed: int) -> list[dict[str, Any]]:
    counts = Counter(label for labels in about.labels for label in set(labels))
    if tag is not None and tag not in counts:
        common = ", ".join(name for name, _ in counts.most_common(10))
        raise ConfigError(f"No video of the pool carries the tag '{tag}'; the most frequent are: {common or 'none'}.")
    asked = [tag] if tag is not None else [name for name, count in counts.items() if count >= MIN_CARRIERS]
    artists = artists_or_ids(about)
    listed: list[dict[str, Any]] = []
    for name in asked:
        target = has_tag(about.labels, name)
        found = {way: precision(target, near.nearest, artists, seed=seed) for way, near in neighbours.items()}
        listed.append({"tag": name, "carriers": counts[name], "by_representation": found})
    return sorted(listed, key=lambda item: (-(item["by_representation"]["aggregated"]["lift"] or 0), item["tag"]))


def _centres(features: Features, pool: Features) -> tuple[dict[str, FloatArray], str]:
    """Return the mean of each side's features: of the training split, or of the pool where there is none."""
    training = features.take(features.splits == "train").paired
    source, name = (training, "train") if len(training) else (pool, "pool")
    return {side: getattr(source, side).mean(axis=0, dtype=np.float64) for side in ("audio", "video")}, name


def _consistency(
    plain: Mapping[str, FloatArray], embedded: Mapping[str, FloatArray], groups: npt.NDArray[np.str_], seed: int
) -> dict[str, Any]:
    return {name: consistency(units, groups, seed=seed) for name, units in {**plain, **embedded}.items()}


def _dependence(
    plain: Mapping[str, FloatArray],
    embedded: Mapping[str, FloatArray],
    about: Features,
    pool: Features,
    neighbours: Mapping[str, Neighbours],
    seed: int,
) -> list[dict[str, Any]]:
    """Correlate each video's consistency with the gain of its neighbours over its own base rate, by ranks."""
    found: list[dict[str, Any]] = []
    targets = {"genre": same_genre(about.genres), "tags": shared_tags(about.labels)}
    for representation, near in neighbours.items():
        spaces = {"embeddings": embedded[representation]}
        if representation != "aggregated":
            spaces["features"] = plain[f"{representation} features"]
        for quality, target in targets.items():
            reached, usual = per_video(target, near.nearest)
            for space, units in spaces.items():
                number = dependence(within_videos(units, pool.groups), reached - usual, seed=seed)
                if number is not None:
                    found.append(
                        {"representation": representation, "consistency_of": space, "quality": quality} | number
                    )
    return found


def _attributes(
    spaces: Mapping[str, FloatArray],
    attributes: FloatArray | None,
    groups: npt.NDArray[np.str_],
    why_none: str,
    seed: int,
) -> dict[str, Any]:
    if attributes is None:
        return {"reason": why_none}
    found = explain_similarity(spaces, attributes, ATTRIBUTE_NAMES, groups, seed=seed)
    if found is None:
        return {"reason": "Fewer than three videos of the pool have attributes."}
    known = attributes[~np.isnan(attributes).any(axis=1)]
    quantiles = np.quantile(known, (0, 0.25, 0.5, 0.75, 1), axis=0).T.tolist()
    return found | {
        "quartiles": dict(zip(ATTRIBUTE_NAMES, quantiles, strict=True)),
        "black_and_white": float(known[:, ATTRIBUTE_NAMES.index("black_and_white")].mean()),
    }


def _video_seeds(about: Features, neighbours: Mapping[str, Neighbours], count: int, seed: int) -> list[dict[str, Any]]:
    drawn = generator(seed, "gallery", "videos").permutation(len(about))[:count]
    return [
        {
            "id": str(about.groups[row]),
            "neighbours": {
                way: [
                    {"id": str(about.groups[other]), "distance": 1 - float(cosine)} | _shared(about, row, other)
                    for other, cosine in zip(found.nearest[row], found.cosines[row], strict=True)
                ]
                for way, found in neighbours.items()
            },
        }
        for row in drawn
    ]


def _segment_seeds(pool: Features, spaces: Mapping[str, FloatArray], count: int, seed: int) -> list[dict[str, Any]]:
    drawn = generator(seed, "gallery", "segments").permutation(len(pool))[:count]
    found = {way: find_neighbours(units, K, groups=pool.groups, rows=drawn) for way, units in spaces.items()}
    return [
        {
            "id": str(pool.ids[row]),
            "video": str(pool.groups[row]),
            "neighbours": {
                way: [
                    {"id": str(pool.ids[other]), "video": str(pool.groups[other]), "distance": 1 - float(cosine)}
                    | _shared(pool, row, other)
                    for other, cosine in zip(near.nearest[place], near.cosines[place], strict=True)
                ]
                for way, near in found.items()
            },
        }
        for place, row in enumerate(drawn)
    ]


def _shared(about: Features, row: int, other: int) -> dict[str, Any]:
    """Return what two videos have in common."""
    tags: Sequence[str] = about.labels[other]
    return {
        "same_genre": bool(about.genres[row] and about.genres[row] == about.genres[other]),
        "same_artist": share_artist(str(about.artists[row]), str(about.artists[other])),
        "shared_tags": [label for label in dict.fromkeys(about.labels[row]) if label in tags],
    }
