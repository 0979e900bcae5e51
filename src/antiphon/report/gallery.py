"""Queries with their answers to look at and listen to, and the media that they share."""

import base64
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from antiphon.errors import DecodeError
from antiphon.evaluation.answers import Answer
from antiphon.presentation.previews import Preview, make_preview
from antiphon.report.inputs import Inputs
from antiphon.report.retrieved import Retrieved

Row = dict[str, Any]

_ALL_PREVIEWS_BYTES = 4_600_000
_ONE_PREVIEW_BYTES = 90_000
_MANY = 64
_PREVIEW_S = 5.0


@dataclass(frozen=True)
class Item:
    """A music video of the gallery.

    Attributes
    ----------
    number : int
        Key of its preview among the page's media.
    reason : str or None
        Why there is no preview, None where there is one.
    """

    number: int
    id: str
    title: str
    artist: str
    genre: str
    tags: tuple[str, ...]
    preview: Preview | None
    reason: str | None

    @property
    def name(self) -> str:
        """Title and artist, for labels."""
        return f"{self.title} by {self.artist}" if self.artist else self.title

    @property
    def has_sound(self) -> bool:
        """Whether there is something to hear."""
        return self.preview is not None and self.preview.has_sound

    @property
    def has_pictures(self) -> bool:
        """Whether there is something to see."""
        return self.preview is not None and self.preview.has_pictures


@dataclass(frozen=True)
class Result:
    """One candidate in an answer, and what it has in common with the query."""

    place: int
    item: Item
    score: float
    is_partner: bool
    shared: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """One query with its best candidates.

    Attributes
    ----------
    way : str
        "v2a" asks with pictures for songs, "a2v" with sound for pictures.
    """

    way: str
    item: Item
    answer: Answer
    results: tuple[Result, ...]


@dataclass(frozen=True)
class Gallery:
    """All queries, each both ways, and the items that they show."""

    questions: list[tuple[Question, Question]]
    items: list[Item]

    @property
    def media(self) -> dict[str, dict[str, Any]]:
        """Previews in base64 by the items' numbers: each once, however often it is shown."""
        return {
            str(item.number): {
                "mp4": base64.b64encode(item.preview.mp4).decode(),
                "poster": base64.b64encode(item.preview.poster or b"").decode(),
            }
            for item in self.items
            if item.preview is not None
        }

    @property
    def unseen(self) -> list[Item]:
        """Items without a preview."""
        return [item for item in self.items if item.preview is None]


def build_gallery(inputs: Inputs, retrieved: Retrieved, progress: Callable[[int, int], None] | None = None) -> Gallery:
    """Encode a preview of every item that is shown, and put queries and answers together."""
    shown = sorted({row for answer in (*retrieved.a2v, *retrieved.v2a) for row in (answer.query, *answer.best)})
    rows = {row["id"]: row for row in inputs.catalogue.records()} if inputs.catalogue else {}
    records = [rows[retrieved.videos[index]] for index in shown]
    previews = _previews(records, inputs.segments, progress)
    items = {
        index: _item(number, record, preview)
        for number, (index, record, preview) in enumerate(zip(shown, records, previews, strict=True))
    }
    questions = [
        (_question("v2a", pictures, items), _question("a2v", sound, items))
        for pictures, sound in zip(retrieved.v2a, retrieved.a2v, strict=True)
    ]
    return Gallery(questions, list(items.values()))


def stretch(row: Row, segments: Sequence[Row], *, short: bool = False) -> tuple[float, float]:
    """What to show of a video: its middle segment (`short`: the window in it), or the middle where none was drawn."""
    if segments:
        middle = sorted(segments, key=lambda segment: segment["start_s"])[len(segments) // 2]
        prefix = "window_" if short else ""
        return middle[f"{prefix}start_s"], middle[f"{prefix}end_s"]
    start_s, duration_s = row["start_s"] or 0.0, row["duration_s"]
    if duration_s is None:
        return start_s, start_s + _PREVIEW_S
    length_s = min(_PREVIEW_S, duration_s)
    first = start_s + (duration_s - length_s) / 2
    return first, first + length_s


def _previews(
    records: Sequence[Row], segments: dict[str, list[Row]], progress: Callable[[int, int], None] | None
) -> list[Preview | str]:
    max_bytes = min(_ONE_PREVIEW_BYTES, _ALL_PREVIEWS_BYTES // max(len(records), 1))

    def preview(row: Row) -> Preview | str:
        if row["path"] is None:
            return "The catalogue names no file for it."
        try:
            where = stretch(row, segments.get(row["id"], []), short=len(records) > _MANY)
            return make_preview(row["path"], *where, max_bytes)
        except DecodeError as error:
            return str(error)

    found: list[Preview | str] = []
    with ThreadPoolExecutor(max_workers=2) as threads:
        for done, result in enumerate(threads.map(preview, records), start=1):
            found.append(result)
            if progress is not None:
                progress(done, len(records))
    return found


def _item(number: int, row: Row, preview: Preview | str) -> Item:
    return Item(
        number=number,
        id=row["id"],
        title=row["title"] or row["id"],
        artist=row["artist"] or "",
        genre=row["genre"] or "",
        tags=tuple(row["tags"] or ()),
        preview=preview if isinstance(preview, Preview) else None,
        reason=None if isinstance(preview, Preview) else preview,
    )


def _question(way: str, answer: Answer, items: dict[int, Item]) -> Question:
    query = items[answer.query]
    results = tuple(
        Result(place, items[row], score, row == answer.query, _shared(query, items[row]))
        for place, (row, score) in enumerate(zip(answer.best, answer.scores, strict=True), start=1)
    )
    return Question(way, query, answer, results)


def _shared(query: Item, other: Item) -> tuple[str, ...]:
    """Artist, genre and tags that both have, in words; nothing for the query itself."""
    if query.id == other.id:
        return ()
    found = ["same artist"] if query.artist and query.artist == other.artist else []
    found += [query.genre] if query.genre and query.genre == other.genre else []
    return (*found, *(tag for tag in query.tags if tag in other.tags and tag not in found))
