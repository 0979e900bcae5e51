"""Names of judges."""

import unicodedata

from antiphon.errors import ConfigError

MAX_CHARACTERS = 40
SIMULATED = "simulated"


def judge_name(text: str) -> str:
    """Normalise and check a name.

    Parameters
    ----------
    text : str
        The name as entered.

    Returns
    -------
    str
        The name in composed form, without superfluous white space.

    Raises
    ------
    ConfigError
        It is empty, too long, not printable, or reserved for simulated judges.

    Examples
    --------
    >>> judge_name("  Ada   Lovelace ")
    'Ada Lovelace'
    """
    name = " ".join(unicodedata.normalize("NFKC", text).split())
    if not name:
        raise ConfigError("The name is empty; choose any name, not necessarily your own.")
    if len(name) > MAX_CHARACTERS:
        raise ConfigError(f"The name has {len(name)} characters; choose one of at most {MAX_CHARACTERS}.")
    if not name.isprintable() or not any(mark.isalnum() for mark in name):
        raise ConfigError("The name has unprintable characters, or no letters or digits; choose another.")
    if judge_key(name).startswith(SIMULATED):
        raise ConfigError(f"Names that start with “{SIMULATED}” are reserved for simulated judges; choose another.")
    return name


def judge_key(name: str) -> str:
    """Return the key that identifies a judge, ignoring case.

    Parameters
    ----------
    name : str
        The name.

    Returns
    -------
    str
        The key.

    Examples
    --------
    >>> judge_key("Ada Lovelace") == judge_key("ada lovelace")
    True
    """
    return unicodedata.normalize("NFKC", name).casefold()
