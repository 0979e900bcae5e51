"""CSV for people's spreadsheet programs, which would run a cell that begins like a formula."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# Excel in Japanese takes full-width signs too. A semicolon or a tab begins a cell where it is the separator.
_FORMULA = re.compile(r"(^|[;\t\r\n])(?=[\s\0\ufeff\u200b]*[=+\-@＝＋－＠])|^(?=[\t\r\n])")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|nan)", re.ASCII)


def safe_cell(text: str) -> str:
    r"""Put an apostrophe before what a spreadsheet program would take for a formula; numbers stay numbers.

    Parameters
    ----------
    text : str
        Content of a cell.

    Returns
    -------
    str
        The content, as text.

    Examples
    --------
    >>> safe_cell("=1+1"), safe_cell("rock;@live"), safe_cell("-0.5e-3"), safe_cell("\tx"), safe_cell("A-Z")
    ("'=1+1", "rock;'@live", '-0.5e-3', "'\tx", 'A-Z')
    """
    return text if _NUMBER.fullmatch(text) else _FORMULA.sub(r"\1'", text)


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Format rows as CSV with a header, whose texts are no formulas.

    Parameters
    ----------
    columns : sequence of str
        Names of the columns; rows may hold more.
    rows : iterable of mapping
        Values by column; None gives an empty cell.

    Returns
    -------
    str
        CSV.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(_cell, columns))
    writer.writerows([_cell(row[name]) for name in columns] for row in rows)
    return text.getvalue()


def _cell(value: object) -> object:
    return safe_cell(value) if isinstance(value, str) else value
