"""What was found about moments within tracks, as sentences, derived from the numbers only."""

from collections.abc import Mapping
from typing import Any

from antiphon.presentation.numbers import share, whole
from antiphon.presentation.rank_sentences import DIRECTIONS

_BY = {"curves": "the time course", "embeddings": "embeddings of segments"}
_WAYS = {
    "a2v": ("sound", "in the pictures of their track"),
    "v2a": ("pictures", "in their song"),
}


def moment_sentences(found: Mapping[str, Any]) -> list[str]:
    r"""Tell how well stretches find their moment in their own track, against chance and against other tracks.

    Parameters
    ----------
    found : mapping
        What `antiphon.evaluation.moments.found_moments` returned.

    Returns
    -------
    list of str
        A sentence for each way of comparing and each direction.

    Examples
    --------
    >>> rank = {"value": 0.33, "ci95": [0.31, 0.35], "other_track": {"value": 0.4, "difference_ci95": [-0.09, -0.05]}}
    >>> numbers = {"n": 800, "offsets": 47, "by_metric": {"mean_normalised_rank": rank}}
    >>> numbers["by_metric"]["recall@overlap0.5"] = {"value": 0.217, "chance": 0.099}
    >>> print(moment_sentences({"curves": {"v2a": numbers}})[0].replace(": ", ":\n").replace("; ", ";\n"))
    Moments by the time course:
    800 stretches of pictures, in their song:
    the right one of about 47 offsets has 33% of them above it (95% 31%–35%, chance 50%);
    at the same place of another track 40%, so the right track tells more than the place;
    the best offset overlaps the right one by half in 21.7% (chance 9.9%).
    """
    return [_sentence(_BY[name], way, both[way]) for name, both in found.items() for way in DIRECTIONS if way in both]


def _sentence(by: str, way: str, numbers: Mapping[str, Any]) -> str:
    rank, overlap = (numbers["by_metric"][name] for name in ("mean_normalised_rank", "recall@overlap0.5"))
    side, where = _WAYS[way]
    other = rank["other_track"]
    low, high = other["difference_ci95"]
    tells = "so the right track tells more than the place" if high < 0 else "so this may be the place alone"
    tells = "so the right track is harder than another" if low > 0 else tells
    ends = "–".join(_percent(end) for end in rank["ci95"])
    return (
        f"Moments by {by}: {whole(numbers['n'])} stretches of {side}, {where}: the right one of about "
        f"{whole(numbers['offsets'])} offsets has {_percent(rank['value'])} of them above it (95% {ends}, chance 50%); "
        f"at the same place of another track {_percent(other['value'])}, {tells}; the best offset overlaps the right "
        f"one by half in {_percent(overlap['value'])} (chance {_percent(overlap['chance'])})."
    )


def _percent(value: float) -> str:
    return share(round(value, 3))
