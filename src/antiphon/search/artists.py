"""All names under which the artists of a query stand in an index: other spellings, and works with others."""

from collections.abc import Sequence

from antiphon.catalogue.artists import credited


class KnownArtists:
    """The artists of an index.

    Parameters
    ----------
    names : sequence of str
        Names as they stand in the index.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._keys = dict(zip(names, credited(names), strict=True))
        self._names: dict[str, list[str]] = {}
        for name, keys in self._keys.items():
            for key in keys:
                self._names.setdefault(key, []).append(name)

    def sharing(self, artist: str) -> tuple[str, ...]:
        """Return the names that credit an artist of this one.

        Examples
        --------
        >>> KnownArtists(["Ann", "Bea feat. ANN", "Cy"]).sharing("ann; Dee")
        ('Ann', 'Bea feat. ANN')
        """
        keys = self._keys.get(artist) or credited([artist])[0]
        return tuple(sorted({name for key in keys for name in self._names.get(key, ())}))
