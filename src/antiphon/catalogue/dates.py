"""Years of dates as people write them."""

import datetime
import re
import unicodedata
from typing import Any

from antiphon.catalogue.unknown import is_unknown, names_nothing

_YEAR = r"(?P<year>[1-9]\d{3})"
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"{_YEAR}(?:[.,]0+)?",
        rf"{_YEAR}(?:[-/._: ] ?\d{{1,2}}){{1,2}}\.?",  # 1999-05, 1999/5/1, 1999. 5. 1., 1999:05:01
        rf"(?:\d{{1,2}}[-/. ]{{1,2}}){{1,2}}{_YEAR}",  # 5/1999, 01.05.1999
        rf"(?:[^\W\d_]+\.?,? +)?\d{{1,2}}(?:st|nd|rd|th|\.|er)?[- ](?:(?:of|de) )?[^\W\d_]+\.?,?[- ](?:de )?{_YEAR}",
        rf"[^\W\d_]+\.?,?[- ](?:\d{{1,2}}(?:st|nd|rd|th)?,? +)?{_YEAR}",  # May 1999, May 1st, 1999
        rf"{_YEAR}[- ][^\W\d_]+\.?(?:[- ]\d{{1,2}})?",  # 1999-May-01
        rf"{_YEAR} ?[年년].*",
        rf"{_YEAR}г\.?",
        rf"{_YEAR}(?:0\d|1[0-2])(?:[0-2]\d|3[01])",  # 19990501
    )
)
_CLOCK = re.compile(r"(?:T|[ ,]+)\d{1,2}:\d\d.*$")
# Around a year, without another meaning: about, copyright, brackets, doubt.
_ABOUT = re.compile(r"^(?:c(?:a|irca)?\.?|\([cp]\)|about|~|[©℗(\[])\s*(?=[1-9]\d{3})|\s*[)\]?]+$", re.IGNORECASE)
_MAX_SHOWN = 80
_NOUGHT = re.compile(r"[0\-/.: T]+")
_DAY_OF_EXCEL = re.compile(r"([1-5]\d{4})(?:[.,]\d+)?")
_EXCEL_STARTS = datetime.date(1899, 12, 30)


def year_of(value: Any) -> int | None:
    """Return the year of a date.

    Parameters
    ----------
    value : object
        A year, or a date that names its year in four digits: 1999, "1999-05-01", "1.5.1999", "May 1, 1999", "(1999)",
        datetime.date(1999, 5, 1).

    Returns
    -------
    int or None
        The year; None where the value says that it is unknown, such as "0000-00-00".

    Raises
    ------
    ValueError
        The value names no year, or not only one.

    Examples
    --------
    >>> year_of("01.05.1999"), year_of("ca. 1999"), year_of(1999.0), year_of("n/a")
    (1999, 1999, 1999, None)
    """
    if isinstance(value, datetime.date):
        return value.year
    if is_unknown(value) or names_nothing(str(value)) or _NOUGHT.fullmatch(str(value)):
        return None
    if isinstance(value, float) and not value.is_integer():  # As text, 1999.5 is a month.
        raise ValueError(f"{value} is not a year. Give four digits, or leave it empty.{_hint(str(value))}")
    value = "".join(str(unicodedata.decimal(letter, letter)) for letter in str(value))
    text = _CLOCK.sub("", " ".join(str(value).split()))
    while _ABOUT.search(text):
        text = _ABOUT.sub("", text)
    for form in _FORMS:
        found = form.fullmatch(text)
        if found is not None:
            return int(found["year"])
    raise ValueError(f"{str(value)[:_MAX_SHOWN]!r} is not a year. Give four digits, or leave it empty.{_hint(text)}")


def _hint(text: str) -> str:
    number = _DAY_OF_EXCEL.fullmatch(text)
    if number is None:
        return ""
    day = _EXCEL_STARTS + datetime.timedelta(days=int(number[1]))
    return f" As a day's number in Excel it would be {day.isoformat()}: give the column the format of text."
