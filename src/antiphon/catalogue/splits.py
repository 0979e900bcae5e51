"""Train, validation and test by a keyed hash: nothing ever moves when the catalogue grows."""

import re
import unicodedata
from collections.abc import Sequence

from antiphon.errors import ConfigError
from antiphon.seeding import keyed_fraction

SPLITS = ("train", "validation", "test")

_FEATURING = re.compile(r"\s+[(\[]?(?:feat|ft|featuring)\b\.?.*$")


def artist_key(artist: str) -> str:
    """The artist as the split sees them: case, width, white space and guests do not make another artist.

    Examples
    --------
    >>> artist_key("  Nova  Lux ft. Someone") == artist_key("nova lux")
    True
    """
    plain = " ".join(unicodedata.normalize("NFKC", artist).casefold().split())
    return _FEATURING.sub("", plain) or plain


def assign_split(video_id: str, artist: str | None, fractions: Sequence[float], seed: int) -> str:
    """The split of one video: by artist where known, else by the video itself.

    A hash of the name alone decides, so the answer does not depend on what else is in the catalogue.

    Parameters
    ----------
    video_id, artist : names; an empty artist counts as unknown.
    fractions : shares of train, validation and test, which sum to 1; they hold on average over artists.
    seed : draws another assignment.

    Raises
    ------
    ConfigError
        The fractions are not three numbers from 0 to 1 that sum to 1.
    """
    if len(fractions) != len(SPLITS) or min(fractions) < 0 or abs(sum(fractions) - 1) > 1e-9:
        raise ConfigError(f"fractions {tuple(fractions)}: give three shares (train, validation, test) that sum to 1.")
    key = f"artist:{artist_key(artist)}" if artist and artist.strip() else f"video:{video_id}"
    place = keyed_fraction(seed, "split", key)
    train, validation, _ = fractions
    if place < train:
        return "train"
    return "validation" if place < train + validation else "test"
