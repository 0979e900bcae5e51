"""Single-file HTML pages: the report of a run, the neighbour gallery, the reproduced paper."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from antiphon.report.build import build_report
    from antiphon.report.neighbour_gallery import build_gallery_page
    from antiphon.report.paper import build_paper_page

__all__ = ["build_gallery_page", "build_paper_page", "build_report"]

_HOMES = {
    "build_report": "antiphon.report.build",
    "build_gallery_page": "antiphon.report.neighbour_gallery",
    "build_paper_page": "antiphon.report.paper",
}


def __getattr__(name: str) -> Any:
    """Import on first use, so that a process that renders stills needs no torch."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
