"""Finding music videos: an index of embeddings, exact or approximate, and the queries that people ask it."""

from antiphon.search.filters import Where
from antiphon.search.hits import Hit, Moment
from antiphon.search.index import Index

__all__ = ["Hit", "Index", "Moment", "Where"]
