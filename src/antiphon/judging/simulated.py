"""Simulated judges, for tests and demonstrations, always reported apart from people."""

import numpy as np

from antiphon.errors import ConfigError
from antiphon.judging.answers import read_answers
from antiphon.judging.questions import Aspect
from antiphon.judging.similarities import NATURAL
from antiphon.judging.store import Judgements
from antiphon.seeding import generator

_Triplet = tuple[Aspect, str, frozenset[str]]


def simulate_judge(
    judgements: Judgements, name: str, *, run: str | None, noise: float = 0.2, unsure: float = 0.0, seed: int = 0
) -> str:
    """Answer a whole sheet of the latest round as a simulated judge.

    Parameters
    ----------
    judgements : Judgements
        The judgements.
    name : str
        Name of the judge.
    run : str or None
        Run whose similarity the judge follows; None: at random.
    noise : float
        Probability of choosing the other candidate.
    unsure : float
        Probability of answering "cannot tell".
    seed : int
        Seed of the answers.

    Returns
    -------
    str
        The name as stored.

    Raises
    ------
    ConfigError
        There is no round, or the run has no scores in it.
    """
    if not (0 <= noise <= 1 and 0 <= unsure <= 1):
        raise ConfigError(f"noise {noise:g}, unsure {unsure:g}: give shares from 0 to 1.")
    kept = judgements.join(name, simulated=True)
    random = generator(seed, "simulated judge", kept)
    nearer = {} if run is None else _nearer(judgements, run)
    answers: dict[int, str] = {}
    for task in judgements.unanswered(kept):
        choice = nearer.get((task.aspect, task.seed, frozenset((task.left, task.right))))
        left = random.random() < 0.5 if choice is None else (choice == task.left) != (random.random() < noise)
        answers[task.item] = "unsure" if random.random() < unsure else "left" if left else "right"
    judgements.answer_all(kept, answers, simulated=True)
    return kept


def _nearer(judgements: Judgements, run: str) -> dict[_Triplet, str]:
    """For each triplet the candidate that the run holds nearer."""
    latest = judgements.round()
    if latest is None:
        raise ConfigError(f"{judgements.path}: no questions yet. Run antiphon judge prepare first.")
    opinions = {
        opinion.by: opinion.first
        for opinion in read_answers(judgements.path, latest.number, simulated=True).opinions
        if opinion.run == run
    }
    if not opinions:
        raise ConfigError(
            f"Run '{run}' has no scores in round {latest.number}. Add them: antiphon judge score --run {run}"
        )
    found: dict[_Triplet, str] = {}
    for number, question in enumerate(judgements.questions(latest.number).values()):
        first = opinions[NATURAL[question.aspect]][number]
        if np.isfinite(first):
            triplet = (question.aspect, question.seed, frozenset((question.first, question.second)))
            found[triplet] = question.first if first >= 0.5 else question.second
    return found
