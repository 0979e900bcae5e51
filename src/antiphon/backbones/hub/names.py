"""Names of hub backbones: `hub:ORGANISATION/NAME`, `hub:ORGANISATION/NAME@REVISION` or `hub:/path/to/folder`.

A model of sound and pictures serves as two backbones; which one is meant follows: `hub:facebook/pe-av-large#audio`.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from antiphon.errors import ConfigError

PREFIX = "hub:"
Side = Literal["audio", "video"]
SIDES: tuple[Side, ...] = ("audio", "video")
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")


@dataclass(frozen=True)
class HubName:
    """Name of a hub backbone.

    Attributes
    ----------
    repository : str
        Organisation and name of a model on the hub; "" for a folder.
    revision : str
        Branch, tag or commit that was asked for; "" for the main branch, and for a folder.
    folder : Path or None
        Folder with a model, absolute; None for one of the hub.
    side : {'audio', 'video', ''}
        Which side of the model is meant; "" where it has one.
    """

    repository: str = ""
    revision: str = ""
    folder: Path | None = None
    side: Side | Literal[""] = ""

    @property
    def model(self) -> str:
        """The name without a side."""
        if self.folder is not None:
            return f"{PREFIX}{self.folder}"
        return f"{PREFIX}{self.repository}" + (f"@{self.revision}" if self.revision else "")

    def __str__(self) -> str:
        return self.model + (f"#{self.side}" if self.side else "")

    def of(self, side: Side | Literal[""]) -> "HubName":
        """Return the same name for a side."""
        return replace(self, side=side)


def is_hub_name(name: str) -> bool:
    """Return whether a name is one of a model on the hub or in a folder."""
    return name.startswith(PREFIX)


def parsed(name: str) -> HubName:
    """Read a name.

    Parameters
    ----------
    name : str
        Name that starts with "hub:". A folder starts with a slash, a dot or a tilde.

    Returns
    -------
    HubName
        Its parts.

    Raises
    ------
    ConfigError
        It is none.

    Examples
    --------
    >>> parsed("hub:facebook/pe-av-large@main#audio").revision
    'main'
    >>> str(parsed("hub:/models/../models/clap"))
    'hub:/models/clap'
    """
    rest = name.removeprefix(PREFIX)
    side: Side | Literal[""] = ""
    for one in SIDES:
        if rest.endswith(f"#{one}"):
            rest, side = rest.removesuffix(f"#{one}"), one
    if rest.startswith(("/", ".", "~")):
        return HubName(folder=Path(rest).expanduser().resolve(), side=side)
    repository, mark, revision = rest.partition("@")
    valid = _REPOSITORY.fullmatch(repository) and ".." not in rest and "--" not in repository
    if not valid or (mark and not _REVISION.fullmatch(revision)):
        raise ConfigError(
            f"{name!r} names no model. Write hub:ORGANISATION/NAME, hub:ORGANISATION/NAME@REVISION, or "
            "hub:/path/to/folder."
        )
    return HubName(repository, revision, side=side)
