"""Pure measures: numpy in, numbers out, no torch."""

from antiphon.metrics.retrieval import retrieval

__all__ = ["retrieval"]
