"""What a report on judging says, in sentences derived from its numbers and from nothing else."""

from collections.abc import Mapping
from typing import Any

from antiphon.presentation.numbers import score, share, whole

Number = Mapping[str, Any]

BY_WORDS = {
    "both": "sound and pictures",
    "sound": "sound",
    "pictures": "pictures",
    "matching": "what was asked for",
}
ASPECT_WORDS = {
    "overall": "overall",
    "sound": "by sound",
    "pictures": "by pictures",
    "all": "all questions",
}
KIND_WORDS = {
    "models": "neighbours of two models",
    "sides": "a neighbour by sound and one by pictures",
    "random": "a neighbour and a random track",
}


def judging_sentences(found: Mapping[str, Any]) -> list[str]:
    """The report in a handful of sentences.

    Parameters
    ----------
    found : mapping
        What `antiphon.judging.judging_report` returns.
    """
    if not found["answers"]:
        return [f"Nobody has answered yet. Round {found['round']} has {whole(found['questions'])} questions."]
    matching = [item for item in found["similarities"] if item["by"] == "matching"]
    sentences = [_who(found)]
    sentences += [_accuracy(item["run"], item["aspects"]["all"]) for item in matching]
    sentences += [_random(item["run"], item["aspects"]["all"]["kinds"]["random"]) for item in matching]
    sentences += [_difference(item) for item in found["differences"] if _worth_saying(item)]
    sentences += [_majority(found["majority"]), alpha_sentence(found["alpha"]["all"]["decided"])]
    sentences += [_consistency(found["consistency"]), _left(found["left"])]
    return [sentence for sentence in sentences if sentence]


def spread(number: Number) -> str:
    """A share with its interval; a dash where there is none.

    Examples
    --------
    >>> spread({"value": 0.8, "ci95": [0.7, 0.875]}), spread({"value": None, "ci95": None})
    ('80% (70%–87.5%)', '–')
    """
    if number["value"] is None:
        return "–"
    low, high = number["ci95"]
    return f"{share(number['value'])} ({share(low)}–{share(high)})"


def gap(number: Number) -> str:
    """A difference of shares in percentage points, with its interval.

    Examples
    --------
    >>> gap({"value": -0.05, "ci95": [-0.1, 0.02]})
    '−5.0 points (−10.0 to +2.0)'
    """
    if number["value"] is None:
        return "–"
    low, high = number["ci95"]
    return f"{_points(number['value'])} points ({_points(low)} to {_points(high)})"


def _points(value: float) -> str:
    return f"{100 * value:+.1f}".replace("-", "\N{MINUS SIGN}")


def against_chance(number: Number) -> str:
    """Where the interval lies against one half.

    Examples
    --------
    >>> against_chance({"value": 0.6, "ci95": [0.52, 0.7]}), against_chance({"value": 0.6, "ci95": [0.48, 0.7]})
    ('above chance', 'not distinguishable from chance')
    """
    low, high = number["ci95"]
    return "above chance" if low > 0.5 else "below chance" if high < 0.5 else "not distinguishable from chance"


def alpha_sentence(alpha: Number) -> str:
    """How far judges agree with each other beyond chance; or why that is not known."""
    if alpha["value"] is None:
        return f"Krippendorff's alpha is not defined: {alpha['reason']}."
    interval = f" ({score(alpha['ci95'][0])} to {score(alpha['ci95'][1])})" if alpha["ci95"] else ""
    return (
        f"Judges agree with each other with a Krippendorff's alpha of {score(alpha['value'])}{interval}, on "
        f"{_counted(alpha['units'], 'question')} that two or more of them decided (1 is perfect, 0 is chance)."
    )


def _who(found: Mapping[str, Any]) -> str:
    kind = "simulated judge" if found["simulated"] else "judge"
    unsure = f"; {share(found['unsure'])} of the answers are “can't tell” and left out" if found["unsure"] else ""
    people = "These are simulated answers, which say nothing of people. " if found["simulated"] else ""
    return (
        f"{people}{_counted(len(found['judges']), kind)} gave {_counted(found['answers'], 'answer')} to "
        f"{whole(found['answered_questions'])} of {_counted(found['questions'], 'question')}{unsure}. The "
        "questions are those on which opinions differ, not a sample of all."
    )


def _accuracy(run: str, number: Number) -> str:
    if number["value"] is None:
        return f"{run}: no decided answer yet."
    one = " With one judge the interval does not cover what others would say." if number["judges"] == 1 else ""
    return (
        f"{run}, compared by what was asked for, agrees with the judges in {spread(number)}: {against_chance(number)}, "
        f"which is 50%.{one}"
    )


def _random(run: str, number: Number) -> str:
    if number["value"] is None:
        return ""
    return (
        f"Where a neighbour stands against a random track, {run} agrees with the judges in {spread(number)}: "
        f"{against_chance(number)}."
    )


def _worth_saying(item: Mapping[str, Any]) -> bool:
    between_runs = item["one"]["run"] != item["other"]["run"]
    return item["value"] is not None and (item["aspect"] == "all" or not between_runs)


def _difference(item: Mapping[str, Any]) -> str:
    low, high = item["ci95"]
    verdict = "the first is closer" if low > 0 else "the second is closer" if high < 0 else "no clear difference"
    if item["one"]["run"] == item["other"]["run"]:
        return (
            f"Asked what is more alike overall, judges agree with {item['one']['run']} by sound in a share of answers "
            f"that is {gap(item)} from its share by pictures: {_sides(low, high)}."
        )
    opposed = item["opposed"]
    names = f"{item['one']['run']} against {item['other']['run']}"
    where = (
        f" Where the two oppose each other ({_counted(opposed['questions'], 'question')}), the first is right in "
        f"{spread(opposed)}."
        if opposed["value"] is not None
        else ""
    )
    return f"{names}, on the same answers: {gap(item)}: {verdict}.{where}"


def _sides(low: float, high: float) -> str:
    if low > 0:
        return "they go by the sound"
    return "they go by the pictures" if high < 0 else "neither side is clearly closer to them"


def _majority(found: Mapping[str, Any]) -> str:
    number = found["judge"]["all"]
    if number["value"] is None:
        return "No question was decided by two judges, so it is not known how far people agree."
    runs = "; ".join(f"{run} agrees with it on {spread(parts['all'])}" for run, parts in found["runs"].items())
    return f"One judge agrees with the majority of the others on {spread(number)}, a split counting half; {runs}."


def _consistency(number: Number) -> str:
    if number["value"] is None:
        return "No judge has decided a question twice yet."
    return (
        f"Asked the same again with the sides swapped, judges chose the same in {spread(number)} of "
        f"{_counted(number['answers'], 'pair')} of answers (50% is chance)."
    )


def _left(number: Number) -> str:
    if number["value"] is None:
        return ""
    low, high = number["ci95"]
    bias = "they favour the left" if low > 0.5 else "they favour the right" if high < 0.5 else "no clear bias"
    return f"The left candidate was chosen in {spread(number)}: {bias}."


def _counted(count: int, noun: str) -> str:
    """A number with its noun.

    Examples
    --------
    >>> _counted(1, "judge"), _counted(1200, "judge")
    ('1 judge', '1,200 judges')
    """
    return f"{whole(count)} {noun}{'' if count == 1 else 's'}"
