"""The shortlists of a workspace, in one SQLite file: every change is a version, so that it can be undone."""

import json
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from pathlib import Path

from antiphon.errors import ConfigError
from antiphon.shortlists.edits import list_name
from antiphon.shortlists.records import Entry, Shortlist
from antiphon.sqlite_file import Schema, connected

_MAX_LISTS, _MAX_VERSIONS, _MAX_CHARACTERS = 1000, 100, 200_000
_SCHEMA = Schema(
    "shortlists",
    1,
    """
CREATE TABLE shortlists (
  key TEXT PRIMARY KEY,
  token TEXT NOT NULL UNIQUE       -- for those who may only read
);
CREATE TABLE versions (
  key TEXT NOT NULL REFERENCES shortlists(key),
  number INTEGER NOT NULL,
  state TEXT NOT NULL,             -- JSON: name, entries, is_deleted
  PRIMARY KEY (key, number)
) WITHOUT ROWID;
""",
)
_LATEST = """
SELECT shortlists.key, token, state, number,
  (SELECT MIN(number) FROM versions AS v WHERE v.key = shortlists.key) AS first
FROM shortlists JOIN versions USING (key)
WHERE number = (SELECT MAX(number) FROM versions AS v WHERE v.key = shortlists.key)
"""


class UnknownShortlistError(ConfigError):
    """There is no list with this key or token."""


class Shortlists:
    """Shortlists of a workspace. Every call is a transaction, so several threads and processes can work at once.

    Parameters
    ----------
    path : str or Path
        The file; created on first use.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def all(self) -> list[Shortlist]:
        """Return all lists that are not deleted, by name."""
        if not self.path.exists():
            return []
        with self._connected() as database:
            found = [_read(row) for row in database.execute(_LATEST)]
        return sorted((one for one in found if not one.is_deleted), key=lambda one: (one.name.casefold(), one.key))

    def create(self, name: str) -> Shortlist:
        """Begin a list.

        Raises
        ------
        ConfigError
            The name will not do, or there are too many lists.
        """
        made = Shortlist(secrets.token_urlsafe(12), secrets.token_urlsafe(16), list_name(name))
        with self._connected(write=True) as database:
            if _count(database) >= _MAX_LISTS:
                _forget_deleted(database)
            if _count(database) >= _MAX_LISTS:
                raise ConfigError(f"There are {_MAX_LISTS:,} lists already, which is the most that are kept.")
            database.execute("INSERT INTO shortlists VALUES (?, ?)", (made.key, made.token))
            database.execute("INSERT INTO versions VALUES (?, 0, ?)", (made.key, _state(made)))
        return made

    def get(self, key: str) -> Shortlist:
        """Return the list with a key.

        Raises
        ------
        UnknownShortlistError
            There is none.
        """
        return self._one("AND shortlists.key = ?", key)

    def shared(self, token: str) -> Shortlist:
        """Return the list that a token lets read.

        Raises
        ------
        UnknownShortlistError
            There is none, or it is deleted.
        """
        found = self._one("AND token = ?", token)
        if found.is_deleted:
            raise UnknownShortlistError("This list was deleted.")
        return found

    def change(self, key: str, change: Callable[[Shortlist], Shortlist]) -> Shortlist:
        """Change a list.

        Parameters
        ----------
        key : str
            Its key.
        change : callable
            Takes the list as it stands, and returns what follows.

        Returns
        -------
        Shortlist
            The list that follows.

        Raises
        ------
        UnknownShortlistError
            There is none.
        """
        with self._connected(write=True) as database:
            row = database.execute(f"{_LATEST} AND shortlists.key = ?", (key,)).fetchone()
            before = _read(_known(row))
            after = change(before)
            if after == before:
                return before
            number = row["number"] + 1
            database.execute("INSERT INTO versions VALUES (?, ?, ?)", (key, number, _state(after)))
            database.execute("DELETE FROM versions WHERE key = ? AND number < ?", (key, number - _MAX_VERSIONS))
        return self.get(key)

    def delete(self, key: str) -> Shortlist:
        """Delete a list, which can be undone."""
        return self.change(key, lambda one: replace(one, is_deleted=True))

    def undo(self, key: str) -> Shortlist:
        """Take the last change back, if there is one.

        Raises
        ------
        UnknownShortlistError
            There is none with this key.
        """
        with self._connected(write=True) as database:
            row = _known(database.execute(f"{_LATEST} AND shortlists.key = ?", (key,)).fetchone())
            if row["number"] > row["first"]:
                database.execute("DELETE FROM versions WHERE key = ? AND number = ?", (key, row["number"]))
        return self.get(key)

    def _one(self, condition: str, value: str) -> Shortlist:
        if not self.path.exists():
            raise UnknownShortlistError("There is no such list.")
        with self._connected() as database:
            return _read(_known(database.execute(f"{_LATEST} {condition}", (value,)).fetchone()))

    def _connected(self, *, write: bool = False) -> AbstractContextManager[sqlite3.Connection]:
        return connected(self.path, _SCHEMA, write=write)


def _count(database: sqlite3.Connection) -> int:
    return database.execute("SELECT COUNT(*) FROM shortlists").fetchone()[0]


def _forget_deleted(database: sqlite3.Connection) -> None:
    """Make room: what is deleted can no longer be brought back."""
    for row in database.execute(_LATEST).fetchall():
        if _read(row).is_deleted:
            database.execute("DELETE FROM versions WHERE key = ?", (row["key"],))
            database.execute("DELETE FROM shortlists WHERE key = ?", (row["key"],))


def _known(row: sqlite3.Row | None) -> sqlite3.Row:
    if row is None:
        raise UnknownShortlistError("There is no such list.")
    return row


def _state(shortlist: Shortlist) -> str:
    entries = [asdict(entry) for entry in shortlist.entries]
    state = {"name": shortlist.name, "entries": entries, "is_deleted": shortlist.is_deleted}
    text = json.dumps(state, ensure_ascii=False)
    if len(text) > _MAX_CHARACTERS:
        raise ConfigError("The notes of this list are too long together. Shorten some, or begin another list.")
    return text


def _read(row: sqlite3.Row) -> Shortlist:
    try:
        state = json.loads(row["state"])
        entries = tuple(Entry(str(one["id"]), str(one["note"])) for one in state["entries"])
        name, is_deleted = str(state["name"]), bool(state["is_deleted"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ConfigError(f"A list in shortlists.sqlite cannot be read: {error}.") from None
    return Shortlist(row["key"], row["token"], name, entries, row["number"] - row["first"], is_deleted)
