"""Random generators and hashes that depend on what they are for, never on the order of calls.

Nothing in Antiphon seeds globally. A generator is derived from an integer seed and the names of the thing it draws for,
so that item 7 draws the same numbers alone, first, last, or in another process.
"""

import hashlib

import numpy as np


def _digest(seed: int, names: tuple[str | int, ...]) -> bytes:
    text = "\x1f".join([str(seed), *map(str, names)])
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """Create the generator of one thing.

    Parameters
    ----------
    seed : int
        Seed of the run.
    *names : str or int
        What the generator draws for.

    Returns
    -------
    numpy.random.Generator
        Generator that depends on these arguments only.

    Examples
    --------
    >>> generator(0, "segments", "song-1").random() == generator(0, "segments", "song-1").random()
    True
    >>> generator(0, "segments", "song-1").random() == generator(0, "segments", "song-2").random()
    False
    """
    return np.random.default_rng(int.from_bytes(_digest(seed, names), "big"))


def derived_seed(seed: int, *names: str | int) -> int:
    """Derive a seed for libraries that take an integer, such as torch.

    Parameters
    ----------
    seed : int
        Seed of the run.
    *names : str or int
        What the seed is for.

    Returns
    -------
    int
        63-bit integer.
    """
    return int.from_bytes(_digest(seed, names)[:8], "big") >> 1


def keyed_fraction(seed: int, *names: str | int) -> float:
    """Map names to a number that is uniform over names and the same on every machine.

    Parameters
    ----------
    seed : int
        Seed of the mapping.
    *names : str or int
        What the number is for.

    Returns
    -------
    float
        Number in [0, 1).

    Examples
    --------
    >>> 0 <= keyed_fraction(0, "split", "an artist") < 1
    True
    """
    return (int.from_bytes(_digest(seed, names)[:8], "big") >> 11) / 2**53
