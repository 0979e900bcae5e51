"""What a comparison says: whether contrastive training is worth it, and how many more videos would tell."""

from collections.abc import Mapping, Sequence
from math import ceil, log
from typing import Any

from antiphon.experiments.cells import WAYS
from antiphon.presentation.numbers import brief, whole
from antiphon.presentation.rank_sentences import ranks_apart

SMALLEST_GAIN = 1.05
"""A gain in ranks below which nobody would train for it."""
FEW_TEST_VIDEOS = 50
"""Test videos of a draw below which the sentence says that they are few."""
_POWER = (1.96 + 0.84) / 1.96
"""Half of a 95% interval, times this, lies within an effect in 80% of repetitions."""


def verdict(found: Mapping[str, Any]) -> dict[str, Any]:
    """Say whether training is worth it here.

    The best trained row is compared with the best row without contrastive training (zero-shot, or the linear analysis),
    each the one with the lowest geometric mean rank. Where there are many rows, that choice favours both a little.

    Parameters
    ----------
    found : mapping
        "rows" and "videos" of a comparison.

    Returns
    -------
    dict
        "answer" ("yes", "no", "unclear", "nothing", "unknown"), "sentence", and where there are both rows "trained" and
        "untrained" ("backbones", "method"), "gain", "ci95", and "videos_needed": where it is unclear, about how many
        music videos in all would settle it with a power of 80%, if the gain is what it looks like.
    """
    # Rows that lack a draw were tested on other music videos.
    rows = [row for row in found["rows"] if row["trainings"] and not row["failed"]]
    trained, untrained = ([row for row in rows if row["trained"] is kind] for kind in (True, False))
    if not trained or not untrained:
        lacking = "with" if not trained else "without"
        return {
            "answer": "unknown",
            "sentence": f"Whether training is worth it is not known: no method {lacking} contrastive training was "
            "among those that gave a result on all draws.",
        }
    best, plain = (min(each, key=lambda row: row["typical_rank"]) for each in (trained, untrained))
    gain, (low, high) = best["gain"]["ratio"], best["gain"]["ci95"]
    needed = _videos_needed(found["videos"], gain, low, high)
    answer, sentence = _said(best, plain, rows, needed, found["videos"])
    sentence += _caution(best["n"])
    names = ("backbones", "method")
    return {
        "answer": answer,
        "sentence": sentence,
        "trained": {name: best[name] for name in names},
        "untrained": {name: plain[name] for name in names},
        "gain": gain,
        "ci95": [low, high],
        "videos_needed": needed if answer == "unclear" else None,
    }


def _said(
    best: Mapping[str, Any], plain: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], needed: int, videos: int
) -> tuple[str, str]:
    gain, (low, high) = best["gain"]["ratio"], best["gain"]["ci95"]
    several = len({row["backbones"] for row in rows}) > 1
    ours, theirs = (f"{row['method']} on {row['backbones']}" if several else row["method"] for row in (best, plain))
    apart, factor = ranks_apart(ours, theirs, gain, low, high), f"a factor of {gain:.2f} (95% {low:.2f}–{high:.2f})"
    more = (
        f"If the gain is what it looks like, about {whole(needed)} music videos instead of {whole(videos)} would "
        "settle it four times in five."
    )
    if not any(_above_chance(row) for row in (best, plain)):
        return "nothing", f"Nothing ranks partners above chance here, with training ({ours}) or without ({theirs})."
    if low > 1:
        return "yes", f"Training is worth it here: {apart}."
    if high < 1:
        return "no", f"Training is not worth it here: {apart}."
    if high < SMALLEST_GAIN:
        return "no", f"Training is not worth it here: {ours} ranks partners no higher than {theirs}: {factor}."
    return "unclear", f"It is not clear whether training is worth it here: {ours} beside {theirs}, {factor}. {more}"


def _caution(pool: float) -> str:
    """Say what an interval over few test videos leaves out; "" where they are not few."""
    if pool >= FEW_TEST_VIDEOS:
        return ""
    return (
        f" But a draw has only {brief(pool)} test videos, which is few: the interval covers these draws and trainings "
        "alone, and others may well say otherwise."
    )


def _above_chance(row: Mapping[str, Any]) -> bool:
    """Whether the median rank lies below the null both ways, with its interval."""
    return all(row[way]["median_rank"]["ci95"][1] < row[way]["null95"][0] for way in WAYS)


def _videos_needed(videos: int, gain: float, low: float, high: float) -> int:
    """Return how many videos would put the interval on one side of no gain, or of one that is too small, to two digits.

    Intervals of means narrow with the root of the number of videos. The interval must end before whichever of the two
    is further away, with a power of 80%.
    """
    half = log(high / low) / 2
    room = max(log(gain), log(SMALLEST_GAIN / gain))
    needed = videos * (half * _POWER / room) ** 2
    digits = 10 ** max(0, len(str(ceil(needed))) - 2)
    return max(videos, int(ceil(needed / digits) * digits))
