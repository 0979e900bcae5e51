"""What a study found, in one sentence, and its table for a paper."""

from collections.abc import Mapping
from typing import Any

from antiphon.presentation.numbers import brief, rank, score, whole
from antiphon.presentation.rank_sentences import DIRECTIONS
from antiphon.presentation.tables import Table, table_latex
from antiphon.report.study_tables import bracketed, bracketed_factor, failures, reading_sentence, size_words

_COLUMNS = (
    "step",
    "audio → video",
    "video → audio",
    "null a→v",
    "null v→a",
    "chance",
    "R@10 a→v",
    "R@10 v→a",
    "gain over cca",
    "over the reference",
)


def study_verdict(study: Mapping[str, Any]) -> str:
    """Say in one sentence which step is best, and whether that is certain.

    Parameters
    ----------
    study : mapping
        Content of study.json.

    Returns
    -------
    str
        The sentence, of the largest training set.
    """
    size = study["sizes"][-1]
    rows = [row for row in study["rows"] if row["size"] == size and row["trainings"]]
    if not rows:
        return f"No training succeeded, {size_words(size)}."
    best = min(rows, key=lambda row: row["a2v"]["median_rank"]["value"] * row["v2a"]["median_rank"]["value"])
    ranks = " and ".join(brief(best[way]["median_rank"]["value"]) for way in DIRECTIONS)
    reached = (
        f"{best['label']} has the best median ranks, {ranks} of {whole(best['n'])} (chance {rank(best['chance'])})"
    )
    if all(best[way]["median_rank"]["value"] >= best[way]["null95"][0] for way in DIRECTIONS):
        return f"No step is told apart from chance, {size_words(size)}: {reached}."
    compared = [_told(row, found) for row, found in _against(best, rows)]
    return f"{reached}, {size_words(size)}{': ' + '; '.join(compared) if compared else ''}."


def _against(best: Mapping[str, Any], rows: list[dict[str, Any]]) -> list[tuple[dict[str, Any], Mapping[str, Any]]]:
    """Return the other steps that the best one was compared with, each once."""
    labels = {row["step"]: row for row in rows}
    found = {each["step"]: each["both"] for each in best["against"].values()}
    return [(labels[step], gain) for step, gain in found.items() if step in labels]


def _told(row: Mapping[str, Any], gain: Mapping[str, Any]) -> str:
    low, high = gain["ci95"]
    told = "better than" if low > 1 else "worse than" if high < 1 else "not told apart from"
    return f"{told} {row['label']} ({bracketed_factor(gain)})"


def study_latex(study: Mapping[str, Any]) -> str:
    """Format a study as a LaTeX table for booktabs, one for each size.

    Parameters
    ----------
    study : mapping
        Content of study.json.

    Returns
    -------
    str
        LaTeX. What was measured and how stands in comments.
    """
    parts: list[str] = []
    for number, size in enumerate(study["sizes"], 1):
        rows = [row for row in study["rows"] if row["size"] == size]
        notes = [study_verdict(study), reading_sentence(study), *failures(study), study["command"]]
        table = Table(f"{study['name']}, {size_words(size)}", _COLUMNS, [_cells(row) for row in rows], notes)
        parts.append(table_latex(table, f"{study['name']}, {size_words(size)}.", f"tab:study-{number}"))
    return "\n\n".join(parts) + "\n"


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    if not row["trainings"]:
        return row["label"], *(["–"] * (len(_COLUMNS) - 1))
    ways = [row[way] for way in DIRECTIONS]
    against = [row["against"].get(role) for role in ("cca", "reference")]
    return (
        row["label"],
        *(bracketed(way["median_rank"], brief) for way in ways),
        *(f"{brief(way['null95'][0])}–{brief(way['null95'][1])}" for way in ways),
        f"{rank(row['chance'])} of {whole(row['n'])}",
        *(score(way["recall@10"]["value"]) for way in ways),
        *("–" if one is None else bracketed_factor(one["both"]) for one in against),
    )
