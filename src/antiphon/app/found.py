"""What the pages and the REST API ask for beside a music video, and what they show of what was found."""

from collections.abc import Sequence
from dataclasses import dataclass

from antiphon.app.library import Video
from antiphon.search import Hit
from antiphon.words import Interpretation, Term


@dataclass(frozen=True)
class Player:
    """What to play for a hit: video and audio of one file or of two, each from its own moment.

    Attributes
    ----------
    video, audio : str, optional
        Addresses; None if there is nothing to see or hear.
    video_at_s, audio_at_s : float
        Where to start.
    """

    video: str | None
    video_at_s: float
    audio: str | None
    audio_at_s: float

    @property
    def is_pair(self) -> bool:
        """Whether video and audio are of different files."""
        return bool(self.video and self.audio and self.video != self.audio)


@dataclass(frozen=True)
class Found:
    """A hit with what to play, and reasons, the plainest first."""

    video: Video
    score: float
    player: Player
    still_s: float
    start_s: float
    hit: Hit
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class FoundByWords:
    """Hits of a search by words, what the words were taken to mean, and of which of them nothing tells."""

    hits: list[Found]
    words: Interpretation
    silent: tuple[Term, ...]

    @property
    def tells_nothing(self) -> bool:
        """Whether no term of the words changes a score."""
        return len(self.silent) == len(self.words.terms)


@dataclass(frozen=True)
class But:
    """How hits should differ from a music video or a file that asks.

    Attributes
    ----------
    words : str
        What they must suit too; "" for nothing.
    nudges : sequence of str
        Where to move the query, such as "calmer"; see `antiphon.words.nudges`.
    towards : sequence of str
        Ids of music videos that they should be more like.
    """

    words: str = ""
    nudges: Sequence[str] = ()
    towards: Sequence[str] = ()


NOTHING_ELSE = But()
