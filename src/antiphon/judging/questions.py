"""What is asked: a seed, two candidates, and in which respect one of them is more alike."""

from dataclasses import dataclass
from typing import Literal, get_args

Aspect = Literal["overall", "sound", "pictures"]
"""What a judge is asked to compare by."""
Kind = Literal["models", "sides", "random"]
"""Where the two candidates come from: two models, the two sides of one, or a model and chance."""
Answer = Literal["left", "right", "unsure"]
"""What a judge said of what was shown."""

ASPECTS: tuple[Aspect, ...] = get_args(Aspect)
KINDS: tuple[Kind, ...] = get_args(Kind)
ANSWERS: tuple[Answer, ...] = get_args(Answer)


@dataclass(frozen=True)
class Question:
    """A triplet with what is asked of it. Which candidate is the first means nothing: that is drawn at random.

    Attributes
    ----------
    seed, first, second : str
        Ids of videos.
    first_source, second_source : str
        Where the candidates come from, in words.
    margin : float
        By how much the opinions differ that make it worth asking, in shares of the pool.
    """

    aspect: Aspect
    kind: Kind
    seed: str
    first: str
    second: str
    first_source: str
    second_source: str
    margin: float
