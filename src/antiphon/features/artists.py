"""Which videos share an artist: one grouping for splits, folds, draws, neighbours and the audit."""

import numpy as np
import numpy.typing as npt

from antiphon.catalogue.artists import connected, credited

NameArray = npt.NDArray[np.str_]


def artists_of_videos(groups: NameArray, artists: NameArray) -> dict[str, str]:
    """Return the artist of each video; where its rows name several, all of them.

    Parameters
    ----------
    groups, artists : ndarray of str, shape (n,)
        Video and artist of each row, "" for an unknown artist.

    Returns
    -------
    dict of str to str
        Names by video, separated by semicolons; "" where unknown.
    """
    names: dict[str, dict[str, None]] = {}
    for group, artist in zip(groups.tolist(), artists.tolist(), strict=True):
        names.setdefault(group, {}).update({artist: None} if artist else {})
    return {group: "; ".join(found) for group, found in names.items()}


def artist_parties(groups: NameArray, artists: NameArray) -> NameArray:
    """Return for each row what must stay together: the group of its artists, or its video where no artist is known.

    Parameters
    ----------
    groups, artists : ndarray of str, shape (n,)
        Video and artist of each row, "" for an unknown artist.

    Returns
    -------
    ndarray of str, shape (n,)
        "artist:…" or "video:…"; see `antiphon.catalogue.artists.connected`.
    """
    of_videos = artists_of_videos(groups, artists)
    keys = dict(zip(of_videos, connected(list(of_videos.values())), strict=True))
    parties = {video: f"artist:{key}" if key else f"video:{video}" for video, key in keys.items()}
    return np.array([parties[video] for video in groups.tolist()], dtype=np.str_)


def named_parties(groups: NameArray, artists: NameArray) -> NameArray:
    """Return `artist_parties` under the names of artists as they are written, of several the first in the alphabet.

    Parameters
    ----------
    groups, artists : ndarray of str, shape (n,)
        Video and artist of each row, "" for an unknown artist.

    Returns
    -------
    ndarray of str, shape (n,)
        Names; that of a video of an unknown artist starts with a unit separator, so that no artist has it.
    """
    parties = artist_parties(groups, artists).tolist()
    names: dict[str, str] = {}
    for party, artist in zip(parties, artists.tolist(), strict=True):
        if party.startswith("artist:") and artist:
            names[party] = min(names.get(party, artist), artist)
    named = (names.get(party, f"\x1f{group}") for party, group in zip(parties, groups.tolist(), strict=True))
    return np.array(list(named), dtype=np.str_)


def joined_credits(artists: NameArray) -> NameArray:
    """Return the keys of the artists that each row credits, joined by unit separators.

    Parameters
    ----------
    artists : ndarray of str, shape (n,)
        Names, "" where unknown.

    Returns
    -------
    ndarray of str, shape (n,)
        Keys; "" where unknown.
    """
    return np.array(["\x1f".join(keys) for keys in credited(artists.tolist())], dtype=np.str_)
