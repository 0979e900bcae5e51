"""The answers of a round as arrays of judges × questions."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.judging.database import connection

FloatArray = npt.NDArray[np.float64]

SAME_SCORE = 1e-9
"""Cosines that differ by less are ties."""

_ANSWERED = """
SELECT judges.id AS judge, name, question, first_left, repeats IS NOT NULL AS again, answer, answered_utc, seconds,
  aspect, kind, seed, first, second, first_source, second_source, questions.round, simulated
FROM answers JOIN items ON items.id = item JOIN judges ON judges.id = judge JOIN questions ON questions.id = question
WHERE questions.round = ? AND simulated = ? ORDER BY judges.id, place
"""


@dataclass(frozen=True)
class Opinion:
    """The candidate that one similarity ranks first, for each question.

    Attributes
    ----------
    run, by : str
        The similarity.
    first : ndarray of float64, shape (questions,)
        1 for the first candidate, 0 for the second, 0.5 for a tie; NaN if the run lacks a video.
    """

    run: str
    by: str
    first: FloatArray


@dataclass(frozen=True)
class RoundAnswers:
    """What the judges of a round answered.

    Attributes
    ----------
    judges : tuple of str
        Names.
    aspects, kinds, seeds : ndarray of str, shape (questions,)
        Attributes of the questions.
    first : ndarray of float64, shape (judges, questions)
        1 for the first candidate, 0 for the second, 0.5 for "cannot tell", NaN if not answered.
    again : ndarray of float64, shape (judges, questions)
        The same for repeated questions.
    left : ndarray of float64, shape (judges, questions)
        Fraction of the judge's choices for what was shown on the left; NaN without choices.
    seconds : ndarray of float64, shape (judges, questions)
        Time taken, without repetitions.
    opinions : tuple of Opinion
        Opinions of the similarities.
    """

    judges: tuple[str, ...]
    aspects: npt.NDArray[np.str_]
    kinds: npt.NDArray[np.str_]
    seeds: npt.NDArray[np.str_]
    first: FloatArray
    again: FloatArray
    left: FloatArray
    seconds: FloatArray
    opinions: tuple[Opinion, ...]


def read_answers(path: Path, round_: int, *, simulated: bool = False) -> RoundAnswers:
    """Read the answers of a round.

    Parameters
    ----------
    path : Path
        The database.
    round_ : int
        Number of the round.
    simulated : bool
        Read those of simulated judges instead of people's.

    Returns
    -------
    RoundAnswers
        The answers.
    """
    with connection(path) as database:
        questions = database.execute(
            "SELECT id, aspect, kind, seed FROM questions WHERE round = ? ORDER BY id", (round_,)
        ).fetchall()
        rows = database.execute(_ANSWERED, (round_, int(simulated))).fetchall()
        scores = database.execute(
            'SELECT question, run, fingerprint, "by", scores.first, scores.second FROM scores '
            'JOIN questions ON questions.id = question WHERE round = ? ORDER BY run, fingerprint, "by"',
            (round_,),
        ).fetchall()
    column = {row["id"]: number for number, row in enumerate(questions)}
    names = {row["judge"]: row["name"] for row in rows}
    line = {judge: number for number, judge in enumerate(names)}
    first, again, seconds, left, decided = (np.full((len(names), len(column)), np.nan) for _ in range(5))
    left[:], decided[:] = 0, 0
    for row in rows:
        cell = (line[row["judge"]], column[row["question"]])
        (again if row["again"] else first)[cell] = _chosen(row["answer"], bool(row["first_left"]))
        if not row["again"] and row["seconds"] is not None:
            seconds[cell] = row["seconds"]
        left[cell] += row["answer"] == "left"
        decided[cell] += row["answer"] != "unsure"
    aspects, kinds, seeds = (np.array([row[key] for row in questions]) for key in ("aspect", "kind", "seed"))
    shares = np.divide(left, decided, out=np.full_like(left, np.nan), where=decided > 0)
    return RoundAnswers(
        tuple(names.values()), aspects, kinds, seeds, first, again, shares, seconds, _opinions(scores, column)
    )


def answer_rows(path: Path, round_: int, *, simulated: bool = False) -> list[dict[str, Any]]:
    """Read the answers of a round as rows of a table.

    Parameters
    ----------
    path : Path
        The database.
    round_ : int
        Number of the round.
    simulated : bool
        Read those of simulated judges instead of people's.

    Returns
    -------
    list of dict
        All that is known of each answer; `chosen` is the id of the chosen video, None for "cannot tell".
    """
    with connection(path) as database:
        rows = [dict(row) for row in database.execute(_ANSWERED, (round_, int(simulated)))]
    for row in rows:
        choice = _chosen(row["answer"], bool(row["first_left"]))
        row["chosen"] = {1.0: row["first"], 0.0: row["second"]}.get(choice)
        row |= {name: bool(row[name]) for name in ("first_left", "again", "simulated")}
        row["judge"] = row.pop("name")
    return rows


def _chosen(answer: str, first_left: bool) -> float:
    if answer == "unsure":
        return 0.5
    return float((answer == "left") == first_left)


def _opinions(scores: list[Any], column: dict[int, int]) -> tuple[Opinion, ...]:
    """Return one opinion per similarity; runs of the same name are distinguished by their fingerprints."""
    prints: dict[str, set[str]] = {}
    for row in scores:
        prints.setdefault(row["run"], set()).add(row["fingerprint"])
    found: dict[tuple[str, str], FloatArray] = {}
    for row in scores:
        several = len(prints[row["run"]]) > 1
        name = f"{row['run']} ({row['fingerprint'][:6]})" if several else row["run"]
        opinion = found.setdefault((name, row["by"]), np.full(len(column), np.nan))
        lead = row["first"] - row["second"]
        opinion[column[row["question"]]] = 0.5 if abs(lead) < SAME_SCORE else float(lead > 0)
    return tuple(Opinion(run, by, first) for (run, by), first in found.items())
