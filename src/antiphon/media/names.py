"""What the name of a media file tells."""

import re
from urllib.parse import unquote

MEDIA_SUFFIXES = frozenset(
    {".3gp", ".aac", ".aif", ".aiff", ".avi", ".flac", ".flv", ".m2ts", ".m4a", ".m4v", ".mka", ".mkv", ".mov"}
    | {".mp3", ".mp4", ".mpeg", ".mpg", ".oga", ".ogg", ".ogv", ".opus", ".ts", ".wav", ".webm", ".wma", ".wmv"}
)

_FILE_ADDRESS = re.compile(r"file:(?:/|//(?:localhost|127\.0\.0\.1)?/+)(?!/)", re.IGNORECASE)


def title_from_id(id: str) -> str:
    """Return what to call a music video without a title: its file's name without the ending.

    Examples
    --------
    >>> title_from_id("live/Some Song.mp4"), title_from_id("no.42")
    ('Some Song', 'no.42')
    """
    name = id.rsplit("/", 1)[-1]
    stem, dot, ending = name.rpartition(".")
    return stem if stem and f"{dot}{ending}".lower() in MEDIA_SUFFIXES else name or id


def local_path(uri: str) -> str | None:
    """Return the path of a file of this machine, whether given as a path or as a `file://` address.

    Parameters
    ----------
    uri : str
        Path or address.

    Returns
    -------
    str or None
        The path; None for an address of another machine or store.

    Examples
    --------
    >>> local_path("/music/a b.mp4"), local_path("FILE://localhost/music/a%20b.mp4"), local_path("s3://music/a.mp4")
    ('/music/a b.mp4', '/music/a b.mp4', None)
    """
    local = _FILE_ADDRESS.match(uri)
    if local is not None:
        return unquote(uri[local.end() - 1 :], errors="surrogateescape")
    return None if "://" in uri else uri
