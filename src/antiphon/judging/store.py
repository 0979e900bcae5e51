"""Judgements on disk: rounds of questions, judges with their sheets, and answers that are never lost or changed."""

from collections.abc import Container, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from antiphon.errors import ConfigError
from antiphon.judging.database import connection
from antiphon.judging.names import SIMULATED, judge_key, judge_name
from antiphon.judging.questions import Question
from antiphon.judging.records import Round, Score, Task
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

    Every call is a transaction of its own, so several judges, threads and processes can work at once.

    Parameters
    ----------
    path : str or Path
        The file; made when first needed.
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
                    (key, now(), seed, per_judge, repeat_share, pool),
                ).fetchone()
                for question, scores in questions:
                    insert_question(database, known["number"], question, scores)
            return read_round(database, known["number"])

    def add_scores(self, scores: Iterable[tuple[int, Score]]) -> None:
        """What a further run thinks of questions, by their numbers; what is known already stays."""
        with connection(self.path, write=True) as database:
            for question, score in scores:
                insert_score(database, question, score)

    def round(self, number: int | None = None) -> Round | None:
        """A round by its number, or the latest; None where there is none."""
        if not self.path.exists():
            return None
        with connection(self.path) as database:
            return round_or_none(database, number)

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
        simulated : bool
            Not a person: kept apart, and called so by name.

        Raises
        ------
        ConfigError
            The name will not do, or nothing has been prepared.
        """
        kept = f"{SIMULATED} {judge_name(name)}" if simulated else judge_name(name)
        with connection(self.path, write=True) as database:
            latest = round_or_none(database, None)
            if latest is None:
                raise ConfigError(f"{self.path}: no questions yet. Start with antiphon judge prepare.")
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
        """The first unanswered question on a judge's sheet of the latest round; None when all are answered.

        The time that the judge takes is counted from here.

        Parameters
        ----------
        known : Container, optional
            Ids of the videos that can be shown; questions about others are passed over. Default: all can.

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
        """All that is left on a judge's sheet of the latest round, in order.

        Raises
        ------
        NotJoinedError
            The judge has not joined this round.
        """
        with connection(self.path) as database:
            return unanswered(database, name)

    def answer(self, name: str, item: int, answer: str) -> Literal["stored", "same", "other"]:
        """Keep an answer for good.

        Returns
        -------
        {"stored", "same", "other"}
            "stored"; "same" where it was kept before; "other" where another answer was, which stays.

        Raises
        ------
        ConfigError
            The item is on no sheet of this judge, the judge is simulated, or the answer is none.
        """
        with connection(self.path, write=True) as database:
            return insert_answer(database, name, item, answer)

    def answer_all(self, name: str, answers: Mapping[int, str], *, simulated: bool = False) -> None:
        """Keep several answers, all of them or none, as `answer` does one; those of a simulated judge if said so."""
        with connection(self.path, write=True) as database:
            for item, answer in answers.items():
                insert_answer(database, name, item, answer, simulated=simulated)

    def known(self, round_: Round) -> tuple[int, int]:
        """How many answers and scores a round has: a report changes only with these, for both are only added to."""
        with connection(self.path) as database:
            row = database.execute(
                "SELECT (SELECT count(*) FROM answers JOIN items ON items.id = item WHERE round = :round), "
                "(SELECT count(*) FROM scores JOIN questions ON questions.id = question WHERE round = :round)",
                {"round": round_.number},
            ).fetchone()
        return int(row[0]), int(row[1])

    def progress(self, name: str) -> tuple[int, int]:
        """How many lines of a judge's sheet of the latest round are answered, of how many."""
        with connection(self.path) as database:
            judge, sheet = sheet_of(database, name)
            row = database.execute(
                "SELECT count(answer), count(*) FROM items LEFT JOIN answers ON item = items.id "
                "WHERE items.round = ? AND judge = ?",
                (sheet, judge),
            ).fetchone()
        return int(row[0]), int(row[1])
