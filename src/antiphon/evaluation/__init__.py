"""Evaluation of trained models on held-out music videos."""

from antiphon.evaluation.auditing import audit
from antiphon.evaluation.probes import probe
from antiphon.evaluation.qualitative_analysis import qualitative
from antiphon.evaluation.retrieval import evaluate

__all__ = ["audit", "evaluate", "probe", "qualitative"]
