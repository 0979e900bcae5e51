"""New music videos for a person, by the content of what they liked."""

from antiphon.recommendation.interactions import Interactions, read_interactions
from antiphon.recommendation.recommending import recommend

__all__ = ["Interactions", "read_interactions", "recommend"]
