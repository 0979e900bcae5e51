"""Rows of the tables that people write about their music videos."""

import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from antiphon.catalogue.dates import year_of
from antiphon.catalogue.validation import CatalogueRow, clean_record
from antiphon.errors import CatalogueError
from antiphon.plurals import counted
from antiphon.spreadsheets import Row, Spreadsheet, read_spreadsheet
from antiphon.spreadsheets.headers import Words
from antiphon.tables import CATALOGUE

_NAMING = ("id", "path", "filename")
# Columns that other parts read: the release, for the year and for recommending by date, and whether Antiphon rendered a
# video.
_RELEASE = ("release_date", "released")
_FURTHER = (*_RELEASE, "date", "synthetic")
ASKED: Mapping[str, Words] = {
    "path": Words(
        (
            *(
                "file",
                "filepath",
                "filelocation",
                "location",
                "pfad",
                "datei",
                "dateipfad",
                "chemin",
                "fichier",
                "ruta",
            ),
            *(
                "chemindufichier",
                "percorso",
                "ścieżka",
                "dosyayolu",
                "путь",
                "パス",
                "ファイル",
                "路径",
                "文件路径",
                "경로",
                "url",
            ),
        ),
        ("filename",),
    ),
    "filename": Words(
        (
            *(
                "dateiname",
                "nomdefichier",
                "nomdufichier",
                "nombredearchivo",
                "nomefile",
                "nomedoarquivo",
                "nazwapliku",
            ),
            *("dosyaadı", "имяфайла", "ファイル名", "文件名", "파일명"),
        ),
        ("path", "id"),
    ),
    "id": Words(("videoid", "trackid", "identifier", "ids"), ("path", "filename")),
    "artist": Words(
        (
            *(
                "interpret",
                "interprète",
                "künstler",
                "artista",
                "artiest",
                "wykonawca",
                "sanatçı",
                "şarkıcı",
                "kunstner",
            ),
            *("esittäjä", "исполнитель", "アーティスト", "アーティスト名", "艺术家", "歌手", "아티스트", "가수"),
            *("artistname", "mainartist", "trackartist", "albumartist", "band", "performer", "singer", "musician"),
        )
    ),
    "title": Words(
        (
            *(
                "titre",
                "título",
                "titolo",
                "tytuł",
                "başlık",
                "şarkı",
                "название",
                "曲名",
                "タイトル",
                "歌名",
                "标题",
                "제목",
            ),
            *("songtitle", "tracktitle", "trackname", "videotitle", "songname", "song"),
        )
    ),
    "genre": Words(
        (
            *("género", "genere", "gatunek", "müziktürü", "musikrichtung", "жанр", "ジャンル", "流派", "장르"),
            *("style", "stil", "musicstyle", "musikstil", "musicgenre"),
        )
    ),
    "tags": Words(
        (
            "keywords",
            "stichwörter",
            "schlagwörter",
            "schlagworte",
            "etiquetas",
            "étiquettes",
            "motsclés",
            "タグ",
            "标签",
        )
    ),
    "year": Words(
        (
            *("jahr", "année", "año", "anno", "jaar", "rok", "yıl", "год", "年", "年份", "연도"),
            *("erscheinungsjahr", "releaseyear", "yearofrelease"),
        )
    ),
    "split": Words(("subset", "partition")),
}
"""Columns that people write about music videos, and other words for them."""
_MAX_NAMED = 10


def read_rows(path: Path) -> list[tuple[str, CatalogueRow]]:
    """Read the rows of a table with their places; rows that stand there twice are read once.

    Parameters
    ----------
    path : Path
        CSV or Parquet table; see `read_spreadsheet`.

    Returns
    -------
    list of (str, CatalogueRow)
        "songs.csv, row 3" and its values by column of the catalogue, for each row.

    Raises
    ------
    CatalogueError
        The table cannot be read, has no rows, names no files, or values do not fit their columns.
    """
    table = read_spreadsheet(path, [*CATALOGUE.names, "filename", *_FURTHER], ASKED)
    if not set(_NAMING) & set(table.columns):
        raise CatalogueError(
            f"{path}: needs a column id, path or filename; its columns are {', '.join(table.columns) or 'none'}."
        )
    if not table.rows:
        raise CatalogueError(f"{path}: has no rows. A catalogue needs at least one music video.")
    rows = _cleaned(table)
    once: dict[str, tuple[str, CatalogueRow]] = {}
    again: list[str] = []
    for where, row in rows:
        if once.setdefault(repr(sorted(row.items(), key=lambda item: item[0])), (where, row))[0] != where:
            again.append(where)
    if again:
        rows_repeat = counted(len(again), "row repeats", "rows repeat")
        warnings.warn(f"{path}: {rows_repeat} an earlier one; {again[0]} is the first.", stacklevel=4)
    return list(once.values())


def _cleaned(table: Spreadsheet) -> list[tuple[str, CatalogueRow]]:
    rows: list[tuple[str, CatalogueRow]] = []
    wrong: list[str] = []
    for row in table.rows:
        try:
            rows.append((row.where, _clean(row)))
        except CatalogueError as error:
            wrong.append(str(error))
    if wrong:
        more = [f"And {len(wrong) - _MAX_NAMED} more rows."] if len(wrong) > _MAX_NAMED else []
        raise CatalogueError("\n".join([*wrong[:_MAX_NAMED], *more]))
    return rows


def _clean(row: Row) -> CatalogueRow:
    found = clean_record(row.values, row.where, row.text)
    if found.get("year") is None and (year := _year_of_release(found)) is not None:
        return found | {"year": year}
    return found


def _year_of_release(row: CatalogueRow) -> int | None:
    """Return the year of the date in a further column; None where there is none that can be read."""
    for column in _RELEASE:
        with suppress(ValueError):
            if (year := year_of(row.get(column) or "")) is not None:
                return year
    return None


def unread_columns(columns: list[str]) -> list[str]:
    """Return the columns of a catalogue that are kept as they are, and that nothing reads.

    Parameters
    ----------
    columns : list of str
        Names of the columns.

    Returns
    -------
    list of str
        Names without a meaning.

    Examples
    --------
    >>> unread_columns(["id", "mood", "release_date"])
    ['mood']
    """
    return [name for name in columns if name not in {*CATALOGUE.names, *_FURTHER, "filename"}]
