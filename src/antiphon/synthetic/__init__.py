"""Synthetic catalogue: music videos that are composed, synthesised and painted, as data that comes with Antiphon.

The style of a song (genre, artist, song) determines its arrangement and its audio. A look, the visual style, is a
function of a song's style too: of the song that is heard or of another that nobody plays, attribute by attribute, as
`SyntheticConfig.coupling` says. So it is known how much the video tells about the audio, and methods can be tested
against it, including the case that it tells nothing.
"""

from antiphon.synthetic.config import SyntheticConfig
from antiphon.synthetic.generation import render_catalogue

__all__ = ["SyntheticConfig", "render_catalogue"]
