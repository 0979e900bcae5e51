"""Random generators and hashes that depend on what they are for, never on the order of the calls.

Nothing in Antiphon seeds globally. A generator is derived from one integer seed and the names of the thing it
draws for, so that item 7 draws the same numbers alone, first, last, or in another process.
"""

import hashlib

import numpy as np


def _digest(seed: int, names: tuple[str | int, ...]) -> bytes:
    text = "\x1f".join([str(seed), *map(str, names)])
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """A generator of its own for the thing called `names`.

    Examples
    --------
    >>> generator(0, "segments", "song-1").random() == generator(0, "segments", "song-1").random()
    True
    >>> generator(0, "segments", "song-1").random() == generator(0, "segments", "song-2").random()
    False
    """
    return np.random.default_rng(int.from_bytes(_digest(seed, names), "big"))


def derived_seed(seed: int, *names: str | int) -> int:
    """A 63-bit integer seed for libraries that take one (torch), derived as in `generator`."""
    return int.from_bytes(_digest(seed, names)[:8], "big") >> 1


def keyed_fraction(seed: int, *names: str | int) -> float:
    """A number in [0, 1) that `names` always map to: uniform over names, the same on every machine.

    Examples
    --------
    >>> 0 <= keyed_fraction(0, "split", "an artist") < 1
    True
    """
    return (int.from_bytes(_digest(seed, names)[:8], "big") >> 11) / 2**53
