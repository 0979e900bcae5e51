"""What a search finds."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from antiphon.media.names import title_from_id
from antiphon.media.opening import CataloguedFile
from antiphon.words import Interpretation, Term

if TYPE_CHECKING:
    from polars import DataFrame

Side = Literal["audio", "video", ""]
"""Modality of an embedding; "" in an index of vectors that came without one."""


@dataclass(frozen=True)
class Moment:
    """A segment of the query and the segment of the hit that is most like it.

    Attributes
    ----------
    query_start_s : float or None
        Where the query's segment starts, in seconds; None where unknown.
    start_s, end_s : float or None
        The hit's segment on its track's time line, in seconds; None where unknown.
    score : float
        Cosine of the two embeddings.
    side : {"audio", "video", ""}
        Modality of the hit's segment.
    """

    query_start_s: float | None
    start_s: float | None
    end_s: float | None
    score: float
    side: Side


@dataclass(frozen=True)
class Hit:
    """A music video that was found.

    Attributes
    ----------
    id : str
        Id of the music video.
    score : float
        Similarity, at most 1; see `Index.search`.
    metadata : mapping
        "artist", "title", "genre", "tags" and "year"; None (no tags) where unknown.
    moments : tuple of Moment
        The moments that match best; none in an index without segments.
    reasons : tuple of str
        Which words met what, in a search by words.
    """

    id: str
    score: float
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])
    moments: tuple[Moment, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Title, or the file's name where there is none."""
        return self.metadata.get("title") or title_from_id(self.id)

    @property
    def artist(self) -> str:
        """Artist; "" where unknown."""
        return self.metadata.get("artist") or ""

    def to_dict(self) -> dict[str, Any]:
        """Return what the command line prints as JSON and the REST API answers, without the latter's links."""
        return {
            "id": self.id,
            "title": self.title,
            "artist": self.artist,
            "genre": self.metadata.get("genre") or "",
            "tags": list(self.metadata.get("tags") or ()),
            "year": self.metadata.get("year"),
            "score": self.score,
            "moments": [asdict(moment) for moment in self.moments],
            **({"reasons": list(self.reasons)} if self.reasons else {}),
        }


class Hits(list[Hit]):
    """The hits of one search, best first: a list that prints as a table and shows playable cards in a notebook.

    Attributes
    ----------
    query : str
        What was searched with.
    target : {"both", "audio", "video"}
        What was searched for.
    words : Interpretation or None
        What the words of the query were taken to mean; None without any.
    silent : tuple of Term
        Those of them that nothing in this catalogue tells of.
    """

    words: Interpretation | None = None
    silent: tuple[Term, ...] = ()

    def __init__(
        self,
        hits: Iterable[Hit] = (),
        *,
        query: str = "",
        target: str = "both",
        media: Callable[[], Mapping[str, str | CataloguedFile]] | None = None,
    ) -> None:
        super().__init__(hits)
        self.query, self.target, self._media = query, target, media

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the hits without the index that they came from: a copy shows cards without players."""
        return _plain_hits, (list(self), self.query, self.target)

    @property
    def heading(self) -> str:
        """What the list shows, in words."""
        if self.words is not None and self.words.text == self.query:
            return f"For the words “{self.query}”"
        return f"{_HEADINGS[self.target]} {self.query}" if self.query else "Nearest tracks"

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return the hits as the command line prints them as JSON and the REST API answers them."""
        return [hit.to_dict() for hit in self]

    def to_frame(self) -> "DataFrame":
        """Return a polars DataFrame, one row a hit, with the best moment of each."""
        import polars as pl

        rows = [
            {
                "rank": rank,
                **{name: value for name, value in hit.to_dict().items() if name not in ("moments", "reasons")},
            }
            | {"reasons": list(hit.reasons)}
            | dict.fromkeys(("query_start_s", "start_s", "end_s"))
            | ({} if not hit.moments else {name: getattr(hit.moments[0], name) for name in _TIMES})
            for rank, hit in enumerate(self, start=1)
        ]
        schema = {"rank": pl.Int64, "id": pl.String, "title": pl.String, "artist": pl.String, "genre": pl.String}
        schema |= {"tags": pl.List(pl.String), "year": pl.Int64, "score": pl.Float64, "reasons": pl.List(pl.String)}
        return pl.DataFrame(rows, schema | dict.fromkeys(_TIMES, pl.Float64))

    def __repr__(self) -> str:
        rows = [("", "score", "id", "artist", "title", "best moment", "why")]
        rows += [
            (str(rank), f"{hit.score:.3f}", hit.id, hit.artist, hit.title, moment_words(hit), reason_words(hit))
            for rank, hit in enumerate(self, start=1)
        ]
        shown = [column for column in range(len(rows[0])) if column < 3 or any(row[column] for row in rows[1:])]
        widths = [max(len(row[column]) for row in rows) for column in shown]
        lines = [
            "  ".join(row[column].ljust(width) for column, width in zip(shown, widths, strict=True)) for row in rows
        ]
        return "\n".join([self.heading, *(line.rstrip() for line in lines)]) if self else f"{self.heading}: no hits"

    def _repr_html_(self) -> str:
        from antiphon.presentation.cards import Card, cards_html

        media = self._media() if self._media is not None else {}
        return cards_html(
            self.heading,
            [
                Card(
                    title=hit.title,
                    artist=hit.artist,
                    about=" · ".join(
                        filter(None, (hit.metadata.get("genre"), reason_words(hit), f"score {hit.score:.3f}", hit.id))
                    ),
                    file=media.get(hit.id),
                    **_stretch(hit),
                )
                for hit in self
            ],
        )


def _plain_hits(hits: list[Hit], query: str, target: str) -> Hits:
    return Hits(hits, query=query, target=target)


def _stretch(hit: Hit) -> dict[str, float]:
    """The best moment of a hit, or its first seconds."""
    start_s, end_s = (hit.moments[0].start_s, hit.moments[0].end_s) if hit.moments else (None, None)
    return {} if start_s is None or end_s is None else {"start_s": start_s, "end_s": end_s}


_HEADINGS = {"both": "More like", "audio": "Songs for the pictures of", "video": "Pictures for the song of"}
_TIMES = ("query_start_s", "start_s", "end_s")


def moment_words(hit: Hit) -> str:
    """Return the best moment of a hit in words: where in the query, and where in the hit.

    Examples
    --------
    >>> moment_words(Hit("a", 0.5, moments=(Moment(3.0, 71.5, 74.5, 0.8, "audio"),)))
    '0:03 → 1:11 sound'
    """
    if not hit.moments:
        return ""
    best = hit.moments[0]
    side = {"audio": "sound", "video": "pictures"}.get(best.side, "")
    return f"{_clock(best.query_start_s)} → {_clock(best.start_s)} {side}".strip()


def reason_words(hit: Hit) -> str:
    """Return which words met what, in one line; empty in a search without words."""
    return "; ".join(hit.reasons)


def _clock(seconds: float | None) -> str:
    return "?" if seconds is None else f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
