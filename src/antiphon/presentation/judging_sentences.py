"""The findings on judging as sentences, derived from the numbers only."""

from collections.abc import Mapping
from typing import Any

from antiphon.plurals import counted
from antiphon.presentation.numbers import score, share, whole

Number = Mapping[str, Any]

_TOO_FEW = 5

BY_WORDS = {
    "both": "sound and pictures",
    "sound": "sound",
    "pictures": "pictures",
    "matching": "what was asked about",
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
    """Summarise a report in a few sentences.

    Parameters
    ----------
    found : mapping
        What `antiphon.judging.judging_report` returned.

    Returns
    -------
    list of str
        Sentences.
    """
    if not found["answers"]:
        return [f"No answers yet. Round {found['round']} has {whole(found['questions'])} questions."]
    matching = [item for item in found["similarities"] if item["by"] == "matching"]
    sentences = [_who(found)]
    sentences += [_accuracy(item["run"], item["aspects"]["all"]) for item in matching]
    sentences += [_random(item["run"], item["aspects"]["all"]["kinds"]["random"]) for item in matching]
    sentences += [_difference(item) for item in found["differences"] if _worth_saying(item)]
    sentences += [_majority(found["majority"]), alpha_sentence(found["alpha"]["all"]["decided"])]
    sentences += [_consistency(found["consistency"]), _left(found["left"])]
    return [sentence for sentence in sentences if sentence]


def is_too_few(number: Number) -> bool:
    """Return whether a number is of fewer than 5 questions, from which nothing can be said; of none, it has no value.

    Parameters
    ----------
    number : mapping
        "value" and "questions".
    """
    return number["value"] is not None and number["questions"] < _TOO_FEW


def share_with_interval(number: Number) -> str:
    """Format a share with its interval.

    Parameters
    ----------
    number : mapping
        "value", "ci95" and "questions".

    Returns
    -------
    str
        The text; a dash without a value.

    Examples
    --------
    >>> share_with_interval({"value": 0.8, "ci95": [0.7, 0.875], "questions": 60})
    '80% (70%–87.5%)'
    >>> share_with_interval({"value": 1.0, "ci95": [0.3, 1.0], "questions": 3})
    'too few (3 questions)'
    """
    if number["value"] is None:
        return "–"
    if is_too_few(number):
        return f"too few ({counted(number['questions'], 'question')})"
    low, high = number["ci95"]
    return f"{share(number['value'])} ({share(low)}–{share(high)})"


def points_with_interval(number: Number) -> str:
    """Format a difference of shares in percentage points, with its interval.

    Parameters
    ----------
    number : mapping
        "value", "ci95" and "questions".

    Returns
    -------
    str
        The text; a dash without a value.

    Examples
    --------
    >>> points_with_interval({"value": -0.05, "ci95": [-0.1, 0.02], "questions": 60})
    '−5.0 points (−10.0 to +2.0)'
    """
    if number["value"] is None:
        return "–"
    if is_too_few(number):
        return f"too few ({counted(number['questions'], 'question')})"
    low, high = number["ci95"]
    return f"{_points(number['value'])} points ({_points(low)} to {_points(high)})"


def _points(value: float) -> str:
    return f"{100 * value:+.1f}".replace("-", "\N{MINUS SIGN}")


def against_chance(number: Number) -> str:
    """Compare the interval with one half.

    Parameters
    ----------
    number : mapping
        "ci95".

    Returns
    -------
    str
        "above chance", "below chance", or "not distinguishable from chance".

    Examples
    --------
    >>> against_chance({"value": 0.6, "ci95": [0.52, 0.7]}), against_chance({"value": 0.6, "ci95": [0.48, 0.7]})
    ('above chance', 'not distinguishable from chance')
    """
    low, high = number["ci95"]
    return "above chance" if low > 0.5 else "below chance" if high < 0.5 else "not distinguishable from chance"


def alpha_sentence(alpha: Number) -> str:
    """Say how far judges agree with each other beyond chance, or why that is unknown.

    Parameters
    ----------
    alpha : mapping
        "value", "ci95", "units" and "reason".

    Returns
    -------
    str
        A sentence.
    """
    if alpha["value"] is None:
        return f"Krippendorff's alpha is not defined: {alpha['reason']}."
    if alpha["units"] < _TOO_FEW:
        return f"Two or more judges decided {counted(alpha['units'], 'question')}: too few to say how far they agree."
    interval = f" ({score(alpha['ci95'][0])} to {score(alpha['ci95'][1])})" if alpha["ci95"] else ""
    return (
        f"Judges agree with each other with a Krippendorff's alpha of {score(alpha['value'])}{interval}, on "
        f"{counted(alpha['units'], 'question')} that two or more of them decided (1 is perfect, 0 is chance)."
    )


def _who(found: Mapping[str, Any]) -> str:
    kind = "simulated judge" if found["simulated"] else "judge"
    unsure = f"; {share(found['unsure'])} of the answers are “can't tell” and excluded" if found["unsure"] else ""
    people = "These answers are simulated and say nothing about people. " if found["simulated"] else ""
    return (
        f"{people}{counted(len(found['judges']), kind)} gave {counted(found['answers'], 'answer')} to "
        f"{whole(found['answered_questions'])} of {counted(found['questions'], 'question')}{unsure}. The "
        "questions were chosen because similarities disagree on them, and are not a random sample."
    )


def _accuracy(run: str, number: Number) -> str:
    if number["value"] is None:
        return f"{run}: no decided answers yet."
    if is_too_few(number):
        return f"{run}: {counted(number['questions'], 'decided question')}, too few to say how often it agrees."
    one = " With only one judge the interval does not cover other judges." if number["judges"] == 1 else ""
    return (
        f"{run}, compared by what was asked about, agrees with the judges in {share_with_interval(number)}: "
        f"{against_chance(number)} (50%).{one}"
    )


def _random(run: str, number: Number) -> str:
    if number["value"] is None or is_too_few(number):
        return ""
    return (
        f"Between a neighbour and a random track, {run} agrees with the judges in {share_with_interval(number)}: "
        f"{against_chance(number)}."
    )


def _worth_saying(item: Mapping[str, Any]) -> bool:
    between_runs = item["one"]["run"] != item["other"]["run"]
    return item["value"] is not None and not is_too_few(item) and (item["aspect"] == "all" or not between_runs)


def _difference(item: Mapping[str, Any]) -> str:
    low, high = item["ci95"]
    verdict = "the first agrees more" if low > 0 else "the second agrees more" if high < 0 else "no clear difference"
    if item["one"]["run"] == item["other"]["run"]:
        return (
            f"Asked what is more alike overall, judges agree with {item['one']['run']} by sound in a share of answers "
            f"that is {points_with_interval(item)} from its share by pictures: {_sides(low, high)}."
        )
    opposed = item["opposed"]
    names = f"{item['one']['run']} against {item['other']['run']}"
    where = (
        f" Where the two disagree ({counted(opposed['questions'], 'question')}), the first agrees with the judges in "
        f"{share_with_interval(opposed)}."
        if opposed["value"] is not None and not is_too_few(opposed)
        else ""
    )
    return f"{names}, on the same answers: {points_with_interval(item)}: {verdict}.{where}"


def _sides(low: float, high: float) -> str:
    if low > 0:
        return "they judge by sound"
    return "they judge by pictures" if high < 0 else "no clear preference"


def _majority(found: Mapping[str, Any]) -> str:
    number = found["judge"]["all"]
    if number["value"] is None:
        return "No question was decided by two judges, so agreement between people is unknown."
    if is_too_few(number):
        return ""
    runs = "; ".join(
        f"{run} agrees with it on {share_with_interval(parts['all'])}" for run, parts in found["runs"].items()
    )
    agreement = share_with_interval(number)
    return f"One judge agrees with the majority of the others on {agreement}, a split counting half; {runs}."


def _consistency(number: Number) -> str:
    if number["value"] is None:
        return "No judge has decided a question twice yet."
    if is_too_few(number):
        twice = counted(number["answers"], "question was decided twice", "questions were decided twice")
        return f"{twice} by a judge, too few to say how consistent they are."
    return (
        f"Asked again with the sides swapped, judges chose the same in {share_with_interval(number)} of "
        f"{counted(number['answers'], 'pair')} of answers (50% is chance)."
    )


def _left(number: Number) -> str:
    if number["value"] is None or is_too_few(number):
        return ""
    low, high = number["ci95"]
    bias = "a bias to the left" if low > 0.5 else "a bias to the right" if high < 0.5 else "no clear bias"
    return f"The left candidate was chosen in {share_with_interval(number)}: {bias}."
