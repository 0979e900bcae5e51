"""Pure measures: numpy in, numbers out, no torch."""

from antiphon.metrics.classification_metrics import classification, paired_difference
from antiphon.metrics.krippendorff import krippendorff_alpha
from antiphon.metrics.results import ClassificationResult, Comparison, RetrievalResult
from antiphon.metrics.retrieval_metrics import retrieval

__all__ = [
    "ClassificationResult",
    "Comparison",
    "RetrievalResult",
    "classification",
    "krippendorff_alpha",
    "paired_difference",
    "retrieval",
]
