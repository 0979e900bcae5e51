"""Metadata in a media file's own tags: artist, title, genre, year."""

import re
from collections.abc import Mapping

from antiphon.catalogue.unknown import is_no_title, is_unknown
from antiphon.catalogue.validation import CatalogueRow, clean_record
from antiphon.errors import CatalogueError
from antiphon.media.container import media_errors, open_container, read_start
from antiphon.media.id3 import MAX_BYTES, id3_artists

# FFmpeg's names for the tags of ID3, Vorbis comments, MP4 and Matroska, in order of preference.
_NAMES = {
    "artist": ("artists", "artist", "album_artist", "performer"),
    "title": ("title",),
    "genre": ("genre",),
    "year": ("date", "year", "originaldate", "date_released"),
}
TAG_COLUMNS = tuple(_NAMES)
"""Columns of a catalogue that tags may fill."""
_WITH_ID3 = ("mp3", "aac")
_NO_GENRE = "other"  # What ID3 writes where its list of genres has no name.
_MAX_CHARACTERS = 200
_YEAR = re.compile(r"(?:1[89]|20)\d\d")


def file_tags(uri: str) -> CatalogueRow:
    """Read the tags of a file.

    Tags of the container take precedence over those of its streams. Of a date only the year is kept. Tags are
    untrusted: control characters are removed, text is cut at 200 characters, and placeholders such as "Unknown Artist"
    are ignored. Several tags of one artist each are one value, separated by semicolons.

    Parameters
    ----------
    uri : str
        Path or address of the file.

    Returns
    -------
    CatalogueRow
        Usable tags by column of the catalogue.

    Raises
    ------
    DecodeError
        The file cannot be read.
    """
    with open_container(uri) as container, media_errors(uri):
        said = [container.metadata, *(stream.metadata for stream in container.streams)]
        tagged = container.format.name in _WITH_ID3
    artists = id3_artists(read_start(uri, MAX_BYTES)) if tagged else []
    if len(artists) > 1:
        said.insert(0, {"artists": ";".join(artists)})
    tags: dict[str, str] = {}
    for each in said:
        for name, value in each.items():
            tags.setdefault(name.casefold(), value)
    return usable_tags(tags)


def usable_tags(tags: Mapping[str, str]) -> CatalogueRow:
    """Convert tags to columns of the catalogue.

    Parameters
    ----------
    tags : mapping of str to str
        Tags by lower-case name.

    Returns
    -------
    CatalogueRow
        Usable tags by column.

    Examples
    --------
    >>> usable_tags({"artist": "Unknown Artist", "album_artist": "Karissa Hobbs", "date": "2016-03-18T12:24:48"})
    {'artist': 'Karissa Hobbs', 'year': 2016}
    """
    found: CatalogueRow = {}
    for column, names in _NAMES.items():
        values = (_plain(tags.get(name, "")) for name in names)
        said = next((value for value in values if _says_something(column, value)), None)
        if column == "artist" and said is not None:
            said = _several(said) or None
        if column == "year":
            year = _YEAR.search(said or "")
            said = year[0] if year else None
        if said is None:
            continue
        try:
            found[column] = clean_record({column: said}, "tags")[column]
        except CatalogueError:
            continue
    return found


def _says_something(column: str, value: str) -> bool:
    if column == "title":
        return not is_no_title(value)
    return not is_unknown(value) and not (column == "genre" and value.casefold() == _NO_GENRE)


def _several(artists: str) -> str:
    """Return artists between semicolons, as several tags are read, without those that are unknown."""
    names = (name.strip() for name in artists.split(";"))
    return "; ".join(dict.fromkeys(name for name in names if not is_unknown(name)))


def _plain(value: str) -> str:
    text = "".join(character if character.isprintable() else " " for character in value)
    return " ".join(text.split())[:_MAX_CHARACTERS].rstrip()
