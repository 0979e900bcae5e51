"""Preparation of rounds: questions from runs' embeddings, stored with every run's scores."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence

from pydantic import BaseModel, ConfigDict, Field

from antiphon.errors import ConfigError
from antiphon.judging.choosing import choose_questions
from antiphon.judging.questions import Question
from antiphon.judging.records import Round, RunScore
from antiphon.judging.similarities import BYS, RunEmbeddings
from antiphon.judging.store import Judgements
from antiphon.seeding import generator

_MIN_VIDEOS = 3


class RoundConfig(BaseModel):
    """Settings of a round.

    Attributes
    ----------
    questions : int
        Number of triplets over all aspects.
    per_judge : int
        Number of questions per judge.
    repeat_share : float
        Fraction of these that are repeated, to measure consistency.
    seed : int
        Seed of the questions and the judges' sheets.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    questions: int = Field(default=60, ge=1, le=10_000)
    per_judge: int = Field(default=30, ge=1, le=1_000)
    repeat_share: float = Field(default=0.1, ge=0, le=0.5)
    seed: int = 0


def prepare_round(
    judgements: Judgements,
    runs: Sequence[RunEmbeddings],
    artists: Mapping[str, str | None],
    config: RoundConfig | None = None,
    among: Collection[str] | None = None,
) -> Round:
    """Choose questions and store them. The same call again changes nothing.

    Parameters
    ----------
    judgements : Judgements
        Where to store them.
    runs : sequence of RunEmbeddings
        Runs to compare.
    artists : mapping of str to str or None
        Artist by video; missing or None: unknown.
    config : RoundConfig, optional
        Settings.
    among : collection of str, optional
        Videos to choose from, such as those that can be played. Default: all. Only videos that every run has embedded
        in both modalities are used.

    Returns
    -------
    Round
        The round.

    Raises
    ------
    ConfigError
        There is no run, two have the same name, there are too few videos, or no triplet on which similarities disagree.
    """
    config = config or RoundConfig()
    names = [run.run for run in runs]
    if not names or len(set(names)) < len(names):
        raise ConfigError(f"Runs {', '.join(names) or '(none)'}: name at least one, each only once.")
    shared = set.intersection(*(run.complete for run in runs))
    ids = sorted(shared if among is None else shared & set(among))
    if len(ids) < _MIN_VIDEOS:
        raise ConfigError(
            f"{len(ids)} videos with audio, video and embeddings to choose from; judging needs {_MIN_VIDEOS}. "
            "Use another split (all), or add videos."
        )
    taken = [run.taken(ids) for run in runs]
    random = generator(config.seed, "judging questions")
    questions = choose_questions(taken, [artists.get(name) for name in ids], config.questions, random)
    if not questions:
        raise ConfigError("There is no triplet on which similarities clearly differ. Use more videos, or other runs.")
    return judgements.add_round(
        [(question, [score for run in taken for score in scored(run, question)]) for question in questions],
        key=_key(config, taken, artists),
        seed=config.seed,
        per_judge=config.per_judge,
        repeat_share=config.repeat_share,
        pool=len(ids),
    )


def score_round(judgements: Judgements, round_: Round, run: RunEmbeddings) -> int:
    """Store another run's scores of a round, so that it can be compared with people without asking them again.

    The questions were not chosen to distinguish this run from others.

    Parameters
    ----------
    judgements : Judgements
        The judgements.
    round_ : Round
        The round.
    run : RunEmbeddings
        The run.

    Returns
    -------
    int
        Number of questions that it could score.
    """
    questions = judgements.questions(round_.number)
    known = {
        number: question
        for number, question in questions.items()
        if {question.seed, question.first, question.second} <= run.complete
    }
    judgements.add_scores((number, score) for number, question in known.items() for score in scored(run, question))
    return len(known)


def scored(run: RunEmbeddings, question: Question) -> list[RunScore]:
    """Score both candidates of a question with a run.

    Parameters
    ----------
    run : RunEmbeddings
        The run.
    question : Question
        The question.

    Returns
    -------
    list of RunScore
        Scores by both modalities, by sound and by pictures.
    """
    three = run.taken([question.seed, question.first, question.second])
    found: list[RunScore] = []
    for by in BYS:
        _, first, second = three.scores(0, by).tolist()
        found.append(RunScore(run.run, run.fingerprint, by, first, second))
    return found


def _key(config: RoundConfig, runs: Sequence[RunEmbeddings], artists: Mapping[str, str | None]) -> str:
    """Hash all that determines the questions."""
    ids = runs[0].ids
    parts = [config.model_dump(), [(run.run, run.fingerprint) for run in runs], [artists.get(name) for name in ids]]
    return hashlib.blake2b(json.dumps([*parts, ids]).encode(), digest_size=16).hexdigest()
