"""Names under which a browser saves an answer."""

import re
from urllib.parse import quote

_MAX_NAME = 80


def attachment(name: str, ending: str) -> str:
    """Return the header that makes a browser save an answer.

    Parameters
    ----------
    name : str
        Any text; what no file can be called is replaced.
    ending : str
        Ending of the file's name, without a dot.

    Returns
    -------
    str
        Value of `Content-Disposition`.

    Examples
    --------
    >>> print(attachment("Røza: I", "csv"))
    attachment; filename="R_za_ I.csv"; filename*=UTF-8''R%C3%B8za_%20I.csv
    """
    name = re.sub(r"[^\w -]+", "_", name)[:_MAX_NAME].strip()
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    return f"attachment; filename=\"{plain}.{ending}\"; filename*=UTF-8''{quote(name, safe='')}.{ending}"
