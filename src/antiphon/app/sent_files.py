"""Clients' files that have a page of their own: kept for an hour, bounded in number and size, and gone afterwards."""

import secrets
import threading
import time
import unicodedata
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path, PurePosixPath

from antiphon.app.encoding import Encodings, FileFacts
from antiphon.app.library import SegmentSpan, Video
from antiphon.app.own_folder import OwnFolder
from antiphon.media.identity import identify
from antiphon.media.names import MEDIA_SUFFIXES, title_from_id
from antiphon.media.opening import CataloguedFile
from antiphon.search.record import Origin

PREFIX = "file:"
"""Ids of clients' files begin with it; the rest is a token, which no id of a catalogue can be by chance."""
_TOKEN_BYTES = 16
_MAX_NAME = 120
_MAX_MADE = 100
"""Stills and outlines kept of a file: about 1 MB."""
_UNNAMED = "Your file"


@dataclass(frozen=True)
class SentLimits:
    """How many files are kept, and for how long; beyond that the one that came first goes first.

    Attributes
    ----------
    keep_s : float
        Seconds that a file is kept.
    max_files : int
        Maximum number of files.
    max_bytes : int
        Maximum size of all together.
    max_waiting : int
        Maximum number of files that wait to be read; further ones are refused with Retry-After.
    """

    keep_s: float = 3600.0
    max_files: int = 32
    max_bytes: int = 2 << 30
    max_waiting: int = 8


@dataclass(eq=False)
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
    video : Video, optional
        What it is, once it was read.
    encodings : dict of str to ModalityEmbeddings
        Its embeddings, once they are made.
    origin : Origin, optional
        What made them.
    fault : str
        Why it cannot be used; "" while nothing is wrong.
    status : int
        Status of the answer that says so.
    is_waiting : bool
        Whether it waits to be read, or is being read.
    made : dict of str to bytes
        Stills and outlines of it, which go with it.
    keeping : Lock
        Held while one of these is added.
    rejected : dict of str to dict
        Ids that were said not to fit, in order of time, by what was asked for.
    """

    token: str
    path: Path
    name: str
    size_bytes: int
    until_s: float
    video: Video | None = None
    encodings: Encodings = field(default_factory=Encodings)
    origin: Origin | None = None
    fault: str = ""
    status: int = 200
    is_waiting: bool = False
    made: dict[str, bytes] = field(default_factory=dict[str, bytes])
    keeping: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)
    rejected: dict[str, dict[str, None]] = field(default_factory=dict[str, dict[str, None]])

    @property
    def id(self) -> str:
        """What it is called among music videos."""
        return f"{PREFIX}{self.token}"

    def read(self, facts: FileFacts) -> None:
        """Note what it is.

        Parameters
        ----------
        facts : FileFacts
            What was found in it.
        """
        found = identify(self.path)
        self.video = Video(
            id=self.id,
            file=CataloguedFile(str(self.path), **({} if found is None else asdict(found))),
            title=title_from_id(self.name) or _UNNAMED,
            artist="",
            genre="",
            tags=(),
            year=None,
            start_s=facts.start_s,
            duration_s=facts.duration_s,
            has_audio=facts.has_audio,
            has_video=facts.has_video,
            sent_name=self.name,
        )

    def embedded(self, encodings: Encodings, origin: Origin) -> None:
        """Note its embeddings, and where its segments lie.

        Parameters
        ----------
        encodings : dict of str to ModalityEmbeddings
            The embeddings.
        origin : Origin
            What made them.
        """
        self.encodings, self.origin = encodings, origin
        windows = sorted({window for one in encodings.values() for window in one.windows})
        spans = tuple(SegmentSpan(start, end) for start, end in windows if start is not None and end is not None)
        if self.video is not None:
            self.video = replace(self.video, segments=spans)

    def keep(self, name: str, make: Callable[[], bytes]) -> bytes:
        """Return a still or an outline, made if it was not made before.

        Parameters
        ----------
        name : str
            What it is.
        make : callable
            Makes it.

        Returns
        -------
        bytes
            Its content.
        """
        found = self.made.get(name)
        if found is None:
            found = make()
            with self.keeping:  # Stills and outlines are made in threads of their own.
                stills = [one for one in self.made if one.startswith("still ")]
                if len(self.made) >= _MAX_MADE and stills:
                    del self.made[stills[0]]
                self.made[name] = found
        return found


class SentFiles:
    """Clients' files, in a folder of this process alone. Changed in the server's event loop alone.

    Parameters
    ----------
    parent : Path
        Folder of all processes' folders. Those of ended processes are deleted.
    limits : SentLimits, optional
        Limits.
    now : callable
        Returns seconds of a clock that never goes back.
    """

    def __init__(
        self, parent: Path, limits: SentLimits | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.limits = limits or SentLimits()
        self._now = now
        self._own = OwnFolder(parent)
        self._files: dict[str, SentFile] = {}

    def add(self, path: Path, name: str) -> SentFile:
        """Keep a file, and remove what is then too much.

        Parameters
        ----------
        path : Path
            Where it lies; it is moved from there.
        name : str
            What the client calls it; any text.

        Returns
        -------
        SentFile
            The file.
        """
        token, name = secrets.token_urlsafe(_TOKEN_BYTES), plain_name(name)
        ending = PurePosixPath(name).suffix.lower()
        place = self._own.path / f"{secrets.token_hex(8)}{ending if ending in MEDIA_SUFFIXES else ''}"
        path.rename(place)
        made = SentFile(token, place, name, place.stat().st_size, self._now() + self.limits.keep_s)
        self._files[token] = made
        self.sweep()
        return made

    def get(self, token: str) -> SentFile | None:
        """Return the file with a token, or None if there is none any more."""
        found = self._files.get(token)
        return found if found is not None and found.until_s > self._now() else None

    def by_id(self, id: str) -> SentFile | None:
        """Return the file with an id; None for ids of the catalogue, and for files that are gone."""
        return self.get(id.removeprefix(PREFIX)) if id.startswith(PREFIX) else None

    def refuse(self, file: SentFile, fault: str, status: int) -> None:
        """Note why a file cannot be used, and delete it; the reason is kept as long as the file would have been.

        Parameters
        ----------
        file : SentFile
            The file.
        fault : str
            The reason.
        status : int
            Status of the answer that says so.
        """
        file.fault, file.status, file.video = fault, status, None
        file.path.unlink(missing_ok=True)
        file.size_bytes = 0

    def sweep(self) -> None:
        """Remove the files whose time is over, and those that came first while there are too many."""
        for file in [file for file in self._files.values() if file.until_s <= self._now()]:
            self._remove(file)
        limits = self.limits
        while len(self._files) > limits.max_files or self.size_bytes > limits.max_bytes:
            self._remove(next(iter(self._files.values())))

    def _remove(self, file: SentFile) -> None:
        del self._files[file.token]
        file.path.unlink(missing_ok=True)

    @property
    def size_bytes(self) -> int:
        """Size of all files together."""
        return sum(file.size_bytes for file in self._files.values())

    @property
    def waiting(self) -> int:
        """Number of files that wait to be read, or are being read."""
        return sum(file.is_waiting for file in self._files.values())

    @property
    def minutes(self) -> int:
        """How long a file is kept."""
        return round(self.limits.keep_s / 60)

    def close(self) -> None:
        """Delete all files."""
        self._files.clear()
        self._own.close()


def plain_name(name: str) -> str:
    """Return a client's name of a file as plain text: its last part, without characters that are not shown.

    Parameters
    ----------
    name : str
        Any text.

    Returns
    -------
    str
        At most 120 characters; "Your file" for nothing.

    Examples
    --------
    >>> plain_name("C:\\\\films\\\\Demo 3.mp4"), plain_name("../../etc/passwd"), plain_name("..")
    ('Demo 3.mp4', 'passwd', 'Your file')
    """
    last = name.replace("\\", "/").rpartition("/")[2]
    shown = "".join(sign for sign in last if unicodedata.category(sign)[0] != "C").strip()
    if len(shown) > _MAX_NAME:
        stem, dot, ending = shown.rpartition(".")
        shown = f"{stem[: _MAX_NAME - 8]}….{ending[:6]}" if dot and len(ending) < 7 else shown[:_MAX_NAME]
    return shown if shown.strip(". ") else _UNNAMED
