"""Finding music videos: an index of embeddings, exact or approximate, and queries of any origin."""

from antiphon.search.filters import Where
from antiphon.search.hits import Hit, Hits, Moment
from antiphon.search.index import Index
from antiphon.search.query import Query

__all__ = ["Hit", "Hits", "Index", "Moment", "Query", "Where"]
