"""What a text was understood to ask for: terms that can be shown, removed one by one, and scored."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from antiphon.words.particles import JOINTS as _JOINTS
from antiphon.words.tokens import normal

Kind = Literal["concept", "tag", "genre", "artist", "title", "years", "tempo", "alike"]
How = Literal["whole", "spelling", "part", "meaning"]

INSTEAD = (
    "Ask for a mood, an instrument, a genre, a tag, an artist, a year or what is to be absent: "
    "“calm acoustic guitar, no drums, 90s”."
)
"""What to ask for where nothing was understood."""
_SOURCES = {"artist": "artist ", "title": "title ", "tag": "", "genre": "", "concept": "", "alike": ""}


@dataclass(frozen=True)
class Term:
    """One thing that a text asks for.

    Attributes
    ----------
    text : str
        The words of the text that ask for it, with what negates or strengthens them.
    start, end : int
        Their place in the text.
    kind : str
        "concept" (of our own table), "tag", "genre", "artist" or "title" (of the catalogue), "years", "tempo" (in beats
        per minute), or "alike" (names of the catalogue whose meaning is near).
    name : str
        What is meant, by the name of the concept or as the catalogue writes it.
    wanted : bool
        Whether it is asked for, or asked to be absent.
    weight : float
        How much it counts, usually 1.
    how : str
        "whole" words, another "spelling", a "part" of a word, or "meaning" alone.
    min_value, max_value : float, optional
        Bounds of years and tempi, both included.
    names : mapping of str to float
        Of an "alike" term: known names with their weights, which sum to 1.
    denied_from : int, optional
        Where the words begin that deny it, which may deny others before it: "no drums or vocals".
    exact : str, optional
        The tag or genre of the catalogue that the words are as a whole.
    spans : tuple of (float or None, float or None)
        Of years and tempi that were joined, the bounds of each; one of them suffices. See `alternatives`.
    """

    text: str
    start: int
    end: int
    kind: Kind
    name: str
    wanted: bool = True
    weight: float = 1.0
    how: How = "whole"
    min_value: float | None = None
    max_value: float | None = None
    names: Mapping[str, float] = field(default_factory=dict[str, float], hash=False)
    denied_from: int | None = None
    exact: str | None = None
    spans: tuple[tuple[float | None, float | None], ...] = ()

    @property
    def shown(self) -> str:
        """What is meant, as it is shown: a label of the catalogue by its own name, not by that of its concept."""
        is_other = self.kind == "concept" and self.exact is not None and self.exact.casefold() != self.name
        return self.exact if is_other and self.exact is not None else self.name

    @property
    def same(self) -> tuple[object, ...]:
        """What two terms have in common that ask for the same."""
        bounds = (self.min_value, self.max_value, self.spans)
        return (self.kind, self.shown.casefold(), self.wanted, bounds, tuple(self.names.items()))

    @property
    def label(self) -> str:
        """What was understood, in few words."""
        if self.kind == "alike":
            shown = ", ".join(list(self.names)[:3])
            said = f"{self.name} (like {shown})"
        else:
            said = f"{_SOURCES.get(self.kind, '')}{self.shown}"
        said = said if self.wanted else f"no {said}"
        return f"{said} (for “{self.text}”)" if self.how in ("spelling", "part") else said

    def to_dict(self) -> dict[str, Any]:
        """Return what the command line prints as JSON and the REST API answers."""
        found: dict[str, Any] = {
            "text": self.text,
            "kind": self.kind,
            "means": self.shown,
            "label": self.label,
            "wanted": self.wanted,
            "weight": self.weight,
            "how": self.how,
        }
        if self.kind in ("years", "tempo"):
            found |= {"min": self.min_value, "max": self.max_value}
        if self.names:
            found["names"] = {name: round(share, 3) for name, share in self.names.items()}
        return found


@dataclass(frozen=True)
class Interpretation:
    """What a text asks for.

    Attributes
    ----------
    text : str
        The text.
    terms : tuple of Term
        What was understood, in the order of the text.
    unknown : tuple of str
        Words that mean nothing here; never empty where a text was not understood at all.
    whole : bool
        Whether all of the text was read: the first words of a long one are.
    repeats : tuple of Term
        What asks for the same as one of the terms, later in the text.
    """

    text: str
    terms: tuple[Term, ...] = ()
    unknown: tuple[str, ...] = ()
    whole: bool = True
    repeats: tuple[Term, ...] = ()

    def without(self, term: Term) -> str:
        """Return the text without the words of a term, wherever it is repeated."""
        text = self.text
        for one in sorted((term, *self._repeats_of(term)), key=lambda one: -one.start):
            text = _cut(text, one.start, one.end)
        return " ".join(text.split()).strip(" ,;")

    def _repeats_of(self, term: Term) -> list[Term]:
        return [repeat for repeat in self.repeats if repeat.same == term.same]

    def wanted_text(self) -> str:
        """Return the text without what is to be absent, for networks that do not understand "no"."""
        left, uncut = "", 0
        unwanted = sorted(
            (term for term in (*self.terms, *self.repeats) if not term.wanted), key=lambda term: term.start
        )
        if not unwanted:
            return " ".join(self.text.split()).strip(" ,")
        for term in unwanted:
            start = term.start if term.denied_from is None else term.denied_from
            left += self.text[uncut:start] + "," if start > uncut else ""
            uncut = max(uncut, term.end)
        left += self.text[uncut:]
        return ", ".join(filter(None, map(_without_joints, left.split(","))))

    def to_dict(self) -> dict[str, Any]:
        """Return what the command line prints as JSON and the REST API answers."""
        return {
            "text": self.text,
            "terms": [term.to_dict() for term in self.terms],
            "unknown": list(self.unknown),
            "whole": self.whole,
        }


def _cut(text: str, start: int, end: int) -> str:
    left, right = text[:start].rstrip(" ,;"), text[end:].lstrip(" ,;")
    comma = ", " if "," in text[len(left) : len(text) - len(right)] and left and right else " "
    return f"{left}{comma}{right}"


def _without_joints(part: str) -> str:
    """Return words without those at either end that only joined them to what was cut out: "but", "better", "and"."""
    words = part.split()
    while words and normal(words[0]) in _JOINTS:
        del words[0]
    while words and normal(words[-1]) in _JOINTS:
        del words[-1]
    return " ".join(words)


def named_once(terms: Iterable[Term]) -> tuple[tuple[Term, ...], tuple[Term, ...]]:
    """Return the terms that ask for different things, each with the most weight that it has, and their repeats."""
    once: dict[tuple[object, ...], Term] = {}
    repeats: list[Term] = []
    for term in terms:
        first = once.setdefault(term.same, term)
        if first is not term:
            repeats.append(term)
            weight, exact = max(first.weight, term.weight), first.exact or term.exact
            once[term.same] = replace(first, weight=weight, exact=exact)
    return tuple(once.values()), tuple(repeats)


def alternatives(terms: Iterable[Term]) -> list[Term]:
    """Join the years, and the tempi, that are all asked for or all to be absent: a music video has one year.

    Examples
    --------
    >>> years = [Term("80s", 0, 3, "years", "1980–1989", min_value=1980, max_value=1989),
    ...          Term("2001", 7, 11, "years", "2001", min_value=2001, max_value=2001)]
    >>> [(term.name, term.spans) for term in alternatives(years)]
    [('1980–1989 or 2001', ((1980, 1989), (2001, 2001)))]
    """
    kinds: dict[object, list[Term]] = {}
    for place, term in enumerate(terms):
        is_span = term.kind in ("years", "tempo")
        kinds.setdefault((term.kind, term.wanted) if is_span else place, []).append(term)
    return [_joined_spans(same) if len(same) > 1 else same[0] for same in kinds.values()]


def _joined_spans(terms: Sequence[Term]) -> Term:
    return replace(
        terms[0],
        name=" or ".join(term.name for term in terms),
        weight=max(term.weight for term in terms),
        spans=tuple((term.min_value, term.max_value) for term in terms),
    )


def understood(words: Interpretation, silent: Sequence[Term] = ()) -> list[str]:
    """Say in a line each what was understood, of what nothing is known in the catalogue, and what means nothing.

    Parameters
    ----------
    words : Interpretation
        What a text asks for.
    silent : sequence of Term
        Terms that nothing in the catalogue tells of.

    Returns
    -------
    list of str
        At most four lines.
    """
    told = "; ".join(term.label for term in words.terms)
    lines = [f"Understood: {told}." if told else f"Nothing understood. {INSTEAD}"]
    if silent:
        lines.append(f"Nothing in this catalogue tells: {'; '.join(term.label for term in silent)}.")
    if words.unknown:
        lines.append(f"Words that mean nothing here: {', '.join(words.unknown)}.")
    if not words.whole:
        lines.append("The text is long: its first words were read.")
    return lines
