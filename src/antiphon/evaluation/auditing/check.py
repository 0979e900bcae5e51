"""What a check says."""

from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["pass", "warn", "fail", "n/a"]


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes
    ----------
    name : of the check, a few words.
    part : "metric", "model", "pairs", "leakage" or "loss": what it looks at.
    status : "fail": mend this before you rely on the ranks; "warn": know this before you do; "n/a": could not
        be looked at, and the finding says why.
    finding : a sentence with the numbers.
    numbers : the same for machines.
    """

    name: str
    part: Literal["metric", "model", "pairs", "leakage", "loss"]
    status: Status
    finding: str
    numbers: dict[str, Any] = field(default_factory=dict[str, Any])
