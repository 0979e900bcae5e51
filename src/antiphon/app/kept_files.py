"""A folder of small files that are costly to make: bounded in number, written whole or not at all."""

import os
from contextlib import suppress
from pathlib import Path

from antiphon.app.library import Video
from antiphon.documents import refuse_no_file
from antiphon.media.opening import CataloguedFile
from antiphon.tables import atomic_path


class KeptFiles:
    """Files by name; beyond their maximum number the tenth that was used longest ago is removed.

    Parameters
    ----------
    folder : Path
        Their folder.
    ending : str
        Ending of their names, such as ".jpg".
    max_files : int
        Maximum number.
    """

    def __init__(self, folder: Path, ending: str, max_files: int) -> None:
        self._folder, self._ending, self._max_files = folder, ending, max_files

    def read(self, name: str, max_bytes: int) -> bytes | None:
        """Read a file.

        Parameters
        ----------
        name : str
            Its name, a hash.
        max_bytes : int
            Largest size that is read.

        Returns
        -------
        bytes, optional
            Its content; None if there is none that can be read.
        """
        place = self._place(name)
        try:
            refuse_no_file(place)
            if place.stat().st_size > max_bytes:
                return None
            os.utime(place)
            return place.read_bytes()
        except OSError:  # None yet, or one that cannot be read: it is made again.
            return None

    def write(self, name: str, content: bytes) -> None:
        """Write a file, and remove the oldest ones. A disk that is full or read-only is no reason to show nothing.

        Parameters
        ----------
        name : str
            Its name, a hash.
        content : bytes
            Its content.
        """
        with suppress(OSError), atomic_path(self._place(name)) as partial:
            partial.write_bytes(content)
        self._remove_oldest()

    def _place(self, name: str) -> Path:
        return self._folder / f"{name}{self._ending}"

    def _remove_oldest(self) -> None:
        kept = list(self._folder.glob(f"*{self._ending}"))
        if len(kept) <= self._max_files:
            return
        aged: list[tuple[int, Path]] = []
        for path in kept:
            with suppress(OSError):  # Another process has removed it meanwhile.
                aged.append((path.stat().st_mtime_ns, path))
        for _, path in sorted(aged)[: max(0, len(aged) - self._max_files + self._max_files // 10)]:
            with suppress(OSError):
                path.unlink()


def file_version(video: Video) -> str:
    """Tell which file a video has: by the catalogue, or, in one of an earlier version, by when it was changed.

    Parameters
    ----------
    video : Video
        The video.

    Returns
    -------
    str
        Text that changes with the file.
    """
    file: CataloguedFile | None = video.file
    if file is None or file.is_identified or file.local is None:
        return repr(file)
    try:
        changed_ns = Path(file.local).stat().st_mtime_ns
    except OSError:
        changed_ns = 0
    return f"{file}\0{changed_ns}"
