"""What a text was understood to ask for: terms that can be shown, removed one by one, and scored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

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

    @property
    def label(self) -> str:
        """What was understood, in few words."""
        if self.kind == "alike":
            shown = ", ".join(list(self.names)[:3])
            said = f"{self.name} (like {shown})"
        else:
            said = f"{_SOURCES.get(self.kind, '')}{self.name}"
        said = said if self.wanted else f"no {said}"
        return f"{said} (for “{self.text}”)" if self.how in ("spelling", "part") else said

    def to_dict(self) -> dict[str, Any]:
        """Return what the command line prints as JSON and the REST API answers."""
        found: dict[str, Any] = {
            "text": self.text,
            "kind": self.kind,
            "means": self.name,
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
    """

    text: str
    terms: tuple[Term, ...] = ()
    unknown: tuple[str, ...] = ()
    whole: bool = True

    def without(self, term: Term) -> str:
        """Return the text without the words of a term."""
        left, right = self.text[: term.start].rstrip(" ,;"), self.text[term.end :].lstrip(" ,;")
        comma = ", " if "," in self.text[max(len(left), 0) : len(self.text) - len(right)] and left and right else " "
        return " ".join(f"{left}{comma}{right}".split()).strip(" ,;")

    def wanted_text(self) -> str:
        """Return the text without what is to be absent, for networks that do not understand "no"."""
        left, uncut = "", 0
        for term in (term for term in self.terms if not term.wanted):
            start = term.start if term.denied_from is None else term.denied_from
            left += self.text[uncut:start] + "," if start > uncut else ""
            uncut = max(uncut, term.end)
        left += self.text[uncut:]
        return ", ".join(part for part in (" ".join(part.split()) for part in left.split(",")) if part)

    def to_dict(self) -> dict[str, Any]:
        """Return what the command line prints as JSON and the REST API answers."""
        return {
            "text": self.text,
            "terms": [term.to_dict() for term in self.terms],
            "unknown": list(self.unknown),
            "whole": self.whole,
        }


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
