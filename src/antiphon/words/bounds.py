"""What bounds a number that follows: "at most", "newer than", "mindestens", "≥"."""

_BELOW = """
<
under, below, less than, fewer than, slower than, older than, earlier than, prior to, previous to
unter, weniger als, langsamer als, alter als, fruher als
menos de, mas lento que, mas antiguo que, mas antigua que, mas viejo que, mas vieja que, anterior a, anteriores a
moins de, plus lent que, plus vieux que, plus ancien que
"""
_AT_MOST = """
<=, =<, ≤
at most, up to, up until, no more than, not more than, no faster than, not faster than, no later than
not later than, no newer than, not newer than, no younger than, maximum
hochstens, maximal, nicht mehr als, nicht schneller als, nicht neuer als, nicht junger als, nicht spater als, bis
como maximo, como mucho, no mas de, no mas rapido que, no mas nuevo que, no mas reciente que, no posterior a, hasta
au plus
"""
_ABOVE = """
>
over, above, more than, faster than, newer than, later than, younger than, more recent than
uber, mehr als, schneller als, neuer als, junger als, spater als
mas de, mas rapido que, mas nuevo que, mas nueva que, mas reciente que, mas moderno que, posterior a, posteriores a
plus de, plus rapide que, plus recent que, plus recente que
"""
_AT_LEAST = """
>=, =>, ≥
at least, no less than, not less than, no slower than, not slower than, no older than, not older than, no earlier than
not earlier than, starting in, starting from, beginning in, minimum
mindestens, minimal, nicht weniger als, nicht langsamer als, nicht alter als, nicht fruher als, ab
al menos, como minimo, no menos de, no mas lento que, no mas antiguo que, no mas viejo que, no anterior a
a partir de, desde
au moins, a partir de
"""


def _phrases(text: str) -> list[tuple[str, ...]]:
    return [tuple(phrase.split()) for phrase in text.replace("\n", ",").split(",") if phrase.strip()]


BOUNDS = {
    phrase: (is_low, is_strict)
    for text, is_low, is_strict in (
        (_BELOW, False, True),
        (_AT_MOST, False, False),
        (_ABOVE, True, True),
        (_AT_LEAST, True, False),
    )
    for phrase in _phrases(text)
}
"""Whether the number after a phrase is the lowest or the highest, and whether a year is left out itself."""
SIGNS = frozenset(phrase[0] for phrase in BOUNDS if not phrase[0][0].isalpha())
LONGEST_BOUND = max(map(len, BOUNDS))
BOUND_WORDS = frozenset(word for phrase in BOUNDS for word in phrase)
