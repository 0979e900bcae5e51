"""Storage of judgements: rounds of questions, judges with their sheets, and answers, which never change."""

from collections.abc import Container, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from antiphon.errors import ConfigError
from antiphon.judging.database import connection
from antiphon.judging.names import SIMULATED, judge_key, judge_name
from antiphon.judging.questions import Question
from antiphon.judging.records import Round, RunScore, Task
from antiphon.judging.statements import (
    insert_answer,
    insert_question,
    insert_score,
    insert_sheet,
    lines,
    now,
    read_round,
    round_or_none,
    sheet_of,
    unanswered,
)


class Judgements:
    """The judgements of a workspace, in one SQLite file.

    Every call is a transaction, so several judges, threads and processes can work at once.

    Parameters
    ----------
    path : str or Path
        The file; created on first use.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def add_round(
        self,
        questions: Sequence[tuple[Question, Sequence[RunScore]]],
        *,
        key: str,
        seed: int,
        per_judge: int,
        repeat_share: float,
        pool: int,
    ) -> Round:
        """Store a round, unless there is one with the same `key`."""
        with connection(self.path, write=True) as database:
            known = database.execute("SELECT number FROM rounds WHERE key = ?", (key,)).fetchone()
            if known is None:
                known = database.execute(
                    "INSERT INTO rounds (key, prepared_utc, seed, per_judge, repeat_share, pool) "
                    "VALUES (?, ?, ?, ?, ?, ?) RETURNING number",
                    (key, now(), seed, per_judge, repeat_share, pool),
                ).fetchone()
                for question, scores in questions:
                    insert_question(database, known["number"], question, scores)
            return read_round(database, known["number"])

    def add_scores(self, scores: Iterable[tuple[int, RunScore]]) -> None:
        """Store scores of another run by the question's number; existing ones are kept."""
        with connection(self.path, write=True) as database:
            for question, score in scores:
                insert_score(database, question, score)

    def round(self, number: int | None = None) -> Round | None:
        """Return a round by its number, or the latest; None if there is none."""
        if not self.path.exists():
            return None
        with connection(self.path) as database:
            return round_or_none(database, number)

    def questions(self, number: int) -> dict[int, Question]:
        """Return the questions of a round by their numbers."""
        names = tuple(Question.__dataclass_fields__)
        with connection(self.path) as database:
            rows = database.execute("SELECT * FROM questions WHERE round = ? ORDER BY id", (number,)).fetchall()
        return {row["id"]: Question(**{name: row[name] for name in names}) for row in rows}

    def join(self, name: str, *, simulated: bool = False) -> str:
        """Give a judge a sheet of the latest round, unless they have one.

        Parameters
        ----------
        name : str
            The name as entered.
        simulated : bool
            Not a person; recorded as such, and in the name.

        Returns
        -------
        str
            The name as stored.

        Raises
        ------
        ConfigError
            The name is not valid, or there is no round.
        """
        kept = f"{SIMULATED} {judge_name(name)}" if simulated else judge_name(name)
        with connection(self.path, write=True) as database:
            latest = round_or_none(database, None)
            if latest is None:
                raise ConfigError(f"{self.path}: no questions yet. Run antiphon judge prepare first.")
            database.execute(
                "INSERT INTO judges (name, key, simulated, joined_utc) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (key) DO NOTHING",
                (kept, judge_key(kept), int(simulated), now()),
            )
            judge = database.execute("SELECT id, name FROM judges WHERE key = ?", (judge_key(kept),)).fetchone()
            if not lines(database, latest.number, judge["id"]):
                insert_sheet(database, latest, judge["id"], judge["name"])
            return str(judge["name"])

    def next_task(self, name: str, known: Container[str] | None = None) -> Task | None:
        """Return the next unanswered question of a judge in the latest round, and start timing it.

        Parameters
        ----------
        name : str
            The judge.
        known : container, optional
            Ids of the videos that can be shown; questions with others are skipped. Default: all.

        Returns
        -------
        Task, optional
            None if all are answered.

        Raises
        ------
        NotJoinedError
            The judge has not joined this round.
        """
        with connection(self.path, write=True) as database:
            left = [
                task
                for task in unanswered(database, name)
                if known is None or all(id in known for id in (task.seed, task.left, task.right))
            ]
            if not left:
                return None
            database.execute("UPDATE items SET shown_utc = ? WHERE id = ?", (now(), left[0].item))
        return left[0]

    def unanswered(self, name: str) -> list[Task]:
        """List the unanswered questions of a judge in the latest round, in order.

        Parameters
        ----------
        name : str
            The judge.

        Returns
        -------
        list of Task
            The questions.

        Raises
        ------
        NotJoinedError
            The judge has not joined this round.
        """
        with connection(self.path) as database:
            return unanswered(database, name)

    def answer(self, name: str, item: int, answer: str) -> Literal["stored", "same", "other"]:
        """Store an answer permanently.

        Parameters
        ----------
        name : str
            The judge.
        item : int
            Number of the task.
        answer : {"left", "right", "unsure"}
            The answer.

        Returns
        -------
        {"stored", "same", "other"}
            "same" if it was stored before; "other" if a different answer was, which is kept.

        Raises
        ------
        ConfigError
            The task is not on this judge's sheet, the judge is simulated, or the answer is invalid.
        """
        with connection(self.path, write=True) as database:
            return insert_answer(database, name, item, answer)

    def answer_all(self, name: str, answers: Mapping[int, str], *, simulated: bool = False) -> None:
        """Store several answers, all or none."""
        with connection(self.path, write=True) as database:
            for item, answer in answers.items():
                insert_answer(database, name, item, answer, simulated=simulated)

    def known(self, round_: Round) -> tuple[int, int]:
        """Count the answers and scores of a round, which determine its report."""
        with connection(self.path) as database:
            row = database.execute(
                "SELECT (SELECT count(*) FROM answers JOIN items ON items.id = item WHERE round = :round), "
                "(SELECT count(*) FROM scores JOIN questions ON questions.id = question WHERE round = :round)",
                {"round": round_.number},
            ).fetchone()
        return int(row[0]), int(row[1])

    def progress(self, name: str) -> tuple[int, int]:
        """Return the number of answered lines on a judge's sheet of the latest round, and its length."""
        with connection(self.path) as database:
            judge, sheet = sheet_of(database, name)
            row = database.execute(
                "SELECT count(answer), count(*) FROM items LEFT JOIN answers ON item = items.id "
                "WHERE items.round = ? AND judge = ?",
                (sheet, judge),
            ).fetchone()
        return int(row[0]), int(row[1])
