"""How good a trained model is on what it has not seen."""

from antiphon.evaluation.probes import probe
from antiphon.evaluation.qualitative import qualitative
from antiphon.evaluation.retrieval import evaluate

__all__ = ["evaluate", "probe", "qualitative"]
