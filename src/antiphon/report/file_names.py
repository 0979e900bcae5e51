"""What files are called on a page that is given to others: not by where they lie on this machine."""

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from antiphon.credentials import shown_address
from antiphon.media.names import file_name, local_path

_LEADING = re.compile(r"^(?:[a-z][a-z0-9+.-]*:/)?/.*?(?=: )", re.IGNORECASE)
_WITHIN = re.compile(r"(?<![\w.:/])/(?:[^/\s:]+/)+(?=[^/\s:])")


@dataclass(frozen=True)
class FileNames:
    """Names of a workspace's files.

    Attributes
    ----------
    folder : str
        Folder that all files have in common; "" where they have none but the root.
    workspace : str
        Path of the workspace.
    """

    folder: str
    workspace: str

    @classmethod
    def of(cls, uris: Iterable[str | None], workspace: Path) -> "FileNames":
        """Find the folder that files have in common.

        Parameters
        ----------
        uris : iterable of str or None
            Paths and addresses of the catalogue.
        workspace : Path
            The workspace.

        Returns
        -------
        FileNames
            The names.
        """
        folders = {os.path.dirname(local) for uri in uris if uri and (local := local_path(uri)) and local[:1] == "/"}  # noqa: PTH120
        common = os.path.commonpath(folders) if folders else ""
        return cls("" if common == "/" else common, str(workspace.absolute()))

    def shown(self, uri: str) -> str:
        """Return the path of a file relative to the common folder, or its name alone.

        Examples
        --------
        >>> names = FileNames("/home/ada/music", "/home/ada/work")
        >>> names.shown("/home/ada/music/live/a.mp4"), names.shown("s3://store/b.mp4?key=secret")
        ('live/a.mp4', 'b.mp4')
        """
        local = local_path(uri)
        if local is not None and self.folder and local.startswith(f"{self.folder}/"):
            return local[len(self.folder) + 1 :]
        return file_name(uri)

    def within(self, text: str, uri: str | None = None) -> str:
        """Return a message without folders of this machine.

        Parameters
        ----------
        text : str
            The message.
        uri : str, optional
            The file that it is about; what it starts with, where that is a path, otherwise.

        Returns
        -------
        str
            The message.

        Examples
        --------
        >>> names = FileNames("/home/ada/music", "/home/ada/work")
        >>> names.within("/home/ada/music/a.mp4: is a link to /etc/x.mp4.", "/home/ada/music/a.mp4")
        'a.mp4: is a link to x.mp4.'
        >>> names.within("/mnt/My Disk/b.mp4: no such file.")
        'b.mp4: no such file.'
        """
        for known in (uri, shown_address(uri), local_path(uri)) if uri else ():
            text = text.replace(known, self.shown(known)) if known else text
        return without_folders(text.replace(f"{self.workspace}/", ""), self.shown)


def without_folders(text: str, shown: Callable[[str], str] = file_name) -> str:
    """Return a message without the folders of the paths in it.

    Parameters
    ----------
    text : str
        The message.
    shown : callable, optional
        Takes the path that the message starts with and returns what to show of it. Default: its file's name.

    Returns
    -------
    str
        The message.

    Examples
    --------
    >>> without_folders("/old/a.mp4: is a link to /etc/x.mp4.")
    'a.mp4: is a link to x.mp4.'
    """
    leading = _LEADING.match(text)
    return _WITHIN.sub("", text if leading is None else shown(leading.group()) + text[leading.end() :])
