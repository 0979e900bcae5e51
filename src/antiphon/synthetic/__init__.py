"""The synthetic catalogue: composed, synthesised and painted music videos, the data that Antiphon brings along.

A song's style (genre, artist, song) determines its score and sound. A look, the visual style, is a function of a
song's style too: of the song that is heard or of another one that nobody plays, attribute by attribute, as
`SyntheticConfig.coupling` says. So it is known how much the pictures tell about the sound, and a method can be tested
against it, nothing at all included.
"""

from antiphon.synthetic.config import SyntheticConfig
from antiphon.synthetic.generation import render_catalogue

__all__ = ["SyntheticConfig", "render_catalogue"]
