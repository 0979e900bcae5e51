"""`index.toml`: what an index is, and what its embeddings are of."""

import re
from dataclasses import asdict, dataclass, field
from typing import Any

import tomli_w

from antiphon.documents import parsed_toml, reason
from antiphon.errors import SearchError, StaleIndexError
from antiphon.shapes import MAX_DIM

RECORD_FILE = "index.toml"
REBUILD = "Build it again: antiphon index build (ap.Index.build)."
BUILD_FIRST = "Build one first: antiphon index build (ap.Index.build)."

_FORMAT = 2
_EARLIER_FORMAT = 1
_ENTRIES = re.compile(r"entries-[\w-]{1,100}")


@dataclass(frozen=True)
class Origin:
    """What made the embeddings of an index.

    Attributes
    ----------
    model : str
        Fingerprint of the model; "" for vectors computed elsewhere.
    audio, video : str
        Backbones of the features; "" for features without a name.
    audio_made_by, video_made_by : str
        Hashes of what made these features; "" where unknown.
    run : str
        Name of the run, for people; "" where unknown.
    """

    model: str = ""
    audio: str = ""
    video: str = ""
    audio_made_by: str = ""
    video_made_by: str = ""
    run: str = ""

    def of(self, side: str) -> str:
        """Return the backbone of a modality's features; "" for features without a name."""
        return self.audio if side == "audio" else self.video

    def refuse_other(self, other: "Origin", place: object) -> None:
        """Refuse embeddings of another origin; hashes are compared where both are known.

        Raises
        ------
        StaleIndexError
            The message says what differs and what to do.
        """
        if bool(self.model) != bool(other.model):
            made, given = ("a model's embeddings", "vectors") if self.model else ("vectors", "a model's embeddings")
            raise StaleIndexError(f"{place}: this index holds {made}, not {given}. {REBUILD}")
        if self.model != other.model:
            ours, theirs = (", ".join(filter(None, (one.run, one.model[:12]))) for one in (self, other))
            raise StaleIndexError(f"{place}: was built with another model ({ours}; not {theirs}). {REBUILD}")
        for side in ("audio", "video"):
            made, given = getattr(self, side), getattr(other, side)
            if made != given:
                names = (made or "no name", given or "no name")
                raise StaleIndexError(
                    f"{place}: was built from {side} features of {names[0]}, not of {names[1]}. {REBUILD}"
                )
            made, given = getattr(self, f"{side}_made_by"), getattr(other, f"{side}_made_by")
            if made and given and made != given:
                raise StaleIndexError(
                    f"{place}: the {side} features have been recomputed with other weights, sampling or frames since. "
                    f"{REBUILD}"
                )


@dataclass(frozen=True)
class Record:
    """The record of one index.

    Attributes
    ----------
    dim : int
        Size of the embeddings.
    entries : str
        Name of the folder that holds the rows; a new build writes under another name.
    origin : Origin
        What made the embeddings.
    correction_dim : int
        Number of their last values, which correct scores of audio with video and mean nothing within one side.
    """

    dim: int
    entries: str
    origin: Origin = field(default_factory=Origin)
    correction_dim: int = 0


def dumped(record: Record) -> str:
    """Return the record as TOML."""
    return tomli_w.dumps({"format": _FORMAT, **asdict(record)})


def parsed(text: str, place: object) -> Record:
    """Read what `dumped` wrote.

    Raises
    ------
    SearchError
        It is not the record of an index, or has another format.
    """
    try:
        values = parsed_toml(text)
        _refuse_other_format(values, place)
        _refuse_unusable(values)
        origin, correction_dim = Origin(**values["origin"]), values.get("correction_dim", 0)
        record = Record(values["dim"], values["entries"], origin, correction_dim)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, SearchError):
            raise
        raise SearchError(f"{place}: {RECORD_FILE} is damaged ({reason(error)}). {REBUILD}") from error
    return record


def _refuse_other_format(values: dict[str, Any], place: object) -> None:
    """Refuse what this version cannot read; the exact indexes of format 1 have the rows of today's, without lists."""
    found = values["format"]
    if found == _EARLIER_FORMAT and values["kind"] == "lancedb":
        raise SearchError(
            f"{place}: was built by an earlier version with LanceDB, which this one does not read. {REBUILD}"
        )
    if found != _FORMAT and not (found == _EARLIER_FORMAT and values["kind"] == "exact"):
        raise SearchError(f"{place}: was written in another format; this version reads {_FORMAT}. {REBUILD}")


def _refuse_unusable(values: dict[str, Any]) -> None:
    if type(values["dim"]) is not int or not 1 <= values["dim"] <= MAX_DIM:
        raise ValueError("embeddings of no possible size")
    corrections = values.get("correction_dim", 0)
    if type(corrections) is not int or not 0 <= corrections < values["dim"]:
        raise ValueError("corrections of no possible size")
    if not isinstance(values["entries"], str) or not _ENTRIES.fullmatch(values["entries"]):
        raise ValueError("the name of no rows")
    if not all(isinstance(value, str) for value in values["origin"].values()):
        raise ValueError("an origin that is no text")
