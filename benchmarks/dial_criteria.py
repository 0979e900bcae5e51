"""The coupling dial: the weakest association that a recipe still finds, and the fewest pairs that it needs."""

from collections.abc import Mapping, Sequence
from typing import Any

from antiphon.experiments.cells import WAYS
from antiphon.experiments.study import Size

Row = Mapping[str, Any]
"""Of `antiphon.experiments.study_table.study_table`, with the "coupling" of the catalogue that it was measured on."""


def is_found(row: Row) -> bool:
    """Whether the 95% interval of the median rank lies below the permutation null, both ways."""
    return row["trainings"] > 0 and all(row[way]["median_rank"]["ci95"][1] < row[way]["null95"][0] for way in WAYS)


def weakest_coupling(rows: Sequence[Row], step: str, size: Size) -> float | None:
    """The lowest coupling measured from which on a step finds every one, or None where it does not find the highest."""
    mine = [row for row in rows if (row["step"], row["size"]) == (step, size)]
    return _first_lasting([(row["coupling"], is_found(row)) for row in mine])


def fewest_pairs(rows: Sequence[Row], step: str, coupling: float) -> float | None:
    """The smallest training set measured, in pairs, from which on a step finds this coupling; None where none does.

    A size at which every training failed does not count.
    """
    mine = [row for row in rows if (row["step"], row["coupling"]) == (step, coupling) and row["trainings"]]
    return _first_lasting([(row["train_pairs"], is_found(row)) for row in mine])


def _first_lasting(found: Sequence[tuple[float, bool]]) -> float | None:
    """The lowest value that holds, as all higher ones do."""
    lasting: float | None = None
    for value, holds in sorted(found, reverse=True):
        if not holds:
            break
        lasting = value
    return lasting
