"""Sources of rows: a folder of media files, a CSV or a Parquet table."""

import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from pathlib import Path

from antiphon.catalogue.file_names import FilesBeside
from antiphon.catalogue.listing import list_media, list_store, workspace_above
from antiphon.catalogue.metadata import join_metadata
from antiphon.catalogue.rows import read_rows
from antiphon.catalogue.validation import CatalogueRow, clean_record, shown
from antiphon.credentials import public_address, shown_address
from antiphon.errors import CatalogueError
from antiphon.media.names import MEDIA_SUFFIXES, local_path
from antiphon.places import Address, Place, place
from antiphon.plurals import counted

_MAX_NAMED = 3


def read_folder(folder: Place, metadata: Path | None, *, follow: bool = True) -> list[CatalogueRow]:
    """List the media files of a folder as rows, whose ids are their paths inside the folder.

    Parameters
    ----------
    folder : Path or Address
        Folder with media files.
    metadata : Path or None
        CSV or Parquet table with more about them; see `Catalogue.from_folder`.
    follow : bool, default True
        Follow links to files out of the folder.

    Returns
    -------
    list of CatalogueRow
        One row per file.

    Raises
    ------
    CatalogueError
        The folder is missing or has no media, or no row of `metadata` names one of its files.
    """
    metadata = None if metadata is None else _of_this_machine(metadata)
    if isinstance(folder, Address):
        local = local_path(folder.text)
        if local is None:
            return _read_address(folder, metadata)
        folder = Path(local)
    if folder.is_file():
        tables = "a table of them (.csv, .tsv, .txt or .parquet)"
        raise CatalogueError(f"{folder}: is a file. Name the folder with your music videos, or {tables}.")
    if not folder.is_dir():
        raise CatalogueError(f"{folder}: no such folder. Name the folder with your music videos.")
    workspace = workspace_above(folder)
    if workspace is not None:
        raise CatalogueError(f"{folder}: is part of the workspace {workspace}. Name the folder with your music videos.")
    listed = list_media(folder, follow=follow)
    files = _distinct(_nameable(listed.files))
    if not files:
        those = " but links that lead out of it" if listed.outward else ""
        endings = ", ".join(sorted(MEDIA_SUFFIXES)[:6])
        raise CatalogueError(f"{folder}: no media files ({endings}, …) in it or below{those}.")
    records = {
        path.relative_to(folder).as_posix(): clean_record(
            {"id": path.relative_to(folder).as_posix(), "path": _whole_path(path)}, f"{path}"
        )
        for path in files
    }
    if metadata is not None:
        join_metadata(records, metadata)
    return list(records.values())


def _read_address(folder: Address, metadata: Path | None) -> list[CatalogueRow]:
    found = list_store(folder)
    if not found:
        raise CatalogueError(f"{folder}: no media files ({', '.join(sorted(MEDIA_SUFFIXES)[:6])}, …) in it or below.")
    records = {name: clean_record({"id": name, "path": path}, f"{folder}/{name}") for name, path in found.items()}
    if metadata is not None:
        join_metadata(records, metadata)
    return list(records.values())


def media_files(paths: Iterable[Path]) -> list[Path]:
    """List files as they are, and the media files in folders and below, by their endings.

    Hidden files, whose name or folder starts with a dot, are skipped, and so are trash, thumbnails and workspaces.
    Links to files are followed wherever they lead, and listed if they are dangling; links to folders are not followed.

    Parameters
    ----------
    paths : iterable of Path
        Files and folders.

    Returns
    -------
    list of Path
        The files; those of a folder are sorted.
    """
    return [path for given in paths for path in (list_media(given).files if given.is_dir() else [given])]


def _whole_path(path: Path) -> str:
    """Return the path behind any links; a dangling link stands for itself."""
    return str(path.resolve() if path.is_file() else path.absolute())


def left_out(folder: Path, *, follow: bool = True) -> list[str]:
    """Describe what `read_folder` skips in a folder.

    Parameters
    ----------
    folder : Path
        Folder with media files.
    follow : bool, default True
        Follow links to files out of the folder.

    Returns
    -------
    list of str
        One sentence for each reason.
    """
    return list_media(folder, follow=follow).sentences()


def _one_file(path: Path) -> object:
    """Return what is the same for all names of a file: links and hard links."""
    try:
        about = path.stat()
    except OSError:
        return str(path.absolute())
    return (about.st_dev, about.st_ino) if about.st_ino else _whole_path(path)


def _nameable(files: list[Path]) -> list[Path]:
    """Drop files whose names are not valid text, with a warning."""
    bytes_alone = [path for path in files if any("\ud800" <= c <= "\udfff" for c in str(path))]
    control = [path for path in files if any(c < " " for c in str(path)) and path not in bytes_alone]
    for odd, words in (
        (bytes_alone, ("file whose name is not UTF-8", "files whose names are not UTF-8")),
        (control, ("file whose name has control characters", "files whose names have control characters")),
    ):
        if odd:
            shown = ", ".join(repr(str(path)) for path in odd[:_MAX_NAMED]) + ", …" * (len(odd) > _MAX_NAMED)
            message = f"Skipped {counted(len(odd), *words)}; to include them, rename them: {shown}."
            warnings.warn(message.encode(errors="backslashreplace").decode(), stacklevel=4)
    left = {*bytes_alone, *control}
    return [path for path in files if path not in left]


def _distinct(files: list[Path]) -> list[Path]:
    """Drop links to files that are listed already, with a warning."""
    kept: dict[object, Path] = {}
    keys = {path: _one_file(path) for path in files}
    for path in sorted(files, key=Path.is_symlink):
        kept.setdefault(keys[path], path)
    again = [path for path in files if kept[keys[path]] != path]
    if again:
        first = f"{again[0]} is {kept[keys[again[0]]]}{', …' * (len(again) > 1)}"
        links = counted(len(again), "link to a file that is listed already", "links to files that are listed already")
        message = f"Skipped {links}: {first}."
        warnings.warn(message, stacklevel=4)
    left = set(again)
    return [path for path in files if path not in left]


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
        The file is not readable, has no rows or no ids, or values do not fit their columns.
    """
    path = _of_this_machine(path)
    beside = FilesBeside(path.parent)
    records: list[CatalogueRow] = []
    rows = read_rows(path)
    _warn_of_notes(path, rows)
    seen: dict[object, str] = {}
    ids = _ids_of_addresses(str(record["path"] or record.get("filename")) for _, record in rows if record["id"] is None)
    for where, record in rows:
        record["path"] = record["path"] or record.get("filename")
        if record["id"] is None and record["path"] is None:
            raise CatalogueError(f"{where}: has neither an id nor a path. Give at least one of them.")
        record["id"] = record["id"] or ids[str(record["path"])]
        record["path"] = None if record["path"] is None else _place(beside, str(record["path"]), where)
        for key, what in _what_is_once(record):
            first = seen.setdefault(key, where)
            if first != where:
                rows_are = f"in rows {_number(first)} and {_number(where)}"
                raise CatalogueError(f"{path}: {what} is {rows_are}. Keep one row for each music video.")
        records.append(record)
    return records


def _of_this_machine(path: Path) -> Path:
    """Return the path of a table that is named by a `file:` address or from the home folder."""
    found = place(local_path(str(path)) or str(path))
    return found if isinstance(found, Path) else path


def _place(beside: FilesBeside, path: str, where: str) -> str:
    try:
        return beside.place(path)
    except (OSError, ValueError) as error:  # A name longer than any file's, or an escaped zero byte.
        reason = (error.strerror if isinstance(error, OSError) else str(error)) or "not a path"
        raise CatalogueError(f"{where}: {shown(path)} is no path of a file: {reason.lower()}. Correct it.") from error


def _what_is_once(record: CatalogueRow) -> list[tuple[object, str]]:
    """Return what no other row of a table may have, its id and its file by whatever name, with words for it."""
    path = record["path"]
    own: list[tuple[object, str]] = [(record["id"], f"id '{record['id']}'")]
    if path is None:
        return own
    return [*own, (("file", path if "://" in path else _one_file(Path(path))), f"the file {shown_address(path)}")]


def _number(where: str) -> str:
    return where.rsplit(" ", 1)[1]


def _warn_of_notes(path: Path, rows: Sequence[tuple[str, CatalogueRow]]) -> None:
    """Warn of a last row that seems to be a note: an id and nothing else, below an empty row, or of several words."""
    above = [" " in str(record["id"]) for _, record in rows[:-1]]
    where, record = rows[-1]
    says_more = any(value is not None for name, value in record.items() if name != "id")
    if says_more or not above:
        return
    apart = int(_number(where)) - int(_number(rows[-2][0])) > 1
    if apart or (" " in str(record["id"]) and not any(above)):
        message = f"{path}: row {_number(where)} has nothing but an id, '{record['id']}'. If it is a note, remove it."
        warnings.warn(message, stacklevel=4)


def _ids_of_addresses(paths: Iterable[str]) -> dict[str, str]:
    """Name paths and addresses: by themselves, without what gives access to them, which may change and is secret.

    Where that is the same for several, as for addresses that tell files apart by their query, a hash is added.
    """
    names = {path: public_address(path) for path in paths}
    used = Counter(names.values())
    return {
        path: name if used[name] == 1 else f"{name}#{blake2b(path.encode(), digest_size=6).hexdigest()}"
        for path, name in names.items()
    }
