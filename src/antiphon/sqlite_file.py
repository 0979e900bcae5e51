"""SQLite files that several processes read and write, one transaction at a time."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from antiphon.disk import writing
from antiphon.errors import ConfigError

_WAIT_S = 20.0


@dataclass(frozen=True)
class Schema:
    """What a file holds.

    Attributes
    ----------
    name : str
        What it is called in messages, in the plural.
    format : int
        Number of its format.
    tables : str
        Statements that create its tables; comments begin with `--`.
    """

    name: str
    format: int
    tables: str


@contextmanager
def connected(path: Path, schema: Schema, *, write: bool = False) -> Generator[sqlite3.Connection]:
    """Open a connection with one transaction.

    The transaction is durable when the block ends (write-ahead log, synchronous FULL), and rolled back on an error.
    Writers wait for each other; readers never wait.

    Parameters
    ----------
    path : Path
        The database; created if it does not exist.
    schema : Schema
        What it holds.
    write : bool
        Lock it for writing.

    Yields
    ------
    Connection
        The connection.

    Raises
    ------
    ConfigError
        The file is no database, or one of another version.
    StorageError
        The file cannot be created.
    """
    if path.exists() and not path.is_file():
        raise ConfigError(f"{path}: is not a file. Move it away, and {schema.name} are kept there.")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(path, timeout=_WAIT_S, isolation_level=None)
    try:
        database.row_factory = sqlite3.Row
        _set_up(database, path, schema)
        database.execute("BEGIN IMMEDIATE" if write else "BEGIN")
        yield database
        database.execute("COMMIT")
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.IntegrityError):
            raise
        raise ConfigError(f"{path}: {schema.name} cannot be read or written: {error}.") from error
    finally:
        database.close()  # Rolls back an open transaction.


def _set_up(database: sqlite3.Connection, path: Path, schema: Schema) -> None:
    database.execute("PRAGMA foreign_keys = ON")
    database.execute("PRAGMA synchronous = FULL")
    if database.execute("PRAGMA user_version").fetchone()[0] == schema.format:
        return
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("BEGIN IMMEDIATE")
    found = database.execute("PRAGMA user_version").fetchone()[0]
    if found == 0:
        for statement in _statements(schema.tables):
            database.execute(statement)
        database.execute(f"PRAGMA user_version = {schema.format}")
    elif found != schema.format:
        raise ConfigError(
            f"{path}: written in format {found}, but this version reads {schema.format}. Use a newer Antiphon."
        )
    database.execute("COMMIT")


def _statements(tables: str) -> list[str]:
    """Return the statements one by one, since `executescript` would end the transaction."""
    plain = "\n".join(line.split("--")[0] for line in tables.splitlines())
    return [statement for statement in plain.split(";") if statement.strip()]
