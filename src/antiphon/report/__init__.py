"""One HTML file on a run: ranks, curves, answers to see and hear, failures."""

from antiphon.report.build import build_report

__all__ = ["build_report"]
