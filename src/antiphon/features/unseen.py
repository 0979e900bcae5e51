"""What of other pairs may be trained on: nothing that is held out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.features.artists import artist_parties
from antiphon.features.features import Features
from antiphon.plurals import counted


@dataclass(frozen=True)
class Unseen:
    """Other pairs without those that are held out.

    Attributes
    ----------
    features : Features
        What is left.
    by_id, by_artist, by_vector : int
        Videos left out because a video of that id is in the catalogue, because a held-out video is by one of their
        artists, and because a held-out video has the same vector of sound or of pictures.
    """

    features: Features
    by_id: int
    by_artist: int
    by_vector: int

    @property
    def left_out(self) -> str:
        """What was left out, in words; "" for nothing."""
        reasons = {
            "that the catalogue has too": self.by_id,
            "by artists of held-out videos": self.by_artist,
            "with a vector of a held-out video": self.by_vector,
        }
        return ", ".join(f"{counted(number, 'video')} {reason}" for reason, number in reasons.items() if number)


def unseen(extra: Features, known: Sequence[Features], held_out: Sequence[Features]) -> Unseen:
    """Leave out what must not be trained on, with all segments of such videos.

    Parameters
    ----------
    extra : Features
        Other pairs.
    known : sequence of Features
        Features of the catalogue's videos, at least one set; the rest must not have a video of such a name (`groups`).
    held_out : sequence of Features
        Those of them that are held out, whose artists and vectors the rest must not have either.

    Returns
    -------
    Unseen
        The rest, and how many videos were left out for which reason. Each video counts once, in this order.
    """
    pairs = extra.paired
    names = np.concatenate([pairs.groups, *(part.groups for part in held_out)])
    parties = artist_parties(names, np.concatenate([pairs.artists, *(part.artists for part in held_out)]))
    by_id = np.isin(pairs.groups, np.concatenate([part.groups for part in known]))
    by_artist = np.isin(parties[: len(pairs)], parties[len(pairs) :])
    by_vector = _same_rows(pairs.audio, [part.audio for part in held_out])
    by_vector |= _same_rows(pairs.video, [part.video for part in held_out])
    counts, left = list[int](), np.ones(len(pairs), dtype=bool)
    for found in (by_id, by_artist, by_vector):
        gone = np.isin(pairs.groups, pairs.groups[found]) & left
        counts.append(len(np.unique(pairs.groups[gone])))
        left &= ~gone
    return Unseen(pairs.take(left), *counts)


def _same_rows(rows: npt.NDArray[np.float32], others: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.bool_]:
    """Return which rows have the same values as one of the others."""
    seen = {row.tobytes() for part in others if part.shape[1] == rows.shape[1] for row in part}
    return np.array([row.tobytes() in seen for row in rows], dtype=bool)
