"""What the name of a media file tells."""

import re
from pathlib import Path
from urllib.parse import unquote

from antiphon.credentials import public_address

MEDIA_TYPES = {
    **dict.fromkeys((".mp4", ".m4v", ".f4v"), "video/mp4"),
    **dict.fromkeys((".m4a", ".m4b", ".m4r"), "audio/mp4"),
    **dict.fromkeys((".mov", ".qt"), "video/quicktime"),
    **dict.fromkeys((".mkv", ".mk3d"), "video/x-matroska"),
    **dict.fromkeys((".ts", ".mts", ".m2ts", ".m2t"), "video/mp2t"),
    **dict.fromkeys((".mpeg", ".mpg", ".mpe", ".vob"), "video/mpeg"),
    **dict.fromkeys((".mp3", ".mp2", ".mpga"), "audio/mpeg"),
    **dict.fromkeys((".ogg", ".oga", ".opus", ".spx"), "audio/ogg"),
    **dict.fromkeys((".aac", ".adts"), "audio/aac"),
    **dict.fromkeys((".aif", ".aiff", ".aifc"), "audio/aiff"),
    **dict.fromkeys((".wav", ".wave"), "audio/wav"),
    **dict.fromkeys((".wmv", ".asf"), "video/x-ms-wmv"),
    ".3gp": "video/3gpp",
    ".3g2": "video/3gpp2",
    ".mj2": "video/mj2",
    ".webm": "video/webm",
    ".weba": "audio/webm",
    ".mka": "audio/x-matroska",
    ".ogv": "video/ogg",
    ".avi": "video/x-msvideo",
    ".flv": "video/x-flv",
    ".flac": "audio/flac",
    ".wma": "audio/x-ms-wma",
    ".w64": "audio/x-w64",
    ".caf": "audio/x-caf",
    ".ac3": "audio/ac3",
    ".eac3": "audio/eac3",
    ".amr": "audio/amr",
}
"""Media types by the endings of the formats that are read."""
MEDIA_SUFFIXES = frozenset(MEDIA_TYPES)
"""Endings of the files that are looked for in folders."""

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


def file_name(uri: str | Path) -> str:
    """Return the last part of a path, or of an address without its query, which may be a signature.

    Examples
    --------
    >>> file_name("/music/a?.mp4"), file_name("https://me:secret@a.example/b%20c.mp4?Signature=1f2e")
    ('a?.mp4', 'b%20c.mp4')
    """
    text = str(uri)
    return (local_path(text) or public_address(text)).rsplit("/", 1)[-1]


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
