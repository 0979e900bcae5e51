"""Million Song Dataset with Choi's 50 tags and splits, joined to files of your own.

Lists: https://github.com/keunwoochoi/MSD_split_for_tagging (Choi et al. 2016, https://arxiv.org/abs/1606.00298), the
convention of music tagging and of Veldkamp et al. (2023). The data set itself comes without media.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from antiphon.catalogue.catalogue import Catalogue
from antiphon.catalogue.column_words import ASKED
from antiphon.catalogue.file_names import FilesBeside
from antiphon.catalogue.importers.imported import Imported
from antiphon.catalogue.validation import CatalogueRow, clean_record
from antiphon.documents import refuse_no_file
from antiphon.errors import CatalogueError
from antiphon.spreadsheets import read_spreadsheet
from antiphon.spreadsheets.encoding import decode
from antiphon.tables import CATALOGUE

_TAGS = (
    "rock,pop,alternative,indie,electronic,female vocalists,dance,00s,alternative rock,jazz,beautiful,metal,chillout,"
    "male vocalists,classic rock,soul,indie rock,Mellow,electronica,80s,folk,90s,chill,instrumental,punk,oldies,blues,"
    "hard rock,ambient,acoustic,experimental,female vocalist,guitar,Hip-Hop,70s,party,country,easy listening,sexy,"
    "catchy,funk,electro,heavy metal,Progressive rock,60s,rnb,indie pop,sad,House,happy"
)
CHOI_TAGS: tuple[str, ...] = tuple(_TAGS.split(","))
"""The 50 tags in the order of the columns of the label files."""
_PARTS = {"train": "train", "valid": "validation", "test": "test"}
_ID_FILES = ("{part}_x_msd_id.txt", "choi_{part}_ids.txt")
_LABEL_FILES = ("{part}_y.npy", "choi_{part}_y.npy")
_ID = re.compile(r"TR[A-Z]{5}[0-9A-F]{11}")


def read_msd(media: Path, lists: Path, wanted: Path | None = None) -> Imported:
    """Build a catalogue of the songs that have a file, with Choi's tags and splits.

    Parameters
    ----------
    media : Path
        CSV or Parquet with the columns msd_id and path, and any of artist, title, genre, year. Relative paths start at
        its folder. Rows without a path, or whose file does not exist, count as missing.
    lists : Path
        Folder with Choi's lists: `train_x_msd_id.txt` and `train_y.npy`, the same for valid and test. Missing parts are
        skipped.
    wanted : Path, optional
        Text file with one id per line, such as the paper's list; ids may be repeated.

    Returns
    -------
    Imported
        The catalogue; `missing` lists the ids of `media`, then of `wanted`, without a file.

    Raises
    ------
    CatalogueError
        A file is missing or malformed, or no song has a file.
    """
    listed = _read_lists(lists)
    rows: list[CatalogueRow] = []
    missing: dict[str, None] = {}
    seen: dict[str, str] = {}
    for where, row in _media_rows(media):
        name = row["id"]
        if name in seen:
            raise CatalogueError(f"{where}: '{name}' is in {seen[name]} too. Keep one file per id.")
        seen[name] = where
        if row["path"] is None or not Path(row["path"]).is_file():
            missing[name] = None
            continue
        split, tags = listed.get(name, (None, []))
        rows.append(row | {"split": split, "tags": tags})
    if not rows:
        raise CatalogueError(f"{media}: none of its {len(seen)} rows names an existing file.")
    if wanted is not None:
        missing |= dict.fromkeys(name for name in _read_ids(wanted) if name not in seen)
    unlisted = tuple(row["id"] for row in rows if row["id"] not in listed)
    return Imported(Catalogue(rows), tuple(missing), unlisted)


def _media_rows(media: Path) -> Iterator[tuple[str, CatalogueRow]]:
    table = read_spreadsheet(media, ["msd_id", *CATALOGUE.names], ASKED)
    if not {"msd_id", "path"} <= set(table.columns):
        raise CatalogueError(
            f"{media}: needs the columns msd_id and path; its columns are {', '.join(table.columns) or 'none'}."
        )
    beside = FilesBeside(media.parent)
    for row in table.rows:
        cleaned = clean_record(row.values | {"id": row.values["msd_id"]}, row.where, row.text)
        del cleaned["msd_id"]
        path = None if cleaned["path"] is None else beside.place(cleaned["path"])
        yield row.where, cleaned | {"id": _checked(cleaned["id"], row.where), "path": path}


def _read_lists(folder: Path) -> dict[str, tuple[str, list[str]]]:
    """Return split and tags of each id."""
    found: dict[str, tuple[str, list[str]]] = {}
    for part, split in _PARTS.items():
        ids_file, labels_file = (_existing(folder, names, part) for names in (_ID_FILES, _LABEL_FILES))
        if ids_file is None or labels_file is None:
            continue
        ids = _read_ids(ids_file)
        labels = _read_labels(labels_file, len(ids))
        for name, row in zip(ids, labels, strict=True):
            if name in found:
                raise CatalogueError(f"{ids_file}: '{name}' occurs twice, or in another split too.")
            found[name] = (split, [CHOI_TAGS[column] for column in np.flatnonzero(row)])
    if not found:
        raise CatalogueError(
            f"{folder}: has none of Choi's lists, such as test_x_msd_id.txt with test_y.npy. Download them from "
            "https://github.com/keunwoochoi/MSD_split_for_tagging."
        )
    return found


def _existing(folder: Path, names: tuple[str, ...], part: str) -> Path | None:
    return next((path for name in names if (path := folder / name.format(part=part)).is_file()), None)


def _read_ids(path: Path) -> list[str]:
    try:
        lines = decode(path.read_bytes(), path).text.splitlines()
    except OSError as error:
        raise CatalogueError(f"{path}: cannot be read as text: {error}") from error
    return [_checked(line.strip(), f"{path}, line {number}") for number, line in enumerate(lines, 1) if line.strip()]


def _checked(name: str | None, where: str) -> str:
    if name is None or not _ID.fullmatch(name):
        raise CatalogueError(
            f"{where}: {name!r} is not a track id of the Million Song Dataset, such as TRAADIN128F931D672."
        )
    return name


def _read_labels(path: Path, rows: int) -> npt.NDArray[np.bool_]:
    try:
        refuse_no_file(path)
        # Mapped, so that a header that promises more than the file has is refused, not allocated.
        labels = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
        raise CatalogueError(f"{path}: cannot be read as a matrix of labels: {error}") from error
    shape = (rows, len(CHOI_TAGS))
    if not isinstance(labels, np.ndarray) or labels.shape != shape or labels.dtype.kind not in "buif":
        raise CatalogueError(f"{path}: must be a matrix of {shape[0]} ids × {shape[1]} tags, as its list of ids.")
    if not np.isin(labels, (0, 1)).all():
        raise CatalogueError(f"{path}: has values other than 0 and 1.")
    return np.asarray(labels, np.bool_)
