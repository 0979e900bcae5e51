"""The filters of a search in words, those above all that a page has no control for."""

from antiphon.search.filters import Conditions


def other_filters(conditions: Conditions) -> list[tuple[str, str, str]]:
    """List the filters that a page has no control for.

    Parameters
    ----------
    conditions : Conditions
        The conditions of a search.

    Returns
    -------
    list of tuple of (str, str, str)
        Parameter and value of each in the address, and words.

    Examples
    --------
    >>> other_filters(Conditions(genre=("opera", "folk"), min_year=1990))
    [('genre', 'folk', 'genre folk'), ('min_year', '1990', 'from 1990')]
    """
    found = [("genre", genre, f"genre {genre}") for genre in conditions.genre[1:]]
    found += [("artist", artist, f"artist {artist}") for artist in conditions.artist]
    found += [("not_artist", artist, f"not artist {artist}") for artist in conditions.not_artist]
    if conditions.min_year is not None:
        found.append(("min_year", str(conditions.min_year), f"from {conditions.min_year}"))
    if conditions.max_year is not None:
        found.append(("max_year", str(conditions.max_year), f"until {conditions.max_year}"))
    return found


def filters_in_words(conditions: Conditions) -> list[str]:
    """List all filters that can leave nothing to find.

    Examples
    --------
    >>> filters_in_words(Conditions(genre=("opera",), other_artists=True, max_year=1990))
    ['genre opera', 'until 1990', 'other artists only']
    """
    words = [f"genre {genre}" for genre in conditions.genre[:1]]
    words += [text for _, _, text in other_filters(conditions)]
    return [*words, "other artists only"] if conditions.other_artists else words
