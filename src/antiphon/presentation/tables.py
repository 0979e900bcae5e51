"""Small tables as plain text, HTML and LaTeX."""

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from markupsafe import Markup, escape

from antiphon.presentation.charts import QUERY, intervals

WIDTH = 100
"""Maximum width of a table printed as text, in columns."""

_GAP = "  "
_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "→": r"$\rightarrow$",
    "×": r"$\times$",
    "−": r"$-$",
    "–": "--",
}


@dataclass(frozen=True)
class Table:
    """Text in rows and columns; the first column is aligned left, the others right.

    Attributes
    ----------
    title : str
        One line above the table.
    columns : sequence of str
        Column headers.
    rows : sequence of sequence of str
        Cells; every row is as long as `columns`.
    notes : sequence of str
        Sentences below the table.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()


def table_text(table: Table) -> str:
    """Return a table as plain text, at most `WIDTH` columns wide if its cells allow.

    Parameters
    ----------
    table : Table
        The table to print.

    Examples
    --------
    >>> print(table_text(Table("Ranks", ("", "median"), [("cca", "7"), ("heads", "12")])))
    Ranks
           median
    cca         7
    heads      12
    """
    widths = [max(map(len, column)) for column in zip(table.columns, *table.rows, strict=True)]
    lines = [_text_line(cells, widths) for cells in (table.columns, *table.rows)]
    notes = [line for note in table.notes for line in textwrap.wrap(note, WIDTH)]
    return "\n".join([table.title, *lines, *notes])


def _text_line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (
        cell.rjust(width) if place else cell.ljust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return _GAP.join([first, *others]).rstrip()


def table_html(table: Table) -> Markup:
    """Return a table as an HTML `table` element with its title as caption, and its notes as paragraphs.

    Parameters
    ----------
    table : Table
        The table to show; every cell is escaped.
    """
    head = Markup("").join(Markup("<th>{}</th>").format(name) for name in table.columns)
    body = Markup("").join(
        Markup("<tr>{}</tr>").format(Markup("").join(Markup("<td>{}</td>").format(cell) for cell in row))
        for row in table.rows
    )
    notes = Markup("").join(Markup("<p>{}</p>").format(note) for note in table.notes)
    drawn = Markup("<table><caption>{}</caption><thead><tr>{}</tr></thead><tbody>{}</tbody></table>{}")
    return drawn.format(table.title, head, body, notes)


def table_latex(table: Table, caption: str | None = None, label: str | None = None) -> str:
    """Return a table as LaTeX for the package booktabs.

    Parameters
    ----------
    table : Table
        The table to write; every cell is escaped. Its title and notes become comments.
    caption : str, optional
        Caption. If given, the tabular is put in a `table` environment.
    label : str, optional
        Label of that environment.

    Examples
    --------
    >>> print(table_latex(Table("Ranks", ("", "R@10"), [("antiphon_base", "14.6%")])))
    % Ranks
    \\begin{tabular}{lr}
    \\toprule
     & R@10 \\\\
    \\midrule
    antiphon\\_base & 14.6\\% \\\\
    \\bottomrule
    \\end{tabular}
    """
    comments = [f"% {' '.join(text.split())}" for text in (table.title, *table.notes)]
    lines = [
        rf"\begin{{tabular}}{{l{'r' * (len(table.columns) - 1)}}}",
        r"\toprule",
        _latex_line(table.columns),
        r"\midrule",
        *map(_latex_line, table.rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    if caption is not None:
        named = [] if label is None else [rf"\label{{{label}}}"]
        around = [r"\begin{table}", r"\centering", rf"\caption{{{latex_escaped(caption)}}}", *named]
        lines = [*around, *lines, r"\end{table}"]
    return "\n".join([*comments, *lines])


def _latex_line(cells: Sequence[str]) -> str:
    return " & ".join(map(latex_escaped, cells)) + r" \\"


def latex_escaped(text: str) -> str:
    """Return text with every character that LaTeX gives a meaning escaped.

    Parameters
    ----------
    text : str
        Plain text.

    Examples
    --------
    >>> latex_escaped("audio → video, 50% of a_b")
    'audio $\\\\rightarrow$ video, 50\\\\% of a\\\\_b'
    """
    return re.sub("|".join(map(re.escape, _LATEX)), lambda found: _LATEX[found[0]], text)


def facts_text(title: str, facts: Mapping[str, str]) -> str:
    """Return facts as text: a title line, then one line per fact.

    Parameters
    ----------
    title : str
        First line.
    facts : mapping of str to str
        Name and value of each fact.

    Examples
    --------
    >>> print(facts_text("Catalogue: 3 music videos", {"splits": "2 train, 1 test"}))
    Catalogue: 3 music videos
      splits  2 train, 1 test
    """
    width = max(map(len, facts), default=0)
    return "\n".join([title, *(f"  {name.ljust(width)}  {value}" for name, value in facts.items())])


def facts_html(title: str, facts: Mapping[str, str]) -> Markup:
    """Return facts as an HTML table, with every value escaped.

    Parameters
    ----------
    title : str
        Caption of the table.
    facts : mapping of str to str
        Name and value of each fact.
    """
    rows = Markup("").join(Markup("<tr><th>{}</th><td>{}</td></tr>").format(*fact) for fact in facts.items())
    return Markup('<table class="facts"><caption>{}</caption>{}</table>').format(escape(title), rows)


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
