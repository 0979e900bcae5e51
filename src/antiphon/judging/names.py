"""The names that judges choose."""

import unicodedata

from antiphon.errors import ConfigError

MAX_CHARACTERS = 40
SIMULATED = "simulated"


def judge_name(text: str) -> str:
    """The name as it is kept: composed, without needless white space.

    Raises
    ------
    ConfigError
        It is empty, too long, holds what cannot be printed, or is kept for simulated judges.

    Examples
    --------
    >>> judge_name("  Ada   Lovelace ")
    'Ada Lovelace'
    """
    name = " ".join(unicodedata.normalize("NFKC", text).split())
    if not name:
        raise ConfigError("A judge needs a name: choose any, it need not be your own.")
    if len(name) > MAX_CHARACTERS:
        raise ConfigError(f"The name has {len(name)} characters; choose one of at most {MAX_CHARACTERS}.")
    if not name.isprintable() or not any(mark.isalnum() for mark in name):
        raise ConfigError("The name has characters that cannot be printed, or no letter at all; choose another.")
    if judge_key(name).startswith(SIMULATED):
        raise ConfigError(
            f"Names that start with “{SIMULATED}” are kept for judges that are no people; choose another."
        )
    return name


def judge_key(name: str) -> str:
    """What tells one judge from another: capitals do not.

    Examples
    --------
    >>> judge_key("Ada Lovelace") == judge_key("ada lovelace")
    True
    """
    return unicodedata.normalize("NFKC", name).casefold()
