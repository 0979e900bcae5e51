"""One HTML file on a run: ranks, curves, answers to see and hear, failures; and one on who is near whom."""

from antiphon.report.build import build_report
from antiphon.report.neighbour_gallery import build_gallery_page

__all__ = ["build_gallery_page", "build_report"]
