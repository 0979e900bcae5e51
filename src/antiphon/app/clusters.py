"""Groups of music videos that are alike, for the map and for those who cannot see it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.app.library import Library, Video
from antiphon.seeding import generator

FloatArray = npt.NDArray[np.float32]

MAX_CLUSTERS = 8
_SAMPLE = 20_000
_ROUNDS = 25
_BLOCK = 8_192
_MIN_SHARE, _MIN_LIFT = 0.25, 1.5
_NAMES = 2


def clusters(vectors: FloatArray, seed: int = 0) -> npt.NDArray[np.int32]:
    """Group unit rows by spherical k-means (Dhillon and Modha 2001), of a sample, started apart.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, dim)
        Unit rows.
    seed : int
        Seed of the sample and of the start.

    Returns
    -------
    ndarray of int32, shape (n,)
        Number of each row's group: at most 8, about √(n/2), the largest first.
    """
    count = min(MAX_CLUSTERS, max(1, round((len(vectors) / 2) ** 0.5)))
    if len(vectors) <= count:
        return np.zeros(len(vectors), dtype=np.int32)
    random = generator(seed, "map", "clusters")
    sample = vectors[np.sort(random.permutation(len(vectors))[:_SAMPLE])]
    centres = _apart(sample, count, random)
    for _ in range(_ROUNDS):
        near = (sample @ centres.T).argmax(axis=1)
        sums = np.stack([sample[near == one].sum(axis=0) for one in range(count)])
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = np.where(lengths > 0, sums / np.where(lengths > 0, lengths, 1), centres).astype(np.float32)
    numbers = np.concatenate(
        [(vectors[at : at + _BLOCK] @ centres.T).argmax(axis=1) for at in range(0, len(vectors), _BLOCK)]
    )
    order = np.argsort(-np.bincount(numbers, minlength=count), kind="stable")
    return np.argsort(order)[numbers].astype(np.int32)


def _apart(sample: FloatArray, count: int, random: np.random.Generator) -> FloatArray:
    """Choose rows to start from, each with odds by its distance from those before (Arthur and Vassilvitskii 2007)."""
    chosen = [int(random.integers(len(sample)))]
    far = np.maximum(1 - sample @ sample[chosen[0]], 0)
    while len(chosen) < count:
        total = float(far.sum())
        odds = far / total if total > 0 else None
        chosen.append(int(random.choice(len(sample), p=None if odds is None else odds / odds.sum())))
        far = np.minimum(far, np.maximum(1 - sample @ sample[chosen[-1]], 0))
    return sample[chosen]


def central(vectors: FloatArray, numbers: npt.NDArray[np.int32]) -> dict[int, int]:
    """Find the row of each group that is nearest to its mean.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, dim)
        Unit rows.
    numbers : ndarray of int32, shape (n,)
        Number of each row's group.

    Returns
    -------
    dict of int to int
        Row by number.
    """
    found: dict[int, int] = {}
    for number in np.unique(numbers).tolist():
        rows = np.flatnonzero(numbers == number)
        mean = np.zeros(vectors.shape[1])
        for at in range(0, len(rows), _BLOCK):
            mean += vectors[rows[at : at + _BLOCK]].sum(axis=0)
        best = [rows[at : at + _BLOCK] for at in range(0, len(rows), _BLOCK)]
        scores = np.concatenate([vectors[some] @ mean.astype(np.float32) for some in best])
        found[number] = int(rows[scores.argmax()])
    return found


@dataclass(frozen=True)
class Cluster:
    """A group of music videos that are alike.

    Attributes
    ----------
    number : int
        Its number.
    name : str
        What is frequent in it and seldom elsewhere, or the title of its central music video.
    count : int
        How many music videos it has.
    central : Video
        The one nearest to its mean.
    """

    number: int
    name: str
    count: int
    central: Video


def described(
    library: Library, videos: Sequence[Video], numbers: npt.NDArray[np.int32], middle: dict[int, Video]
) -> list[Cluster]:
    """Say what the groups are: their genres and tags, how many music videos they have, and the most central one.

    Parameters
    ----------
    library : Library
        The catalogue.
    videos : sequence of Video
        The music videos.
    numbers : ndarray of int32, shape (n,)
        Number of the group of each.
    middle : dict of int to Video
        The central music video of each group.

    Returns
    -------
    list of Cluster
        The groups, by number; two of the same name have its central music video beside it.
    """
    words = [{library.genre_of(one), *one.tags} - {""} for one in videos]
    everywhere = Counter(word for some in words for word in some)
    names: dict[int, tuple[str, int]] = {}
    for number in sorted(middle):
        rows = np.flatnonzero(numbers == number).tolist()
        here = Counter(word for row in rows for word in words[row])
        shares = {word: times / len(rows) for word, times in here.items()}
        lift = {word: shares[word] * len(videos) / everywhere[word] for word in shares}
        telling = [word for word in shares if shares[word] >= _MIN_SHARE and lift[word] >= _MIN_LIFT]
        best = sorted(telling, key=lambda word: (-shares[word] * lift[word], word))[:_NAMES]
        names[number] = (", ".join(best) or f"like {middle[number].title}", len(rows))
    often = Counter(name for name, _ in names.values())
    return [
        Cluster(number, f"{name}, like {middle[number].title}" if often[name] > 1 else name, count, middle[number])
        for number, (name, count) in names.items()
    ]
