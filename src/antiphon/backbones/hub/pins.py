"""Which commit stands for a name: fixed when a model is downloaded, so that a branch that moves changes nothing."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

from antiphon.backbones.hub.names import HubName
from antiphon.backbones.weights import cache_dir
from antiphon.documents import parsed_object, read_document, reason
from antiphon.errors import WeightsError
from antiphon.tables import atomic_path

_MAX_BYTES = 1 << 16


@dataclass(frozen=True)
class Pin:
    """What a name stands for.

    Attributes
    ----------
    repository : str
        Organisation and name.
    revision : str
        Commit.
    licence : str
        Licence of the weights, as the model card stated it then.
    folder : str
        Folder with its files.
    """

    repository: str
    revision: str
    licence: str
    folder: str


def pin_file(name: HubName) -> Path:
    """Return the file that says what a name stands for, which need not exist."""
    return cache_dir() / "hub" / f"{quote(name.model, safe='@')}.json"


def read_pin(name: HubName) -> Pin | None:
    """Read what a name stands for.

    Parameters
    ----------
    name : HubName
        Name of a model on the hub.

    Returns
    -------
    Pin or None
        None where it was not downloaded, or its files are gone.

    Raises
    ------
    WeightsError
        The record is damaged.
    """
    path = pin_file(name)
    if not path.exists():
        return None
    try:
        stated = parsed_object(read_document(path, _MAX_BYTES))
        pin = Pin(**{key: str(stated[key]) for key in Pin.__dataclass_fields__})
    except (OSError, ValueError, KeyError) as error:
        raise WeightsError(f"{path}: is damaged ({reason(error)}). Delete it, and fetch {name.model} again.") from error
    return pin if Path(pin.folder).is_dir() else None


def write_pin(name: HubName, pin: Pin) -> None:
    """Record what a name stands for.

    Parameters
    ----------
    name : HubName
        Name of a model on the hub.
    pin : Pin
        What it stands for.
    """
    with atomic_path(pin_file(name)) as partial:
        partial.write_text(json.dumps(asdict(pin), indent=2) + "\n", encoding="utf-8")
