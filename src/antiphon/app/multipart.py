"""Streaming extraction of the first file from a multipart form."""

from fastapi import HTTPException
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

_MAX_BOUNDARY_BYTES = 70
"""As in RFC 2046."""


class FilePart:
    """Parser of a multipart/form-data body that keeps only its first file.

    Parameters
    ----------
    content_type : str
        The Content-Type header, with its boundary.

    Attributes
    ----------
    done : bool
        Whether the first file is complete.
    file_name : bytes
        Name of the first file, which browsers leave empty where none was chosen; it is only shown.

    Raises
    ------
    HTTPException
        422: the header has no boundary, or (in `feed`) the body is malformed.
    """

    def __init__(self, content_type: str) -> None:
        boundary = parse_options_header(content_type)[1].get(b"boundary")
        if not boundary or len(boundary) > _MAX_BOUNDARY_BYTES:
            raise HTTPException(422, "The form has no boundary, or one that is too long.")
        self._found = bytearray()
        self._header, self._value = b"", b""
        self._within = self.done = False
        self.file_name = b""
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._name,
                "on_header_value": self._text,
                "on_header_end": self._header_end,
                "on_part_data": self._data,
                "on_part_end": self._end,
            },
        )

    def feed(self, piece: bytes) -> bytes:
        """Parse a chunk of the body.

        Parameters
        ----------
        piece : bytes
            The chunk.

        Returns
        -------
        bytes
            The part of it that belongs to the first file.
        """
        self._found.clear()
        try:
            self._parser.write(piece)
        except FormParserError:
            raise HTTPException(422, "The form is malformed.") from None
        return bytes(self._found)

    def _begin(self) -> None:
        self._header, self._value = b"", b""

    def _name(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _text(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._header.lower() == b"content-disposition" and not self.done:
            options = parse_options_header(self._value)[1]
            self._within = b"filename" in options
            self.file_name = options.get(b"filename", b"")
        self._header, self._value = b"", b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._within:
            self._found += data[start:end]

    def _end(self) -> None:
        self.done = self.done or self._within
        self._within = False
