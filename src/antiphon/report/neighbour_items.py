"""Videos and segments shown by a neighbour gallery: stills and a short preview of each, encoded once."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from antiphon.media.opening import CataloguedFile
from antiphon.presentation.numbers import clock
from antiphon.presentation.previews import Preview
from antiphon.presentation.rendering import Rendered, RenderJob, render_all
from antiphon.report.gallery import GalleryItem, stretch
from antiphon.report.inputs import Inputs

Row = dict[str, Any]

MAX_PLAYERS = 320
MAX_STRIPS = 600
_ALL_PREVIEWS_BYTES = 12_000_000
_ONE_PREVIEW_BYTES = 60_000
_LONGER_SIDE_PX = 192
_STILLS = 3
NO_MEDIA = "No media in this workspace."
_TOO_MANY = "Omitted to keep the page small."


@dataclass(frozen=True)
class Shown:
    """A video, or a segment of it.

    Attributes
    ----------
    item : GalleryItem
        The video; its preview is of this segment, or of the video's middle segment.
    strip : bytes, optional
        JPEG of stills from across the video, or from the segment.
    place : str
        "0:34–0:37" for a segment, "" for a video.
    """

    item: GalleryItem
    strip: bytes | None
    place: str


def shown_ids(seeds: Mapping[str, Sequence[Row]]) -> dict[tuple[str, str], None]:
    """List everything on the page: first all seeds, then their nearest neighbours, then the next nearest.

    Parameters
    ----------
    seeds : mapping of str to sequence of dict
        "videos" and "segments" with their neighbours.

    Returns
    -------
    dict of (str, str) to None
        (video, segment or "") in order.
    """
    found: dict[tuple[str, str], None] = {}
    listed = [("", seed) for seed in seeds["videos"]] + [(seed["id"], seed) for seed in seeds["segments"]]
    for segment, seed in listed:
        found[(seed["video"] if segment else seed["id"], segment)] = None
    depth = max((len(near) for _, seed in listed for near in seed["neighbours"].values()), default=0)
    for place in range(depth):
        for segment, seed in listed:
            for near in seed["neighbours"].values():
                if place < len(near):
                    one = near[place]
                    found[(one["video"], one["id"]) if segment else (one["id"], "")] = None
    return found


def show_items(
    inputs: Inputs, seeds: Mapping[str, Sequence[Row]], progress: Callable[[int, int], None] | None = None
) -> dict[tuple[str, str], Shown]:
    """Encode stills and previews of everything on the page.

    The first `MAX_PLAYERS` get a preview, the first `MAX_STRIPS` stills; an unreadable file gets the reason.

    Parameters
    ----------
    inputs : Inputs
        The run.
    seeds : mapping of str to sequence of dict
        "videos" and "segments" with their neighbours.
    progress : callable, optional
        Called with the number of items done, and of all.

    Returns
    -------
    dict of (str, str) to Shown
        Items by (video, segment or "").
    """
    keys = list(shown_ids(seeds))
    rows = {row["id"]: row for row in inputs.catalogue.records()} if inputs.catalogue else {}
    max_bytes = min(_ONE_PREVIEW_BYTES, _ALL_PREVIEWS_BYTES // max(min(len(keys), MAX_PLAYERS), 1))

    def own(key: tuple[str, str]) -> list[Row]:
        return [one for one in inputs.segments.get(key[0], []) if one["segment_id"] == key[1]]

    jobs = [
        _job(number, rows[key[0]], own(key) or inputs.segments.get(key[0], []), bool(own(key)), max_bytes)
        for number, key in enumerate(keys[:MAX_STRIPS])
        if rows[key[0]]["path"] is not None
    ]
    media: dict[int, Rendered] = {}
    for done, (job, rendered) in enumerate(render_all(jobs), start=1 + len(keys) - len(jobs)):
        media[job.number] = rendered
        if progress is not None:
            progress(done, len(keys))
    found: dict[tuple[str, str], Shown] = {}
    for number, key in enumerate(keys):
        row = rows[key[0]]
        rendered = media.get(number, Rendered(reason=NO_MEDIA if row["path"] is None else _TOO_MANY))
        preview = rendered.preview or inputs.file_names.within(rendered.reason or _TOO_MANY, row["path"])
        found[key] = Shown(_item(number, row, preview), rendered.strip, _place(own(key)))
    return found


def media_of(items: Mapping[tuple[str, str], Shown]) -> dict[str, dict[str, str]]:
    """Encode the media for the page's script.

    Parameters
    ----------
    items : mapping of (str, str) to Shown
        Items of the page.

    Returns
    -------
    dict of str to dict of str to str
        Base64 by the item's number and kind.
    """
    found: dict[str, dict[str, str]] = {}
    for one in items.values():
        parts = {"strip": one.strip} if one.strip else {}
        if one.item.preview is not None:
            parts |= {"mp4": one.item.preview.mp4, "poster": one.item.preview.poster or b""}
        if parts:
            found[str(one.item.number)] = {name: base64.b64encode(data).decode() for name, data in parts.items()}
    return found


def _job(number: int, row: Row, segments: Sequence[Row], one_segment: bool, max_bytes: int) -> RenderJob:
    where = stretch(row, segments, short=True)
    return RenderJob(
        number,
        CataloguedFile.of(row),
        where if number < MAX_PLAYERS else None,
        max_bytes,
        _LONGER_SIDE_PX,
        tuple(_times_s(segments, one_segment, where)),
    )


def _times_s(segments: Sequence[Row], one_segment: bool, shown_s: tuple[float, float]) -> list[float]:
    """Return the times of the stills: of the first, middle and last window, or spread over the one stretch."""
    if one_segment or len(segments) < _STILLS:
        start_s, end_s = shown_s
        return [start_s + (end_s - start_s) * (place + 0.5) / _STILLS for place in range(_STILLS)]
    ordered = sorted(segments, key=lambda segment: segment["start_s"])
    chosen = (ordered[0], ordered[len(ordered) // 2], ordered[-1])
    return [(segment["window_start_s"] + segment["window_end_s"]) / 2 for segment in chosen]


def _item(number: int, row: Row, preview: Preview | str) -> GalleryItem:
    there = isinstance(preview, Preview)
    return GalleryItem(
        number=number,
        id=row["id"],
        title=row["title"] or row["id"],
        artist=row["artist"] or "",
        genre=row["genre"] or "",
        tags=tuple(row["tags"] or ()),
        preview=preview if there else None,
        reason=None if there else preview,
    )


def _place(own: Sequence[Row]) -> str:
    if not own:
        return ""
    return "–".join(clock(own[0][edge]) for edge in ("start_s", "end_s"))
