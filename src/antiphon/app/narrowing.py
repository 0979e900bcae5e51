"""What a page can be narrowed to: the conditions of a search, and what was measured of the music videos."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Annotated, Literal, NamedTuple
from urllib.parse import parse_qsl, urlencode

from fastapi import Depends, Query
from pydantic import BeforeValidator, Field

from antiphon.app.found import Found
from antiphon.app.library import Library, Video
from antiphon.search.explaining import Facts, TrackFacts
from antiphon.search.filters import Conditions

Light = Literal["", "dark", "bright"]
Only = Literal["", "audio", "video"]
Sort = Literal["best", "newest", "oldest", "title", "artist", "tempo", "length"]
SORTS: dict[Sort, str] = {
    "best": "best first",
    "newest": "newest first",
    "oldest": "oldest first",
    "title": "by title",
    "artist": "by artist",
    "tempo": "slowest first",
    "length": "shortest first",
}
_LAST = float("inf")


@dataclass(frozen=True)
class Narrowed(Conditions):
    """Conditions of a page; beyond those of a search, what only this service knows.

    Attributes
    ----------
    min_bpm, max_bpm : float, optional
        Tempo; what has none fails.
    light : {"", "dark", "bright"}
        The darkest or the brightest quarter of the catalogue's pictures.
    min_length_s, max_length_s : float, optional
        Length in seconds.
    only : {"", "audio", "video"}
        Only what has sound and no pictures, or pictures and no sound.
    sort : str
        Order of what is shown; a key of `SORTS`.
    rejected : tuple of str
        Ids that were said not to fit.
    """

    min_bpm: float | None = None
    max_bpm: float | None = None
    light: Light = ""
    min_length_s: float | None = None
    max_length_s: float | None = None
    only: Only = ""
    sort: Sort = "best"
    rejected: tuple[str, ...] = ()

    @property
    def measured(self) -> "Narrowed":
        """The part that is about what was measured, alone."""
        names = ("min_bpm", "max_bpm", "light", "min_length_s", "max_length_s", "only")
        return Narrowed(**{name: value for name, value in asdict(self).items() if name in names})

    def left_out(self, library: Library, facts: Facts) -> tuple[str, ...]:
        """Return the music videos that do not have what was measured.

        Parameters
        ----------
        library : Library
            The catalogue.
        facts : Facts
            What was measured.

        Returns
        -------
        tuple of str
            Their ids.
        """
        tests = list(self._tests(facts))
        return tuple(id for id, video in library.videos.items() if not all(test(video) for test in tests))

    def _tests(self, facts: Facts) -> Iterator[Callable[[Video], bool]]:
        def measure(video: Video, name: str) -> float | None:
            return facts.tracks.get(video.id, _UNKNOWN).measures.get(name)

        if self.min_bpm is not None or self.max_bpm is not None:
            yield lambda video: _within(measure(video, "tempo_bpm"), self.min_bpm, self.max_bpm)
        if self.light:
            low, high = facts.quartiles.get("luma", (None, None))
            first, last = (None, low) if self.light == "dark" else (high, None)
            yield lambda video: low is not None and _within(measure(video, "luma"), first, last)
        if self.min_length_s is not None or self.max_length_s is not None:
            yield lambda video: _within(video.duration_s, self.min_length_s, self.max_length_s)
        if self.only:
            yield lambda video: (video.has_audio, video.has_video) == (self.only == "audio", self.only == "video")

    def sorted(self, found: list[Found], facts: Facts) -> list[Found]:
        """Return hits in the order that was asked for; what is unknown comes last.

        Parameters
        ----------
        found : list of Found
            Hits, best first.
        facts : Facts
            What was measured.

        Returns
        -------
        list of Found
            The same hits.
        """
        keys: dict[Sort, Callable[[Video], tuple[float, str]]] = {
            "newest": lambda video: (_LAST if video.year is None else -video.year, ""),
            "oldest": lambda video: (_LAST if video.year is None else video.year, ""),
            "title": lambda video: (0, video.title.casefold()),
            "artist": lambda video: (0 if video.artist else _LAST, video.artist.casefold()),
            "tempo": lambda video: (facts.tracks.get(video.id, _UNKNOWN).measures.get("tempo_bpm", _LAST), ""),
            "length": lambda video: (_LAST if video.duration_s is None else video.duration_s, ""),
        }
        key = keys.get(self.sort)
        return found if key is None else sorted(found, key=lambda one: key(one.video))


_UNKNOWN = TrackFacts()


def _within(value: float | None, low: float | None, high: float | None) -> bool:
    return value is not None and (low is None or value >= low) and (high is None or value <= high)


def _blank(value: object) -> object:
    return None if value == "" else value


_Year = Annotated[Annotated[int, Field(ge=0, le=9999)] | None, BeforeValidator(_blank), Query()]
_Tempo = Annotated[Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)] | None, BeforeValidator(_blank), Query()]
_Seconds = Annotated[
    Annotated[float, Field(ge=0, le=36_000, allow_inf_nan=False)] | None, BeforeValidator(_blank), Query()
]


async def narrowed(
    k: Annotated[int, Query(ge=1, le=100)] = 10,
    genre: Annotated[list[str], Query()] = [],  # noqa: B006 - never changed
    artist: Annotated[list[str], Query()] = [],  # noqa: B006
    not_artist: Annotated[list[str], Query()] = [],  # noqa: B006
    tag: Annotated[list[str], Query()] = [],  # noqa: B006
    not_tag: Annotated[list[str], Query()] = [],  # noqa: B006
    other_artists: bool = False,
    min_year: _Year = None,
    max_year: _Year = None,
    min_bpm: _Tempo = None,
    max_bpm: _Tempo = None,
    light: Light = "",
    min_length_s: _Seconds = None,
    max_length_s: _Seconds = None,
    only: Only = "",
    weight: Annotated[float, Query(ge=0, le=1, allow_inf_nan=False)] = 0.5,
    diversity: Annotated[float, Query(ge=0, le=1, allow_inf_nan=False)] = 0.0,
    rerank: bool = False,
    sort: Sort = "best",
) -> Narrowed:
    """Read from the query string what a page is narrowed to; empty values, as forms send them, ask for nothing.

    Returns
    -------
    Narrowed
        The conditions.
    """
    return Narrowed(
        k=k,
        genre=_given(genre),
        artist=_given(artist),
        not_artist=_given(not_artist),
        tag=_given(tag),
        not_tag=_given(not_tag),
        other_artists=other_artists,
        min_year=min_year,
        max_year=max_year,
        min_bpm=min_bpm,
        max_bpm=max_bpm,
        light=light,
        min_length_s=min_length_s,
        max_length_s=max_length_s,
        only=only,
        weight=weight,
        diversity=diversity,
        rerank=rerank,
        sort=sort,
    )


def _given(values: list[str]) -> tuple[str, ...]:
    return tuple(value for one in values if (value := one.strip()))


AskedPage = Annotated[Narrowed, Depends(narrowed)]


class Chip(NamedTuple):
    """A filter in words, with its parameter and value in the address."""

    words: str
    name: str
    value: str


def chips(conditions: Conditions) -> list[Chip]:
    """List the filters that are set.

    Parameters
    ----------
    conditions : Conditions
        The conditions of a page.

    Returns
    -------
    list of Chip
        The filters, in the order of the form.

    Examples
    --------
    >>> [chip.words for chip in chips(Narrowed(genre=("opera",), not_artist=("Ada",), min_bpm=90, light="dark"))]
    ['genre opera', 'not by Ada', 'from 90 bpm', 'dark pictures']
    """
    named = (("genre", "genre"), ("tag", "tag"), ("not_tag", "not tag"), ("artist", "by"), ("not_artist", "not by"))
    found = [Chip(f"{words} {value}", name, value) for name, words in named for value in getattr(conditions, name)]
    if conditions.other_artists:
        found.append(Chip("other artists only", "other_artists", ""))
    for name, words in _BOUNDS.items():
        value = getattr(conditions, name, None)
        if value is not None:
            shown = f"{int(value) // 60}:{int(value) % 60:02d}" if name.endswith("_s") else f"{value:g}"
            found.append(Chip(words.format(shown), name, ""))
    if isinstance(conditions, Narrowed):
        found += [Chip(f"{conditions.light} pictures", "light", "")] if conditions.light else []
        found += [Chip(f"{_ONLY[conditions.only]} only", "only", "")] if conditions.only else []
    return found


_BOUNDS = {
    "min_year": "from {}",
    "max_year": "until {}",
    "min_bpm": "from {} bpm",
    "max_bpm": "up to {} bpm",
    "min_length_s": "at least {} long",
    "max_length_s": "at most {} long",
}
_ONLY = {"audio": "sound", "video": "pictures"}


def changed(query: str, name: str, value: str = "", new: str = "") -> str:
    """Return a query string with another value of a parameter, or without it; empty values go too.

    Parameters
    ----------
    query : str
        Query string.
    name : str
        The parameter.
    value : str
        Which of its values goes; "" for all.
    new : str
        What comes in its place; "" for nothing.

    Returns
    -------
    str
        Query string with its question mark; "?" where nothing is left, which is the page without conditions.

    Examples
    --------
    >>> changed("genre=folk&genre=a%26b&k=3&q=", "genre", "folk"), changed("k=3", "k", new="24"), changed("k=3", "k")
    ('?genre=a%26b&k=3', '?k=24', '?')
    """
    pairs = parse_qsl(query)
    kept = [(one, given) for one, given in pairs if one != name or (value and given.strip() != value)]
    return f"?{urlencode([*kept, (name, new)] if new else kept)}"
