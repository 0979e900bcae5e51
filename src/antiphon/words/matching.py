"""Why a music video suits a text: which of its words met what."""

import numpy as np
import numpy.typing as npt

from antiphon.words.evidence import concepts_in, negates
from antiphon.words.interpretation import Term
from antiphon.words.knowledge import Knowledge, known_term
from antiphon.words.lexicon import lexicon, one_spelling
from antiphon.words.tokens import normal
from antiphon.words.values import Suiting, Value

NO_MATCH = "nothing known of it matches"
"""Said of what suits none of the words better than the catalogue's mean."""
_OUTER = 0.75
_NEAR = 0.9
_SURE = 0.25
_WORDS = {
    "tempo_bpm": ("slower", "faster"),
    "luma": ("darker", "brighter"),
    "saturation": ("paler", "more colourful"),
    "motion": ("less motion", "more motion"),
    "cuts_per_s": ("fewer cuts", "more cuts"),
}


def reasons(known: Knowledge, suiting: Suiting, id: str) -> tuple[str, ...]:
    """Say what speaks for a music video, a few words for each term of the text that something speaks for.

    Parameters
    ----------
    known : Knowledge
        What is known of the catalogue.
    suiting : Suiting
        How well it suits the text.
    id : str
        The music video.

    Returns
    -------
    tuple of str
        Such as "calm: tag relaxing", "acoustic guitar: heard guitar 83%", "dark: darker than 91%".
    """
    row = known.places[id]
    found = [(term, _reason(known, term, value, row)) for term, value in suiting.values]
    told = tuple(f"{term.shown if term.wanted else f'no {term.shown}'}: {why}" for term, why in found if why)
    if suiting.tells and not suiting.matches[row]:
        return (NO_MATCH,)
    near = suiting.similar is not None and _share_below(suiting.similar, row) >= _NEAR
    return (*told, "near the words as a whole") if near else told


def _reason(known: Knowledge, term: Term, value: Value, row: int) -> str:
    if not term.wanted:
        return _absence(known, term, value, row)
    if value.said is not None and value.said[row] > 0:
        return _said(known, term, row)
    told = _said_alike(known, term, row) or _heard(known, term, row, positive=True)
    if not told and value.measured is not None:
        told = _measured(known, term, row)
    if not told and value.near is not None and _share_below(value.near, row) >= _NEAR:
        told = f"like {', '.join(list(term.names)[:3])}" if term.names else "like those it is known of"
    return told


def _absence(known: Knowledge, term: Term, value: Value, row: int) -> str:
    """Say why something seems to be absent."""
    if value.said is not None and value.said[row] != 0:
        return _said(known, term, row) if value.said[row] < 0 else ""
    against = _heard(known, term, row, positive=False)
    if against:
        return against
    if _share_below(-value.total, row) >= _OUTER:
        return f"less than in {_percent(_share_below(-value.total, row))}"
    return ""


def _said(known: Knowledge, term: Term, row: int) -> str:
    about = known.rows[row]
    if term.kind == "years" and term.exact is not None and (told := _said_as_name(known, term, row)):
        return told
    if term.kind == "years":
        return str(about["year"])
    if term.kind == "artist":
        return str(about["artist"])
    if term.kind == "title":
        return str(about["title"])
    return _said_as_name(known, term, row) or "in its title"


def _said_alike(known: Knowledge, term: Term, row: int) -> str:
    """Name the first of the names near in meaning that a music video has, the nearest first."""
    terms = [known_term(name) for name in term.names]
    return next((told for one in terms if (told := _said_as_name(known, one, row))), "")


def _said_as_name(known: Knowledge, term: Term, row: int) -> str:
    about = known.rows[row]
    names = [name for name in (about.get("genre"), *(about.get("tags") or ())) if name and _says(name, term)]
    if not names:
        return ""
    if term.exact is not None:
        asked = one_spelling(normal(term.exact))
        names.sort(key=lambda name: one_spelling(normal(name)) != asked)
    return f"{'genre' if names[0] == about.get('genre') else 'tag'} {names[0]}"


def _says(name: str, term: Term) -> bool:
    """Whether a tag says a term, or denies one that is to be absent."""
    spelt, asked = normal(name), normal(term.name)
    if term.exact is not None and term.wanted and one_spelling(spelt) == one_spelling(normal(term.exact)):
        return True
    if term.kind == "concept":
        return any(concept == term.name and (sign > 0) == term.wanted for concept, sign in concepts_in(spelt))
    return spelt == asked or (f" {asked} " in f" {spelt} " and not negates(spelt))


def _heard(known: Knowledge, term: Term, row: int, *, positive: bool) -> str:
    """Name the tag that was heard most surely; those that speak against a term for one that is to be absent."""
    if term.kind != "concept":
        return ""
    signs = lexicon().concepts[term.name].heard
    sure = [
        (float(known.heard[name][row]), name)
        for name, sign in signs.items()
        if name in known.heard and (sign > 0) == positive and known.heard[name][row] >= _SURE
    ]
    return f"heard {max(sure)[1]} {_percent(max(sure)[0])}" if sure else ""


def _measured(known: Knowledge, term: Term, row: int) -> str:
    if term.kind == "tempo":
        tempo = float(known.measures["tempo_bpm"][row])
        return f"about {tempo:.0f} bpm" if np.isfinite(tempo) else ""
    for name, sign in lexicon().concepts[term.name].measured.items():
        values = known.measures.get(name)
        if values is None or not np.isfinite(values[row]):
            continue
        if name == "black_and_white":
            if values[row] > 0.5:
                return "black and white"
            continue
        share = _share_below(sign * values, row)
        if share >= _OUTER:
            return f"{_WORDS[name][sign > 0]} than {_percent(share)}"
    return ""


def _share_below(values: npt.NDArray[np.floating], row: int) -> float:
    known = values[np.isfinite(values)]
    return float(np.mean(known < values[row]))


def _percent(share: float) -> str:
    return f"{min(int(share * 100), 99)}%"
