"""What clients call their files, as plain text."""

import unicodedata

UNNAMED = "Your file"
_MAX_NAME = 120


def plain_name(name: str) -> str:
    """Return a client's name of a file as plain text: its last part, without characters that are not shown.

    Parameters
    ----------
    name : str
        Any text.

    Returns
    -------
    str
        At most 120 characters; "Your file" for nothing.

    Examples
    --------
    >>> plain_name("C:\\\\films\\\\Demo 3.mp4"), plain_name("../../etc/passwd"), plain_name("..")
    ('Demo 3.mp4', 'passwd', 'Your file')
    """
    last = name.replace("\\", "/").rpartition("/")[2]
    shown = "".join(sign for sign in last if unicodedata.category(sign)[0] != "C").strip()
    if len(shown) > _MAX_NAME:
        stem, dot, ending = shown.rpartition(".")
        shown = f"{stem[: _MAX_NAME - 8]}….{ending[:6]}" if dot and len(ending) < 7 else shown[:_MAX_NAME]
    return shown if shown.strip(". ") else UNNAMED
