"""Train, validation and test by a keyed hash: no video ever moves when the catalogue grows."""

import re
import unicodedata
from collections.abc import Sequence

from antiphon.errors import ConfigError
from antiphon.seeding import keyed_fraction

SPLITS = ("train", "validation", "test")

_FEATURING = re.compile(r"\s+[(\[]?(?:feat|ft|featuring)\b\.?.*$")


def artist_key(artist: str) -> str:
    """Normalise an artist's name: case, width, white space and featured guests make no difference.

    Parameters
    ----------
    artist : str
        Name of the artist.

    Returns
    -------
    str
        Key that splits go by.

    Examples
    --------
    >>> artist_key("  Nova  Lux ft. Someone") == artist_key("nova lux")
    True
    """
    plain = " ".join(unicodedata.normalize("NFKC", artist).casefold().split())
    return _FEATURING.sub("", plain) or plain


def assign_split(video_id: str, artist: str | None, fractions: Sequence[float], seed: int) -> str:
    """Assign one video to a split, by artist where known, else by the video itself.

    A hash of the name alone decides, so that the split does not depend on the rest of the catalogue.

    Parameters
    ----------
    video_id : str
        Id of the video.
    artist : str or None
        Name of the artist; None or empty for unknown.
    fractions : sequence of float
        Shares of train, validation and test, which sum to 1; they hold on average over artists.
    seed : int
        Seed of the hash.

    Returns
    -------
    str
        "train", "validation" or "test".

    Raises
    ------
    ConfigError
        The fractions are not three numbers from 0 to 1 that sum to 1.

    Examples
    --------
    >>> assign_split("video-1", "Nova Lux", (1.0, 0.0, 0.0), seed=0)
    'train'
    """
    if len(fractions) != len(SPLITS) or min(fractions) < 0 or abs(sum(fractions) - 1) > 1e-9:
        raise ConfigError(
            f"fractions must be three shares (train, validation, test) that sum to 1, not {tuple(fractions)}."
        )
    key = f"artist:{artist_key(artist)}" if artist and artist.strip() else f"video:{video_id}"
    place = keyed_fraction(seed, "split", key)
    train, validation, _ = fractions
    if place < train:
        return "train"
    return "validation" if place < train + validation else "test"
