"""What is wrong with a value of a request, in words."""

from collections.abc import Mapping
from typing import Any

from fastapi import HTTPException

_LONGEST_SHOWN = 40
_KINDS = {
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "finite_number": "must be a number from 0 to 1",  # What has fractions here is a share.
    "bool_parsing": "must be true or false",
    "string_type": "must be text",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than_equal": "must be at most {le:g}",
    "less_than": "must be below {lt:g}",
    "string_too_long": "must have at most {max_length} characters",
    "too_long": "must have at most {max_length} entries",
    "too_short": "must have at least {min_length} entries",
    "literal_error": "must be {expected}",
}
_WITHOUT_VALUE = frozenset(
    {"string_too_long", "too_long", "too_short", "list_type", "dict_type", "model_type", "model_attributes_type"}
)


class TitledError(HTTPException):
    """A refusal with a heading of its own.

    Parameters
    ----------
    status : int
        Status of the answer.
    title : str
        The heading.
    detail : str
        Why it was refused, and what to do.
    """

    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(status, detail)
        self.title = title


def fault_in_words(found: Mapping[str, Any]) -> str:
    """Say what is wrong with a value.

    Parameters
    ----------
    found : mapping
        An error of pydantic.

    Returns
    -------
    str
        Words; those of pydantic for rare kinds.

    Examples
    --------
    >>> fault_in_words({"type": "int_parsing", "input": "abc", "msg": "Input should be a valid integer"})
    'must be a whole number, not “abc”'
    >>> fault_in_words({"type": "less_than_equal", "input": "101", "ctx": {"le": 100}, "msg": ""})
    'must be at most 100, not “101”'
    """
    kind = found["type"]
    if kind == "missing":
        return "is missing"
    if kind not in _KINDS:
        return found["msg"]
    words = _KINDS[kind].format(**found.get("ctx", {}))
    value = str(found.get("input", ""))
    if kind in _WITHOUT_VALUE or len(value) > _LONGEST_SHOWN:
        return words
    return f"{words}, not “{value}”" if value else f"{words}, and is empty"
