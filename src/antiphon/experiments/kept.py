"""Results of long steps, kept with what they were made of, so that a stopped reproduction goes on from there."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from antiphon.runs import versions
from antiphon.tables import write_text

_FORMAT = 3
"""Of the results; one more whenever they come to mean something else."""


@dataclass(frozen=True)
class Kept:
    """A folder of results.

    Attributes
    ----------
    folder : Path
        Where they lie.
    inputs : str
        Fingerprint of the data that all of them are made of.
    """

    folder: Path
    inputs: str

    def get(self, name: str, settings: dict[str, Any], make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The result called `name`: read if it was made of the same by the same versions, else made and kept."""
        found = self.find(name, settings)
        if found is not None:
            return found
        result = make()
        write_text(json.dumps({"key": self._key(settings), "result": result}, allow_nan=False), self._path(name))
        return result

    def find(self, name: str, settings: dict[str, Any]) -> dict[str, Any] | None:
        """The result called `name`, if it was made of the same by the same versions."""
        try:
            stored = json.loads(self._path(name).read_text(encoding="utf-8"))
        except (OSError, json.JSONDecodeError, UnicodeDecodeError):
            return None
        return stored["result"] if stored.get("key") == self._key(settings) else None

    def _key(self, settings: dict[str, Any]) -> str:
        made_of = json.dumps([_FORMAT, self.inputs, settings, versions()], sort_keys=True)
        return hashlib.sha256(made_of.encode()).hexdigest()

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.json"
