"""Why a file could not be processed, in words."""

from pathlib import Path

from antiphon.credentials import shown_address
from antiphon.errors import AntiphonError
from antiphon.workers.limits import CrashError, JobError, LimitError


def reason(uri: str | Path, error: AntiphonError) -> str:
    """Say why a file could not be processed.

    Parameters
    ----------
    uri : str or Path
        Name of the file.
    error : AntiphonError
        What reading it or computing with it raised.

    Returns
    -------
    str
        A sentence that names the file.

    Examples
    --------
    >>> reason("song.mp3", LimitError("took longer than 60 s"))
    'song.mp3: took longer than 60 s. It is damaged, or needs higher limits.'
    """
    uri = shown_address(str(uri))
    if isinstance(error, LimitError):
        return f"{uri}: {error}. It is damaged, or needs higher limits."
    if isinstance(error, CrashError):
        return f"{uri}: {error}. It is damaged; encode it again."
    if isinstance(error, JobError):
        return f"{uri}: could not be processed: {error}."
    return str(error) if uri in str(error) else f"{uri}: {error}"


_VERBS = (
    "cannot",
    "could",
    "crashed",
    "does",
    "ends",
    "has",
    "is",
    "lacks",
    "needed",
    "needs",
    "starts",
    "took",
    "was",
)


def unnamed(uri: str | Path, message: str) -> str:
    """Say why a file could not be processed without saying where it lies, for those who look at another machine.

    Parameters
    ----------
    uri : str or Path
        Name of the file.
    message : str
        The reason; see `reason`.

    Returns
    -------
    str
        A sentence on "the file".

    Examples
    --------
    >>> unnamed("/music/a.mp4", "/music/a.mp4: is empty (0 bytes).")
    'The file is empty (0 bytes).'
    >>> unnamed("/music/a.mp4", "/music/a.mp4: the video ends at 3.00 s.")
    'The video ends at 3.00 s.'
    """
    name = shown_address(str(uri))
    start = f"{name}: "
    about = message.removeprefix(start)
    if about != message and about.split(" ", 1)[0] in _VERBS:
        about = f"The file {about}"
    return f"{about[:1].upper()}{about[1:]}".replace(name, "the file")


def kind(error: AntiphonError) -> str:
    """Return the class of an error, of the original one where it is none of ours.

    Parameters
    ----------
    error : AntiphonError
        The error.

    Returns
    -------
    str
        Name of the class.
    """
    return error.kind if isinstance(error, JobError) else type(error).__name__
