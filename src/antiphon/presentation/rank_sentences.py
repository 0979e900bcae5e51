"""Ranks against chance as sentences, derived from the numbers only."""

import math
from collections.abc import Mapping
from typing import Any, Protocol

from antiphon.plurals import counted
from antiphon.presentation.numbers import rank, whole

DIRECTIONS = ("a2v", "v2a")
PHRASES = {
    "better": "finds the partner better than chance",
    "worse": "finds the partner worse than chance",
    "none": "is not distinguishable from chance",
}
FEW_VIDEOS = 20
"""Videos below which ranks are told as counts, with a warning."""
_WAYS = {"a2v": "from sound to pictures", "v2a": "from pictures to sound"}


def verdict(ranks: Mapping[str, Any]) -> str:
    """Compare the interval of the median rank with the null of the same model.

    Parameters
    ----------
    ranks : mapping
        "ci95" and "null95" of the median rank.

    Returns
    -------
    {"better", "worse", "none"}
        "better" if the interval is entirely below the null, "worse" if entirely above.
    """
    (low, high), (null_low, null_high) = ranks["ci95"], ranks["null95"]
    if high < null_low:
        return "better"
    return "worse" if low > null_high else "none"


def level_sentence(name: str, both: Mapping[str, Any]) -> str:
    """State the verdicts of both directions for one pool.

    Parameters
    ----------
    name : str
        Start of the sentence.
    both : mapping
        Numbers of "a2v" and "v2a".

    Returns
    -------
    str
        A sentence.

    Examples
    --------
    >>> ranks = {"ci95": [2, 4], "null95": [6, 9]}
    >>> level_sentence("For tracks", {"a2v": ranks, "v2a": ranks})
    'For tracks, the model finds the partner better than chance, in both directions.'
    """
    found = {way: PHRASES[verdict(both[way])] for way in DIRECTIONS}
    if found["a2v"] == found["v2a"]:
        return f"{name}, the model {found['a2v']}, in both directions."
    parts = " and ".join(f"{found[way]} {_WAYS[way]}" for way in DIRECTIONS)
    return f"{name}, the model {parts}."


def headline(levels: Mapping[str, Mapping[str, Any]]) -> str:
    """State the result in one or two sentences.

    Parameters
    ----------
    levels : mapping of str to mapping
        Numbers of "a2v" and "v2a" by pool ("tracks", "segments").

    Returns
    -------
    str
        The result.
    """
    verdicts = {verdict(both[way]) for both in levels.values() for way in DIRECTIONS}
    if len(verdicts) == 1:
        pools = " and for ".join(levels)
        return f"For {pools}, the model {PHRASES[verdicts.pop()]}, in both directions."
    return " ".join(level_sentence(f"For {name}", both) for name, both in levels.items())


def plain_sentence(name: str, both: Mapping[str, Any]) -> str:
    """Explain the median ranks of one pool without technical terms.

    Examples
    --------
    >>> sound, pictures = {"median_rank": 6.0, "n": 64, "chance": 32.5}, {"median_rank": 7.5, "n": 64, "chance": 32.5}
    >>> print(plain_sentence("tracks", {"a2v": sound, "v2a": pictures}).replace("6, and", "6,\\nand"))
    Of the 64 tracks, half of the songs find their own pictures among the first 6,
    and half of the pictures their own song among the first 8; by chance it would take the first 33.
    """
    sound, pictures = both["a2v"], both["v2a"]
    first = {way: whole(math.ceil(both[way]["median_rank"])) for way in DIRECTIONS}
    songs = f"half of the songs find their own pictures among the first {first['a2v']}"
    images = f"half of the pictures their own song among the first {first['v2a']}"
    chance = f"by chance it would take the first {whole(math.ceil(pictures['chance']))}"
    return f"Of the {whole(sound['n'])} {name}, {songs}, and {images}; {chance}."


def few_videos_sentence(metrics: Mapping[str, Any]) -> str:
    """Warn of ranks among few videos, with counts instead of shares; "" from 20 videos on.

    Parameters
    ----------
    metrics : mapping
        Content of a run's metrics.json.

    Returns
    -------
    str
        The warning.

    Examples
    --------
    >>> ranks = {"n": 3, "groups": 3, "recall@1": 2 / 3}
    >>> print(few_videos_sentence({"split": "test", "a2v": ranks, "v2a": ranks}).replace(": ", ":\\n"))
    Only 3 test videos, too few to say how good the model is:
    2 of 3 songs find their own pictures first, and 2 of 3 pictures their own song. By chance it would be 1 of 3.
    """
    ranks = metrics.get("tracks") or metrics
    videos = metrics["a2v"].get("groups", metrics["a2v"]["n"])
    if videos >= FEW_VIDEOS:
        return ""
    only = f"Only {whole(videos)} {metrics.get('split', 'test')} video{'s' * (videos != 1)}"
    warning = f"{only}, too few to say how good the model is"
    if any("recall@1" not in ranks[way] for way in DIRECTIONS):
        return f"{warning}."
    sound, pictures = (
        f"{whole(ranks[way]['recall@1'] * ranks[way]['n'])} of {whole(ranks[way]['n'])}" for way in DIRECTIONS
    )
    chance = f"By chance it would be 1 of {whole(ranks['a2v']['n'])}."
    return f"{warning}: {sound} songs find their own pictures first, and {pictures} pictures their own song. {chance}"


def rank_sentence(way: str, ranks: Mapping[str, Any]) -> str:
    """State the median rank of one direction with pool size, interval, null and chance."""
    low, high = ranks["ci95"]
    null_low, null_high = ranks["null95"]
    return (
        f"{_WAYS[way].capitalize()}: median rank {rank(ranks['median_rank'])} of {whole(ranks['n'])}, "
        f"95% interval {rank(low)}–{rank(high)}, null {rank(null_low)}–{rank(null_high)}, "
        f"chance {rank(ranks['chance'])}."
    )


class Compared(Protocol):
    """A paired comparison of ranks, such as `antiphon.metrics.results.Comparison`."""

    @property
    def name(self) -> str: ...
    @property
    def other(self) -> str: ...
    @property
    def ratio(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def n(self) -> int: ...
    @property
    def resampled(self) -> int: ...
    @property
    def groups(self) -> int: ...
    @property
    def direction(self) -> str: ...


def comparison_sentence(found: Compared) -> str:
    """Return one sentence on which of two models ranks partners higher, with interval and number of queries.

    Parameters
    ----------
    found : Compared
        The comparison.
    """
    ways = {"both": "each way", "a2v": "from audio to video", "v2a": "from video to audio"}[found.direction]
    over = f"paired over {whole(found.n)} queries {ways}, {videos_drawn(found.groups, found.resampled)}"
    if found.low > 1 or found.high < 1:
        return f"{ranks_apart(found.name, found.other, found.ratio, found.low, found.high, over)}."
    return (
        f"{found.name} and {found.other} do not differ measurably: the ratio of their ranks is {found.ratio:.2f} "
        f"(95% {found.low:.2f}–{found.high:.2f}, {over})."
    )


def videos_drawn(videos: int, resampled: int) -> str:
    """Say how many videos an interval is over, and in how many groups they were drawn.

    Parameters
    ----------
    videos, resampled : int
        Number of videos, and of what was resampled.
    """
    told = counted(videos, "video")
    return told if resampled == videos else f"{told} in {counted(resampled, 'group')} by artist"


def ranks_apart(name: str, other: str, ratio: float, low: float, high: float, over: str = "") -> str:
    """Say by what factor one model ranks partners higher than another, or lower; the factor is always above 1.

    Rank 1 is the highest, so that "lower" is worse and a number of "times lower" would be read both ways.

    Parameters
    ----------
    name, other : str
        The two models.
    ratio, low, high : float
        Geometric mean rank of the other divided by that of the model, with its interval, which leaves out 1.
    over : str, optional
        What it was measured on.

    Returns
    -------
    str
        The sentence, without its full stop.

    Examples
    --------
    >>> ranks_apart("heads", "cca", 1.27, 1.24, 1.3)
    'heads ranks partners higher than cca, by a factor of 1.27 (95% 1.24–1.30)'
    >>> ranks_apart("heads", "cca", 0.5, 0.4, 0.8)
    'heads ranks partners lower than cca, by a factor of 2.00 (95% 1.25–2.50)'
    """
    kind = "higher"
    if ratio < 1:
        kind, ratio, low, high = "lower", 1 / ratio, 1 / high, 1 / low
    interval = f"95% {low:.2f}–{high:.2f}{f', {over}' if over else ''}"
    return f"{name} ranks partners {kind} than {other}, by a factor of {ratio:.2f} ({interval})"
