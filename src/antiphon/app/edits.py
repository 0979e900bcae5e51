"""Edits: the pictures of one music video with the sound of another, from where to where."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import HTTPException, Query, Request

from antiphon.app.found import Found
from antiphon.app.library import Video
from antiphon.search import Moment

Side = Literal["audio", "video"]
MAX_SHIFT_S = 36_000.0
MAX_KEPT = 20
_SAME_S = 0.002
MIN_TOGETHER_S = 20.0
"""How long song and pictures should play together where they are put at a match."""


@dataclass(frozen=True)
class Stretch:
    """A stretch of a music video, in seconds on its own time line."""

    video: Video
    from_s: float
    to_s: float

    @property
    def length_s(self) -> float:
        """Its length."""
        return self.to_s - self.from_s


@dataclass(frozen=True)
class Edit:
    """A music video with the other side of another one.

    Attributes
    ----------
    item : Video
        The one that is kept: its pictures or its song.
    other : Video
        The one whose other side goes with it.
    target : {"audio", "video"}
        What is taken from the other.
    shift_s : float
        Where the other one is when the item is at its start, on its own time line; negative where it starts later.
    from_s, to_s : float
        The stretch on the item's time line.
    """

    item: Video
    other: Video
    target: Side
    shift_s: float
    from_s: float
    to_s: float

    @classmethod
    def within(
        cls, item: Video, other: Video, target: Side, shift_s: float, from_s: float | None, to_s: float | None
    ) -> "Edit":
        """Bound a stretch by where both have something to play.

        Parameters
        ----------
        item, other : Video
            The one that is kept, and the one that goes with it.
        target : {"audio", "video"}
            What is taken from the other.
        shift_s : float
            Where the other one is when the item is at its start.
        from_s, to_s : float, optional
            The stretch that was asked for, on the item's time line. Default: all that they have together.

        Returns
        -------
        Edit
            The edit; of length 0 where they never play together.
        """
        first_s, end_s = together(item.length_s, other.length_s, shift_s)
        start_s = min(max(first_s, from_s or 0.0), max(first_s, end_s))
        stop_s = end_s if to_s is None else min(end_s, to_s)
        return cls(item, other, target, shift_s, round(start_s, 3), round(max(start_s, stop_s), 3))

    def filmed(self, from_s: float | None, to_s: float | None) -> "Edit":
        """Return the edit as a film: songs are put to whole pictures, silent where the song does not play.

        Parameters
        ----------
        from_s, to_s : float, optional
            The stretch that was asked for, on the item's time line. Default: all of the item.

        Returns
        -------
        Edit
            This one where pictures are put to a song, or the two never play together.
        """
        if self.target == "video" or self.to_s <= self.from_s:
            return self
        stop_s = self.item.length_s if to_s is None else min(to_s, self.item.length_s)
        return replace(self, from_s=round(min(from_s or 0.0, stop_s), 3), to_s=round(stop_s, 3))

    @property
    def pictures(self) -> Stretch:
        """Whose pictures are seen, and which."""
        return self._own if self.target == "audio" else self._others

    @property
    def song(self) -> Stretch:
        """Whose sound is heard, and which."""
        return self._others if self.target == "audio" else self._own

    @property
    def _own(self) -> Stretch:
        return Stretch(self.item, self.from_s, self.to_s)

    @property
    def _others(self) -> Stretch:
        return Stretch(self.other, self.from_s + self.shift_s, self.to_s + self.shift_s)


@dataclass(frozen=True)
class Row:
    """A music video that can go with the item of a cut room.

    Attributes
    ----------
    video : Video
        The music video.
    shift_s : float
        Where it is when the item is at its start.
    start_s : float
        Where playback starts on the item's time line: at the match, or before it, so that there is something to hear.
    found : Found, optional
        The hit; None for one that was chosen before and is not among the best any more.
    is_kept : bool
        Whether it was kept.
    """

    video: Video
    shift_s: float
    start_s: float
    found: Found | None = None
    is_kept: bool = False


@dataclass(frozen=True)
class Asked:
    """What the address of a cut room says.

    Attributes
    ----------
    other : str
        Id of the music video that was chosen; "" for the best one.
    shift_s, from_s, to_s : float, optional
        As in `Edit`.
    kept : sequence of (str, float)
        Id and shift of those that were kept.
    others : sequence of (str, str)
        The other parameters, such as conditions of what is found.
    """

    other: str = ""
    shift_s: float | None = None
    from_s: float | None = None
    to_s: float | None = None
    kept: Sequence[tuple[str, float]] = ()
    others: Sequence[tuple[str, str]] = ()

    def query(self, target: Side, other: str, shift_s: float) -> str:
        """Write the query string of this room with another choice; `static/cut.js` writes the same.

        Parameters
        ----------
        target : {"audio", "video"}
            What is taken from the other.
        other : str
            Id of the choice.
        shift_s : float
            Where it is when the item is at its start.

        Returns
        -------
        str
            Query string, without a question mark.

        Examples
        --------
        >>> Asked(from_s=2.0, kept=[("a b", 1.5)], others=[("genre", "folk")]).query("audio", "x/y", -0.25)
        'genre=folk&target=audio&with=x%2Fy&shift=-0.250&from=2.000&keep=1.500~a+b'
        """
        pairs = [*self.others, ("target", target), ("with", other), ("shift", f"{shift_s:.3f}")]
        bounds = (("from", self.from_s), ("to", self.to_s))
        pairs += [(name, f"{value:.3f}") for name, value in bounds if value is not None]
        return urlencode([*pairs, *(("keep", f"{shift:.3f}~{id}") for id, shift in self.kept)])


_OF_EDITS = frozenset({"target", "with", "shift", "from", "to", "keep"})
Seconds = Annotated[float | None, Query(ge=0, le=MAX_SHIFT_S, allow_inf_nan=False)]


async def asked_edit(
    request: Request,
    other: Annotated[str, Query(alias="with", max_length=4096)] = "",
    shift: Annotated[float | None, Query(ge=-MAX_SHIFT_S, le=MAX_SHIFT_S, allow_inf_nan=False)] = None,
    start: Annotated[Seconds, Query(alias="from")] = None,
    end: Annotated[Seconds, Query(alias="to")] = None,
    keep: Annotated[list[str], Query(max_length=MAX_KEPT)] = [],  # noqa: B006 - never changed
) -> Asked:
    """Read an edit from the query string; each that was kept is written `SHIFT~ID`.

    Returns
    -------
    Asked
        The edit.

    Raises
    ------
    HTTPException
        422: one that was kept has no shift, or none that is allowed.
    """
    others = tuple((name, given) for name, given in request.query_params.multi_items() if name not in _OF_EDITS)
    return Asked(other, shift, start, end, tuple(map(_kept, keep)), others)


def _kept(text: str) -> tuple[str, float]:
    shift, _, id = text.partition("~")
    try:
        shift_s = float(shift)
    except ValueError:
        shift_s = float("nan")
    if not abs(shift_s) <= MAX_SHIFT_S or not id:
        raise HTTPException(422, "Parameter keep must be seconds and an id, as in 12.5~some-id.")
    return id, shift_s


def together(length_s: float, other_length_s: float, shift_s: float) -> tuple[float, float]:
    """Return from when to when two play together, on the time line of the first.

    Examples
    --------
    >>> together(30.0, 20.0, 5.0), together(30.0, 40.0, -5.0), together(10.0, 10.0, 20.0)
    ((0.0, 15.0), (5.0, 30.0), (0.0, 0.0))
    """
    first_s = max(0.0, -shift_s)
    return first_s, max(first_s, min(length_s, other_length_s - shift_s))


def start_of(moments: Sequence[Moment], length_s: float, other_length_s: float, shift_s: float) -> float:
    """Choose where playback starts: at the match, but early enough that both play together for 20 s where they can.

    Parameters
    ----------
    moments : sequence of Moment
        Matching moments, best first.
    length_s, other_length_s : float
        Lengths of the time lines.
    shift_s : float
        Where the other one is when the item is at its start.

    Returns
    -------
    float
        Seconds on the item's time line.
    """
    first_s, end_s = together(length_s, other_length_s, shift_s)
    at_s = next(
        (
            moment.query_start_s
            for moment in moments
            if moment.start_s is not None
            and moment.query_start_s is not None
            and abs(moment.start_s - moment.query_start_s - shift_s) < _SAME_S
        ),
        first_s,
    )
    return max(first_s, min(at_s, end_s - MIN_TOGETHER_S))


def shift_of(moments: Sequence[Moment], length_s: float, other_length_s: float) -> float:
    """Choose where the other one is put: at the best moment at which both play together long enough.

    Parameters
    ----------
    moments : sequence of Moment
        Matching moments of the item (query) and the other one (hit), best first.
    length_s, other_length_s : float
        Lengths of their time lines.

    Returns
    -------
    float
        Shift in seconds; of the moment with the longest time together where none has 20 s, and 0 without moments.
    """
    shifts_s = [
        round(moment.start_s - moment.query_start_s, 3)
        for moment in moments
        if moment.start_s is not None and moment.query_start_s is not None
    ]
    if not shifts_s:
        return 0.0

    def plays_s(shift_s: float) -> float:
        first_s, end_s = together(length_s, other_length_s, shift_s)
        return end_s - first_s

    enough_s = min(MIN_TOGETHER_S, length_s, other_length_s)
    return next((shift_s for shift_s in shifts_s if plays_s(shift_s) >= enough_s), max(shifts_s, key=plays_s))
