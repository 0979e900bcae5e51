"""Names of the parts of feature stores, and listing them while other writers drop some."""

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

from antiphon.errors import FeatureStoreError
from antiphon.places import Address, Place

Result = TypeVar("Result")

NUMBERED = re.compile(r"part-\d{1,18}\.parquet")
"""Names of parts that were written to a disk."""
OF_A_STORE = re.compile(r"part-\d{20}-[0-9a-f]{8}\.parquet")
"""Names of parts that were written to a store; see `antiphon.places.new_name`."""
_TRIES = 8


def listed_parts(folder: Place) -> list[Place]:
    """List the parts in a folder; what has another name is none.

    Parameters
    ----------
    folder : Path or Address
        Folder `features/<backbone>` of a workspace.

    Returns
    -------
    list of Path or Address
        Parts in the order of their names.
    """
    there: Iterable[Place] = folder.iterdir() if isinstance(folder, Address) else folder.glob("part-*.parquet")
    found = [part for part in there if NUMBERED.fullmatch(part.name) or OF_A_STORE.fullmatch(part.name)]
    return sorted(found, key=lambda part: part.name)


def number_of(part: Place) -> int:
    """Return the number of a part that was written to a disk."""
    return int(part.stem.split("-")[1])


def listing_again(folder: Place, function: Callable[[], Result]) -> Result:
    """Call a function that lists parts and reads them, again where another writer dropped one in between.

    Parameters
    ----------
    folder : Path or Address
        Folder of the parts, for the message.
    function : callable
        Function that raises FileNotFoundError where a part is gone.

    Returns
    -------
    object
        What it returns.

    Raises
    ------
    FeatureStoreError
        Parts are dropped all the time.
    """
    for _ in range(_TRIES):
        try:
            return function()
        except FileNotFoundError:
            continue
    raise FeatureStoreError(f"{folder}: is being changed all the time, and could not be read. Try again.")
