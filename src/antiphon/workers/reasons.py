"""Why a file could not be processed, in words."""

from pathlib import Path

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
    if isinstance(error, LimitError):
        return f"{uri}: {error}. It is damaged, or needs higher limits."
    if isinstance(error, CrashError):
        return f"{uri}: {error}. It is damaged; encode it again."
    if isinstance(error, JobError):
        return f"{uri}: could not be processed: {error}."
    return str(error) if str(uri) in str(error) else f"{uri}: {error}"


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
