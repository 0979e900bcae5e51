"""Cache of finished parts, with which a stopped reproduction resumes."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from antiphon.documents import parsed_object, read_document
from antiphon.runs import versions
from antiphon.tables import write_text

_FORMAT = 3
"""Version of the results; increase it when their meaning changes."""


@dataclass(frozen=True)
class Kept:
    """A folder of results.

    Attributes
    ----------
    folder : Path
        The folder.
    inputs : str
        Fingerprint of the data.
    """

    folder: Path
    inputs: str

    def get(self, name: str, settings: dict[str, Any], make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return a result, after making and storing it if need be.

        Parameters
        ----------
        name : str
            Name of the result.
        settings : dict
            What it depends on, besides the data and the versions of the software.
        make : callable
            Makes it.

        Returns
        -------
        dict
            The result.
        """
        found = self.find(name, settings)
        if found is not None:
            return found
        result = make()
        kept = {"key": self._key(settings), "result": result, "sha256": _sha256(json.loads(json.dumps(result)))}
        write_text(json.dumps(kept, allow_nan=False), self._path(name))
        return result

    def find(self, name: str, settings: dict[str, Any]) -> dict[str, Any] | None:
        """Return a stored result if it has the same settings, data and versions, and is whole; else None."""
        try:
            stored = parsed_object(read_document(self._path(name)))
        except (OSError, ValueError):
            return None
        result = stored.get("result")
        if stored.get("key") != self._key(settings) or not isinstance(result, dict):
            return None
        return result if stored.get("sha256") in (None, _sha256(result)) else None

    def _key(self, settings: dict[str, Any]) -> str:
        made_of = json.dumps([_FORMAT, self.inputs, settings, versions()], sort_keys=True)
        return hashlib.sha256(made_of.encode()).hexdigest()

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.json"


def _sha256(result: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(result, sort_keys=True).encode()).hexdigest()
