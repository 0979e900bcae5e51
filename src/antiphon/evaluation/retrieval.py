"""Rank held-out pairs with a trained model: segments and whole tracks."""

import warnings
from dataclasses import replace
from typing import Any

import numpy as np

from antiphon.dual_encoder import DualEncoder
from antiphon.errors import ModelError
from antiphon.evaluation.embedder import Embedder
from antiphon.evaluation.moments import found_moments
from antiphon.evaluation.results import Evaluation
from antiphon.features.artists import artist_parties
from antiphon.features.features import Features
from antiphon.features.tracks import Tracks
from antiphon.metrics import RetrievalResult, retrieval
from antiphon.seeding import generator

TRACK_POOL = 2000
"""Maximum number of tracks to rank: the pool in which the field reports the retrieval of whole videos."""


def evaluate(model: Embedder, features: Features, *, seed: int = 0) -> Evaluation:
    """Rank the pairs of `features` in both directions, with pool size, chance, 95% interval and permutation null.

    Parameters
    ----------
    model : DualEncoder or CCA
        Fitted model, or anything with its methods `embed` and `seen_videos`.
    features : Features
        Held-out features; rows without audio or without video are left out.
    seed : int, default 0
        Seed of the bootstrap and the permutations.

    Returns
    -------
    Evaluation
        A mapping with what `antiphon.metrics.retrieval` returns for the rows ("a2v", "v2a"). Where music videos have
        several rows, "other_tracks" holds the same without the other rows of the partner's video among the candidates,
        and "tracks" the same for the model's embeddings of whole videos: of `TRACK_POOL` videos, always the same, where
        there are more. Of a model that knows the rows' times, "tracks" holds under "times_alone" the median ranks that
        the same videos reach when all features are their mean: what number and times of the rows give away. Where
        they have four rows and more, "moments" holds how well stretches of these videos find their place in the other
        side of their own track; see `antiphon.evaluation.moments.found_moments`. "seen"
        counts the videos that the model was trained or stopped on (None for a published model, whose videos are not
        known); unless it is 0, a warning says so. For a published model that passes audio unchanged,
        "authors_dot_product" holds the ranks of the rows by the scores of Veldkamp et al. (2023), whose code does not
        bring the audio to unit length.

    Raises
    ------
    ModelError
        Fewer than two videos to rank, or features that are not the model's.

    Examples
    --------
    >>> import antiphon as ap
    >>> random = np.random.default_rng(0)
    >>> audio = random.normal(size=(300, 6))
    >>> features = ap.Features.from_arrays(audio=audio, video=audio @ random.normal(size=(6, 4))).split()
    >>> result = ap.evaluate(ap.CCA().fit_features(features["train"]), features["test"])
    >>> result["a2v"]["median_rank"] < result["a2v"]["chance"], result["seen"]
    (True, 0)
    """
    pairs = features.paired
    videos = len(np.unique(pairs.groups))
    if videos < 2:
        raise ModelError(
            f"Ranking needs at least two videos with both audio and video; there {'is' if videos == 1 else 'are'} "
            f"{videos or 'none'}. Rank another split (--split), or add videos."
        )
    name = _name(model)
    artists = artist_parties(pairs.groups, pairs.artists)
    about: dict[str, Any] = {
        "groups": pairs.groups,
        "ids": pairs.ids,
        "artists": artists,
        "name": name,
        "seed": seed,
    }
    audio, video = model.embed(pairs)
    seen = _seen(model, pairs, videos)
    rows = retrieval(audio, video, **about)
    values: dict[str, Any] = {**rows, "seen": seen, "flagged": int(pairs.flagged.sum())}
    pools = {"tracks": rows}
    if videos < len(pairs):
        others = retrieval(audio, video, exclude_same_group=True, **about)
        tracks, times_alone = _tracks(model, track_pool(pairs), seed)
        values |= {"other_tracks": dict(others), "tracks": {**tracks, **times_alone}}
        if within := found_moments(model, track_pool(pairs), seed):
            values["moments"] = within
        pools = {"tracks": tracks, "segments": rows, "other_tracks": others}
    if isinstance(model, DualEncoder) and model.published is not None and model.recipe.heads == "video":
        pools["authors_dot_product"] = retrieval(pairs.audio, video, **about)
        values["authors_dot_product"] = dict(pools["authors_dot_product"])
    return Evaluation(values, pools, name)


def track_pool(pairs: Features) -> Features:
    """Return the rows of `TRACK_POOL` videos, or of all where there are no more."""
    videos = np.unique(pairs.groups)
    if len(videos) <= TRACK_POOL:
        return pairs
    return pairs.take(np.isin(pairs.groups, generator(0, "track pool").permutation(videos)[:TRACK_POOL]))


def _tracks(model: Embedder, pairs: Features, seed: int) -> tuple[RetrievalResult, dict[str, Any]]:
    """Rank whole videos, and where the model knows the rows' times, find what these give away alone."""
    ids, first = np.unique(pairs.groups, return_index=True)
    artists = artist_parties(pairs.groups, pairs.artists)[first]
    found = retrieval(*model.embed(pairs, per="track"), ids=ids, artists=artists, name=_name(model), seed=seed)
    track = model.recipe.track if isinstance(model, DualEncoder) else None
    if track is None:
        return found, {}
    alone = retrieval(*model.embed(with_other_sound(pairs), per="track"), seed=seed)
    return found, {"times_alone": {way: ranks["median_rank"] for way, ranks in alone.items()}}


def with_other_sound(pairs: Features) -> Features:
    """Give each track the sound of another one, stretched to its number of segments: they share their times alone.

    Parameters
    ----------
    pairs : Features
        Paired rows.

    Returns
    -------
    Features
        The same rows with other sound.
    """
    tracks, audio = Tracks.of(pairs.groups, pairs.starts_s).rows, pairs.audio.copy()
    for rows, others in zip(tracks, [*tracks[1:], tracks[0]], strict=True):
        audio[rows] = pairs.audio[others[np.arange(len(rows)) * len(others) // len(rows)]]
    return replace(pairs, audio=audio)


def _name(model: Embedder) -> str:
    return model.recipe.name if isinstance(model, DualEncoder) else type(model).__name__.lower()


def _seen(model: Embedder, pairs: Features, videos: int) -> int | None:
    """Count the videos that training or early stopping has seen, and warn unless it is 0; None where unknown."""
    seen = model.seen_videos(pairs)
    message = ""
    if isinstance(model, DualEncoder) and model.published is not None:
        message = f"{model.published.file}: its training videos are not published, so these may be among them."
    elif seen:
        were = "was" if seen == 1 else "were"
        message = (
            f"{seen} of the {videos} videos {were} seen in training or early stopping: these ranks are not a test."
        )
    if message:
        warnings.warn(message, stacklevel=3)
    return seen
