"""Outcome of a check."""

from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["pass", "warn", "fail", "n/a"]


@dataclass(frozen=True)
class Check:
    """Outcome of one check.

    Attributes
    ----------
    name : str
        A few words.
    part : {"metric", "model", "pairs", "leakage", "loss"}
        What was checked.
    status : {"pass", "warn", "fail", "n/a"}
        "fail": mend this before you rely on the ranks; "warn": know this before you do; "n/a": could not be checked,
        and the finding says why.
    finding : str
        Sentence with the numbers.
    numbers : dict
        The same for machines.
    """

    name: str
    part: Literal["metric", "model", "pairs", "leakage", "loss"]
    status: Status
    finding: str
    numbers: dict[str, Any] = field(default_factory=dict[str, Any])
