"""What is read from the judgements: a round, a score, a task."""

from dataclasses import dataclass

from antiphon.errors import ConfigError
from antiphon.judging.questions import Aspect
from antiphon.judging.similarities import By


class NotJoinedError(ConfigError):
    """A judge has no sheet of the latest round; a name must be chosen first."""


@dataclass(frozen=True)
class Round:
    """One prepared set of questions.

    Attributes
    ----------
    number : int
        1 for the first.
    seed : int
        Draws the judges' sheets.
    per_judge : int
        Questions on a sheet, repetitions apart.
    repeat_share : float
        Of these, how many are asked again.
    pool : int
        Videos that the questions were chosen from.
    questions : int
        How many there are.
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
    item : int
        Its number, to answer with.
    place, total : int
        Where it stands on the sheet, from 1, and how long the sheet is.
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
