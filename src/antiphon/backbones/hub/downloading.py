"""Download of a model from the hub: what it is and on what terms first, then its files, and never its code."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from antiphon.backbones.hub.files import CONFIG, INDEX, WEIGHTS, HubFiles
from antiphon.backbones.hub.names import HubName
from antiphon.backbones.hub.packages import required
from antiphon.backbones.hub.pins import Pin, read_pin, write_pin
from antiphon.documents import reason
from antiphon.errors import WeightsError

_TEXT_FILES = (".json", ".txt", ".model", ".jinja")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Publication:
    """What the hub says of a model.

    Attributes
    ----------
    repository : str
        Organisation and name.
    revision : str
        Commit.
    licence : str
        Licence, as its card states it; "not stated" otherwise.
    files : tuple of str
        What would be downloaded.
    size_bytes : int
        Size of that.
    """

    repository: str
    revision: str
    licence: str
    files: tuple[str, ...]
    size_bytes: int

    def __str__(self) -> str:
        return (
            f"{self.repository} at {self.revision[:12]}: licence {self.licence}, {self.size_bytes / 1e6:,.0f} MB; "
            f"https://huggingface.co/{self.repository}"
        )


def published(name: HubName) -> Publication:
    """Ask the hub what a name stands for.

    Parameters
    ----------
    name : HubName
        Name of a model on the hub.

    Returns
    -------
    Publication
        What it says.

    Raises
    ------
    WeightsError
        The hub cannot be reached or does not have the model, or the model has no safetensors.
    """
    hub = required("huggingface_hub", str(name))
    try:
        about = hub.HfApi().model_info(name.repository, revision=name.revision or None, files_metadata=True)
    except Exception as error:
        raise _unreachable(name, error) from error
    sizes = {one.rfilename: one.size or 0 for one in about.siblings or []}
    files = _wanted(name, sorted(sizes))
    return Publication(
        name.repository, str(about.sha), _licence(about.card_data), files, sum(sizes[one] for one in files)
    )


def downloaded(name: HubName, tell: Callable[[str], None] | None = None) -> HubFiles:
    """Download a model, unless it is there.

    Files go into the hub's own cache (`HF_HOME`), where other programs find them too; which commit the name stands for
    is recorded in Antiphon's cache.

    Parameters
    ----------
    name : HubName
        Name of a model on the hub.
    tell : callable, optional
        Called with licence and size before the download.

    Returns
    -------
    HubFiles
        The files.

    Raises
    ------
    WeightsError
        As in `published`; or the class of the model is not known.
    """
    pin = read_pin(name)
    if pin is None:
        about = published(name)
        hub = required("huggingface_hub", str(name))
        (tell or _log.info)(str(about))
        try:
            # The configuration first: nothing else is downloaded of a model that cannot be used.
            config = hub.hf_hub_download(name.repository, CONFIG, revision=about.revision)
            kind = HubFiles(name.model, Path(config).parent).kind
            required(kind.needs or "transformers", str(name))
            folder = hub.snapshot_download(name.repository, revision=about.revision, allow_patterns=list(about.files))
        except WeightsError:
            raise
        except Exception as error:
            raise _unreachable(name, error) from error
        pin = Pin(name.repository, about.revision, about.licence, str(folder))
        write_pin(name, pin)
    return HubFiles(name.model, Path(pin.folder), pin.revision)


def _wanted(name: HubName, files: Sequence[str]) -> tuple[str, ...]:
    """Return the files that a model is loaded from: weights in safetensors, configurations and vocabularies."""
    if WEIGHTS in files:
        weights = [WEIGHTS]
    elif INDEX in files:
        weights = [one for one in files if one.startswith("model-") and one.endswith(".safetensors")]
    else:
        raise WeightsError(
            f"{name}: has no {WEIGHTS} in this revision. Antiphon reads weights from safetensors alone, since other "
            "formats may run code. Pull requests that add them are revisions of their own: "
            f"hub:{name.repository}@refs/pr/NUMBER."
        )
    return (*weights, *(one for one in files if "/" not in one and one.endswith(_TEXT_FILES)))


def _licence(card: Any) -> str:
    """Return the licence that a model card states; "other" has a name of its own."""
    stated = getattr(card, "license", None)
    named = getattr(card, "license_name", None)
    return str(named if stated in (None, "other") and named else stated or "not stated")


def _unreachable(name: HubName, error: Exception) -> WeightsError:
    return WeightsError(
        f"{name}: could not be downloaded ({type(error).__name__}: {reason(error)}). Where the hub cannot be reached, "
        f"copy the model's files into a folder, and use hub:/path/to/folder. Models that are given on request need "
        "an account there: huggingface-cli login."
    )
