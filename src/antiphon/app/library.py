"""The catalogue in memory, as the pages need it: videos with their segments, and text search."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from antiphon.catalogue import Catalogue
from antiphon.catalogue.description import synthetic_ids
from antiphon.embeddings import Modality
from antiphon.errors import FeatureStoreError
from antiphon.features.store import flags_of_segments
from antiphon.media.names import title_from_id
from antiphon.media.opening import CataloguedFile
from antiphon.presentation.flag_words import FLAG_WORDS, flag_words
from antiphon.seeding import generator
from antiphon.spelling import one_spelling, plain
from antiphon.tables import SEGMENTS, read_table
from antiphon.workspace import Failure, Workspace

_WORD = re.compile(r"[^\W_]+")
_MIN_LETTERS = 4
"""Shorter words are found by all of their letters."""


@dataclass(frozen=True)
class SegmentSpan:
    """Position of a segment on its track, in seconds, and what is wrong with it, in words."""

    start_s: float
    end_s: float
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Video:
    """A music video of the catalogue.

    Attributes
    ----------
    file : CataloguedFile, optional
        The file. None without one, or if neither audio nor video was found in it: such a file is not served.
    unread : CataloguedFile, optional
        A file in which neither was found.
    failures : tuple of Failure
        Why stages could not process it.
    start_s, duration_s : float
        The usable part; `duration_s` is None if the file was not probed.
    sent_name : str
        What the client calls a file that was sent; "" for a music video of the catalogue.
    """

    id: str
    file: CataloguedFile | None
    title: str
    artist: str
    genre: str
    tags: tuple[str, ...]
    year: int | None
    start_s: float
    duration_s: float | None
    has_audio: bool
    has_video: bool
    segments: tuple[SegmentSpan, ...] = ()
    unread: CataloguedFile | None = None
    failures: tuple[Failure, ...] = ()
    sent_name: str = ""
    split: str = ""

    @property
    def blank(self) -> str:
        """What stands in place of its picture."""
        if self.file is not None:
            return "No pictures"
        return "No file" if self.unread is None else "Cannot be read"

    @property
    def name(self) -> str:
        """Title and artist, as a label."""
        return f"{self.title} by {self.artist}" if self.artist else self.title

    @property
    def length_s(self) -> float:
        """Length of the timeline, to the end of the usable part or of the last segment."""
        ends = [segment.end_s for segment in self.segments]
        return max([self.start_s + (self.duration_s or 0.0), *ends, 1.0])

    @property
    def flagged(self) -> dict[str, list[SegmentSpan]]:
        """Segments that something is wrong with, by what it is."""
        found: dict[str, list[SegmentSpan]] = {}
        for segment in self.segments:
            for flag in segment.flags:
                found.setdefault(flag, []).append(segment)
        return found

    def is_empty(self, side: Modality) -> bool:
        """Return whether its sound is silent throughout, or its pictures are black throughout."""
        words = FLAG_WORDS["silent" if side == "audio" else "black"]
        return bool(self.segments) and all(words in segment.flags for segment in self.segments)

    @property
    def middle_s(self) -> float:
        """Representative time: the middle of the middle segment, or of the track."""
        if self.segments:
            segment = self.segments[len(self.segments) // 2]
            return (segment.start_s + segment.end_s) / 2
        return self.start_s + (self.duration_s or 0.0) / 2


@dataclass(frozen=True)
class _Key:
    """Normalised texts that a video is found by."""

    title: str
    artist: str
    name: str
    whole: str
    words: frozenset[str]
    video: Video

    @classmethod
    def of(cls, video: Video) -> "_Key":
        name = plain(f"{video.title} {video.artist} {video.id}")
        kind = plain(" ".join([video.genre, *video.tags, str(video.year or "")]))
        return cls(plain(video.title), plain(video.artist), name, f"{name} {kind}", _words(name), video)


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text))


def _flags(workspace: Workspace) -> dict[str, tuple[str, ...]]:
    """Read the flags of segments; a part of the features that is damaged, or being replaced, ends no page."""
    try:
        return flags_of_segments(workspace.features)
    except (FeatureStoreError, OSError):
        return {}


def _is_one_letter_off(one: str, other: str) -> bool:
    """Return whether one letter added, left out, changed, or exchanged with its neighbour makes the one the other."""
    start = next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    one, other = one[start:], other[start:]
    return (
        one[1:] == other[1:] or one[1:] == other or one == other[1:] or (one[1::-1], one[2:]) == (other[:2], other[2:])
    )


class Library:
    """All music videos of a catalogue.

    Parameters
    ----------
    videos : sequence of Video
        Videos in the order of the catalogue.
    synthetic : int
        Number of synthetic ones.
    """

    def __init__(self, videos: Sequence[Video], synthetic: int = 0) -> None:
        self.synthetic = synthetic
        self.videos = {video.id: video for video in videos}
        self._keys = [_Key.of(video) for video in videos]

    @classmethod
    def of(cls, workspace: Workspace) -> "Library":
        """Read the catalogue and the segments of a workspace.

        Parameters
        ----------
        workspace : Workspace
            The workspace.

        Returns
        -------
        Library
            Its videos.

        Raises
        ------
        CatalogueError
            There is no catalogue, or it is damaged.
        """
        segments: dict[str, list[SegmentSpan]] = {}
        if workspace.segments.exists():
            flags = _flags(workspace)
            for row in read_table(workspace.segments, SEGMENTS).sort_by("start_s").to_pylist():
                words = tuple(map(flag_words, flags.get(row["segment_id"], ())))
                segments.setdefault(row["video_id"], []).append(SegmentSpan(row["start_s"], row["end_s"], words))
        failures: dict[str, tuple[Failure, ...]] = {}
        for failure in workspace.read_failures():
            failures[failure.video_id] = (*failures.get(failure.video_id, ()), failure)
        catalogue = Catalogue.load(workspace.catalogue)
        return cls(
            [
                Video(
                    id=row["id"],
                    file=CataloguedFile.of(row) if row["path"] and (row["has_audio"] or row["has_video"]) else None,
                    unread=CataloguedFile.of(row)
                    if row["path"] and not (row["has_audio"] or row["has_video"])
                    else None,
                    failures=failures.get(row["id"], ()),
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
                    split=row["split"] or "",
                )
                for row in catalogue.records()
            ],
            synthetic=len(synthetic_ids(catalogue)),
        )

    def __len__(self) -> int:
        return len(self.videos)

    @cached_property
    def genres(self) -> tuple[str, ...]:
        """Genres, most frequent first; of spellings that differ by case alone, the most frequent one."""
        counts = Counter(self.genre_of(video) for video in self.videos.values() if video.genre)
        return tuple(sorted(counts, key=lambda name: (-counts[name], name)))

    def genre_of(self, video: Video) -> str:
        """Return the genre of a video, spelt as in `genres`; "" for none."""
        return self._spelling.get(video.genre, video.genre)

    @cached_property
    def _spelling(self) -> dict[str, str]:
        return one_spelling(video.genre for video in self.videos.values() if video.genre)

    def find(self, text: str, max_videos: int = 8) -> list[Video]:
        """Find videos whose title, artist, id, genre, tags and year contain all words of a text.

        Case and accents are ignored. The video with exactly this id comes first, then those with the words as whole
        words of title, artist and id, then those whose title starts with the text, then whose artist does, then other
        matches in title, artist and id, then the rest. Where nothing has the words, those are found that have words
        spelt nearly so.

        Parameters
        ----------
        text : str
            Words to find.
        max_videos : int
            Maximum number of videos.

        Returns
        -------
        list of Video
            Matches, best first.
        """
        wanted = plain(text)
        words = wanted.split()
        if not words:
            return []
        return self._with(text, wanted, words, max_videos) or self._nearly(words, max_videos)

    def _with(self, text: str, wanted: str, words: list[str], max_videos: int) -> list[Video]:
        whole = _words(wanted)
        found = [
            (
                text.strip() != key.video.id,
                not whole or not whole <= key.words,
                not key.title.startswith(wanted),
                not key.artist.startswith(wanted),
                not all(word in key.name for word in words),
                place,
            )
            for place, key in enumerate(self._keys)
            if all(word in key.whole for word in words)
        ]
        return [self._keys[place].video for *_, place in sorted(found)[:max_videos]]

    def _nearly(self, words: list[str], max_videos: int) -> list[Video]:
        """Find videos that have, for every word, one that is spelt nearly so: all but one of its letters."""
        near = [self._spelt_nearly(word) for word in words]
        if not all(near):
            return []
        return [key.video for key in self._keys if all(key.words & some for some in near)][:max_videos]

    def _spelt_nearly(self, word: str) -> set[str]:
        if len(word) < _MIN_LETTERS:
            return {word}
        return {
            known for known in self._vocabulary if abs(len(known) - len(word)) <= 1 and _is_one_letter_off(word, known)
        }

    @cached_property
    def _vocabulary(self) -> frozenset[str]:
        return frozenset().union(*(key.words for key in self._keys))


def drawn(videos: Sequence[Video], count: int, seed: int) -> list[Video]:
    """Draw music videos at random.

    Parameters
    ----------
    videos : sequence of Video
        Where to draw from.
    count : int
        How many, at most.
    seed : int
        Seed of the draw.

    Returns
    -------
    list of Video
        Those drawn.
    """
    order = generator(seed, "page", "gallery").permutation(len(videos))[:count]
    return [videos[place] for place in order]
