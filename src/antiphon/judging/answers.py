"""The answers to a round as arrays: judges down, questions across."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.judging.database import connection

FloatArray = npt.NDArray[np.float64]

SAME_SCORE = 1e-9
"""Candidates whose cosines differ by less are equally near."""

_ANSWERED = """
SELECT judges.id AS judge, name, question, first_left, repeats IS NOT NULL AS again, answer, answered_utc, seconds,
  aspect, kind, seed, first, second, first_source, second_source, questions.round, simulated
FROM answers JOIN items ON items.id = item JOIN judges ON judges.id = judge JOIN questions ON questions.id = question
WHERE questions.round = ? AND simulated = ? ORDER BY judges.id, place
"""


@dataclass(frozen=True)
class Opinion:
    """Which candidate one similarity holds nearer, question by question.

    Attributes
    ----------
    run, by : str
        The similarity.
    first : ndarray of float32
        (questions,) 1 where it is the first, 0 the second, 0.5 neither; NaN where the run knows a video not.
    """

    run: str
    by: str
    first: FloatArray


@dataclass(frozen=True)
class Answers:
    """What judges said in a round.

    Attributes
    ----------
    judges : tuple of str
        Their names.
    aspects, kinds, seeds : ndarray of str
        (questions,) of each question.
    first : ndarray of float32
        (judges, questions) 1 where the judge chose the first candidate, 0 the second, 0.5 could not tell; NaN where
        not answered.
    again : ndarray of float32
        The same for questions asked a second time.
    left : ndarray of float32
        (judges, questions) share of the judge's choices that fell on what was shown on the left; NaN without one.
    seconds : ndarray of float32
        (judges, questions) time taken, repetitions apart.
    opinions : tuple of Opinion
        Of the similarities.
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


def read_answers(path: Path, round_: int, *, simulated: bool = False) -> Answers:
    """The answers of a round's people, or of its simulated judges."""
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
    return Answers(
        tuple(names.values()), aspects, kinds, seeds, first, again, shares, seconds, _opinions(scores, column)
    )


def answer_rows(path: Path, round_: int, *, simulated: bool = False) -> list[dict[str, Any]]:
    """Every answer with all that is known of it, for a table of one's own.

    `chosen` is the id of the video that the judge chose; None where they could not tell.
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
    """One opinion a similarity; runs of one name that differ are told apart by digits of their fingerprints."""
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
