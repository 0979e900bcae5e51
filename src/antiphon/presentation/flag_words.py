"""What is wrong with a segment, in words: one list for the command line, the pages and the reports."""

from collections.abc import Iterable

from antiphon.media.quality import CRITERIA, Flag

FLAG_WORDS: dict[Flag, str] = {
    "silent": "Silent sound",
    "clipped": "Clipped sound",
    "black": "Black pictures",
    "duplicated": "Repeated pictures",
    "concealed": "Damaged, filled in by the decoder",
}
"""Words of each flag."""

_SIDES = {"audio": "sound", "video": "pictures"}


def flag_words(flag: str) -> str:
    """Name a flag.

    Parameters
    ----------
    flag : str
        Flag of a segment, with or without its modality before it; flags of one's own name themselves.

    Returns
    -------
    str
        Words.

    Examples
    --------
    >>> flag_words("audio silent"), flag_words("video concealed"), flag_words("noisy")
    ('Silent sound', 'Damaged, filled in by the decoder (pictures)', 'noisy')
    """
    side, _, name = flag.rpartition(" ")
    words = {str(known): text for known, text in FLAG_WORDS.items()}.get(name)
    if words is None or side not in {"", *_SIDES}:
        return flag
    return f"{words} ({_SIDES[side]})" if side and name == "concealed" else words


def flag_criterion(flag: str) -> str:
    """Say what makes a segment have a flag, as `flag_words`; "" for flags of one's own."""
    return {str(known): text for known, text in CRITERIA.items()}.get(flag.rpartition(" ")[2], "")


def flag_list(flags: Iterable[Flag] = tuple(FLAG_WORDS)) -> str:
    """Name several flags within a sentence.

    Examples
    --------
    >>> flag_list(["silent", "black"])
    'silent sound; black pictures'
    """
    return "; ".join(FLAG_WORDS[flag][:1].lower() + FLAG_WORDS[flag][1:] for flag in flags)
