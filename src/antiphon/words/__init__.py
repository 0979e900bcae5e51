"""Words: what a text asks for, what is known of each music video, and how well the two agree. No network, no torch."""

from antiphon.words.interpretation import Interpretation, Term
from antiphon.words.reading import interpret
from antiphon.words.vocabulary import Vocabulary

__all__ = ["Interpretation", "Term", "Vocabulary", "interpret"]
