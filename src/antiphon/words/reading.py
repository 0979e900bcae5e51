"""From a text to what it asks for. Nothing but words is needed: no network, and no catalogue either.

Phrases are read before single words, whole words before misspelt ones, and those before parts of words. What is left
is compared by meaning where word vectors are at hand, and else said to mean nothing here.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from antiphon.words.bounds import SIGNS
from antiphon.words.interpretation import Interpretation, Term, named_once
from antiphon.words.reader import KINDS, Reader
from antiphon.words.tokens import MAX_TOKENS, signs_of, tokens_of
from antiphon.words.vocabulary import Meaning, Vocabulary

if TYPE_CHECKING:
    from antiphon.words.meanings import Meanings


def interpret(
    text: str, vocabulary: Vocabulary | None = None, meanings: "Callable[[], Meanings | None] | None" = None
) -> Interpretation:
    """Read what a text asks for.

    Parameters
    ----------
    text : str
        Any text; of a long one the first words are read.
    vocabulary : Vocabulary, optional
        Words of the catalogue; without, our own table alone is known.
    meanings : callable, optional
        Returns words by meaning, or None; called where a word is not known, since it may take a while.

    Returns
    -------
    Interpretation
        What it asks for, and the words and signs that mean nothing here; all of them where it asks for nothing.

    Examples
    --------
    >>> [term.label for term in interpret("calm acoustic guitar, no drums, 90s").terms]
    ['calm', 'acoustic guitar', 'no drums', '1990–1999']
    """
    text = text.encode("utf-8", "replace").decode()  # half a surrogate pair can be written nowhere
    tokens, whole = tokens_of(text)
    reader = Reader(text, tokens, vocabulary or Vocabulary(), meanings or (lambda: None))
    terms, repeats = named_once(reader.terms())
    unknown = [*reader.unknown, *signs_of(text)] or ([] if terms else text.split()[:MAX_TOKENS])
    is_plain = not any(token.minus or token.text in SIGNS for token in tokens)
    label = vocabulary.label(text) if vocabulary is not None and is_plain else None
    if label is not None and not (len(terms) == 1 and terms[0].exact and terms[0].how == "whole"):
        terms, repeats, unknown = (_labelled(text, label, terms),), (), []
    return Interpretation(text, terms, tuple(dict.fromkeys(unknown)), whole, repeats)


def _labelled(text: str, label: Meaning, terms: Sequence[Term]) -> Term:
    """Return what a text asks for that is a tag or genre as a whole, as links to them are; "80s" are years too."""
    if len(terms) == 1 and terms[0].wanted and terms[0].kind == "years":
        return replace(terms[0], exact=label.exact)
    start = len(text) - len(text.lstrip())
    asked = text.strip()
    return Term(asked, start, start + len(asked), KINDS[label.kind], label.name, exact=label.exact)
