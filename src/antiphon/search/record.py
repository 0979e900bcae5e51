"""`index.toml`: what an index is, and what its embeddings are of."""

import tomllib
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, cast

import tomli_w

from antiphon.errors import SearchError, StaleIndexError

RECORD_FILE = "index.toml"
REBUILD = "Build it again: antiphon index build (ap.Index.build)."
BUILD_FIRST = "Build one first: antiphon index build (ap.Index.build)."

_FORMAT = 1

Kind = Literal["exact", "lancedb"]


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
            names = (self.run or "without a name", other.run or "without a name")
            raise StaleIndexError(
                f"{place}: was built with another model ({names[0]}, {self.model[:12]}; this one is {names[1]}, "
                f"{other.model[:12]}). {REBUILD}"
            )
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
    kind : {"exact", "lancedb"}
        Its store.
    dim : int
        Size of the embeddings.
    entries : str
        Name of the folder or table that holds the rows; a new build writes under another name.
    origin : Origin
        What made the embeddings.
    """

    kind: Kind
    dim: int
    entries: str
    origin: Origin = field(default_factory=Origin)


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
        values: dict[str, Any] = tomllib.loads(text)
        if values.pop("format") != _FORMAT:
            raise SearchError(f"{place}: was written in another format; this version reads {_FORMAT}. {REBUILD}")
        record = Record(cast(Kind, values["kind"]), values["dim"], values["entries"], Origin(**values["origin"]))
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise SearchError(f"{place}: {RECORD_FILE} is damaged ({error!r}). {REBUILD}") from error
    if record.kind not in ("exact", "lancedb") or not record.entries.startswith("entries-") or "/" in record.entries:
        raise SearchError(f"{place}: {RECORD_FILE} is damaged. {REBUILD}")
    return record
