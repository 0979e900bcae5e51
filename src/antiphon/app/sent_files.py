"""Clients' files that have a page of their own: kept for an hour, bounded in number and size, and gone afterwards."""

import secrets
import threading
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path, PurePosixPath

from antiphon.app.encoding import Encodings, FileFacts
from antiphon.app.own_folder import OwnFolder
from antiphon.app.sent_names import plain_name
from antiphon.app.sent_records import PREFIX, SentFile, dumped, read_sent
from antiphon.errors import StorageError
from antiphon.locks import held, is_free
from antiphon.media.identity import identify
from antiphon.media.names import MEDIA_SUFFIXES
from antiphon.search.record import Origin
from antiphon.tables import write_text

_TOKEN_BYTES = 16
_MAX_MADE = 100
"""Stills and outlines kept of a file: about 1 MB."""
_ENDED = "The process that read this file has ended. Drop it again."


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


class SentFiles:
    """Clients' files, in a folder of this process alone, or of all processes of a service.

    What is known of a file stands in a record beside it, so that each process answers for all of them. Files are kept
    by the hash of their token, and a folder that nobody else may open is made for them.

    Parameters
    ----------
    parent : Path
        Folder of all services' folders. Those of ended ones are deleted.
    limits : SentLimits, optional
        Limits.
    now : callable
        Returns seconds of a clock that never goes back, and is the same for all processes.
    shared : Path, optional
        Folder of the service's processes, which one of them made and deletes. Default: one is made below `parent`.
    """

    def __init__(
        self,
        parent: Path,
        limits: SentLimits | None = None,
        now: Callable[[], float] = time.monotonic,
        shared: Path | None = None,
    ) -> None:
        self.limits = limits or SentLimits()
        self._now = now
        self._own = OwnFolder(parent) if shared is None else None
        self.folder = self._own.path if self._own is not None else shared or parent
        self._process = secrets.token_hex(8)
        self._alive = ExitStack()
        self._alive.enter_context(held(self._lock_of(self._process)))
        self._turn = threading.RLock()
        self._seen: dict[str, tuple[object, SentFile]] = {}
        self._made: dict[str, dict[str, bytes]] = {}

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
        place = self.folder / f"{secrets.token_hex(8)}{ending if ending in MEDIA_SUFFIXES else ''}"
        path.rename(place)
        with self._changing():
            number = max((file.number for file in self._all()), default=0) + 1
            made = SentFile(token, place, name, place.stat().st_size, self._now() + self.limits.keep_s, number)
            try:
                self._write(made)
            except StorageError:
                place.unlink(missing_ok=True)
                raise
            self._sweep()
        return made

    def get(self, token: str) -> SentFile | None:
        """Return the file with a token as it stands, or None if there is none any more."""
        found = self._read(_record_name(token))
        if found is None or found.until_s <= self._now():
            return None
        if found.reader and not self._is_alive(found.reader):
            return self.refuse(found, _ENDED, 503)
        return found

    def by_id(self, id: str) -> SentFile | None:
        """Return the file with an id; None for ids of the catalogue, and for files that are gone."""
        return self.get(id.removeprefix(PREFIX)) if id.startswith(PREFIX) else None

    def begin(self, file: SentFile) -> bool:
        """Note that this process is going to read a file.

        Parameters
        ----------
        file : SentFile
            The file.

        Returns
        -------
        bool
            Whether it is to be read here: it is neither gone, nor being read already.
        """

        begins = False

        def taken(now: SentFile) -> SentFile:
            nonlocal begins
            begins = not (now.reader and self._is_alive(now.reader))
            return replace(now, reader=self._process) if begins else now

        return self._change(file, taken) is not None and begins

    def leave(self, file: SentFile) -> None:
        """Note that a file is not read any more.

        Parameters
        ----------
        file : SentFile
            The file.
        """
        self._change(file, lambda now: replace(now, reader=""))

    def read(self, file: SentFile, facts: FileFacts) -> None:
        """Note what a file is.

        Parameters
        ----------
        file : SentFile
            The file.
        facts : FileFacts
            What was found in it.
        """
        identity = identify(file.path)
        self._change(file, lambda now: replace(now, facts=facts, identity=identity))

    def embedded(self, file: SentFile, encodings: Encodings, origin: Origin) -> None:
        """Note the embeddings of a file, which has then been read.

        Parameters
        ----------
        file : SentFile
            The file.
        encodings : dict of str to ModalityEmbeddings
            The embeddings.
        origin : Origin
            What made them.
        """
        self._change(file, lambda now: replace(now, encodings=encodings, origin=origin, reader=""))

    def refuse(self, file: SentFile, fault: str, status: int) -> SentFile | None:
        """Note why a file cannot be used, and delete it; the reason is kept as long as the file would have been.

        Parameters
        ----------
        file : SentFile
            The file.
        fault : str
            The reason.
        status : int
            Status of the answer that says so.

        Returns
        -------
        SentFile, optional
            The file as it stands then; None if it is gone.
        """
        file.path.unlink(missing_ok=True)
        # It may quote what cannot be written: half a surrogate pair.
        fault = fault.encode(errors="replace").decode()
        try:
            return self._change(file, lambda now: replace(now, fault=fault, status=status, reader="", size_bytes=0))
        except StorageError:  # A disk that is full: then it is gone without a reason.
            with self._changing():
                self._remove(file)
            return None

    def reject(self, file: SentFile, target: str, id: str, *, undo: bool, most: int) -> None:
        """Note that an answer to a file does not fit, or that it does after all.

        Parameters
        ----------
        file : SentFile
            The file.
        target : str
            What was asked for.
        id : str
            Id of the answer.
        undo : bool
            Whether to take it back.
        most : int
            How many are noted; beyond that the first goes first.
        """

        def noted(now: SentFile) -> SentFile:
            said = [one for one in now.rejected.get(target, ()) if one != id] + ([] if undo else [id])
            return replace(now, rejected={**now.rejected, target: tuple(said[-most:])})

        self._change(file, noted)

    def keep(self, file: SentFile, name: str, make: Callable[[], bytes]) -> bytes:
        """Return a still or an outline of a file, made if this process did not make it before.

        Parameters
        ----------
        file : SentFile
            The file.
        name : str
            What it is.
        make : callable
            Makes it.

        Returns
        -------
        bytes
            Its content.
        """
        found = self._made.get(file.token, {}).get(name)
        if found is None:
            found = make()
            with self._turn:  # Stills and outlines are made in threads of their own.
                made = self._made.setdefault(file.token, {})
                stills = [one for one in made if one.startswith("still ")]
                if len(made) >= _MAX_MADE and stills:
                    del made[stills[0]]
                made[name] = found
        return found

    def sweep(self) -> None:
        """Remove the files whose time is over, and those that came first while there are too many."""
        with self._changing():
            self._sweep()

    def _sweep(self) -> None:
        files = sorted(self._all(), key=lambda file: file.number)
        kept = [file for file in files if file.until_s > self._now()]
        while len(kept) > self.limits.max_files or sum(file.size_bytes for file in kept) > self.limits.max_bytes:
            del kept[0]
        stay = {file.token for file in kept}
        for file in files:
            if file.token not in stay:
                self._remove(file)
        for token in [token for token in self._made if token not in stay]:  # Another process may have removed it.
            del self._made[token]

    @property
    def size_bytes(self) -> int:
        """Size of all files together."""
        return sum(file.size_bytes for file in self._all())

    @property
    def waiting(self) -> int:
        """Number of files that wait to be read, or are being read, in any process."""
        return sum(bool(file.reader) and self._is_alive(file.reader) for file in self._all())

    @property
    def waiting_here(self) -> int:
        """Number of files that wait to be read, or are being read, in this process."""
        return sum(file.reader == self._process for file in self._all())

    @property
    def minutes(self) -> int:
        """How long a file is kept."""
        return round(self.limits.keep_s / 60)

    def close(self) -> None:
        """Delete all files, unless other processes have them too."""
        self._alive.close()
        if self._own is not None:
            self._own.close()
        else:
            self._lock_of(self._process).unlink(missing_ok=True)

    @contextmanager
    def _changing(self) -> Generator[None]:
        with self._turn, held(self.folder / "changing.lock"):
            yield

    def _change(self, file: SentFile, change: Callable[[SentFile], SentFile]) -> SentFile | None:
        """Change what is known of a file; None if it is gone, also meanwhile: it does not come back."""
        with self._changing():
            now = self._read(_record_name(file.token))
            if now is None:
                return None
            changed = change(now)
            if changed is not now:
                self._write(changed)
            return changed

    def _write(self, file: SentFile) -> None:
        write_text(dumped(file), self.folder / _record_name(file.token))

    def _read(self, name: str) -> SentFile | None:
        """Return what a record says; it is parsed again only where it has changed."""
        place = self.folder / name
        try:
            about = place.stat()
        except OSError:
            self._seen.pop(name, None)
            return None
        stamp = (about.st_mtime_ns, about.st_ino, about.st_size)
        known = self._seen.get(name)
        if known is not None and known[0] == stamp:
            return known[1]
        found = read_sent(place)
        if found is not None:
            self._seen[name] = (stamp, found)
        return found

    def _all(self) -> list[SentFile]:
        found = (self._read(place.name) for place in self.folder.glob("*.json"))
        return [file for file in found if file is not None]

    def _remove(self, file: SentFile) -> None:
        (self.folder / _record_name(file.token)).unlink(missing_ok=True)
        file.path.unlink(missing_ok=True)

    def _lock_of(self, process: str) -> Path:
        return self.folder / f"{process}.lock"

    def _is_alive(self, process: str) -> bool:
        return process == self._process or not is_free(self._lock_of(process))


def _record_name(token: str) -> str:
    """Return the name of a file's record: whatever text a client takes for a token, it names a file in the folder."""
    return f"{sha256(token.encode(errors='surrogatepass')).hexdigest()[:32]}.json"
