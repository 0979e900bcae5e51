"""Preparing a round: from runs' embeddings to questions that are kept with what every run thinks of them."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence

from pydantic import BaseModel, ConfigDict, Field

from antiphon.errors import ConfigError
from antiphon.judging.choosing import choose_questions
from antiphon.judging.questions import Question
from antiphon.judging.records import Round, Score
from antiphon.judging.similarities import BYS, RunEmbeddings
from antiphon.judging.store import Judgements
from antiphon.seeding import generator

_MIN_VIDEOS = 3


class RoundConfig(BaseModel):
    """How a round of judging is prepared.

    Attributes
    ----------
    questions : int
        How many triplets to ask about, overall, sound and pictures taken together.
    per_judge : int
        How many of them one judge is asked.
    repeat_share : float
        How many of these are asked twice, to see whether the judge says the same again.
    seed : int
        Draws the questions and the judges' sheets.
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
    """Choose questions and keep them. The same call again changes nothing.

    Parameters
    ----------
    artists : mapping of str to str or None
        Of the videos, by id; a missing one is unknown.
    among : collection of str, optional
        The videos to choose from, such as those that can be played. Default: all. Only videos that every run has
        embedded from both sides are used.

    Raises
    ------
    ConfigError
        No run, two of one name, too few videos, or no triplet on which opinions differ.
    """
    config = config or RoundConfig()
    names = [run.run for run in runs]
    if not names or len(set(names)) < len(names):
        raise ConfigError(f"Runs {', '.join(names) or '(none)'}: name at least one run, and none twice.")
    shared = set.intersection(*(run.complete for run in runs))
    ids = sorted(shared if among is None else shared & set(among))
    if len(ids) < _MIN_VIDEOS:
        raise ConfigError(
            f"{len(ids)} videos with sound, pictures and embeddings to choose from; judging needs {_MIN_VIDEOS}. "
            "Take those of another split (all), or add videos."
        )
    taken = [run.taken(ids) for run in runs]
    random = generator(config.seed, "judging questions")
    questions = choose_questions(taken, [artists.get(name) for name in ids], config.questions, random)
    if not questions:
        raise ConfigError("There is no triplet on which opinions differ clearly. Use more videos, or other runs.")
    return judgements.add_round(
        [(question, [score for run in taken for score in scored(run, question)]) for question in questions],
        key=_key(config, taken, artists),
        seed=config.seed,
        per_judge=config.per_judge,
        repeat_share=config.repeat_share,
        pool=len(ids),
    )


def score_round(judgements: Judgements, round_: Round, run: RunEmbeddings) -> int:
    """Keep what a further run thinks of a round's questions, and how many of them it can be asked about.

    So a new model is compared with people without asking people again. It was not among those that the questions were
    chosen to tell apart.
    """
    questions = judgements.questions(round_.number)
    known = {
        number: question
        for number, question in questions.items()
        if {question.seed, question.first, question.second} <= run.complete
    }
    judgements.add_scores((number, score) for number, question in known.items() for score in scored(run, question))
    return len(known)


def scored(run: RunEmbeddings, question: Question) -> list[Score]:
    """What a run thinks of both candidates: by both sides, by sound and by pictures."""
    three = run.taken([question.seed, question.first, question.second])
    found: list[Score] = []
    for by in BYS:
        _, first, second = three.scores(0, by).tolist()
        found.append(Score(run.run, run.fingerprint, by, first, second))
    return found


def _key(config: RoundConfig, runs: Sequence[RunEmbeddings], artists: Mapping[str, str | None]) -> str:
    """Hash of all that decides the questions."""
    ids = runs[0].ids
    parts = [config.model_dump(), [(run.run, run.fingerprint) for run in runs], [artists.get(name) for name in ids]]
    return hashlib.blake2b(json.dumps([*parts, ids]).encode(), digest_size=16).hexdigest()
