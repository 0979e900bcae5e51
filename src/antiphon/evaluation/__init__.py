"""How good a trained model is on what it has not seen."""

from antiphon.evaluation.retrieval import evaluate

__all__ = ["evaluate"]
