"""The evaluation tested on itself before its numbers are believed."""

from antiphon.evaluation.audit.whole import audit

__all__ = ["audit"]
