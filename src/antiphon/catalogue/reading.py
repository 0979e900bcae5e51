"""Where rows come from: a folder of media files, a CSV or a Parquet table."""

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

_MOST_NAMED = 10


def read_folder(folder: Path, metadata: Path | None) -> list[CatalogueRow]:
    """One row a media file below `folder`; its id is the path inside the folder, so it never changes as files join.

    Raises
    ------
    CatalogueError
        The folder is missing or holds no media, or no row of `metadata` names one of its files.
    """
    if not folder.is_dir():
        raise CatalogueError(f"{folder}: no such folder. Name the folder that holds your music videos.")
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
    """The files among `paths` as they are, and for each folder the media files in it and below, by their endings.

    Hidden files, whose own or whose folder's name begins with a dot, are left out. Links to files are followed,
    wherever they lead, and listed where they lead nowhere; links to folders are not.
    """
    files: list[Path] = []
    for given in paths:
        if given.is_dir():
            files += sorted(path for path in _named_as_media(given) if not _is_hidden(path.relative_to(given)))
        else:
            files.append(given)
    return files


def _named_as_media(folder: Path) -> list[Path]:
    """All files below that end like media, and links of such names whose files are not there."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in MEDIA_SUFFIXES)
    return [path for path in found if path.is_file() or (path.is_symlink() and not path.exists())]


def _whole_path(path: Path) -> str:
    """Where the file lies, behind any links; a link that leads nowhere stands for itself."""
    return str(path.resolve() if path.is_file() else path.absolute())


def left_out(folder: Path) -> list[str]:
    """What `media_files` passes over in a folder, in a sentence each."""
    hidden = sum(_is_hidden(path.relative_to(folder)) for path in _named_as_media(folder))
    linked = sorted(path for path in folder.rglob("*") if path.is_symlink() and path.is_dir())
    found: list[str] = []
    if hidden:
        found.append(f"{hidden} hidden media files: their names, or their folders', begin with a dot.")
    if linked:
        found.append(f"{len(linked)} links to folders, the first is {linked[0]}: add those folders by themselves.")
    return found


def _nameable(files: list[Path]) -> list[Path]:
    """The files whose names are text; the others cannot stand in a table and are left out with a warning."""
    odd = [path for path in files if any(c < " " or "\ud800" <= c <= "\udfff" for c in str(path))]
    if odd:
        message = f"{len(odd)} files have names that are no valid text and are left out; the first is {str(odd[0])!r}."
        warnings.warn(message.encode(errors="backslashreplace").decode(), stacklevel=4)
    return [path for path in files if path not in odd]


def _distinct(files: list[Path]) -> list[Path]:
    """Every file once: links to a file that stands in the folder itself, or again, are left out with a warning."""
    kept: dict[str, Path] = {}
    for path in sorted(files, key=Path.is_symlink):
        kept.setdefault(_whole_path(path), path)
    again = [path for path in files if kept[_whole_path(path)] != path]
    if again:
        first = f"{again[0]} is {kept[_whole_path(again[0])]}"
        message = f"{len(again)} links to files that are there already are left out; the first: {first}."
        warnings.warn(message, stacklevel=4)
    left = set(again)
    return [path for path in files if path not in left]


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _join_metadata(records: dict[str, CatalogueRow], metadata: Path) -> None:
    """Fill in what `metadata` knows of each file, as `_Names` finds it."""
    names = _Names(records)
    unmatched: list[str] = []
    ambiguous: list[str] = []
    seen: dict[str, str] = {}
    for where, record in _read_rows(metadata):
        name = record.get("path") or record.get("id") or record.get("filename")
        if name is None:
            raise CatalogueError(f"{where}: none of the columns id, path and filename says which file it is about.")
        found = names.fitting(str(name))
        if not found:
            unmatched.append(f"{where} ('{name}')")
        elif len(found) > 1:
            ambiguous.append(f"{where}: '{name}' fits {', '.join(found[:3])}{', …' * (len(found) > 3)}")
        elif found[0] in seen:
            raise CatalogueError(f"{where}: '{name}' is the file that {seen[found[0]]} describes already.")
        else:
            seen[found[0]] = where
            kept = {key: value for key, value in record.items() if key not in {"id", "path"} and value is not None}
            records[found[0]] |= kept
    _tell_of_rows(metadata, unmatched, ambiguous, bool(seen))


def _tell_of_rows(metadata: Path, unmatched: list[str], ambiguous: list[str], any_seen: bool) -> None:
    """Warn of rows that name no file or several.

    Raises
    ------
    CatalogueError
        All rows name none.
    """
    if not any_seen and not ambiguous:
        raise CatalogueError(f"{metadata}: none of its {len(unmatched)} rows names a file of the folder.")
    if unmatched:
        message = f"{metadata}: {len(unmatched)} rows name no file of the folder; the first is {unmatched[0]}."
        warnings.warn(message, stacklevel=5)
    if ambiguous:
        more = len(ambiguous) - _MOST_NAMED
        lines = [*ambiguous[:_MOST_NAMED], *([f"and {more} more"] if more > 0 else [])]
        message = f"{metadata}: {len(ambiguous)} rows fit several files and are left out; give the path in the folder."
        warnings.warn("\n  ".join([message, *lines]), stacklevel=5)


class _Names:
    """By which names a table may call the files of a folder.

    Parameters
    ----------
    records : rows by their path inside the folder.
    """

    def __init__(self, records: Mapping[str, CatalogueRow]) -> None:
        self._exact = {str(row["path"]): name for name, row in records.items()} | {name: name for name in records}
        self._loose: dict[str, list[str]] = {}
        for name in records:
            for alias in {name.rsplit(".", 1)[0], Path(name).name, Path(name).stem}:
                self._loose.setdefault(alias, []).append(name)

    def fitting(self, name: str) -> list[str]:
        """The file of that path, inside the folder or absolute; else those of that name, or of it without ending."""
        exact = self._exact.get(name) or self._exact.get(_followed(name))
        return [exact] if exact else self._loose.get(name, [])


def _followed(name: str) -> str:
    """An absolute path behind any links."""
    return os.path.realpath(name) if Path(name).is_absolute() else name


def read_metadata(path: Path) -> list[CatalogueRow]:
    """Rows of a CSV or Parquet table; relative paths are taken from the table's own folder.

    Raises
    ------
    CatalogueError
        The file is not readable, has no rows or no ids, or a value is not what its column holds.
    """
    records: list[CatalogueRow] = []
    for where, record in _read_rows(path):
        if record.get("id") is None and record.get("path") is None:
            raise CatalogueError(f"{where}: has neither an id nor a path; one of them must say what it is.")
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
        raise CatalogueError(f"{path}: has neither a column id nor path; its columns are {', '.join(frame.columns)}.")
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
