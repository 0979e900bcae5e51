"""Why a music video cannot be played, or cannot be searched with, and what to do."""

from dataclasses import dataclass
from pathlib import Path

from antiphon.app.library import Video
from antiphon.report.file_names import without_folders
from antiphon.workers.reasons import unnamed

_EXTRACT, _ADD = "antiphon extract", "antiphon index add"
_KEPT = " Its embedding is kept, so it can still be searched with."


@dataclass(frozen=True)
class Trouble:
    """What is wrong with a music video.

    Attributes
    ----------
    what : str
        Sentences.
    todo : tuple of str
        What to do: words and commands in turn, words first.
    """

    what: str
    todo: tuple[str, ...] = ()


@dataclass(frozen=True)
class Uses:
    """What can be done with a music video.

    Attributes
    ----------
    plays : bool
        Whether there is something to play.
    searches : bool
        Whether it has an embedding to search with.
    trouble : Trouble, optional
        The one reason why something cannot be done.
    """

    plays: bool
    searches: bool
    trouble: Trouble | None


def uses_of(video: Video, searches: bool) -> Uses:
    """Find out what can be done with a music video. This looks whether its file is there.

    Parameters
    ----------
    video : Video
        The video.
    searches : bool
        Whether it has an embedding.

    Returns
    -------
    Uses
        What can be done, and why not the rest.
    """
    file = video.file or video.unread
    if file is not None and file.local is not None and not Path(file.local).exists():
        moved = ("Put it back, or if its folder has moved:", "antiphon catalogue move OLD NEW")
        return Uses(False, searches, Trouble(f"The file is missing.{_KEPT if searches else ''}", moved))
    if not searches:
        plays = video.file is not None and not any(failure.stage == "extract" for failure in video.failures)
        return Uses(plays, False, _unembedded(video))
    if file is None:
        return Uses(False, True, Trouble("The catalogue has no file for this video, so there is nothing to play."))
    if video.file is None:
        repair = ("Repair or replace it, and then:", "antiphon catalogue refresh")
        return Uses(False, True, Trouble(f"Neither sound nor pictures were found in the file.{_KEPT}", repair))
    return Uses(True, True, None)


def _unembedded(video: Video) -> Trouble:
    """Say why a video has no embedding."""
    file = video.file or video.unread
    if file is not None and video.failures:
        words = [without_folders(unnamed(file.path, failure.message)) for failure in video.failures]
        again = ("Repair or replace the file, and then:", _EXTRACT, "and", _ADD)
        return Trouble(" ".join(dict.fromkeys(words)), again)
    if file is None:
        why = (
            "The catalogue has no file for this video and the index no embedding, so there is nothing to play or match."
        )
        return Trouble(why)
    if video.file is None:
        why = "Neither sound nor pictures were found in the file."
        return Trouble(why, ("Repair or replace it, and then:", _EXTRACT, "and", _ADD))
    return Trouble("This video has no embedding yet, so it cannot be searched with.", ("Run", _EXTRACT, "and", _ADD))
