"""One HTML file on a run, one on who is near whom, and one on the paper's experiments run again."""

from antiphon.report.build import build_report
from antiphon.report.neighbour_gallery import build_gallery_page
from antiphon.report.paper import build_paper_page

__all__ = ["build_gallery_page", "build_paper_page", "build_report"]
