"""MTG-Jamendo: music under Creative Commons licences with tags for genre, instruments and mood; audio only.

https://github.com/MTG/mtg-jamendo-dataset (Bogdanov et al. 2019). Its splits keep every artist in one split.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from antiphon.catalogue.catalogue import Catalogue
from antiphon.catalogue.importers.imported import Imported
from antiphon.catalogue.validation import CatalogueRow
from antiphon.documents import read_document
from antiphon.errors import CatalogueError

_HEADER = ["TRACK_ID", "ARTIST_ID", "ALBUM_ID", "PATH", "DURATION", "TAGS"]
_GENRE = "genre---"


def read_jamendo(splits: Mapping[str, Path], audio: Path) -> Imported:
    """Build a catalogue of the tracks that have a file.

    Rows have an artist (its number), a genre (the first tag of that kind), all tags, and a split.

    Parameters
    ----------
    splits : mapping of str to Path
        Table of the data set, such as `autotagging_top50tags-test.tsv`, for some of "train", "validation" and "test".
    audio : Path
        Folder with the audio in full or low quality: 15/215.mp3, or 15/215.low.mp3.

    Returns
    -------
    Imported
        The catalogue; `missing` lists the tracks without a file.

    Raises
    ------
    CatalogueError
        A table is missing or has another layout, a track occurs twice, or no track has a file.
    """
    rows: list[CatalogueRow] = []
    missing: list[str] = []
    seen: dict[str, str] = {}
    for split, table in splits.items():
        for where, track, artist, path, tags in _tracks(table):
            if track in seen:
                raise CatalogueError(f"{where}: {track} is in {seen[track]} too. Keep every track in one split.")
            seen[track] = where
            file = _file(audio, path, where)
            if file is None:
                missing.append(track)
                continue
            genre = next((tag.removeprefix(_GENRE) for tag in tags if tag.startswith(_GENRE)), None)
            rows.append(
                {"id": track, "path": str(file), "artist": artist, "genre": genre, "tags": tags, "split": split}
            )
    if not rows:
        raise CatalogueError(
            f"{audio}: has none of the {len(seen)} tracks' files, such as 15/215.mp3 or 15/215.low.mp3. Name the "
            "folder with the folders 00 to 99."
        )
    return Imported(Catalogue(rows), tuple(missing), ())


def _tracks(table: Path) -> Iterator[tuple[str, str, str, str, list[str]]]:
    """Yield position, track, artist, path and tags of each line."""
    try:
        lines = read_document(table).splitlines()
    except (OSError, ValueError) as error:
        raise CatalogueError(f"{table}: cannot be read as text: {error}") from error
    if not lines or lines[0].split("\t") != _HEADER:
        raise CatalogueError(f"{table}: must start with the columns {' '.join(_HEADER)}, separated by tabs.")
    for number, line in enumerate(lines[1:], start=2):
        where = f"{table}, line {number}"
        values = [value.strip() for value in line.split("\t")]
        if len(values) < len(_HEADER) or not all(values[:4]):
            raise CatalogueError(f"{where}: needs a track, artist, album, path, duration and tags.")
        tags = list(dict.fromkeys(tag for tag in values[5:] if tag))
        wrong = [tag for tag in tags if "---" not in tag]
        if wrong:
            raise CatalogueError(f"{where}: tag {wrong[0]!r} has no kind; it must look like genre---rock.")
        yield where, values[0], values[1], values[3], tags


def _file(audio: Path, path: str, where: str) -> Path | None:
    relative = PurePosixPath(path)
    if relative.is_absolute() or ".." in relative.parts:
        raise CatalogueError(f"{where}: path {path!r} is outside the audio folder.")
    full = audio.resolve() / relative
    return next((file for file in (full, full.with_suffix(f".low{full.suffix}")) if file.is_file()), None)
