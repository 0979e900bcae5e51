"""What people said is no answer: "not this", kept until it is taken back."""

from collections.abc import Collection
from contextlib import AbstractContextManager
from pathlib import Path
from sqlite3 import Connection

from antiphon.sqlite_file import Schema, connected

MAX_REJECTIONS = 100_000
"""Beyond it the oldest tenth is forgotten."""
_SCHEMA = Schema(
    "rejections",
    1,
    """
CREATE TABLE rejections (
  number INTEGER PRIMARY KEY,      -- in order of time
  asking TEXT NOT NULL,            -- id of the music video that asked
  target TEXT NOT NULL,            -- audio, video or both
  id TEXT NOT NULL,                -- id of the answer
  UNIQUE (asking, target, id)
);
""",
)


class Rejections:
    """Answers that were said not to fit, by what asked. Every call is a transaction.

    Parameters
    ----------
    path : str or Path
        The file; created on first use.
    max_rejections : int
        Maximum number.
    """

    def __init__(self, path: str | Path, max_rejections: int = MAX_REJECTIONS) -> None:
        self.path, self._most = Path(path), max_rejections

    def of(self, asking: str, target: str) -> tuple[str, ...]:
        """Return the ids that were said not to answer a question, in order of time."""
        if not self.path.exists():
            return ()
        with self._connected() as database:
            asked = "SELECT id FROM rejections WHERE asking = ? AND target = ? ORDER BY number"
            return tuple(str(row["id"]) for row in database.execute(asked, (asking, target)))

    def of_any(self, askings: Collection[str]) -> frozenset[str]:
        """Return the ids that were said not to answer one of several music videos, whatever was asked for."""
        if not self.path.exists():
            return frozenset()
        with self._connected() as database:
            asked = "SELECT id FROM rejections WHERE asking = ?"
            return frozenset(str(row["id"]) for one in set(askings) for row in database.execute(asked, (one,)))

    def add(self, asking: str, target: str, id: str) -> None:
        """Note that an answer does not fit.

        Parameters
        ----------
        asking : str
            Id of the music video that asked.
        target : {"audio", "video", "both"}
            What it asked for.
        id : str
            Id of the answer.
        """
        with self._connected(write=True) as database:
            database.execute(
                "INSERT OR IGNORE INTO rejections (asking, target, id) VALUES (?, ?, ?)", (asking, target, id)
            )
            count = database.execute("SELECT COUNT(*) FROM rejections").fetchone()[0]
            if count > self._most:
                database.execute(
                    "DELETE FROM rejections WHERE number IN (SELECT number FROM rejections ORDER BY number LIMIT ?)",
                    (count - self._most + self._most // 10,),
                )

    def remove(self, asking: str, target: str, id: str) -> None:
        """Take back that an answer does not fit; nothing happens where it was not said."""
        if self.path.exists():
            with self._connected(write=True) as database:
                database.execute(
                    "DELETE FROM rejections WHERE asking = ? AND target = ? AND id = ?", (asking, target, id)
                )

    def _connected(self, *, write: bool = False) -> AbstractContextManager[Connection]:
        return connected(self.path, _SCHEMA, write=write)
