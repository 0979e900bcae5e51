"""What a comparison says: whether contrastive training is worth it, and how many more videos would tell."""

from collections.abc import Mapping, Sequence
from math import ceil, log
from typing import Any

from antiphon.experiments.cells import WAYS
from antiphon.presentation.numbers import whole

SMALLEST_GAIN = 1.05
"""A gain in ranks below which nobody would train for it."""


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
        music videos in all would tell a gain of 5%, or of the size that was seen if that is larger, from none.
    """
    rows = [row for row in found["rows"] if row["trainings"]]
    trained, untrained = ([row for row in rows if row["trained"] is kind] for kind in (True, False))
    if not trained or not untrained:
        lacking = "with" if not trained else "without"
        return {"answer": "unknown", "sentence": f"Not known: no method {lacking} training gave a result."}
    best, plain = (min(each, key=lambda row: row["typical_rank"]) for each in (trained, untrained))
    gain, (low, high) = best["gain"]["ratio"], best["gain"]["ci95"]
    needed = _videos_needed(found["videos"], gain, low, high)
    answer, sentence = _said(best, plain, rows, needed, found["videos"])
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
    low, high = best["gain"]["ci95"]
    several = len({row["backbones"] for row in rows}) > 1
    ours, theirs = (f"{row['method']} on {row['backbones']}" if several else row["method"] for row in (best, plain))
    factor = f"by a factor of {best['gain']['ratio']:.2f} (95% interval {low:.2f} to {high:.2f})"
    more = (
        f"About {whole(needed)} music videos instead of {whole(videos)} would tell a gain of "
        f"{max(best['gain']['ratio'], SMALLEST_GAIN) - 1:.0%} from none."
    )
    if not any(_above_chance(row) for row in (best, plain)):
        return "nothing", f"Nothing ranks partners above chance here, with training ({ours}) or without ({theirs})."
    if low > 1:
        return "yes", f"Training is worth it here: {ours} ranks partners higher than {theirs}, {factor}."
    if high < SMALLEST_GAIN:
        kind = "lower" if high < 1 else "no higher"
        return "no", f"Training is not worth it here: {ours} ranks partners {kind} than {theirs}: {factor}."
    return "unclear", f"It is not clear whether training is worth it here: {ours} beside {theirs}, {factor}. {more}"


def _above_chance(row: Mapping[str, Any]) -> bool:
    """Whether the median rank lies below the null both ways, with its interval."""
    return all(row[way]["median_rank"]["ci95"][1] < row[way]["null95"][0] for way in WAYS)


def _videos_needed(videos: int, gain: float, low: float, high: float) -> int:
    """Return how many videos would make half of the interval as narrow as the gain, to two digits.

    Intervals of means narrow with the root of the number of videos.
    """
    half = log(high / low) / 2
    needed = videos * (half / log(max(gain, SMALLEST_GAIN))) ** 2
    digits = 10 ** max(0, len(str(ceil(needed))) - 2)
    return int(ceil(needed / digits) * digits)
