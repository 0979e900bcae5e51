"""Names of columns as people write them, and the columns that they mean."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from antiphon.errors import CatalogueError
from antiphon.spelling import edits, plain, visible


def folded(name: str) -> str:
    """Return a header's letters and digits alone: case, spaces, hyphens and underscores make no other column.

    Examples
    --------
    >>> folded(" File-Name") == folded("file_name")
    True
    """
    return "".join(letter for letter in unicodedata.normalize("NFKC", name).casefold() if letter.isalnum())


@dataclass(frozen=True)
class Words:
    """How people may write a column: other words for it, and the columns whose presence makes asking needless."""

    words: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()


def named_columns(header: Sequence[str], known: Sequence[str], asked: Mapping[str, Words], where: str) -> list[str]:
    """Return the name of each column: a known one where the header means it.

    Parameters
    ----------
    header : sequence of str
        Names as they stand in the table.
    known : sequence of str
        Columns that mean something.
    asked : mapping of str to Words
        Known columns: if one is missing and another seems to be it, by a misspelling or by one of these words, that is
        asked about.
    where : str
        The table, for messages.

    Returns
    -------
    list of str
        Names, unique but for "" of columns without one.

    Raises
    ------
    CatalogueError
        A column is there twice, or seems to be a known one under another name.
    """
    by_letters = {folded(name): name for name in known}
    names = [by_letters.get(folded(name), visible(name)) for name in header]
    for name in known:
        if names.count(name) > 1:
            places = [str(place) for place, each in enumerate(names, start=1) if each == name]
            raise CatalogueError(f"{where}: columns {' and '.join(places)} are both '{name}'. Keep one of them.")
    _ask(names, asked, where)
    return _numbered(names)


def _ask(names: Sequence[str], asked: Mapping[str, Words], where: str) -> None:
    """Ask about columns that seem to be a known one that is missing."""
    missing = [name for name, written in asked.items() if not {name, *written.unless} & set(names)]
    found = [(name, meant) for name in names for meant in missing if _seems(name, meant, asked[meant].words)]
    if found:
        questions = " ".join(f"Column '{name}': did you mean {meant}?" for name, meant in dict(found).items())
        raise CatalogueError(f"{where}: {questions} Rename each, or give it another name if it is something else.")


def _seems(name: str, meant: str, words: Sequence[str]) -> bool:
    written, wanted = folded(name), folded(meant)
    near = len(wanted) > 2 and bool(written) and edits(written, wanted) <= (1 if len(wanted) < 6 else 2)
    return near or _bare(name) in {_bare(word) for word in words}


def _bare(name: str) -> str:
    """Return a header's letters without their accents, which people leave out, or capitals lack."""
    return folded(plain(name))


def _numbered(names: Sequence[str]) -> list[str]:
    """Number further columns of one name."""
    found: list[str] = []
    for name in names:
        number = 2
        unique = name
        while name and unique in found:
            unique = f"{name} ({number})"
            number += 1
        found.append(unique)
    return found
