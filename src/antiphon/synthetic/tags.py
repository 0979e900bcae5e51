"""The tags of a song: what a listener would write down about it, read off its style."""

from antiphon.synthetic.instruments import FAMILIES
from antiphon.synthetic.styles import SongStyle


def tags_of(style: SongStyle) -> list[str]:
    """Instruments, tempo, mood, texture and era, in alphabetical order."""
    return sorted(_instruments(style) | _mood(style) | _texture(style) | {_tempo(style), f"{style.year // 10 * 10}s"})


def _instruments(style: SongStyle) -> set[str]:
    families = {FAMILIES[name] for name in (style.lead, style.comp, style.pad) if name != "none"}
    return families | {"no drums" if style.drums == "none" else "drums"}


def _tempo(style: SongStyle) -> str:
    if style.tempo_bpm < 84:
        return "slow"
    return "fast" if style.tempo_bpm > 130 else "mid-tempo"


def _mood(style: SongStyle) -> set[str]:
    traits = style.traits
    worded = {
        "energetic": traits.energy > 0.7,
        "calm": traits.energy < 0.35,
        "happy": style.is_bright_mode and traits.energy > 0.45,
        "sad": not style.is_bright_mode and traits.energy < 0.5,
        "dark": not style.is_bright_mode and traits.brightness < 0.45,
        "dreamy": traits.space > 0.65,
        "aggressive": traits.energy > 0.75 and traits.dirt > 0.55,
    }
    return {word for word, holds in worded.items() if holds}


def _texture(style: SongStyle) -> set[str]:
    traits = style.traits
    worded = {
        "acoustic": traits.acoustic > 0.7,
        "electronic": traits.acoustic < 0.3,
        "distorted": traits.dirt > 0.6,
        "swing": style.genre.swing_steps == 2,
        "waltz": style.beats_per_bar == 3,
        "bright": traits.brightness > 0.68,
        "sparse": traits.density < 0.3,
    }
    return {word for word, holds in worded.items() if holds}
