"""Invented names, so that nothing in a synthetic catalogue can be taken for a real artist or song."""

import numpy as np

_ONSETS = ("b", "br", "d", "dr", "f", "fl", "g", "gl", "h", "k", "l", "m", "n", "p", "r", "s", "sk", "t", "v", "z")
_NUCLEI = ("a", "e", "i", "o", "u", "ae", "oa", "ei")
_CODAS = ("", "", "", "l", "m", "n", "r", "s", "sh", "x")
_ENSEMBLES = ("{}", "{}", "{} {}", "The {}s", "{} & {}", "{} Trio", "DJ {}", "{} Collective")
_TITLES = ("{}", "{} {}", "{} in {}", "{} No. {n}", "Oh {}", "{}, {}")


def artist_name(random: np.random.Generator) -> str:
    """A band or person that does not exist."""
    return _fill(_ENSEMBLES[random.integers(len(_ENSEMBLES))], random)


def song_title(random: np.random.Generator) -> str:
    """A title in no language."""
    return _fill(_TITLES[random.integers(len(_TITLES))], random)


def _fill(pattern: str, random: np.random.Generator) -> str:
    return pattern.format(_word(random), _word(random), n=random.integers(2, 40))


def _word(random: np.random.Generator) -> str:
    def pick(parts: tuple[str, ...]) -> str:
        return parts[random.integers(len(parts))]

    syllables = [pick(_ONSETS) + pick(_NUCLEI) for _ in range(random.integers(2, 4))]
    return ("".join(syllables) + pick(_CODAS)).capitalize()
