"""Finding music videos: an index of embeddings, exact or approximate, and the queries that people ask it."""

from antiphon.search.hits import Hit, Moment
from antiphon.search.index import Added, Index
from antiphon.search.where import Where

__all__ = ["Added", "Hit", "Index", "Moment", "Where"]
