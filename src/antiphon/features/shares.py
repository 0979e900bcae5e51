"""Shares of a catalogue, for machines that extract into one workspace at once."""

from typing import TypeAlias

from antiphon.catalogue import Catalogue
from antiphon.errors import ConfigError
from antiphon.seeding import keyed_fraction

Share: TypeAlias = tuple[int, int]
"""Number of a share, from 1 on, and how many there are."""
WHOLE: Share = (1, 1)


def is_in_share(video_id: str, share: Share) -> bool:
    """Return whether a video falls into a share: its id alone decides, whatever else the catalogue has.

    Parameters
    ----------
    video_id : str
        Id of the video.
    share : tuple of (int, int)
        Number of the share, from 1 on, and how many there are.

    Returns
    -------
    bool
        True for one of the shares.
    """
    number, count = share
    return int(keyed_fraction(0, "share", video_id) * count) == number - 1


def refuse_no_share(share: Share, catalogue: Catalogue) -> None:
    """Refuse numbers that are no share, and a share without videos.

    Parameters
    ----------
    share : tuple of (int, int)
        Number of the share, from 1 on, and how many there are.
    catalogue : Catalogue
        The catalogue.

    Raises
    ------
    ConfigError
        The number is not from 1 to that of the shares, or no video falls into the share.
    """
    number, count = share
    if not 1 <= number <= count:
        raise ConfigError(f"share: {number}/{count} is none. Give the number of a share and how many there are: 2/8.")
    if not any(is_in_share(video_id, share) for video_id in catalogue.ids):
        raise ConfigError(f"share: no video of the catalogue falls into {number}/{count}. Use fewer shares.")


def share_of(text: str) -> Share:
    """Read a share such as "2/8".

    Parameters
    ----------
    text : str
        Number of the share, from 1 on, and how many there are.

    Returns
    -------
    tuple of (int, int)
        Both numbers.

    Raises
    ------
    ConfigError
        The text is no share.

    Examples
    --------
    >>> share_of("2/8")
    (2, 8)
    """
    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal() and text.isascii() and len(text) < 20):
        raise ConfigError(f"share: '{text}' is none. Give the number of a share and how many there are: 2/8.")
    return int(number), int(count)
