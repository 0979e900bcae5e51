"""The SQLite database of judgements: its tables and connections."""

import sqlite3
from contextlib import AbstractContextManager
from pathlib import Path

from antiphon.sqlite_file import Schema, connected

FORMAT = 1

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

_SCHEMA = Schema("judgements", FORMAT, _TABLES)


def connection(path: Path, *, write: bool = False) -> AbstractContextManager[sqlite3.Connection]:
    """Open a connection with one transaction; see `antiphon.sqlite_file.connected`."""
    return connected(path, _SCHEMA, write=write)
