"""The SQLite database of judgements: its tables and connections."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from antiphon.disk import writing
from antiphon.errors import ConfigError

FORMAT = 1
_WAIT_S = 20.0

_TABLES = """
CREATE TABLE rounds (
  number INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,        -- hash of all it was prepared from: preparing it again changes nothing
  prepared_utc TEXT NOT NULL,
  seed INTEGER NOT NULL,
  per_judge INTEGER NOT NULL,
  repeat_share REAL NOT NULL,
  pool INTEGER NOT NULL            -- videos that the questions were chosen from
);
CREATE TABLE questions (
  id INTEGER PRIMARY KEY,
  round INTEGER NOT NULL REFERENCES rounds(number),
  aspect TEXT NOT NULL CHECK (aspect IN ('overall', 'sound', 'pictures')),
  kind TEXT NOT NULL CHECK (kind IN ('models', 'sides', 'random')),
  seed TEXT NOT NULL,
  first TEXT NOT NULL,
  second TEXT NOT NULL,
  first_source TEXT NOT NULL,
  second_source TEXT NOT NULL,
  margin REAL NOT NULL
);
CREATE TABLE scores (              -- what each run thinks of both candidates: the report needs no model
  question INTEGER NOT NULL REFERENCES questions(id),
  run TEXT NOT NULL,
  fingerprint TEXT NOT NULL,       -- of the embeddings: a run trained anew is another
  "by" TEXT NOT NULL CHECK ("by" IN ('both', 'sound', 'pictures')),
  first REAL NOT NULL,
  second REAL NOT NULL,
  PRIMARY KEY (question, run, fingerprint, "by")
) WITHOUT ROWID;
CREATE TABLE judges (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  key TEXT NOT NULL UNIQUE,
  simulated INTEGER NOT NULL CHECK (simulated IN (0, 1)),
  joined_utc TEXT NOT NULL
);
CREATE TABLE items (               -- the lines of the judges' sheets
  id INTEGER PRIMARY KEY,
  round INTEGER NOT NULL REFERENCES rounds(number),
  judge INTEGER NOT NULL REFERENCES judges(id),
  place INTEGER NOT NULL,
  question INTEGER NOT NULL REFERENCES questions(id),
  first_left INTEGER NOT NULL CHECK (first_left IN (0, 1)),
  repeats INTEGER REFERENCES items(id),
  shown_utc TEXT,
  UNIQUE (round, judge, place)
);
CREATE TABLE answers (             -- only ever added to
  item INTEGER PRIMARY KEY REFERENCES items(id),
  answer TEXT NOT NULL CHECK (answer IN ('left', 'right', 'unsure')),
  answered_utc TEXT NOT NULL,
  seconds REAL                     -- since it was last shown
);
CREATE INDEX items_of_question ON items(question);
"""


@contextmanager
def connection(path: Path, *, write: bool = False) -> Generator[sqlite3.Connection]:
    """Open a connection with one transaction.

    The transaction is durable when the block ends (write-ahead log, synchronous FULL), and rolled back on an error.
    Writers wait for each other; readers never wait.

    Parameters
    ----------
    path : Path
        The database; created if it does not exist.
    write : bool
        Lock it for writing.

    Yields
    ------
    Connection
        The connection.

    Raises
    ------
    ConfigError
        The file is not a database of judgements, or of another version.
    StorageError
        The file cannot be created.
    """
    if path.exists() and not path.is_file():
        raise ConfigError(f"{path}: is not a file. Move it away, and judgements are kept there.")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(path, timeout=_WAIT_S, isolation_level=None)
    try:
        database.row_factory = sqlite3.Row
        _set_up(database, path)
        database.execute("BEGIN IMMEDIATE" if write else "BEGIN")
        yield database
        database.execute("COMMIT")
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.IntegrityError):
            raise
        raise ConfigError(f"{path}: judgements cannot be read or written: {error}.") from error
    finally:
        database.close()  # Rolls back an open transaction.


def _set_up(database: sqlite3.Connection, path: Path) -> None:
    database.execute("PRAGMA foreign_keys = ON")
    database.execute("PRAGMA synchronous = FULL")
    if database.execute("PRAGMA user_version").fetchone()[0] == FORMAT:
        return
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("BEGIN IMMEDIATE")
    found = database.execute("PRAGMA user_version").fetchone()[0]
    if found == 0:
        for statement in _statements():
            database.execute(statement)
        database.execute(f"PRAGMA user_version = {FORMAT}")
    elif found != FORMAT:
        raise ConfigError(f"{path}: written in format {found}, but this version reads {FORMAT}. Use a newer Antiphon.")
    database.execute("COMMIT")


def _statements() -> list[str]:
    """Return the statements one by one, since `executescript` would end the transaction."""
    plain = "\n".join(line.split("--")[0] for line in _TABLES.splitlines())
    return [statement for statement in plain.split(";") if statement.strip()]
