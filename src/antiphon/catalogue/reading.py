"""Sources of rows: a folder of media files, a CSV or a Parquet table."""

import os
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from antiphon.catalogue.validation import CatalogueRow, clean_record
from antiphon.errors import CatalogueError
from antiphon.media.names import MEDIA_SUFFIXES

if TYPE_CHECKING:
    import polars as pl

_MAX_NAMED = 10


def read_folder(folder: Path, metadata: Path | None) -> list[CatalogueRow]:
    """List the media files of a folder as rows, whose ids are their paths inside the folder.

    Parameters
    ----------
    folder : Path
        Folder with media files.
    metadata : Path or None
        CSV or Parquet table with more about them; see `Catalogue.from_folder`.

    Returns
    -------
    list of CatalogueRow
        One row per file.

    Raises
    ------
    CatalogueError
        The folder is missing or has no media, or no row of `metadata` names one of its files.
    """
    if not folder.is_dir():
        raise CatalogueError(f"{folder}: no such folder. Name the folder with your music videos.")
    files = _distinct(_nameable(media_files([folder])))
    if not files:
        raise CatalogueError(f"{folder}: no media files ({', '.join(sorted(MEDIA_SUFFIXES)[:6])}, …) in it or below.")
    records = {
        path.relative_to(folder).as_posix(): clean_record(
            {"id": path.relative_to(folder).as_posix(), "path": _whole_path(path)}, f"{path}"
        )
        for path in files
    }
    if metadata is not None:
        _join_metadata(records, metadata)
    return list(records.values())


def media_files(paths: Iterable[Path]) -> list[Path]:
    """List files as they are, and the media files in folders and below, by their endings.

    Hidden files, whose name or folder starts with a dot, are skipped. Links to files are followed wherever they lead,
    and listed if they are dangling; links to folders are not followed.

    Parameters
    ----------
    paths : iterable of Path
        Files and folders.

    Returns
    -------
    list of Path
        The files; those of a folder are sorted.
    """
    files: list[Path] = []
    for given in paths:
        if given.is_dir():
            files += sorted(path for path in _named_as_media(given) if not _is_hidden(path.relative_to(given)))
        else:
            files.append(given)
    return files


def _named_as_media(folder: Path) -> list[Path]:
    """List all files below that have media endings, and dangling links of such names."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in MEDIA_SUFFIXES)
    return [path for path in found if path.is_file() or (path.is_symlink() and not path.exists())]


def _whole_path(path: Path) -> str:
    """Return the path behind any links; a dangling link stands for itself."""
    return str(path.resolve() if path.is_file() else path.absolute())


def left_out(folder: Path) -> list[str]:
    """Describe what `media_files` skips in a folder.

    Parameters
    ----------
    folder : Path
        Folder with media files.

    Returns
    -------
    list of str
        One sentence for each reason.
    """
    hidden = sum(_is_hidden(path.relative_to(folder)) for path in _named_as_media(folder))
    linked = sorted(path for path in folder.rglob("*") if path.is_symlink() and path.is_dir())
    found: list[str] = []
    if hidden:
        found.append(f"{hidden} hidden media files, whose name or folder starts with a dot.")
    if linked:
        found.append(f"{len(linked)} links to folders ({linked[0]} is the first). Add those folders separately.")
    return found


def _nameable(files: list[Path]) -> list[Path]:
    """Drop files whose names are not valid text, with a warning."""
    odd = [path for path in files if any(c < " " or "\ud800" <= c <= "\udfff" for c in str(path))]
    if odd:
        message = f"Skipped {len(odd)} files whose names are not valid text; {str(odd[0])!r} is the first."
        warnings.warn(message.encode(errors="backslashreplace").decode(), stacklevel=4)
    return [path for path in files if path not in odd]


def _distinct(files: list[Path]) -> list[Path]:
    """Drop links to files that are listed already, with a warning."""
    kept: dict[str, Path] = {}
    for path in sorted(files, key=Path.is_symlink):
        kept.setdefault(_whole_path(path), path)
    again = [path for path in files if kept[_whole_path(path)] != path]
    if again:
        first = f"{again[0]} is {kept[_whole_path(again[0])]}"
        message = f"Skipped {len(again)} links to files that are listed already; the first: {first}."
        warnings.warn(message, stacklevel=4)
    left = set(again)
    return [path for path in files if path not in left]


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _join_metadata(records: dict[str, CatalogueRow], metadata: Path) -> None:
    """Fill in the values of `metadata` for each file."""
    names = _Names(records)
    unmatched: list[str] = []
    ambiguous: list[str] = []
    seen: dict[str, str] = {}
    for where, record in _read_rows(metadata):
        name = record.get("path") or record.get("id") or record.get("filename")
        if name is None:
            raise CatalogueError(f"{where}: names no file in any of the columns id, path and filename.")
        found = names.fitting(str(name))
        if not found:
            unmatched.append(f"{where} ('{name}')")
        elif len(found) > 1:
            ambiguous.append(f"{where}: '{name}' matches {', '.join(found[:3])}{', …' * (len(found) > 3)}")
        elif found[0] in seen:
            raise CatalogueError(f"{where}: '{name}' is the file of {seen[found[0]]} too. Keep one row per file.")
        else:
            seen[found[0]] = where
            kept = {key: value for key, value in record.items() if key not in {"id", "path"} and value is not None}
            records[found[0]] |= kept
    _warn_of_rows(metadata, unmatched, ambiguous, bool(seen))


def _warn_of_rows(metadata: Path, unmatched: list[str], ambiguous: list[str], any_seen: bool) -> None:
    """Warn about rows that match no file or several; raise CatalogueError if none matches."""
    if not any_seen and not ambiguous:
        raise CatalogueError(f"{metadata}: none of its {len(unmatched)} rows names a file in the folder.")
    if unmatched:
        message = f"{metadata}: {len(unmatched)} rows name no file in the folder; {unmatched[0]} is the first."
        warnings.warn(message, stacklevel=5)
    if ambiguous:
        more = len(ambiguous) - _MAX_NAMED
        lines = [*ambiguous[:_MAX_NAMED], *([f"and {more} more"] if more > 0 else [])]
        message = f"{metadata}: skipped {len(ambiguous)} rows that match several files; give the path in the folder."
        warnings.warn("\n  ".join([message, *lines]), stacklevel=5)


class _Names:
    """Names by which a table may refer to the files of a folder."""

    def __init__(self, records: Mapping[str, CatalogueRow]) -> None:
        self._exact = {str(row["path"]): name for name, row in records.items()} | {name: name for name in records}
        self._loose: dict[str, list[str]] = {}
        for name in records:
            for alias in {name.rsplit(".", 1)[0], Path(name).name, Path(name).stem}:
                self._loose.setdefault(alias, []).append(name)

    def fitting(self, name: str) -> list[str]:
        """Return the file with that path, inside the folder or absolute; else all files of that name or stem."""
        exact = self._exact.get(name) or self._exact.get(_followed(name))
        return [exact] if exact else self._loose.get(name, [])


def _followed(name: str) -> str:
    """Resolve the links of an absolute path."""
    return os.path.realpath(name) if Path(name).is_absolute() else name


def read_metadata(path: Path) -> list[CatalogueRow]:
    """Read the rows of a CSV or Parquet table; relative paths start at the table's folder.

    Parameters
    ----------
    path : Path
        CSV or Parquet table.

    Returns
    -------
    list of CatalogueRow
        One row per music video.

    Raises
    ------
    CatalogueError
        The file is not readable, has no rows or no ids, or a value does not fit its column.
    """
    records: list[CatalogueRow] = []
    for where, record in _read_rows(path):
        if record.get("id") is None and record.get("path") is None:
            raise CatalogueError(f"{where}: has neither an id nor a path. Give at least one of them.")
        record["id"] = record["id"] or str(record["path"])
        if record["path"] is not None and "://" not in record["path"]:
            record["path"] = str((path.absolute().parent / record["path"]).resolve())
        records.append(record)
    return records


def _read_rows(path: Path) -> list[tuple[str, CatalogueRow]]:
    frame = _read_frame(path)
    if frame.is_empty():
        raise CatalogueError(f"{path}: has no rows. A catalogue needs at least one music video.")
    if not {"id", "path", "filename"} & set(frame.columns):
        raise CatalogueError(f"{path}: needs a column id or path; its columns are {', '.join(frame.columns)}.")
    rows: list[dict[str, Any]] = frame.to_dicts()
    places = [f"{path}, row {number}" for number in range(1, len(rows) + 1)]
    return [(where, clean_record(row, where)) for where, row in zip(places, rows, strict=True)]


def _read_frame(path: Path) -> "pl.DataFrame":
    import polars as pl

    if not path.is_file():
        raise CatalogueError(f"{path}: no such file.")
    try:
        if path.suffix.lower() == ".parquet":
            return pl.read_parquet(path)
        return pl.read_csv(path, infer_schema=False, encoding="utf8")
    except pl.exceptions.NoDataError:
        raise CatalogueError(f"{path}: is empty. A catalogue needs a header and at least one row.") from None
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        kind = "Parquet" if path.suffix.lower() == ".parquet" else "CSV in UTF-8"
        raise CatalogueError(f"{path}: cannot be read as {kind}: {error}") from error
