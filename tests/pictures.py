"""Pictures of a page in a browser: drawings, maps and images, and what is said in their place."""

from pathlib import Path
from typing import Any

_SILENT = Path(__file__).with_name("pictures.js").read_text(encoding="utf-8")


def silent_pictures(page: Any) -> list[str]:
    """List pictures in whose place nothing is said.

    A drawing or map has a label of several words, or a text or a labelled picture beside it; an image has an
    alternative text, or stands beside a text.

    Parameters
    ----------
    page : Page
        A page of Playwright, loaded.

    Returns
    -------
    list of str
        Their markup.
    """
    return page.evaluate(_SILENT)
