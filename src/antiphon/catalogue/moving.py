"""Libraries that were moved as a whole: the beginning of many paths rewritten, each checked by its file's content."""

import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from antiphon.catalogue.identity import MayBe, comparing_lengths, is_gone
from antiphon.catalogue.validation import CatalogueRow
from antiphon.credentials import shown_address
from antiphon.errors import CatalogueError
from antiphon.media.identity import identify, is_identified
from antiphon.media.names import local_path


@dataclass
class Moves:
    """What became of the videos below a path.

    Attributes
    ----------
    moved : dict of str to str
        New path by id.
    missing : dict of str to str
        Path at which there is no file, by id.
    different : dict of str to str
        Path of a file with other content, or of another video of the catalogue, by id.
    unchecked : list of str
        Ids of moved videos whose new address is not of this machine, so that their content was not compared.
    """

    moved: dict[str, str] = field(default_factory=dict[str, str])
    missing: dict[str, str] = field(default_factory=dict[str, str])
    different: dict[str, str] = field(default_factory=dict[str, str])
    unchecked: list[str] = field(default_factory=list[str])

    def shown(self) -> "Moves":
        """Return the same with paths as they may be shown: addresses without what gives access to them."""
        moved, missing, different = (
            {name: shown_address(path) for name, path in paths.items()}
            for paths in (self.moved, self.missing, self.different)
        )
        return Moves(moved, missing, different, self.unchecked)


def move(rows: Sequence[CatalogueRow], old: str, new: str) -> Moves:
    """Give rows below a path, or with that very path, the same place below another one.

    Parameters
    ----------
    rows : sequence of CatalogueRow
        Rows of the catalogue; those that are moved are changed.
    old, new : str
        Folder, file or address, before and now.

    Returns
    -------
    Moves
        What was moved, and what was not.

    Raises
    ------
    CatalogueError
        No row lies there.
    """
    prefixes, target = _prefixes(old), _prefixes(new)[0]
    found, others = Moves(), {row["path"] for row in rows if row.get("path")}
    with comparing_lengths() as may_be:
        for row in rows:
            rest = _rest(row.get("path"), prefixes)
            if rest is not None:
                _move(row, _spelt_as_there(target + rest), others, found, may_be)
    if not (found.moved or found.missing or found.different):
        first = next((row["path"] for row in rows if row.get("path")), None)
        lies = f" The first one is {first}." if first else " It has no files."
        raise CatalogueError(f"{old}: no music video of the catalogue lies there.{lies}")
    return found


def _prefixes(place: str) -> list[str]:
    """Return the forms in which the catalogue may have a place, without a slash at the end."""
    local = local_path(place)
    if local is None:
        return [place.rstrip("/")]
    whole = os.path.abspath(os.path.expanduser(local))  # noqa: PTH100, PTH111
    return [path.rstrip("/") for path in dict.fromkeys([whole, os.path.realpath(whole)])]


def _rest(path: str | None, prefixes: Sequence[str]) -> str | None:
    """Return what follows one of the prefixes in a path; None if it is elsewhere."""
    plain = path and (local_path(path) or path)
    return next((plain[len(one) :] for one in prefixes if plain and f"{plain}/".startswith(f"{one}/")), None)


def _spelt_as_there(path: str) -> str:
    """Return a path as the disk spells it, since copying may compose letters, or take them apart."""
    forms = [path, unicodedata.normalize("NFC", path), unicodedata.normalize("NFD", path)]
    return next((form for form in forms if not is_gone(form)), path)


def _move(row: CatalogueRow, path: str, others: set[str], found: Moves, may_be: MayBe) -> None:
    local = local_path(path)
    if local is None:
        row.update({"path": path, "size_bytes": None, "modified_ns": None, "content_hash": None})
        found.moved[row["id"]] = path
        found.unchecked.append(row["id"])
        return
    whole, identity = os.path.realpath(local), identify(local)
    if identity is None:
        found.missing[row["id"]] = path
        return
    same = identity.content_hash == row["content_hash"] if is_identified(row) else may_be(row, path)
    if not same or (whole in others and whole != row["path"]):
        found.different[row["id"]] = path
        return
    row.update({"path": whole, **vars(identity)})
    found.moved[row["id"]] = whole
