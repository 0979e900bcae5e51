"""Cue sheets: which stretch of which file goes where, for editing programs and spreadsheets."""

import re
import unicodedata
from collections.abc import Iterable

from antiphon.app.edits import Edit, Stretch
from antiphon.media.names import file_name
from antiphon.presentation.csv_text import csv_text

COLUMNS = (
    "choice",
    *("pictures_id", "pictures_file", "pictures_artist", "pictures_title", "pictures_from_s", "pictures_to_s"),
    *("song_id", "song_file", "song_artist", "song_title", "song_from_s", "song_to_s"),
    *("pictures_from_timecode", "pictures_to_timecode", "song_from_timecode", "song_to_timecode"),
    "timecode_frames_per_s",
)
_USUAL_RATE = 25
_RATES = range(12, 121)
_MAX_OFF = 0.07
"""How far a rate may be from a whole number: 23.976, 29.97 and 59.94 count as 24, 30 and 60, no number dropped."""
_RECORD_START_H = 1
_MAX_TITLE = 70
_UNPRINTED = re.compile(r"[^ -~]+")


def edit_rate(frames_per_s: float) -> tuple[float, int]:
    """Choose the rate of the time codes.

    Parameters
    ----------
    frames_per_s : float
        Rate of the pictures.

    Returns
    -------
    rate : float
        Frames per second.
    base : int
        Frames per second of the time code: that rate, rounded; 25 where the pictures have none that time codes know.

    Examples
    --------
    >>> edit_rate(25.0), edit_rate(30000 / 1001)[1], edit_rate(12.5)
    ((25.0, 25), 30, (25, 25))
    """
    base = round(frames_per_s)
    return (
        (frames_per_s, base) if base in _RATES and abs(frames_per_s - base) < _MAX_OFF else (_USUAL_RATE, _USUAL_RATE)
    )


def timecode(frames: int, base: int) -> str:
    """Format a number of frames as a time code without dropped numbers.

    Examples
    --------
    >>> timecode(25 * 3_661 + 7, 25)
    '01:01:01:07'
    """
    seconds, rest = divmod(frames, base)
    return f"{seconds // 3600 % 24:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}:{rest:02d}"


def edit_list(edit: Edit, frames_per_s: float) -> str:
    """Write an edit as an edit decision list in the CMX 3600 format: one event for the pictures and one for the song.

    Parameters
    ----------
    edit : Edit
        The edit.
    frames_per_s : float
        Rate of the pictures.

    Returns
    -------
    str
        The list, in ASCII, its record from 01:00:00:00 on. Reels are named AX, as for files without one; the comments
        name the files, and say exactly where they start.
    """
    rate, base = edit_rate(frames_per_s)
    pictures, song = edit.pictures, edit.song
    count = round(pictures.length_s * rate)
    first = _RECORD_START_H * 3600 * base
    lines = [f"TITLE: {_ascii(f'{pictures.video.title} with {song.video.title}').upper()[:_MAX_TITLE]}"]
    lines += ["FCM: NON-DROP FRAME", ""]
    for number, (kind, stretch) in enumerate((("V", pictures), ("A", song)), start=1):
        codes = [*_codes(stretch, count, rate, base), timecode(first, base), timecode(first + count, base)]
        lines.append(f"{number:03d}  {'AX':<8} {kind:<5} {'C':<8} {' '.join(codes)}")
        lines.append(f"* FROM CLIP NAME: {_ascii(_file(stretch))}")
        lines.append(f"* STARTS AT {stretch.from_s:.3f} S")
    return "\r\n".join([*lines, ""])


def cue_table(edits: Iterable[tuple[str, Edit, float | None]]) -> str:
    """Write edits as CSV, one a row.

    Parameters
    ----------
    edits : iterable of tuple of (str, Edit, float or None)
        "chosen" or "kept", the edit, and the rate of its pictures; None where that is not known.

    Returns
    -------
    str
        CSV with the columns of `COLUMNS`: times on each file's own time line, in seconds and as the time codes of
        `edit_list`, which are empty where the rate is not known.
    """
    return csv_text(
        COLUMNS,
        (
            {
                "choice": choice,
                **_cells("pictures", edit.pictures),
                **_cells("song", edit.song),
                **_code_cells(edit, frames_per_s),
            }
            for choice, edit, frames_per_s in edits
        ),
    )


def _cells(side: str, stretch: Stretch) -> dict[str, object]:
    video = stretch.video
    id = "" if video.sent_name else video.id  # It opens the file to whoever reads it.
    cells = {"id": id, "file": _file(stretch), "artist": video.artist, "title": video.title}
    cells |= {"from_s": f"{stretch.from_s:.3f}", "to_s": f"{stretch.to_s:.3f}"}
    return {f"{side}_{name}": value for name, value in cells.items()}


def _code_cells(edit: Edit, frames_per_s: float | None) -> dict[str, object]:
    if frames_per_s is None:
        return dict.fromkeys(COLUMNS[-5:], "")
    rate, base = edit_rate(frames_per_s)
    count = round(edit.pictures.length_s * rate)
    codes = (*_codes(edit.pictures, count, rate, base), *_codes(edit.song, count, rate, base))
    return dict(zip(COLUMNS[-5:], (*codes, f"{rate:.5g}"), strict=True))


def _codes(stretch: Stretch, count: int, rate: float, base: int) -> tuple[str, str]:
    """Return the time codes of a stretch of `count` pictures: of the first, and of the one after the last."""
    first = round(stretch.from_s * rate)
    return timecode(first, base), timecode(first + count, base)


def _file(stretch: Stretch) -> str:
    video = stretch.video
    if video.sent_name:  # The file lies here under a name of ours.
        return video.sent_name
    return file_name(video.file.path) if video.file is not None else video.id


def _ascii(text: str) -> str:
    """Write a text in ASCII, on one line."""
    apart = unicodedata.normalize("NFKD", text)
    return _UNPRINTED.sub("_", "".join(one for one in apart if not unicodedata.combining(one))).strip() or "_"
