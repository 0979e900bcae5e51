"""What a file is that is no media file, or that is one which nobody can read without its key."""

import re
from collections.abc import Iterator
from typing import BinaryIO
from uuid import UUID

_KINDS: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a ZIP archive"),
    (b"PK\x05\x06", "a ZIP archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x1f\x8b\x08", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"MSCF\x00\x00\x00\x00", "a cabinet archive"),
    (b"%PDF-", "a PDF document"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document"),
    (b"{\\rtf", "an RTF document"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"GIF87a", "a GIF picture"),
    (b"GIF89a", "a GIF picture"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"8BPS\x00\x01", "a Photoshop picture"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3\x00", "a SQLite database"),
    (b"PAR1", "a Parquet table"),
    (b"d8:announce", "a BitTorrent file"),
    (b"-----BEGIN PGP", "encrypted by PGP"),
    (b"Salted__", "encrypted by OpenSSL"),
    (b"age-encryption.org/", "encrypted by age"),
    (b"LUKS\xba\xbe", "an encrypted disk"),
)
# Packets of OpenPGP: a session key by public key or by password, with a length in one or two bytes.
_PGP = re.compile(rb"(?:[\x84\xc1].\x03|\x85..\x03|[\x8c\xc3].[\x04\x05][\x01-\x0d][\x00-\x03])", re.DOTALL)
_HTML = re.compile(rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
# Sample entries begin with six zero bytes and the number of a data reference.
_ENCRYPTED_ENTRY = re.compile(rb"(encv|enca|encs|drms|drmi)\x00{6}\x00[\x01-\x09]")
_MAX_BOXES = 64
_MAX_INDEX_BYTES = 1 << 24
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
# Content encryption, and the extended and the advanced one.
_ASF_PROTECTION = tuple(
    UUID(text).bytes_le
    for text in (
        "2211B3FB-BD23-11D2-B4B7-00A0C955FC6E",
        "298AE614-2622-4C17-B935-DAE07EE9289C",
        "43058533-6981-49E6-9B74-AD12CB86D58C",
    )
)
_TS_PACKETS = 200
_SAMPLE_ENCRYPTION = re.compile(rb"\x0f\x04(?:zavc|aacd|ac3d|ec3d)")


def foreign_kind(head: bytes) -> str | None:
    """Recognise what is certainly no media file by its first bytes, whatever its name.

    Parameters
    ----------
    head : bytes
        First bytes of the file.

    Returns
    -------
    str or None
        What it is, for a message; None if it may be media.

    Examples
    --------
    >>> foreign_kind(b"PK\\x03\\x04" + bytes(26)), foreign_kind(b"OggS")
    ('a ZIP archive', None)
    """
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "a WebP picture"
    if head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"avif", b"mif1"):
        return "a HEIF picture"
    if _HTML.match(head):
        return "text or a playlist (an HTML page)"
    if _PGP.match(head):
        return "encrypted by PGP"
    return next((kind for start, kind in _KINDS if head.startswith(start)), None)


def encryption(file: BinaryIO, head: bytes) -> str | None:
    """Find out whether the contents of a media file are encrypted.

    Parameters
    ----------
    file : BinaryIO
        The file, open for reading.
    head : bytes
        Its first bytes.

    Returns
    -------
    str or None
        What says so, for a message; None if nothing does.
    """
    if head[4:8] in (b"ftyp", b"moov", b"free", b"mdat", b"wide", b"skip"):
        found = next((match for index in _indexes(file) for match in _ENCRYPTED_ENTRY.finditer(index)), None)
        return f"MP4 with '{found[1].decode()}' streams" if found else None
    if head.startswith(_ASF):
        header = _read(file, 0, min(int.from_bytes(head[16:24], "little"), _MAX_INDEX_BYTES))
        return "Windows Media with DRM" if any(guid in header for guid in _ASF_PROTECTION) else None
    return _transport_encryption(file, head)


def _indexes(file: BinaryIO) -> Iterator[bytes]:
    """Yield the MP4's boxes that describe streams."""
    at = 0
    for _ in range(_MAX_BOXES):
        header = _read(file, at, 16)
        size, kind = int.from_bytes(header[:4], "big"), header[4:8]
        if size == 1:
            size = int.from_bytes(header[8:16], "big")
        if kind == b"moov":
            yield _read(file, at, min(size or _MAX_INDEX_BYTES, _MAX_INDEX_BYTES))
        if size < 8 or len(header) < 8:
            return
        at += size


def _transport_encryption(file: BinaryIO, head: bytes) -> str | None:
    for size, sync in ((188, 0), (192, 4)):
        if all(head[sync + place * size : sync + place * size + 1] == b"G" for place in range(2)):
            packets = _read(file, 0, _TS_PACKETS * size)
            scrambled = [byte >> 6 for byte in packets[sync + 3 :: size]]
            if sum(bits > 1 for bits in scrambled) > len(scrambled) / 2:
                return "a scrambled transport stream"
            return "a transport stream with encrypted samples" if _SAMPLE_ENCRYPTION.search(packets) else None
    return None


def _read(file: BinaryIO, at: int, size: int) -> bytes:
    file.seek(at)
    return file.read(size)
