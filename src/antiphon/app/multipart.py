"""The first file of a form, taken out of the body piece by piece, so that nothing has to be kept."""

from fastapi import HTTPException
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header


class FilePart:
    """Reads a body of the type multipart/form-data.

    Parameters
    ----------
    content_type : str
        The header, with its boundary.

    Attributes
    ----------
    done : object
        Whether the first file has ended.

    Raises
    ------
    HTTPException
        422: the header has no boundary, or (when fed) the body is not such a form.
    """

    def __init__(self, content_type: str) -> None:
        boundary = parse_options_header(content_type)[1].get(b"boundary")
        if not boundary:
            raise HTTPException(422, "The form has no boundary.")
        self._found = bytearray()
        self._header, self._value = b"", b""
        self._within = self.done = False
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
        """Take a piece of the body; what it holds of the first file."""
        self._found.clear()
        try:
            self._parser.write(piece)
        except MultipartParseError:
            raise HTTPException(422, "The form is damaged.") from None
        return bytes(self._found)

    def _begin(self) -> None:
        self._header, self._value = b"", b""

    def _name(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _text(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._header.lower() == b"content-disposition" and not self.done:
            self._within = b"filename" in parse_options_header(self._value)[1]
        self._header, self._value = b"", b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._within:
            self._found += data[start:end]

    def _end(self) -> None:
        self.done = self.done or self._within
        self._within = False
