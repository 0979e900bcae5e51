"""Content-based recommendation of new music videos."""

from antiphon.recommendation.interactions import Interactions, read_interactions
from antiphon.recommendation.recommending import recommend

__all__ = ["Interactions", "read_interactions", "recommend"]
