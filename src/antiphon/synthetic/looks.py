"""Looks: the visual style of a music video as a function of a song, heard or not.

A look is a smooth function of the traits of a song, the same for all genres and artists, so that it can be learned from
some artists and recognised in others.
"""

from dataclasses import dataclass, fields

import numpy as np

from antiphon.synthetic.instruments import FAMILIES
from antiphon.synthetic.styles import SongStyle
from antiphon.synthetic.timeline import Timeline

_ACTS: dict[str, str] = {
    "vocals": "singer",
    "choir": "choir",
    "flute": "horn",
    "saxophone": "horn",
    "trumpet": "horn",
    "strings": "fiddler",
    "synthesizer": "deck",
    "piano": "keys",
    "electric piano": "keys",
    "vibraphone": "keys",
    "organ": "keys",
    "acoustic guitar": "guitarist",
    "banjo": "guitarist",
    "electric guitar": "guitarist",
}


@dataclass(frozen=True)
class Look:
    """Visual style of a video; numbers without a unit are in [0, 1].

    Attributes
    ----------
    scene : str
        Name of the scene.
    acts : (str, str)
        Kinds of performers.
    crowd : int
        Number of performers.
    warmth, saturation, lightness, contrast : float
        Colours.
    cut_s : float
        Minimum length of a shot in seconds.
    motion, pulse : float
        Movement of camera and performers, and of the light.
    grain, scanlines, softness : float
        Texture.
    particles : str
        Kind of particles, or "none".
    tone : str
        "colour", "grey" or "sepia".
    framing : str
        "full", "letterbox" or "academy".
    timeline : Timeline
        Beats and sections that cuts and lights follow.
    """

    scene: str
    acts: tuple[str, str]
    crowd: int
    warmth: float
    saturation: float
    lightness: float
    contrast: float
    cut_s: float
    motion: float
    pulse: float
    grain: float
    scanlines: float
    softness: float
    particles: str
    tone: str
    framing: str
    timeline: Timeline


def look_of(style: SongStyle, timeline: Timeline) -> Look:
    """Derive the look of a video that follows its song in everything.

    Parameters
    ----------
    style : SongStyle
        Style of the song.
    timeline : Timeline
        Beats and sections of the song.

    Returns
    -------
    Look
        The look.
    """
    traits = style.traits
    pace = float(np.clip((style.tempo_bpm - 60) / 120, 0, 1))
    return Look(
        scene=style.genre.scene,
        acts=(_ACTS[FAMILIES[style.lead]], _ACTS[FAMILIES[style.comp]]),
        crowd=1 + round(3 * traits.density),
        warmth=style.warmth,
        saturation=float(np.clip(0.25 + 0.8 * traits.energy - 0.15 * traits.acoustic, 0, 1)),
        lightness=float(np.clip(traits.brightness + 0.16 * (style.is_bright_mode - 0.5), 0, 1)),
        contrast=float(np.clip(0.2 + 0.75 * traits.energy, 0, 1)),
        cut_s=float(6.0 * 0.13**traits.energy),
        motion=float(np.clip(0.55 * traits.energy + 0.45 * pace, 0, 1)),
        pulse=float(np.clip(traits.energy * (style.drums != "none") * 1.1 - 0.1, 0, 1)),
        grain=traits.dirt,
        scanlines=float(np.clip(1 - 2.2 * traits.acoustic, 0, 1)),
        softness=traits.space,
        particles=_particles(style),
        tone=_tone(style),
        framing=_framing(style),
        timeline=timeline,
    )


def couple(own: Look, strange: Look, coupling: float, random: np.random.Generator) -> Look:
    """Take each attribute from one look with probability `coupling`, else from another.

    Both looks come from the same distribution, so that of every attribute is the same at any coupling. The same
    `random` at a higher coupling keeps every attribute that came from `own`.

    Parameters
    ----------
    own : Look
        Look of the song that is heard.
    strange : Look
        Look of another song.
    coupling : float
        Probability in [0, 1].
    random : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Look
        The mixed look.
    """
    coins = random.random(len(fields(Look)))
    mixed = {
        field.name: getattr(own if coin < coupling else strange, field.name)
        for field, coin in zip(fields(Look), coins, strict=True)
    }
    return Look(**mixed)


def _particles(style: SongStyle) -> str:
    traits = style.traits
    if traits.dirt > 0.6:
        return "embers"
    if traits.space > 0.62:
        return "dust"
    return "confetti" if traits.energy > 0.6 else "none"


def _tone(style: SongStyle) -> str:
    if style.year < 1974:
        return "grey" if style.year < 1966 or not style.is_bright_mode else "sepia"
    return "colour"


def _framing(style: SongStyle) -> str:
    if style.year < 1985:
        return "academy"
    return "letterbox" if style.traits.energy < 0.45 else "full"
