"""A study as CSV and Markdown."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from antiphon.experiments.study_table import METRICS
from antiphon.presentation.csv_text import csv_text
from antiphon.presentation.numbers import brief, rank, score, whole
from antiphon.presentation.rank_sentences import DIRECTIONS

Row = dict[str, Any]

ROLES = ("previous", "cca", "reference")
"""Roles of the steps that a step is compared with."""


def study_csv(study: Mapping[str, Any]) -> str:
    """Format a study as CSV, one line per step and size.

    Columns: "step", "label", "size", "train_pairs", "trainings", "failures", "n", "chance"; for each direction the
    metrics with their intervals, the median rank's null and its values by training (separated by spaces); and, against
    the previous step, "cca" and the reference, the factor by which partners rank higher, in both directions together
    and in each, with its interval. Missing values are empty.

    Parameters
    ----------
    study : mapping
        Content of study.json.

    Returns
    -------
    str
        CSV.
    """
    return _csv([_line(row) for row in study["rows"]])


def cells_csv(study: Mapping[str, Any]) -> str:
    """Format the cells of a study as CSV: median ranks, or the reason why there are none.

    Parameters
    ----------
    study : mapping
        Content of study.json.

    Returns
    -------
    str
        CSV.
    """
    return _csv(study["cells"])


def study_markdown(study: Mapping[str, Any]) -> str:
    """Format a study as Markdown, by size, with what was compared and how.

    Parameters
    ----------
    study : mapping
        Content of study.json.

    Returns
    -------
    str
        Markdown.
    """
    parts = [f"# {study['name']}", *filter(None, [study["description"]]), study_sentence(study)]
    for size in study["sizes"]:
        rows = [row for row in study["rows"] if row["size"] == size]
        parts += [f"## {size_words(size)}", "\n".join(_markdown(rows))]
    parts += [*failures(study), reading_sentence(study)]
    return "\n\n".join(parts) + "\n"


def study_sentence(study: Mapping[str, Any]) -> str:
    """Say what was measured on which data."""
    draws, data = study["draws"], study["data"]
    extra = f" Steps with extra pairs also train on {whole(data['extra'])} more." if data["extra"] else ""
    label = draws.get("label")
    among = "" if label is None else f", of which only those with the label {label} are tested"
    return (
        f"{whole(data['pairs'])} pairs of {whole(data['videos'])} videos ({data['source']}). Held out: "
        f"{_times(draws['count'], 'disjoint draw')} of {whole(draws['test'])} videos{among}; on each "
        f"{_times(study['seeds'], 'training')}. Of the training videos, {draws['validation_share']:.0%} decide when "
        f"to stop.{extra}"
    )


def _times(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def reading_sentence(study: Mapping[str, Any]) -> str:
    """Explain the table."""
    stepwise = any("previous" in row.get("against", {}) for row in study["rows"])
    over = ["the step before"] * stepwise + ["the tuned linear analysis (cca)", str(study["reference"])]
    compared = ", ".join(f"over {each}" for each in over[:-1]) + f" and over {over[-1]}"
    return (
        "Median ranks, R@10 and MRR are means over draws and trainings, with 95% bootstrap intervals over test videos. "
        "Null: the middle 95% of the median rank when the test videos' partners are permuted, the widest of all "
        "trainings. Gains are factors by which partners rank higher (ratio of geometric mean ranks, both directions), "
        f"paired by query over all draws, trainings averaged, with 95% intervals over videos: {compared}. The "
        "intervals do not cover differences between trainings."
    )


def failures(study: Mapping[str, Any]) -> list[str]:
    """Say of each step and size how many trainings failed, and why."""
    return [
        f"{row['label']}, {size_words(row['size'])}: {row['failures']} of {row['failures'] + row['trainings']} "
        f"trainings failed: {' '.join(row['failed'])}"
        for row in study["rows"]
        if row["failures"]
    ]


def size_words(size: int | str) -> str:
    """Say how many videos were trained on.

    Parameters
    ----------
    size : int or {"all"}
        Number of videos.

    Returns
    -------
    str
        Part of a sentence.

    Examples
    --------
    >>> size_words("all"), size_words(3000)
    ('trained on all remaining videos', 'trained on 3,000 videos')
    """
    return "trained on all remaining videos" if size == "all" else f"trained on {whole(float(size))} videos"


def _line(row: Mapping[str, Any]) -> Row:
    line: Row = {name: row[name] for name in ("step", "label", "size")}
    line |= {name: row.get(name, "") for name in ("train_pairs", "trainings", "failures", "n", "chance")}
    for way in DIRECTIONS:
        found = row.get(way, {})
        for metric in METRICS:
            line |= _numbers(f"{way}_{metric}", "value", found.get(metric))
        line[f"{way}_null95_low"], line[f"{way}_null95_high"] = map(_short, found.get("null95", ("", "")))
        line[f"{way}_by_training"] = " ".join(f"{value:g}" for value in found.get("by_training", ()))
    for role in ROLES:
        against = row.get("against", {}).get(role, {})
        line[f"{role}_step"] = against.get("step", "")
        for ways in ("both", *DIRECTIONS):
            line |= _numbers(f"{role}_gain_{ways}", "ratio", against.get(ways))
    return line


def _numbers(name: str, value: str, found: Mapping[str, Any] | None) -> Row:
    numbers = ("", "", "") if found is None else (found[value], *found["ci95"])
    return dict(zip((name, f"{name}_low", f"{name}_high"), map(_short, numbers), strict=True))


def _short(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"


def _markdown(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    header = [
        "Step",
        "Sound → pictures",
        "Pictures → sound",
        "Null",
        "N, chance",
        "R@10",
        "MRR",
        "Gain over the step before",
    ]
    header += ["over cca", "over the reference"]
    yield f"| {' | '.join(header)} |"
    yield "|" + "---|" * len(header)
    for row in rows:
        yield f"| {' | '.join(_cells(row))} |"


def _cells(row: Mapping[str, Any]) -> Iterable[str]:
    yield row["label"]
    if not row["trainings"]:
        yield from ["failed", *["–"] * 8]
        return
    ways = [row[way] for way in DIRECTIONS]
    yield from (bracketed(way["median_rank"], brief) for way in ways)
    yield ", ".join(f"{brief(way['null95'][0])}–{brief(way['null95'][1])}" for way in ways)
    yield f"{whole(row['n'])}, {rank(row['chance'])}"
    for metric in ("recall@10", "mrr"):
        yield ", ".join(score(way[metric]["value"]) for way in ways)
    for role in ROLES:
        against = row["against"].get(role)
        yield "–" if against is None else bracketed_factor(against["both"])


def bracketed(found: Mapping[str, Any], words: Any) -> str:
    """Format a number with its interval in brackets."""
    return f"{words(found['value'])} [{words(found['ci95'][0])}, {words(found['ci95'][1])}]"


def bracketed_factor(found: Mapping[str, Any]) -> str:
    """Format a factor with its interval in brackets.

    Examples
    --------
    >>> bracketed_factor({"ratio": 1.432, "ci95": [1.345, 1.529]})
    '×1.43 [1.34, 1.53]'
    """
    return f"×{found['ratio']:.2f} [{found['ci95'][0]:.2f}, {found['ci95'][1]:.2f}]"


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    return csv_text(list(rows[0]) if rows else [], rows)
