"""What media files begin with, and the types that they are served with."""

from pathlib import PurePosixPath
from urllib.parse import urlsplit

from antiphon.media.names import MEDIA_TYPES

HEAD_BYTES = 512
_BEGINNINGS = (
    *(b"\x1a\x45\xdf\xa3", b"OggS", b"fLaC", b"FLV\x01", b"ID3", b"caff", b"riff", b"RIFF", b"RIFX", b"RF64", b"BW64"),
    *(b"FORM", b"#!AMR", b"\x0bw", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3"),
)
_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp", b"moof", b"sidx", b"uuid"})
_TS_PACKET_BYTES = (188, 192, 204)


def begins_like_media(head: bytes) -> bool:
    """Return whether a file begins as media files of the formats that are read do.

    Parameters
    ----------
    head : bytes
        Its first `HEAD_BYTES` bytes.

    Returns
    -------
    bool
        Whether it does; a music file with rubbish at its start does not.

    Examples
    --------
    >>> begins_like_media(b"OggS" + bytes(100)), begins_like_media(b"root:x:0:0:root:/root:/bin/bash")
    (True, False)
    """
    if head.startswith(_BEGINNINGS) or head[4:8] in _BOXES:
        return True
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:  # A frame of MP3 or AAC.
        return True
    return any(
        head[start : start + 1] == b"\x47" == head[start + size : start + size + 1]
        for size in _TS_PACKET_BYTES
        for start in (0, 4)
    )


def media_type(uri: str) -> str:
    """Return the media type of a file by its name, whatever types the system knows.

    Parameters
    ----------
    uri : str
        Path or address.

    Returns
    -------
    str
        The type; that of binary data for what is neither audio nor video.

    Examples
    --------
    >>> media_type("a/Song.FLAC"), media_type("https://a.example/x.mkv?part=1.html"), media_type("x.html")
    ('audio/flac', 'video/x-matroska', 'application/octet-stream')
    """
    path = urlsplit(uri).path if "://" in uri else uri
    return MEDIA_TYPES.get(PurePosixPath(path).suffix.lower(), "application/octet-stream")
