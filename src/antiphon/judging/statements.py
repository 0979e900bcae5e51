"""SQL statements of `antiphon.judging.store`, each run in a transaction of the caller."""

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from antiphon.errors import ConfigError
from antiphon.judging.names import judge_key
from antiphon.judging.questions import CHOICES, Question
from antiphon.judging.records import NotJoinedError, Round, RunScore, Task
from antiphon.judging.sheets import QuestionState, draw_sheet
from antiphon.seeding import generator


def insert_question(database: sqlite3.Connection, round_: int, question: Question, scores: Sequence[RunScore]) -> None:
    number = database.execute(
        "INSERT INTO questions (round, aspect, kind, seed, first, second, first_source, second_source, margin) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        (round_, *vars(question).values()),
    ).fetchone()["id"]
    for score in scores:
        insert_score(database, number, score)


def insert_score(database: sqlite3.Connection, question: int, score: RunScore) -> None:
    database.execute(
        'INSERT INTO scores (question, run, fingerprint, "by", first, second) VALUES (?, ?, ?, ?, ?, ?) '
        "ON CONFLICT DO NOTHING",
        (question, *vars(score).values()),
    )


def insert_sheet(database: sqlite3.Connection, latest: Round, judge: int, name: str) -> None:
    rows = database.execute(
        "SELECT questions.id, aspect, count(answer) AS answered, count(items.id) - count(answer) AS open, "
        "coalesce(sum(2 * first_left - 1), 0) AS first_left FROM questions "
        "LEFT JOIN items ON question = questions.id AND repeats IS NULL "
        "AND judge IN (SELECT id FROM judges WHERE simulated = (SELECT simulated FROM judges WHERE id = ?)) "
        "LEFT JOIN answers ON item = items.id "
        "WHERE questions.round = ? GROUP BY questions.id ORDER BY questions.id",
        (judge, latest.number),
    ).fetchall()
    asked = [QuestionState(row["id"], row["aspect"], row["answered"], row["open"], row["first_left"]) for row in rows]
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


def unanswered(database: sqlite3.Connection, name: str) -> list[Task]:
    judge, sheet = sheet_of(database, name)
    rows = database.execute(
        "SELECT items.id, place, first_left, aspect, seed, first, second FROM items "
        "JOIN questions ON questions.id = question LEFT JOIN answers ON item = items.id "
        "WHERE items.round = ? AND judge = ? AND answer IS NULL ORDER BY place",
        (sheet, judge),
    ).fetchall()
    total = lines(database, sheet, judge)
    return [
        Task(row["id"], row["place"] + 1, total, row["aspect"], row["seed"], row[left], row[right])
        for row in rows
        for left, right in [("first", "second") if row["first_left"] else ("second", "first")]
    ]


def insert_answer(
    database: sqlite3.Connection, name: str, item: int, answer: str, *, simulated: bool = False
) -> Literal["stored", "same", "other"]:
    if answer not in CHOICES:
        raise ConfigError(f"The answer must be one of {', '.join(CHOICES)}, not '{answer}'.")
    asked = database.execute(
        "SELECT shown_utc FROM items JOIN judges ON judges.id = judge WHERE items.id = ? AND key = ? AND simulated = ?",
        (item, judge_key(name), int(simulated)),
    ).fetchone()
    if asked is None:
        raise ConfigError(f"Question {item} is not on the sheet of {name}.")
    done = database.execute(
        "INSERT INTO answers (item, answer, answered_utc, seconds) VALUES (?, ?, ?, ?) ON CONFLICT (item) DO NOTHING",
        (item, answer, now(), _seconds_since(asked["shown_utc"])),
    ).rowcount
    kept = database.execute("SELECT answer FROM answers WHERE item = ?", (item,)).fetchone()["answer"]
    return "stored" if done else "same" if kept == answer else "other"


def sheet_of(database: sqlite3.Connection, name: str) -> tuple[int, int]:
    """Return the id of a judge, and the number of the latest round, which they have joined."""
    latest = round_or_none(database, None)
    judge = database.execute("SELECT id FROM judges WHERE key = ?", (judge_key(name),)).fetchone()
    if latest is None or judge is None:
        raise NotJoinedError(f"{name} has not joined a round of judging; choose a name first.")
    if not lines(database, latest.number, judge["id"]):
        raise NotJoinedError(f"{name} has not joined round {latest.number} of judging; choose a name first.")
    return int(judge["id"]), latest.number


def round_or_none(database: sqlite3.Connection, number: int | None) -> Round | None:
    row = database.execute(
        "SELECT number FROM rounds WHERE number = coalesce(?, (SELECT max(number) FROM rounds))", (number,)
    ).fetchone()
    return None if row is None else read_round(database, row["number"])


def read_round(database: sqlite3.Connection, number: int) -> Round:
    row = database.execute(
        "SELECT number, seed, per_judge, repeat_share, pool, "
        "(SELECT count(*) FROM questions WHERE round = number) AS questions FROM rounds WHERE number = ?",
        (number,),
    ).fetchone()
    return Round(*row)


def lines(database: sqlite3.Connection, round_: int, judge: int) -> int:
    """Return the length of a judge's sheet; 0 without one."""
    row = database.execute("SELECT count(*) FROM items WHERE round = ? AND judge = ?", (round_, judge)).fetchone()
    return int(row[0])


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _seconds_since(text: str | None) -> float | None:
    """Return how long ago a time was; None where it is unknown, or later than now because the clock was set back."""
    past_s = None if text is None else (datetime.now(UTC) - datetime.fromisoformat(text)).total_seconds()
    return None if past_s is None or past_s < 0 else round(past_s, 3)
