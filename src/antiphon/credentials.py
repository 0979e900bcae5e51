"""Addresses as they may be shown: without what gives access to them."""

import re

_USER = re.compile(r"(?<=://)[^\s/?#@'\"<>]+@")
_QUERY = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s?#'\"<>]+\?)[^\s#'\"<>]*[^\s#'\"<>.,;:)\]]", re.IGNORECASE)


def without_credentials(text: str) -> str:
    """Return a text in which addresses have neither user and password nor a query, which may be a signature.

    Parameters
    ----------
    text : str
        Any text, such as an error's message.

    Returns
    -------
    str
        The text; "…" stands for what was taken out.

    Examples
    --------
    >>> without_credentials("https://me:secret@a.example/x.mp4?X-Amz-Signature=1f2e: no such file.")
    'https://…@a.example/x.mp4?…: no such file.'
    """
    return _QUERY.sub(r"\1…", _USER.sub("…@", text)) if "://" in text else text
