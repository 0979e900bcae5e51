"""Results of long steps, kept with what they were made of, so that a stopped reproduction goes on from there."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from antiphon.runs import versions
from antiphon.tables import write_text


@dataclass(frozen=True)
class Kept:
    """A folder of results.

    Attributes
    ----------
    folder : where they lie.
    inputs : fingerprint of the data that all of them are made of.
    """

    folder: Path
    inputs: str

    def get(self, name: str, settings: dict[str, Any], make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The result called `name`: read if it was made of the same by the same versions, else made and kept."""
        key = hashlib.sha256(json.dumps([self.inputs, settings, versions()], sort_keys=True).encode()).hexdigest()
        path = self.folder / f"{name}.json"
        if path.exists():
            try:
                stored = json.loads(path.read_text(encoding="utf-8"))
            except (json.JSONDecodeError, UnicodeDecodeError):
                stored = {}
            if stored.get("key") == key:
                return stored["result"]
        result = make()
        write_text(json.dumps({"key": key, "result": result}), path)
        return result
