"""Addresses as they may be shown: without what gives access to them."""

import re

# In a text nothing tells where an address ends, so rather too much is taken out than too little.
_USER = re.compile(r"(?<=://)[^\s?#<>]*@")
_QUERY = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^?\n]+\?)\S*[^\s.,;:)\]'\"]", re.IGNORECASE)


def shown_address(address: str) -> str:
    """Return an address without user, password and query, which may be a signature; a path as it is.

    Parameters
    ----------
    address : str
        One address, or a path.

    Returns
    -------
    str
        The address; "…" stands for what was taken out.

    Examples
    --------
    >>> shown_address("https://me:p@ss@a.example/My Song.mp4?X-Amz-Signature=1f2e")
    'https://…@a.example/My Song.mp4?…'
    >>> shown_address("s3://bucket/@home/what?.mp4"), shown_address("songs/what?.mp4")
    ('s3://bucket/@home/what?…', 'songs/what?.mp4')
    """
    user, rest, query = _parted(address)
    return address if rest == address else f"{_scheme(address)}{'…@' if user else ''}{rest}{'?…' if query else ''}"


def public_address(address: str) -> str:
    """Return an address without user, password and query, as a name for what lies there.

    Examples
    --------
    >>> public_address("https://me:secret@a.example/x.mp4?X-Amz-Signature=1f2e")
    'https://a.example/x.mp4'
    """
    _, rest, _ = _parted(address)
    return address if rest == address else f"{_scheme(address)}{rest}"


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


def _scheme(address: str) -> str:
    return address.partition("://")[0] + "://"


def _parted(address: str) -> tuple[str, str, str]:
    """Return user and password, what is between, and the query of an address; of a path itself alone."""
    scheme, mark, rest = address.partition("://")
    if not mark or "/" in scheme:
        return "", address, ""
    rest, _, query = rest.partition("?")
    host = rest.partition("/")[0]
    if "@" in host:
        user, _, host = host.rpartition("@")
        return user, host + rest[len(user) + 1 + len(host) :], query
    # A password may have slashes: what is before the first one then ends like a port that is no number.
    if "@" in rest and ":" in host and not host.rpartition(":")[2].isdigit():
        user, _, rest = rest.rpartition("@")
        return user, rest, query
    return "", rest, query
