"""Judgements on disk: rounds of questions, judges with their sheets, and answers that are never lost or changed."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from antiphon.errors import ConfigError
from antiphon.judging.database import connection
from antiphon.judging.names import SIMULATED, judge_key, judge_name
from antiphon.judging.questions import ANSWERS, Aspect, Question
from antiphon.judging.sheets import Asked, draw_sheet
from antiphon.judging.similarities import By
from antiphon.seeding import generator

JUDGEMENTS_FILE = "judgements.sqlite"


@dataclass(frozen=True)
class Round:
    """One prepared set of questions.

    Attributes
    ----------
    number : 1 for the first.
    seed : draws the judges' sheets.
    per_judge : questions on a sheet, repetitions apart.
    repeat_share : of these, how many are asked again.
    pool : videos that the questions were chosen from.
    questions : how many there are.
    """

    number: int
    seed: int
    per_judge: int
    repeat_share: float
    pool: int
    questions: int


@dataclass(frozen=True)
class Score:
    """What one run thinks of both candidates of a question."""

    run: str
    fingerprint: str
    by: By
    first: float
    second: float


@dataclass(frozen=True)
class Task:
    """What a judge is asked next.

    Attributes
    ----------
    item : its number, to answer with.
    place, total : where it stands on the sheet, from 1, and how long the sheet is.
    seed, left, right : ids of videos.
    """

    item: int
    place: int
    total: int
    aspect: Aspect
    seed: str
    left: str
    right: str


class Judgements:
    """The judgements of a workspace, in one SQLite file.

    Every call is a transaction of its own, so several judges, threads and processes can work at once.

    Parameters
    ----------
    path : the file; made when first needed.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def add_round(
        self,
        questions: Sequence[tuple[Question, Sequence[Score]]],
        *,
        key: str,
        seed: int,
        per_judge: int,
        repeat_share: float,
        pool: int,
    ) -> Round:
        """Keep a round; one with the same `key` is there already and stays as it is."""
        with connection(self.path, write=True) as database:
            known = database.execute("SELECT number FROM rounds WHERE key = ?", (key,)).fetchone()
            if known is None:
                known = database.execute(
                    "INSERT INTO rounds (key, prepared_utc, seed, per_judge, repeat_share, pool) "
                    "VALUES (?, ?, ?, ?, ?, ?) RETURNING number",
                    (key, _now(), seed, per_judge, repeat_share, pool),
                ).fetchone()
                for question, scores in questions:
                    _insert_question(database, known["number"], question, scores)
            return _round(database, known["number"])

    def add_scores(self, scores: Iterable[tuple[int, Score]]) -> None:
        """What a further run thinks of questions, by their numbers; what is known already stays."""
        with connection(self.path, write=True) as database:
            for question, score in scores:
                _insert_score(database, question, score)

    def round(self, number: int | None = None) -> Round | None:
        """A round by its number, or the latest; None where there is none."""
        if not self.path.exists():
            return None
        with connection(self.path) as database:
            return _round_or_none(database, number)

    def questions(self, number: int) -> dict[int, Question]:
        """The questions of a round, by their numbers."""
        names = tuple(Question.__dataclass_fields__)
        with connection(self.path) as database:
            rows = database.execute("SELECT * FROM questions WHERE round = ? ORDER BY id", (number,)).fetchall()
        return {row["id"]: Question(**{name: row[name] for name in names}) for row in rows}

    def join(self, name: str, *, simulated: bool = False) -> str:
        """Give a judge a sheet of the latest round, or find the one they have: the name as it is kept.

        Parameters
        ----------
        simulated : not a person: kept apart, and called so by name.

        Raises
        ------
        ConfigError
            The name will not do, or nothing has been prepared.
        """
        kept = f"{SIMULATED} {judge_name(name)}" if simulated else judge_name(name)
        with connection(self.path, write=True) as database:
            latest = _round_or_none(database, None)
            if latest is None:
                raise ConfigError(f"{self.path}: no questions yet. Start with antiphon judge prepare.")
            database.execute(
                "INSERT INTO judges (name, key, simulated, joined_utc) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (key) DO NOTHING",
                (kept, judge_key(kept), int(simulated), _now()),
            )
            judge = database.execute("SELECT id, name FROM judges WHERE key = ?", (judge_key(kept),)).fetchone()
            if not _lines(database, latest.number, judge["id"]):
                _insert_sheet(database, latest, judge["id"], judge["name"])
            return str(judge["name"])

    def next_task(self, name: str) -> Task | None:
        """The first unanswered question on a judge's sheet of the latest round; None when all are answered.

        The time that the judge takes is counted from here.

        Raises
        ------
        ConfigError
            The judge has not joined this round.
        """
        with connection(self.path, write=True) as database:
            left = _unanswered(database, name)
            if not left:
                return None
            database.execute("UPDATE items SET shown_utc = ? WHERE id = ?", (_now(), left[0].item))
        return left[0]

    def unanswered(self, name: str) -> list[Task]:
        """All that is left on a judge's sheet of the latest round, in order.

        Raises
        ------
        ConfigError
            The judge has not joined this round.
        """
        with connection(self.path) as database:
            return _unanswered(database, name)

    def answer(self, name: str, item: int, answer: str) -> Literal["stored", "same", "other"]:
        """Keep an answer for good.

        Returns
        -------
        "stored"; "same" where it was kept before; "other" where another answer was, which stays.

        Raises
        ------
        ConfigError
            The item is on no sheet of this judge, or the answer is none.
        """
        with connection(self.path, write=True) as database:
            return _insert_answer(database, name, item, answer)

    def answer_all(self, name: str, answers: Mapping[int, str]) -> None:
        """Keep several answers, all of them or none, as `answer` does one."""
        with connection(self.path, write=True) as database:
            for item, answer in answers.items():
                _insert_answer(database, name, item, answer)

    def progress(self, name: str) -> tuple[int, int]:
        """How many lines of a judge's sheet of the latest round are answered, of how many."""
        with connection(self.path) as database:
            judge, sheet = _sheet_of(database, name)
            row = database.execute(
                "SELECT count(answer), count(*) FROM items LEFT JOIN answers ON item = items.id "
                "WHERE items.round = ? AND judge = ?",
                (sheet, judge),
            ).fetchone()
        return int(row[0]), int(row[1])


def _insert_question(database: sqlite3.Connection, round_: int, question: Question, scores: Sequence[Score]) -> None:
    number = database.execute(
        "INSERT INTO questions (round, aspect, kind, seed, first, second, first_source, second_source, margin) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        (round_, *vars(question).values()),
    ).fetchone()["id"]
    for score in scores:
        _insert_score(database, number, score)


def _insert_score(database: sqlite3.Connection, question: int, score: Score) -> None:
    database.execute(
        'INSERT INTO scores (question, run, fingerprint, "by", first, second) VALUES (?, ?, ?, ?, ?, ?) '
        "ON CONFLICT DO NOTHING",
        (question, *vars(score).values()),
    )


def _insert_sheet(database: sqlite3.Connection, latest: Round, judge: int, name: str) -> None:
    rows = database.execute(
        "SELECT questions.id, aspect, count(answer) AS answered, count(items.id) - count(answer) AS open, "
        "coalesce(sum(2 * first_left - 1), 0) AS first_left FROM questions "
        "LEFT JOIN items ON question = questions.id AND repeats IS NULL "
        "AND judge IN (SELECT id FROM judges WHERE simulated = (SELECT simulated FROM judges WHERE id = ?)) "
        "LEFT JOIN answers ON item = items.id "
        "WHERE questions.round = ? GROUP BY questions.id ORDER BY questions.id",
        (judge, latest.number),
    ).fetchall()
    asked = [Asked(row["id"], row["aspect"], row["answered"], row["open"], row["first_left"]) for row in rows]
    random = generator(latest.seed, "judging sheet", latest.number, judge_key(name))
    items: list[int] = []
    for place, line in enumerate(draw_sheet(asked, latest.per_judge, latest.repeat_share, random)):
        repeats = None if line.repeats is None else items[line.repeats]
        row = database.execute(
            "INSERT INTO items (round, judge, place, question, first_left, repeats) VALUES (?, ?, ?, ?, ?, ?) "
            "RETURNING id",
            (latest.number, judge, place, line.question, int(line.first_left), repeats),
        ).fetchone()
        items.append(row["id"])


def _unanswered(database: sqlite3.Connection, name: str) -> list[Task]:
    judge, sheet = _sheet_of(database, name)
    rows = database.execute(
        "SELECT items.id, place, first_left, aspect, seed, first, second FROM items "
        "JOIN questions ON questions.id = question LEFT JOIN answers ON item = items.id "
        "WHERE items.round = ? AND judge = ? AND answer IS NULL ORDER BY place",
        (sheet, judge),
    ).fetchall()
    total = _lines(database, sheet, judge)
    return [
        Task(row["id"], row["place"] + 1, total, row["aspect"], row["seed"], row[left], row[right])
        for row in rows
        for left, right in [("first", "second") if row["first_left"] else ("second", "first")]
    ]


def _insert_answer(
    database: sqlite3.Connection, name: str, item: int, answer: str
) -> Literal["stored", "same", "other"]:
    if answer not in ANSWERS:
        raise ConfigError(f"'{answer}' is no answer; there are {', '.join(ANSWERS)}.")
    asked = database.execute(
        "SELECT shown_utc FROM items JOIN judges ON judges.id = judge WHERE items.id = ? AND key = ?",
        (item, judge_key(name)),
    ).fetchone()
    if asked is None:
        raise ConfigError(f"Question {item} was not asked of {name}.")
    done = database.execute(
        "INSERT INTO answers (item, answer, answered_utc, seconds) VALUES (?, ?, ?, ?) ON CONFLICT (item) DO NOTHING",
        (item, answer, _now(), _seconds_since(asked["shown_utc"])),
    ).rowcount
    kept = database.execute("SELECT answer FROM answers WHERE item = ?", (item,)).fetchone()["answer"]
    return "stored" if done else "same" if kept == answer else "other"


def _sheet_of(database: sqlite3.Connection, name: str) -> tuple[int, int]:
    """The number of a judge and of the latest round, on which they have a sheet."""
    latest = _round_or_none(database, None)
    judge = database.execute("SELECT id FROM judges WHERE key = ?", (judge_key(name),)).fetchone()
    if latest is None or judge is None:
        raise ConfigError(f"{name} has joined no round of judging; choose a name first.")
    if not _lines(database, latest.number, judge["id"]):
        raise ConfigError(f"{name} has not joined round {latest.number} of judging; choose a name first.")
    return int(judge["id"]), latest.number


def _round_or_none(database: sqlite3.Connection, number: int | None) -> Round | None:
    row = database.execute(
        "SELECT number FROM rounds WHERE number = coalesce(?, (SELECT max(number) FROM rounds))", (number,)
    ).fetchone()
    return None if row is None else _round(database, row["number"])


def _round(database: sqlite3.Connection, number: int) -> Round:
    row = database.execute(
        "SELECT number, seed, per_judge, repeat_share, pool, "
        "(SELECT count(*) FROM questions WHERE round = number) AS questions FROM rounds WHERE number = ?",
        (number,),
    ).fetchone()
    return Round(*row)


def _lines(database: sqlite3.Connection, round_: int, judge: int) -> int:
    """How long a judge's sheet is; 0 where there is none."""
    row = database.execute("SELECT count(*) FROM items WHERE round = ? AND judge = ?", (round_, judge)).fetchone()
    return int(row[0])


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _seconds_since(text: str | None) -> float | None:
    return None if text is None else round((datetime.now(UTC) - datetime.fromisoformat(text)).total_seconds(), 3)
