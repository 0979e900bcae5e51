"""Values that a catalogue takes from the files' own tags."""

from collections.abc import Callable, Iterator, Sequence

from antiphon.catalogue import sources
from antiphon.catalogue.file_tags import file_tags
from antiphon.catalogue.inspection import inspect_files
from antiphon.catalogue.validation import CatalogueRow
from antiphon.errors import AntiphonError
from antiphon.workers.limits import WorkerLimits

Progress = Callable[[int, int], None]
"""Takes the number of files done, and their total."""


def fill_in_tags(
    rows: Sequence[CatalogueRow], progress: Progress | None = None, limits: WorkerLimits | None = None
) -> None:
    """Fill in what rows lack from the tags of their files.

    Parameters
    ----------
    rows : sequence of CatalogueRow
        Rows with a path; they are changed.
    progress : callable, optional
        Called with files done and their total.
    limits : WorkerLimits, optional
        Limits of each file. Default: 60 s and 2 GB.
    """
    for row in rows:
        sources.set_from_file(row, sources.from_file(row))
    for row, found in _read(rows, progress, limits):
        missing = {column for column in found if row[column] is None}
        row.update({column: found[column] for column in missing})
        sources.set_from_file(row, sources.from_file(row) | missing)


def renew_tags(
    rows: Sequence[CatalogueRow], progress: Progress | None = None, limits: WorkerLimits | None = None
) -> list[str]:
    """Read the tags of files again; values that tables gave stay, and all those of files that cannot be read.

    In a catalogue of an earlier version, values that agree with the tags count as read from them.

    Parameters
    ----------
    rows : sequence of CatalogueRow
        Rows with a path; they are changed.
    progress : callable, optional
        Called with files done and their total.
    limits : WorkerLimits, optional
        Limits of each file. Default: 60 s and 2 GB.

    Returns
    -------
    list of str
        Ids of the videos whose values changed.
    """
    changed: list[str] = []
    for row, found in _read(rows, progress, limits):
        agreeing = {column for column, value in found.items() if row[column] == value}
        followed = sources.from_file(row) | (agreeing if sources.is_unknown(row) else set[str]())
        now = {column: found.get(column) for column in followed}
        now |= {column: value for column, value in found.items() if row[column] is None}
        if any(row[column] != value for column, value in now.items()):
            changed.append(row["id"])
        row.update(now)
        sources.set_from_file(row, {column for column, value in now.items() if value is not None})
    return changed


def _read(
    rows: Sequence[CatalogueRow], progress: Progress | None, limits: WorkerLimits | None = None
) -> Iterator[tuple[CatalogueRow, CatalogueRow]]:
    """Yield the rows whose files can be read, with their tags; probing says why others cannot."""
    for row, found in inspect_files(_row_tags, rows, progress, limits):
        if not isinstance(found, AntiphonError):
            yield row, found


def _row_tags(row: CatalogueRow) -> CatalogueRow:
    return file_tags(row["path"])
