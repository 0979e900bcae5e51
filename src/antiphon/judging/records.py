"""Records of the database: rounds, scores, tasks."""

from dataclasses import dataclass

from antiphon.errors import ConfigError
from antiphon.judging.questions import Aspect
from antiphon.judging.similarities import By


class NotJoinedError(ConfigError):
    """A judge has no sheet of the latest round, and must choose a name first."""


@dataclass(frozen=True)
class Round:
    """A set of questions.

    Attributes
    ----------
    number : int
        Number, from 1.
    seed : int
        Seed of the judges' sheets.
    per_judge : int
        Questions per sheet, without repetitions.
    repeat_share : float
        Fraction of these that are repeated.
    pool : int
        Number of videos that the questions were chosen from.
    questions : int
        Number of questions.
    """

    number: int
    seed: int
    per_judge: int
    repeat_share: float
    pool: int
    questions: int


@dataclass(frozen=True)
class RunScore:
    """Similarity of both candidates of a question to its seed, by one run."""

    run: str
    fingerprint: str
    by: By
    first: float
    second: float


@dataclass(frozen=True)
class Task:
    """A judge's next question.

    Attributes
    ----------
    item : int
        Its number, for the answer.
    place, total : int
        Position on the sheet, from 1, and length of the sheet.
    aspect : Aspect
        What to compare by.
    seed, left, right : str
        Ids of videos.
    """

    item: int
    place: int
    total: int
    aspect: Aspect
    seed: str
    left: str
    right: str
