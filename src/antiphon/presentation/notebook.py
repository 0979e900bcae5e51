"""Self-contained HTML for notebook cells, with its own light and dark style."""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from markupsafe import Markup

from antiphon.presentation.charts import QUERY, intervals

_KEY = Markup("<p>{}Bar: 95% interval. Grey: null. Dashed: chance.</p>")


def notebook_html(*parts: Markup) -> str:
    """Return elements in one block that is readable on light and dark themes, without scripts.

    Parameters
    ----------
    *parts : Markup
        Charts of `antiphon.presentation.charts` and tables of `antiphon.presentation.tables`.
    """
    return str(Markup('<div class="antiphon"><style>{}</style>{}</div>').format(_style(), Markup("").join(parts)))


def rank_chart(both: Mapping[str, Any], pool: str = "") -> Markup:
    """Return the report's chart of both median ranks, with a key.

    Parameters
    ----------
    both : mapping
        Numbers of one pool under "a2v" and "v2a".
    pool : str, optional
        Name of the pool.
    """
    return intervals(both) + _KEY.format(f"Ranks of {pool}. " if pool else "")


@cache
def _style() -> Markup:
    sheet = resources.files("antiphon.presentation").joinpath("notebook.css").read_text(encoding="utf-8")
    # Our own file: the only markup that is not escaped.
    return Markup(sheet.replace("AUDIO", QUERY["a2v"]).replace("VIDEO", QUERY["v2a"]))  # noqa: S704
