"""Train, validation and test by a keyed hash: no video ever moves when the catalogue grows."""

from collections.abc import Sequence
from dataclasses import dataclass

from antiphon.catalogue.artist_names import artist_key
from antiphon.catalogue.artists import credited, linked
from antiphon.errors import ConfigError
from antiphon.seeding import keyed_fraction

SPLITS = ("train", "validation", "test")
_ARTIST = "artist:"


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
    key = artist_key(artist) if artist else ""
    return _hashed(f"{_ARTIST}{key}" if key else f"video:{video_id}", fractions, seed)


def assign_splits(
    video_ids: Sequence[str],
    artists: Sequence[str | None],
    fractions: Sequence[float],
    seed: int,
    contents: Sequence[str | None] | None = None,
) -> list[str]:
    """Assign all videos of a catalogue; artists with works in common share a split, and so do copies of a file.

    The hash is that of one of a group's artists, or of one of its videos where none is known. A video of one artist
    alone gets what `assign_split` gives.

    Parameters
    ----------
    video_ids : sequence of str
        Ids of the videos.
    artists : sequence of str or None
        Name of the artist, or of several, of each video; None where unknown.
    fractions : sequence of float
        Shares of train, validation and test, which sum to 1; they hold on average over groups.
    seed : int
        Seed of the hash.
    contents : sequence of str or None, optional
        Hash of each video's file; None where unknown.

    Returns
    -------
    list of str
        Split of each video.

    Raises
    ------
    ConfigError
        The fractions are not three numbers from 0 to 1 that sum to 1.
    """
    return _by_hash(video_ids, _keys(video_ids, artists, contents), fractions, seed)


@dataclass(frozen=True)
class Straddler:
    """A video whose artists stand in several splits already, and the one that it was given."""

    video_id: str
    stands: dict[str, str]
    split: str

    def __str__(self) -> str:
        where = ", ".join(f"'{artist}' in {split}" for artist, split in self.stands.items())
        return f"'{self.video_id}' is by artists of several splits ({where}) and was put into {self.split}"


def fill_splits(
    video_ids: Sequence[str],
    artists: Sequence[str | None],
    splits: Sequence[str | None],
    fractions: Sequence[float],
    seed: int,
    contents: Sequence[str | None] | None = None,
) -> tuple[list[str], list[Straddler]]:
    """Assign the videos that have no split, and move no other.

    A video joins the split of a copy of its file, or else the one in which one of its artists stands already, the one
    named first before the others; with it its other artists stand there too. Where none stands, `assign_splits`
    decides.

    Parameters
    ----------
    video_ids : sequence of str
        Ids of the videos.
    artists : sequence of str or None
        Name of the artist, or of several, of each video; None where unknown.
    splits : sequence of str or None
        Splits that are given; None for videos to assign.
    fractions : sequence of float
        Shares of train, validation and test.
    seed : int
        Seed of the hash.
    contents : sequence of str or None, optional
        Hash of each video's file; None where unknown.

    Returns
    -------
    splits : list of str
        Split of each video.
    straddling : list of Straddler
        Assigned videos whose artists stand in several splits.

    Raises
    ------
    ConfigError
        The fractions are not three numbers from 0 to 1 that sum to 1.
    """
    found, keys = list(splits), _keys(video_ids, artists, contents)
    stands: dict[str, str] = {}
    for own, split in zip(keys, splits, strict=True):
        stands |= {key: split for key in own if split and key not in stands}
    waiting = sorted((row for row, split in enumerate(splits) if not split), key=lambda row: video_ids[row])
    straddling: list[Straddler] = []
    while ready := [row for row in waiting if not stands.keys().isdisjoint(keys[row])]:
        joined: dict[str, str] = {}
        for row in ready:
            here = {key: stands[key] for key in keys[row] if key in stands}
            split = found[row] = next(iter(here.values()))
            apart = {key.removeprefix(_ARTIST): each for key, each in here.items() if key.startswith(_ARTIST)}
            straddling += [Straddler(video_ids[row], apart, split)] if len(set(apart.values())) > 1 else []
            joined |= {key: split for key in keys[row] if key not in joined}
        stands = joined | stands
        waiting = [row for row in waiting if not found[row]]
    rest = _by_hash(video_ids, keys, fractions, seed) if waiting else []
    return [split or rest[row] for row, split in enumerate(found)], straddling


def _keys(
    video_ids: Sequence[str], artists: Sequence[str | None], contents: Sequence[str | None] | None
) -> list[tuple[str, ...]]:
    """Return what holds each video and others in one split: its file's content, and the artists of all its copies."""
    own = [tuple(f"{_ARTIST}{key}" for key in keys) for keys in credited(artists)]
    shared: dict[str, dict[str, None]] = {}
    files = [f"content:{content}" if content else "" for content in contents or [""] * len(own)]
    for row in sorted(range(len(own)), key=lambda row: video_ids[row]):
        shared.setdefault(files[row], {}).update(dict.fromkeys(own[row]))
    return [(file, *shared[file]) if file else keys for file, keys in zip(files, own, strict=True)]


def _by_hash(
    video_ids: Sequence[str], keys: Sequence[tuple[str, ...]], fractions: Sequence[float], seed: int
) -> list[str]:
    """Assign connected videos together, by the first in the alphabet of their first artists, else of their ids."""
    group_of = linked(keys)
    names = [
        next((key for key in own if key.startswith(_ARTIST)), f"video:{video_id}")
        for video_id, own in zip(video_ids, keys, strict=True)
    ]
    heads: dict[str, str] = {}
    for name, own in zip(names, keys, strict=True):
        if own:  # "artist:" comes before "video:".
            heads[group_of[own[0]]] = min(heads.get(group_of[own[0]], name), name)
    chosen = (heads[group_of[own[0]]] if own else name for name, own in zip(names, keys, strict=True))
    return [_hashed(name, fractions, seed) for name in chosen]


def _hashed(name: str, fractions: Sequence[float], seed: int) -> str:
    if len(fractions) != len(SPLITS) or min(fractions) < 0 or abs(sum(fractions) - 1) > 1e-9:
        raise ConfigError(
            f"fractions must be three shares (train, validation, test) that sum to 1, not {tuple(fractions)}."
        )
    place = keyed_fraction(seed, "split", name)
    train, validation, _ = fractions
    if place < train:
        return "train"
    return "validation" if place < train + validation else "test"
