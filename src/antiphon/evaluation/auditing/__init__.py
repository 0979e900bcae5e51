"""Audit of an evaluation, before its numbers are believed."""

from antiphon.evaluation.auditing.control import shuffled_control, shuffled_pairs
from antiphon.evaluation.auditing.metrics import median_ranks, published
from antiphon.evaluation.auditing.production import shared_variables
from antiphon.evaluation.auditing.whole import audit

__all__ = ["audit", "median_ranks", "published", "shared_variables", "shuffled_control", "shuffled_pairs"]
