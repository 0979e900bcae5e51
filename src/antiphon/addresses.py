"""Stores that fsspec knows (s3://, gs://, https://, …): opened with time limits, and what their errors mean in words.

fsspec and the package of a store are imported when an address is used, and not before.
"""

from collections.abc import Iterator
from typing import Any

from antiphon.credentials import without_credentials
from antiphon.errors import ConfigError

CONNECT_S, READ_S = 10, 20
"""How long a server may take to let in, and to go on with an answer, in seconds."""
_EXTRAS = {"s3": "antiphon[s3]", "s3a": "antiphon[s3]", "http": "antiphon[http]", "https": "antiphon[http]"}
_UNLISTED = {"use_listings_cache": False}
"""Settings of stores that would otherwise remember what was there."""
_ABSENT, _REFUSED = (404, 410), (401, 403)
_WORDS = (
    (("ClientConnectorCertificateError", "ClientSSLError", "SSLError", "SSLCertVerificationError"), "TLS fails"),
    (("TimeoutError", "FSTimeoutError", "ConnectTimeoutError", "ReadTimeoutError"), "the server does not answer"),
    (
        ("ServerDisconnectedError", "ClientPayloadError", "ConnectionResetError", "IncompleteReadError"),
        "the connection broke off",
    ),
    (
        ("ClientConnectorError", "ConnectionError", "EndpointConnectionError", "gaierror"),
        "the server cannot be reached",
    ),
    (("NoCredentialsError", "PartialCredentialsError"), "no credentials were found for it"),
)


def is_address(text: str) -> bool:
    """Return whether a text is an address rather than a path.

    Examples
    --------
    >>> is_address("s3://bucket/work"), is_address("/music/work")
    (True, False)
    """
    return "://" in text


def file_system(address: str) -> tuple[Any, str]:
    """Open the store of an address, with time limits unless fsspec's own settings have some.

    Parameters
    ----------
    address : str
        The address.

    Returns
    -------
    system : fsspec.AbstractFileSystem
        The store.
    path : str
        Path in it.

    Raises
    ------
    ConfigError
        No package for such addresses is installed.
    """
    import fsspec.config
    import fsspec.core

    protocol = address.partition("://")[0].lower()
    known = fsspec.config.conf.get(protocol, {})
    try:
        limits = {name: value for name, value in _limits(protocol).items() if name not in known}
        return fsspec.core.url_to_fs(address, **limits)
    except ImportError as error:
        package = f"pip install '{_EXTRAS[protocol]}'" if protocol in _EXTRAS else str(error).rstrip(".")
        raise ConfigError(f"{address}: a package for such addresses is missing. Install it: {package}.") from error
    except ValueError as error:
        raise ConfigError(f"{address}: cannot be opened ({str(error).rstrip('.')}).") from error


def _limits(protocol: str) -> dict[str, Any]:
    if protocol in ("http", "https"):
        import aiohttp

        timeout = aiohttp.ClientTimeout(total=None, connect=CONNECT_S, sock_read=READ_S)
        return _UNLISTED | {"client_kwargs": {"timeout": timeout}}
    if protocol in ("s3", "s3a"):
        limits = {"connect_timeout": CONNECT_S, "read_timeout": READ_S, "retries": {"max_attempts": 3}}
        return _UNLISTED | {"config_kwargs": limits}
    # Others may hand on what they do not know to a client that refuses it.
    return _UNLISTED if protocol in ("gs", "gcs", "az", "abfs", "memory") else {}


def trouble(error: BaseException) -> str:
    """Say what an error of a store means.

    Parameters
    ----------
    error : BaseException
        The error; those that it came from are looked at too.

    Returns
    -------
    str
        A few words, without what gives access to the address.
    """
    chain = list(_chain(error))
    status = next((found for one in chain if isinstance(found := getattr(one, "status", None), int)), None)
    if status in _REFUSED or any(isinstance(one, PermissionError) for one in chain):
        return "access is refused" + (f" ({status})" if status else "")
    if status is not None and status >= 400 and status not in _ABSENT:
        return f"the server answers {status}"
    for names, words in _WORDS:
        if any(kind.__name__ in names for one in chain for kind in type(one).__mro__):
            return words
    if status in _ABSENT or any(isinstance(one, FileNotFoundError) for one in chain):
        return "no such file"
    return without_credentials(str(error).rstrip(".")) or type(error).__name__


def is_passing(error: BaseException) -> bool:
    """Return whether trying again may help: the connection broke off, or the server was too busy."""
    chain = list(_chain(error))
    if any(getattr(one, "status", None) in (429, 500, 502, 503, 504) for one in chain):
        return True
    return trouble(error) == "the connection broke off"


def _chain(error: BaseException) -> Iterator[BaseException]:
    one: BaseException | None = error
    while one is not None:
        yield one
        one = one.__cause__ or one.__context__
