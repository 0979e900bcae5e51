"""Queries with their best candidates to watch and hear, and the media that they share."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from antiphon.catalogue.artists import share_artist
from antiphon.evaluation.answers import TopCandidates
from antiphon.media.opening import CataloguedFile
from antiphon.presentation.previews import Preview
from antiphon.presentation.rendering import RenderJob, render_all
from antiphon.report.inputs import Inputs
from antiphon.report.retrieved import Retrieved

Row = dict[str, Any]

_ALL_PREVIEWS_BYTES = 4_600_000
_ONE_PREVIEW_BYTES = 90_000
_MANY = 64
_PREVIEW_S = 5.0


@dataclass(frozen=True)
class GalleryItem:
    """A music video of the gallery.

    Attributes
    ----------
    number : int
        Key of its preview among the page's media.
    preview : Preview, optional
        Its preview.
    reason : str, optional
        Reason if there is no preview.
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
        """Title and artist, as a label."""
        return f"{self.title} by {self.artist}" if self.artist else self.title

    @property
    def has_audio(self) -> bool:
        """Whether the preview has audio."""
        return self.preview is not None and self.preview.has_audio

    @property
    def has_video(self) -> bool:
        """Whether the preview has video."""
        return self.preview is not None and self.preview.has_video


@dataclass(frozen=True)
class GalleryResult:
    """One candidate of a query, and what it has in common with the query."""

    place: int
    item: GalleryItem
    score: float
    is_partner: bool
    shared: tuple[str, ...]


@dataclass(frozen=True)
class GalleryQuery:
    """One query with its best candidates.

    Attributes
    ----------
    way : str
        "v2a": songs for pictures. "a2v": pictures for a song.
    """

    way: str
    item: GalleryItem
    answer: TopCandidates
    results: tuple[GalleryResult, ...]


@dataclass(frozen=True)
class Gallery:
    """All queries, in both directions, and the items shown."""

    questions: list[tuple[GalleryQuery, GalleryQuery]]
    items: list[GalleryItem]

    @property
    def media(self) -> dict[str, dict[str, Any]]:
        """Base64 previews by the items' numbers, each stored once."""
        return {
            str(item.number): {
                "mp4": base64.b64encode(item.preview.mp4).decode(),
                "poster": base64.b64encode(item.preview.poster or b"").decode(),
            }
            for item in self.items
            if item.preview is not None
        }

    @property
    def unseen(self) -> list[GalleryItem]:
        """Items without a preview."""
        return [item for item in self.items if item.preview is None]


def build_gallery(inputs: Inputs, retrieved: Retrieved, progress: Callable[[int, int], None] | None = None) -> Gallery:
    """Encode a preview of every item shown, and combine queries and candidates.

    Parameters
    ----------
    inputs : Inputs
        The run.
    retrieved : Retrieved
        Queries with their candidates.
    progress : callable, optional
        Called with the number of previews done, and of all.

    Returns
    -------
    Gallery
        The gallery.
    """
    shown = sorted({row for answer in (*retrieved.a2v, *retrieved.v2a) for row in (answer.query, *answer.best)})
    rows = {row["id"]: row for row in inputs.catalogue.records()} if inputs.catalogue else {}
    records = [rows[retrieved.videos[index]] for index in shown]
    previews = _previews(records, inputs.segments, progress)
    items = {
        index: _item(number, record, _without_folders(inputs, record, preview))
        for number, (index, record, preview) in enumerate(zip(shown, records, previews, strict=True))
    }
    questions = [
        (_question("v2a", pictures, items), _question("a2v", sound, items))
        for pictures, sound in zip(retrieved.v2a, retrieved.a2v, strict=True)
    ]
    return Gallery(questions, list(items.values()))


def stretch(row: Row, segments: Sequence[Row], *, short: bool = False) -> tuple[float, float]:
    """Choose which part of a video to show: its middle segment, or the middle of the track if there are no segments.

    Parameters
    ----------
    row : dict
        Row of the catalogue.
    segments : sequence of dict
        Rows of its segments.
    short : bool
        Only the window of the segment.

    Returns
    -------
    tuple of (float, float)
        Start and end in seconds.
    """
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

    found: list[Preview | str] = ["The catalogue has no file for it."] * len(records)
    jobs: list[RenderJob] = []
    for number, row in enumerate(records):
        if row["path"] is not None:
            where = stretch(row, segments.get(row["id"], []), short=len(records) > _MANY)
            jobs.append(RenderJob(number, CataloguedFile.of(row), where, max_bytes))
    tell = progress or (lambda done, total: None)
    without = len(records) - len(jobs)
    for done in range(1, without + 1):
        tell(done, len(records))
    for done, (job, rendered) in enumerate(render_all(jobs), start=1 + without):
        found[job.number] = rendered.preview or rendered.reason or ""
        tell(done, len(records))
    return found


def _without_folders(inputs: Inputs, row: Row, preview: Preview | str) -> Preview | str:
    """Return a preview, or the reason why there is none as the page may say it."""
    return inputs.file_names.within(preview, row["path"]) if isinstance(preview, str) else preview


def _item(number: int, row: Row, preview: Preview | str) -> GalleryItem:
    return GalleryItem(
        number=number,
        id=row["id"],
        title=row["title"] or row["id"],
        artist=row["artist"] or "",
        genre=row["genre"] or "",
        tags=tuple(row["tags"] or ()),
        preview=preview if isinstance(preview, Preview) else None,
        reason=None if isinstance(preview, Preview) else preview,
    )


def _question(way: str, answer: TopCandidates, items: dict[int, GalleryItem]) -> GalleryQuery:
    query = items[answer.query]
    results = tuple(
        GalleryResult(place, items[row], score, row == answer.query, _shared(query, items[row]))
        for place, (row, score) in enumerate(zip(answer.best, answer.scores, strict=True), start=1)
    )
    return GalleryQuery(way, query, answer, results)


def _shared(query: GalleryItem, other: GalleryItem) -> tuple[str, ...]:
    """Return artist, genre and tags in common, in words; nothing for the query itself."""
    if query.id == other.id:
        return ()
    found = ["same artist"] if share_artist(query.artist, other.artist) else []
    found += [query.genre] if query.genre and query.genre == other.genre else []
    return (*found, *(tag for tag in query.tags if tag in other.tags and tag not in found))
