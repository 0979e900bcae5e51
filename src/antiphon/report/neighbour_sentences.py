"""The findings on neighbours as sentences, derived from the numbers only."""

from collections.abc import Mapping, Sequence
from typing import Any

from antiphon.presentation.numbers import score, share, whole

REPRESENTATION_WORDS = {"aggregated": "sound and pictures together", "audio": "sound", "video": "pictures"}
SPACE_WORDS = {
    "audio features": "sound, features",
    "audio": "sound, embeddings",
    "video features": "pictures, features",
    "video": "pictures, embeddings",
    "aggregated": "together, embeddings",
}
ATTRIBUTE_WORDS = {
    "saturation": "saturation",
    "black_and_white": "black and white",
    "luma": "brightness",
    "motion": "motion",
    "cuts_per_s": "cut rate",
}
_QUALITIES = {"genre": "genre", "tags": "tags"}
_CHANCE = {"above": "above chance", "below": "below chance", "inside": "not distinguishable from chance"}
_LIVE_TAGS = {"concert", "live"}
_LIVE_LABEL = "3"
"""The label "Concert" of YouTube-8M, for data whose tags are numbers."""
_LIVE = "Veldkamp et al. (2023) found that live performances find each other. Here"


def against_null(number: Mapping[str, Any]) -> str:
    """Compare the 95% interval with the null.

    Parameters
    ----------
    number : mapping
        "ci95" and "null95".

    Returns
    -------
    {"above", "below", "inside"}
        Position of the interval.

    Examples
    --------
    >>> against_null({"ci95": [0.4, 0.6], "null95": [0.1, 0.3]})
    'above'
    >>> against_null({"ci95": [0.2, 0.6], "null95": [0.1, 0.3]})
    'inside'
    """
    (low, high), (null_low, null_high) = number["ci95"], number["null95"]
    return "above" if low > null_high else "below" if high < null_low else "inside"


def findings(found: Mapping[str, Any]) -> list[str]:
    """Summarise the analysis in a few sentences.

    Parameters
    ----------
    found : mapping
        What `antiphon.evaluation.qualitative` returned.

    Returns
    -------
    list of str
        Sentences.
    """
    sentences = [_genre(found), _tags(found), *_single_tags(found), *_consistency(found)]
    sentences += _dependence(found) + _attributes(found["attributes"])
    return [sentence for sentence in sentences if sentence]


def with_interval(number: Mapping[str, Any], write: Any = share) -> str:
    """Format a value with its interval.

    Parameters
    ----------
    number : mapping
        "value" and "ci95".
    write : callable
        Formats a value.

    Returns
    -------
    str
        The text.

    Examples
    --------
    >>> with_interval({"value": 0.5, "ci95": [0.4, 0.625]})
    '50% (40%–62.5%)'
    """
    low, high = number["ci95"]
    between = " to " if low < 0 else "–"
    return f"{write(number['value'])} ({write(low)}{between}{write(high)})"


def _genre(found: Mapping[str, Any]) -> str:
    numbers = {way: both["genre"] for way, both in found["agreement"].items()}
    if None in numbers.values():
        return "Genres are unknown, so it was not measured whether neighbours share them."
    first = numbers["aggregated"]
    ways = "; ".join(f"by {REPRESENTATION_WORDS[way]} {with_interval(number)}" for way, number in numbers.items())
    return (
        f"Same genre among the {found['k']} nearest neighbours: {ways}; among random videos "
        f"{share(first['base_rate'])}. {_verdict(numbers)}"
    )


def _tags(found: Mapping[str, Any]) -> str:
    numbers = {way: both["tags"] for way, both in found["agreement"].items()}
    if None in numbers.values():
        return "Tags are unknown, so it was not measured whether neighbours share them."
    ways = "; ".join(f"by {REPRESENTATION_WORDS[way]} {with_interval(number)}" for way, number in numbers.items())
    return (
        f"Tags in common with a neighbour: {ways}; with a random video "
        f"{share(numbers['aggregated']['base_rate'])}. {_verdict(numbers)}"
    )


def _verdict(numbers: Mapping[str, Mapping[str, Any]]) -> str:
    better = [REPRESENTATION_WORDS[way] for way, number in numbers.items() if against_null(number) == "above"]
    if len(better) == len(numbers):
        return "All three are above chance."
    if not better:
        return "None of this is distinguishable from chance."
    return f"Above chance: {' and '.join(better)}."


def _single_tags(found: Mapping[str, Any]) -> list[str]:
    """Describe the tag with the highest lift, and that of live performances."""
    listed = found["tags"]
    if not listed:
        return [f"No tag has {found['min_carriers']} videos in the pool, so no single tag was analysed."]
    if len(listed) == 1:
        return [f"{_carry(listed[0])}: {_chance(listed[0])}."]
    better = sum(_chance(item) == _CHANCE["above"] for item in listed)
    return [
        f"Videos with the same tag find each other better than chance for {better} of {len(listed)} tags. The highest "
        f"of {len(listed)} tags by lift: {_carry(listed[0])}.",
        *(f"{_LIVE}: {_carry(item)}: {_chance(item)}." for item in live_tags(listed)),
    ]


def live_tags(tags: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Select the tags of an analysis that name live performances.

    Parameters
    ----------
    tags : sequence of mapping
        "tags" of an analysis.

    Returns
    -------
    list of mapping
        Those of live performances.

    Examples
    --------
    >>> live_tags([{"tag": "Concert"}, {"tag": "lively"}, {"tag": "3"}]), live_tags([{"tag": "3"}, {"tag": "4"}])
    ([{'tag': 'Concert'}], [{'tag': '3'}])
    """
    labels = all(item["tag"].isdecimal() for item in tags)
    names = {_LIVE_LABEL} if labels else _LIVE_TAGS
    return [item for item in tags if item["tag"].casefold() in names]


def _carry(item: Mapping[str, Any]) -> str:
    number = item["by_representation"]["aggregated"]
    lift = f", {number['lift']:.1f} times as many" if number["lift"] else ""
    return (
        f"{with_interval(number)} of the neighbours (by sound and pictures together) of videos tagged “{item['tag']}” "
        f"have the tag too, and {share(number['base_rate'])} of all other videos{lift}"
    )


def _chance(item: Mapping[str, Any]) -> str:
    return _CHANCE[against_null(item["by_representation"]["aggregated"])]


def _consistency(found: Mapping[str, Any]) -> list[str]:
    numbers = found["consistency"]
    if "reason" in numbers:
        return [f"The consistency of a video's segments was not measured. {numbers['reason']}"]
    if any(numbers[way] is None for way in ("audio", "video")):
        return ["The consistency of a video's segments was not measured: fewer than two videos have several."]
    parts = [
        f"of {REPRESENTATION_WORDS[way]} {with_interval(numbers[way]['within'], score)} within a video and "
        f"{score(numbers[way]['between']['value'])} between videos"
        for way in ("audio", "video")
    ]
    (low_a, high_a), (low_v, high_v) = (numbers[way]["difference"]["ci95"] for way in ("audio", "video"))
    more = "pictures" if low_v > high_a else "sound" if low_a > high_v else ""
    end = f"The {more} stay more similar throughout a video." if more else "Neither is clearly more consistent."
    return [f"Mean cosine of the embeddings of two segments: {', and '.join(parts)}. {end}"]


def _dependence(found: Mapping[str, Any]) -> list[str]:
    listed = [item for item in found["dependence"] if item["consistency_of"] == "embeddings"]
    if not listed:
        return []
    clear_ones = [item for item in listed if item["ci95"][0] > 0 or item["ci95"][1] < 0]
    if not clear_ones:
        return [
            "No sign that consistent videos have better neighbours: every interval of the rank "
            f"correlation contains 0 ({whole(listed[0]['videos'])} videos)."
        ]
    words = [
        f"by {REPRESENTATION_WORDS[item['representation']]}, {_QUALITIES[item['quality']]} "
        f"{with_interval({'value': item['rho'], 'ci95': item['ci95']}, score)}"
        for item in clear_ones
    ]
    return [
        "Rank correlation of a video's consistency with how much its neighbours share beyond the base "
        f"rate, where its interval excludes 0: {'; '.join(words)}."
    ]


def _attributes(found: Mapping[str, Any]) -> list[str]:
    if "reason" in found:
        return [f"It was not measured what colour, brightness, motion and cuts explain. {found['reason']}"]
    spaces = found["spaces"]
    parts = [
        f"{with_interval(spaces[name]['r2'])} of {SPACE_WORDS[name]}" for name in ("video features", "video", "audio")
    ]
    sentence = f"Of segments' similarity, colour, brightness, motion and cuts together explain: {'; '.join(parts)}. "
    inside = [REPRESENTATION_WORDS[name] for name in ("video", "audio") if against_null(spaces[name]["r2"]) == "inside"]
    sentence += f"For the embeddings of {' and '.join(inside)} that is no more than by chance. " if inside else ""
    return [sentence + _strongest(spaces["video"]["correlations"])]


def _strongest(correlations: Mapping[str, Mapping[str, Any] | None]) -> str:
    known: Sequence[tuple[str, Mapping[str, Any]]] = [
        (name, number) for name, number in correlations.items() if number is not None
    ]
    if not known:
        return ""
    name, number = max(known, key=lambda item: abs(item[1]["value"]))
    correlation = with_interval(number, score)
    return f"The attribute closest to the pictures' embeddings is {ATTRIBUTE_WORDS[name]} (correlation {correlation})."
