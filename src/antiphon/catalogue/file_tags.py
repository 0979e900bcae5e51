"""What a media file says of itself in its tags: artist, title, genre, year."""

import re
from collections.abc import Mapping

from antiphon.catalogue.validation import CatalogueRow, clean_record
from antiphon.errors import CatalogueError, DecodeError
from antiphon.media.container import media_errors, open_container

# FFmpeg's names for the tags of ID3, Vorbis comments, MP4 and Matroska, the telling ones first.
_NAMES = {
    "artist": ("artist", "album_artist", "performer"),
    "title": ("title",),
    "genre": ("genre",),
    "year": ("date", "year", "originaldate", "date_released"),
}
_SAYS_NOTHING = frozenset({"unknown", "unknown artist", "various", "various artists", "untitled", "other", "none"})
_LONGEST = 200
_YEAR = re.compile(r"(?:1[89]|20)\d\d")


def file_tags(uri: str) -> CatalogueRow:
    """What the file says, under the catalogue's column names; what it does not say, or not usably, is left out.

    Tags of the container count before those of its streams. Of a date the year is kept. Tags come from whoever made the
    file: control characters go, the text is cut at 200 characters, and names such as "Unknown Artist" say nothing. A
    file that cannot be read says nothing; why is for `probe` to tell.
    """
    try:
        with open_container(uri) as container, media_errors(uri):
            said = [container.metadata, *(stream.metadata for stream in container.streams)]
    except DecodeError:
        return {}
    tags: dict[str, str] = {}
    for each in said:
        for name, value in each.items():
            tags.setdefault(name.casefold(), value)
    return usable_tags(tags)


def usable_tags(tags: Mapping[str, str]) -> CatalogueRow:
    """The catalogue's columns from tags by their names in small letters.

    Examples
    --------
    >>> usable_tags({"artist": "Unknown Artist", "album_artist": "Karissa Hobbs", "date": "2016-03-18T12:24:48"})
    {'artist': 'Karissa Hobbs', 'year': 2016}
    """
    found: CatalogueRow = {}
    for column, names in _NAMES.items():
        values = (_plain(tags.get(name, "")) for name in names)
        said = next((value for value in values if value and value.casefold() not in _SAYS_NOTHING), None)
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


def _plain(value: str) -> str:
    text = "".join(character if character.isprintable() else " " for character in value)
    return " ".join(text.split())[:_LONGEST].rstrip()
