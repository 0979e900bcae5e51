"""Questions: a seed, two candidates, and the aspect in which they are compared."""

from dataclasses import dataclass
from typing import Literal, get_args

Aspect = Literal["overall", "sound", "pictures"]
"""What to compare by."""
Kind = Literal["models", "sides", "random"]
"""Origin of the two candidates: two models, both modalities of one, or a model and chance."""
Choice = Literal["left", "right", "unsure"]
"""A judge's answer."""

ASPECTS: tuple[Aspect, ...] = get_args(Aspect)
KINDS: tuple[Kind, ...] = get_args(Kind)
CHOICES: tuple[Choice, ...] = get_args(Choice)


@dataclass(frozen=True)
class Question:
    """A triplet and an aspect. The order of the candidates is random.

    Attributes
    ----------
    aspect : Aspect
        What to compare by.
    kind : Kind
        Origin of the candidates.
    seed, first, second : str
        Ids of videos.
    first_source, second_source : str
        Origin of each candidate, in words.
    margin : float
        How much the similarities differ, as a fraction of the pool.
    """

    aspect: Aspect
    kind: Kind
    seed: str
    first: str
    second: str
    first_source: str
    second_source: str
    margin: float
