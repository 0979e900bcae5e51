"""A client's file, and how it is written down, so that every process of a service knows it."""

import base64
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, ValidationError

from antiphon.app.encoding import Encodings, FileFacts
from antiphon.app.library import SegmentSpan, Video
from antiphon.app.sent_names import UNNAMED
from antiphon.documents import read_document
from antiphon.embeddings import Modality, ModalityEmbeddings
from antiphon.media.identity import FileIdentity
from antiphon.media.names import title_from_id
from antiphon.media.opening import CataloguedFile
from antiphon.search.record import Origin

PREFIX = "file:"
"""Ids of clients' files begin with it; the rest is a token, which no id of a catalogue can be by chance."""
_PLACE = re.compile(r"[0-9a-f]{16}(\.\w{1,8})?", re.ASCII)
_MAX_BYTES = 1 << 25
_FLOAT = "<f4"
_PACKED = frozenset({"place", "sides"})
"""Fields of a record that a file has in another form, under another name."""


@dataclass(frozen=True, eq=False)
class SentFile:
    """A client's file, and how far it is.

    Attributes
    ----------
    token : str
        Who knows it can see and hear the file.
    path : Path
        Where it lies, under a name of ours.
    name : str
        What the client calls it, as plain text; never a path.
    size_bytes : int
        Its size.
    until_s : float
        When it goes, by the monotonic clock.
    number : int
        Files that came later have a larger one.
    facts : FileFacts, optional
        What was found in it, once it was read.
    identity : FileIdentity, optional
        Which content that was.
    encodings : dict of str to ModalityEmbeddings
        Its embeddings, once they are made.
    origin : Origin, optional
        What made them.
    fault : str
        Why it cannot be used; "" while nothing is wrong.
    status : int
        Status of the answer that says so.
    reader : str
        The process in which it waits to be read, or is being read; "" where it is not.
    rejected : dict of str to tuple of str
        Ids that were said not to fit, in order of time, by what was asked for.
    """

    token: str
    path: Path
    name: str
    size_bytes: int
    until_s: float
    number: int = 0
    facts: FileFacts | None = None
    identity: FileIdentity | None = None
    encodings: Encodings = field(default_factory=Encodings)
    origin: Origin | None = None
    fault: str = ""
    status: int = 200
    reader: str = ""
    rejected: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    @property
    def id(self) -> str:
        """What it is called among music videos."""
        return f"{PREFIX}{self.token}"

    @property
    def video(self) -> Video | None:
        """What it is; None until it was read, and where it cannot be used."""
        if self.facts is None or self.fault:
            return None
        windows = {window for one in self.encodings.values() for window in one.windows}
        spans = [(start, end) for start, end in windows if start is not None and end is not None]
        return Video(
            id=self.id,
            file=CataloguedFile(str(self.path), **({} if self.identity is None else asdict(self.identity))),
            title=title_from_id(self.name) or UNNAMED,
            artist="",
            genre="",
            tags=(),
            year=None,
            start_s=self.facts.start_s,
            duration_s=self.facts.duration_s,
            has_audio=self.facts.has_audio,
            has_video=self.facts.has_video,
            segments=tuple(SegmentSpan(start, end) for start, end in sorted(spans)),
            sent_name=self.name,
        )


class _Side(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    track: str
    segments: str
    starts_s: tuple[float | None, ...]
    ends_s: tuple[float | None, ...]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    token: str
    place: str
    name: str
    size_bytes: int
    until_s: float
    number: int
    facts: FileFacts | None
    identity: FileIdentity | None
    sides: dict[Modality, _Side]
    origin: Origin | None
    fault: str
    status: int
    reader: str
    rejected: dict[str, tuple[str, ...]]


def dumped(file: SentFile) -> str:
    """Write a client's file down.

    Parameters
    ----------
    file : SentFile
        The file.

    Returns
    -------
    str
        JSON.
    """
    sides: dict[Modality, _Side] = {
        side: _Side(track=_packed(one.track), segments=_packed(one.segments), starts_s=one.starts_s, ends_s=one.ends_s)
        for side, one in file.encodings.items()
    }
    others = {name: getattr(file, name) for name in _Record.model_fields if name not in _PACKED}
    return _Record(place=file.path.name, sides=sides, **others).model_dump_json()


def read_sent(path: Path) -> SentFile | None:
    """Read what `dumped` wrote.

    Parameters
    ----------
    path : Path
        The record, beside the file.

    Returns
    -------
    SentFile, optional
        The file; None where there is no record, or it is damaged.
    """
    try:
        found = _Record.model_validate_json(read_document(path, _MAX_BYTES))
        if not _PLACE.fullmatch(found.place):
            return None
        encodings: Encodings = {side: _embeddings(one) for side, one in found.sides.items()}
    except (OSError, ValueError, ValidationError):
        return None
    others = {name: value for name, value in found if name not in _PACKED}
    return SentFile(path=path.parent / found.place, encodings=encodings, **others)


def _packed(vectors: npt.NDArray[np.float32]) -> str:
    return base64.b64encode(np.ascontiguousarray(vectors, _FLOAT).tobytes()).decode()


def _embeddings(side: _Side) -> ModalityEmbeddings:
    track, segments = (
        np.frombuffer(base64.b64decode(text, validate=True), _FLOAT).astype(np.float32)
        for text in (side.track, side.segments)
    )
    count = len(side.starts_s)
    if not len(track) or len(side.ends_s) != count or len(segments) != count * len(track):
        raise ValueError("the lengths of vectors and times do not fit each other")
    return ModalityEmbeddings(track, segments.reshape(count, len(track)), side.starts_s, side.ends_s)
