"""Similarity judgements by people, and the agreement of models with them.

`prepare_round` chooses triplets on which similarities disagree, `Judgements` stores them with the judges' sheets and
answers, and `judging_report` measures how often each similarity agrees with people, and people with each other.
"""

from antiphon.judging.report import judging_report
from antiphon.judging.rounds import RoundConfig, prepare_round, score_round
from antiphon.judging.similarities import RunEmbeddings
from antiphon.judging.store import Judgements

__all__ = [
    "Judgements",
    "RoundConfig",
    "RunEmbeddings",
    "judging_report",
    "prepare_round",
    "score_round",
]
