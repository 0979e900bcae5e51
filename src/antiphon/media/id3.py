"""Several values of one ID3 frame, of which FFmpeg reads the first: artists who made a song together."""

from collections.abc import Iterator

_HEADER, _V22 = 10, 2
_UNSYNCHRONISED, _EXTENDED = 0x80, 0x40
# In the second byte of a frame's flags: compressed or encrypted, and unsynchronised.
_PACKED, _PACKED_V23, _LOOSE = 0x0C, 0xC0, 0x02
_ENCODINGS = {0: "latin-1", 1: "utf-16", 2: "utf-16-be", 3: "utf-8"}
_ARTIST, _FURTHER = ("TPE1", "TP1"), "TXXX"

MAX_BYTES = 1 << 20
"""How much of a file's start is looked at."""


def id3_artists(start: bytes) -> list[str]:
    """Return the artists of an ID3 tag, in version 2.2 to 2.4.

    Parameters
    ----------
    start : bytes
        Start of a file, which may be damaged or something else.

    Returns
    -------
    list of str
        The values of the artist's frames, or of the list ARTISTS that taggers keep beside them where that has more;
        empty where there is no such tag.
    """
    artists: list[str] = []
    listed: list[str] = []
    for name, body in _frames(start):
        values = _values(body)
        if name in _ARTIST:
            artists += values
        elif name == _FURTHER and values[:1] and values[0].upper() == "ARTISTS":
            listed += values[1:]
    return listed if len(listed) > len(artists) else artists


def _frames(start: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the names and bodies of the frames; what is damaged ends the list."""
    if len(start) < _HEADER or start[:3] != b"ID3":
        return
    version, flags = start[3], start[5]
    tag = start[_HEADER : _HEADER + _syncsafe(start[6:10])]
    if flags & _UNSYNCHRONISED and version < 4:  # Later versions do it frame by frame.
        tag = tag.replace(b"\xff\0", b"\xff")
    place = 0
    if flags & _EXTENDED and version > _V22:
        place = _syncsafe(tag[:4]) if version > 3 else 4 + int.from_bytes(tag[:4], "big")
    letters, header = (3, 6) if version == _V22 else (4, 10)
    while place + header <= len(tag) and tag[place] != 0:
        size = tag[place + letters : place + 2 * letters]
        length = _syncsafe(size) if version > 3 else int.from_bytes(size, "big")
        body = tag[place + header : place + header + length]
        how = 0 if version == _V22 else tag[place + 9]
        if len(body) == length and not how & (_PACKED if version > 3 else _PACKED_V23):
            loose = version > 3 and how & _LOOSE
            yield tag[place : place + letters].decode("latin-1"), body.replace(b"\xff\0", b"\xff") if loose else body
        place += header + length


def _syncsafe(size: bytes) -> int:
    """Return a number of seven bits a byte."""
    number = 0
    for byte in size:
        number = number << 7 | byte & 0x7F
    return number


def _values(body: bytes) -> list[str]:
    """Return the texts of a frame."""
    encoding = _ENCODINGS.get(body[0]) if body else None
    if encoding is None:
        return []
    zero = b"\0\0" if encoding.startswith("utf-16") else b"\0"
    values = _split(body[1:], zero)
    texts = [value.decode(encoding, errors="replace") for value in values]
    return [text.removeprefix("\ufeff") for text in texts if text.strip("\ufeff \0")]


def _split(data: bytes, zero: bytes) -> list[bytes]:
    """Split at zeros of a character's width."""
    width = len(zero)
    characters = [data[place : place + width] for place in range(0, len(data), width)]
    values: list[list[bytes]] = [[]]
    for character in characters:
        if character == zero:
            values.append([])
        else:
            values[-1].append(character)
    return [b"".join(value) for value in values]
