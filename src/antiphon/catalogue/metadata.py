"""What a table says about the files of a folder."""

import warnings
from dataclasses import dataclass, field
from pathlib import Path

from antiphon.catalogue.file_names import FileNames
from antiphon.catalogue.rows import read_rows
from antiphon.catalogue.validation import CatalogueRow
from antiphon.errors import CatalogueError
from antiphon.plurals import counted

_MAX_NAMED = 10


@dataclass
class _Rows:
    """Rows of the table that name no file, or several; and which row named each file."""

    unmatched: list[tuple[str, str]] = field(default_factory=list)
    ambiguous: list[str] = field(default_factory=list)
    seen: dict[str, str] = field(default_factory=dict)


def join_metadata(records: dict[str, CatalogueRow], metadata: Path) -> None:
    """Fill in what a table says about each file.

    Parameters
    ----------
    records : dict of str to CatalogueRow
        Rows by the path of the file inside its folder; they are changed.
    metadata : Path
        CSV or Parquet table.

    Raises
    ------
    CatalogueError
        The table cannot be read, none of its rows names a file, or two name the same.
    """
    names = FileNames({name: str(row["path"]) for name, row in records.items()}, metadata.parent)
    rows = _Rows()
    for where, record in read_rows(metadata):
        name = record.get("path") or record.get("id") or record.get("filename")
        if name is None:
            raise CatalogueError(f"{where}: names no file in any of the columns id, path and filename.")
        found = names.fitting(str(name))
        if not found:
            rows.unmatched.append((where, str(name)))
        elif len(found) > 1:
            rows.ambiguous.append(f"{where}: '{name}' matches {', '.join(found[:3])}{', …' * (len(found) > 3)}")
        elif found[0] in rows.seen:
            raise CatalogueError(f"{where}: '{name}' is the file of {rows.seen[found[0]]} too. Keep one row per file.")
        else:
            rows.seen[found[0]] = where
            kept = {key: value for key, value in record.items() if key not in {"id", "path"} and value is not None}
            records[found[0]] |= kept
    _warn_of(rows, metadata, names)


def _warn_of(rows: _Rows, metadata: Path, names: FileNames) -> None:
    """Warn about rows that match no file or several; raise CatalogueError if none matches."""
    if rows.unmatched:
        count = len(rows.unmatched)
        nearest = [_nearest(where, name, names) for where, name in rows.unmatched[:_MAX_NAMED]]
        if not rows.seen and not rows.ambiguous:
            message = f"{metadata}: names no file in the folder ({counted(count, 'row')})."
            raise CatalogueError(_listed(message, nearest, count))
        where, name = rows.unmatched[0]
        rows_name = counted(count, "row names no file in the folder", "rows name no file in the folder")
        message = f"{metadata}: {rows_name}; {where} ('{name}') is the first."
        warnings.warn(_listed(message, nearest, count), stacklevel=5)
    if rows.ambiguous:
        count = len(rows.ambiguous)
        rows_match = counted(count, "row that matches several files", "rows that match several files")
        message = f"{metadata}: skipped {rows_match}; give the path in the folder."
        warnings.warn(_listed(message, rows.ambiguous, count), stacklevel=5)


def _nearest(where: str, name: str, names: FileNames) -> str:
    nearest = names.nearest(name)
    return f"{where}: '{name}'; " + (f"the nearest name is '{nearest}'." if nearest else "no name is like it.")


def _listed(message: str, lines: list[str], count: int) -> str:
    shown = lines[:_MAX_NAMED]
    more = [f"and {count - len(shown)} more"] if count > len(shown) else []
    return "\n  ".join([message, *shown, *more])
