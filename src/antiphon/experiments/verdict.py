"""Answers to the paper's questions, derived from the intervals."""

from collections.abc import Mapping
from typing import Any

from antiphon.experiments.alignment import WAYS, configurations_beating_chance
from antiphon.experiments.paper import TABLE_2

_TARGETS = {"genre": "genre classification", "tags": "music tagging"}
_LIVE = ("Concert", "concert", "Live", "live")
_CONTRASTIVE = [name for name in TABLE_2 if name.startswith("contrastive")]


def alignment_verdict(found: Mapping[str, Any]) -> str:
    """State whether these heads and this loss align audio and video, by experiment 1.

    Parameters
    ----------
    found : mapping
        "experiment_1".

    Returns
    -------
    str
        The verdict.
    """
    if "reason" in found:
        return f"Not measured: {found['reason']}"
    rows = found["rows"]
    beating = configurations_beating_chance(rows)
    base = rows[0]["pool"]
    printed = [value for row in rows for value in row["published"]]
    ranks = " and ".join(f"{base[way]['median_rank']:.0f}" for way in WAYS)
    measured = (
        f"In {len(beating)} of {len(rows)} configurations the median rank is below the permutation null both ways; "
        f"the base reaches {ranks} of {found['pool']} (chance {base['a2v']['chance']:g}). For the same embeddings "
        f"the published formula prints {min(printed):.0f} to {max(printed):.0f}, and for perfect ones "
        f"{found['oracle']['published']:.0f}."
    )
    if not beating:
        return f"Here contrastive learning does not align sound and pictures. {measured}"
    if len(beating) == len(rows):
        return f"Contrastive learning does align sound and pictures here. {measured}"
    return f"Contrastive learning aligns sound and pictures in some configurations here. {measured}"


def question_1(probes: Mapping[str, Mapping[str, Any]]) -> str:
    """Answer RQ1: do contrastive representations improve genre classification and tagging over the pretrained networks?

    Parameters
    ----------
    probes : mapping of str to mapping
        What `antiphon.probe` returned for "genre" and "tags", or {"reason": …}.

    Returns
    -------
    str
        The answer.
    """
    said = [_one_target(target, probes[target]) for target in _TARGETS]
    return " ".join(said)


def _one_target(target: str, found: Mapping[str, Any]) -> str:
    task = _TARGETS[target]
    if "reason" in found:
        return f"In {task}: not measured ({found['reason'].rstrip('.')})."
    rows = [row for row in found["table"] if row["kind"] == "perceptron" and row["level"] == "tracks"]
    contrastive = [
        row["roc_auc"] | {"name": row["representation"]} for row in rows if row["representation"] in _CONTRASTIVE
    ]
    best = max(contrastive, key=lambda each: each["validation"] if each["validation"] is not None else float("-inf"))
    low, high = best["difference"]["ci95"]
    numbers = (
        f"the best of them on validation ({best['name']}; heads of one training) differs from the best pretrained "
        "input "
        f"({best['difference']['baseline']}) by {_signed(best['difference']['value'])} in macro ROC-AUC (95% "
        f"{_signed(low)} to {_signed(high)})"
    )
    if low > 0:
        return f"In {task}, yes: {numbers}."
    if high < 0:
        return f"In {task}, no: contrastive representations alone do worse; {numbers}."
    return f"In {task}, no difference was found: {numbers}."


def question_2(qualitative: Mapping[str, Any]) -> str:
    """Answer RQ2: does similarity agree with people? Unanswered without judgements, with proxies instead.

    Parameters
    ----------
    qualitative : mapping
        What `antiphon.evaluation.qualitative` returned, or {"reason": …}.

    Returns
    -------
    str
        The answer.
    """
    unanswered = "Unanswered until people have judged."
    if "reason" in qualitative:
        return f"{unanswered} Proxies were not measured: {qualitative['reason']}"
    k = qualitative["k"]
    said = {
        "genre": f"of the {k} nearest of a video {{value:.0%}} have its genre, of random ones {{base_rate:.0%}}",
        "tags": (
            f"a video has {{value:.0%}} of the tags in common with each of its {k} nearest, {{base_rate:.0%}} with a "
            "random one"
        ),
    }
    agreement = qualitative["agreement"]["aggregated"]
    proxies = [words.format(**agreement[what]) for what, words in said.items() if agreement.get(what) is not None]
    if not proxies:
        return f"{unanswered} There are no genres or tags as proxies."
    return f"{unanswered} Proxies: {'; '.join(proxies)}."


def live_verdict(qualitative: Mapping[str, Any]) -> str:
    """Check the paper's one positive finding: live performances find each other (section 6).

    Parameters
    ----------
    qualitative : mapping
        What `antiphon.evaluation.qualitative` returned, or {"reason": …}.

    Returns
    -------
    str
        The verdict.
    """
    if "reason" in qualitative:
        return f"Not measured: {qualitative['reason']}"
    live = next((each for name in _LIVE for each in qualitative["tags"] if each["tag"] == name), None)
    if live is None:
        return f"Not measured: no tag of at least {qualitative['min_carriers']} videos is called {' or '.join(_LIVE)}."
    found = live["by_representation"]["aggregated"]
    low, high = found["ci95"]
    above = low > found["null95"][1]
    return (
        f"Live performances {'do find' if above else 'are not found to find'} each other: of the {qualitative['k']} "
        f"nearest of a video tagged {live['tag']}, {found['value']:.0%} are tagged so too (95% interval {low:.0%} to "
        f"{high:.0%}), where "
        f"{found['base_rate']:.0%} of the pool are."
    )


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")
