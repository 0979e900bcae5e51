"""The catalogue as the page needs it: videos by id, where their segments lie, and finding one by a few letters."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from antiphon.catalogue import Catalogue
from antiphon.catalogue.description import synthetic_ids
from antiphon.media.names import title_from_id
from antiphon.spelling import plain
from antiphon.tables import SEGMENTS, read_table
from antiphon.workspace import Workspace


@dataclass(frozen=True)
class Segment:
    """Where a segment lies, in seconds on the track's time line."""

    start_s: float
    end_s: float


@dataclass(frozen=True)
class Video:
    """A music video of the catalogue.

    Attributes
    ----------
    path : str or None
        Local path or address of the file; None where features alone were brought, or the file was not found to hold
        sound or pictures: then it may be anything, and is not served.
    start_s, duration_s : float
        The usable stretch; None where the file was not looked at.
    """

    id: str
    path: str | None
    title: str
    artist: str
    genre: str
    tags: tuple[str, ...]
    year: int | None
    start_s: float
    duration_s: float | None
    has_audio: bool
    has_video: bool
    segments: tuple[Segment, ...] = ()

    @property
    def name(self) -> str:
        """Title and artist, for labels."""
        return f"{self.title} by {self.artist}" if self.artist else self.title

    @property
    def length_s(self) -> float:
        """What the timeline spans: to the end of the usable stretch, or of the last segment."""
        ends = [segment.end_s for segment in self.segments]
        return max([self.start_s + (self.duration_s or 0.0), *ends, 1.0])

    @property
    def middle_s(self) -> float:
        """A moment that stands for the video: the middle of its middle segment, or of the whole."""
        if self.segments:
            segment = self.segments[len(self.segments) // 2]
            return (segment.start_s + segment.end_s) / 2
        return self.start_s + (self.duration_s or 0.0) / 2


@dataclass(frozen=True)
class _Key:
    """What a video is found by, in plain letters."""

    title: str
    artist: str
    name: str
    whole: str
    video: Video

    @classmethod
    def of(cls, video: Video) -> "_Key":
        name = plain(f"{video.title} {video.artist} {video.id}")
        kind = plain(" ".join([video.genre, *video.tags, str(video.year or "")]))
        return cls(plain(video.title), plain(video.artist), name, f"{name} {kind}", video)


class Library:
    """All music videos of a catalogue.

    Parameters
    ----------
    videos : sequence of Video
        In the order of the catalogue.
    synthetic : int
        How many of them a program has made.
    """

    def __init__(self, videos: Sequence[Video], synthetic: int = 0) -> None:
        self.synthetic = synthetic
        self.videos = {video.id: video for video in videos}
        self._keys = [_Key.of(video) for video in videos]

    @classmethod
    def of(cls, workspace: Workspace) -> "Library":
        """Read catalogue and segments of a workspace.

        Raises
        ------
        CatalogueError
            There is no catalogue, or it is damaged.
        """
        segments: dict[str, list[Segment]] = {}
        if workspace.segments.exists():
            for row in read_table(workspace.segments, SEGMENTS).sort_by("start_s").to_pylist():
                segments.setdefault(row["video_id"], []).append(Segment(row["start_s"], row["end_s"]))
        catalogue = Catalogue.load(workspace.catalogue)
        return cls(
            [
                Video(
                    id=row["id"],
                    path=row["path"] if row["has_audio"] or row["has_video"] else None,
                    title=row["title"] or title_from_id(row["id"]),
                    artist=row["artist"] or "",
                    genre=row["genre"] or "",
                    tags=tuple(row["tags"] or ()),
                    year=row["year"],
                    start_s=row["start_s"] or 0.0,
                    duration_s=row["duration_s"],
                    has_audio=row["has_audio"] is not False,
                    has_video=row["has_video"] is not False,
                    segments=tuple(segments.get(row["id"], ())),
                )
                for row in catalogue.records()
            ],
            synthetic=len(synthetic_ids(catalogue)),
        )

    def __len__(self) -> int:
        return len(self.videos)

    @cached_property
    def genres(self) -> tuple[str, ...]:
        """The genres, the most frequent first."""
        counts = Counter(video.genre for video in self.videos.values() if video.genre)
        return tuple(sorted(counts, key=lambda name: (-counts[name], name)))

    def find(self, text: str, most: int = 8) -> list[Video]:
        """Videos whose title, artist, id, genre and tags hold all words of `text`.

        First come those whose title, then whose artist begins with it, then those named so, then those of such a kind.

        Case and accents do not count. An id given in full is always found, first.
        """
        wanted = plain(text)
        words = wanted.split()
        if not words:
            return []
        found = [
            (
                text.strip() != key.video.id,
                not key.title.startswith(wanted),
                not key.artist.startswith(wanted),
                not all(word in key.name for word in words),
                place,
            )
            for place, key in enumerate(self._keys)
            if all(word in key.whole for word in words)
        ]
        return [self._keys[place].video for *_, place in sorted(found)[:most]]
