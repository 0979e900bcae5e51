"""Genres: distributions that songs and, through them, their visuals are drawn from."""

from dataclasses import dataclass

SCALES: dict[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
}
"""Semitones above the tonic."""

PROGRESSIONS: dict[str, tuple[tuple[int, ...], ...]] = {
    "pop-major": ((0, 4, 5, 3), (5, 3, 0, 4), (0, 5, 3, 4), (3, 0, 4, 5)),
    "pop-minor": ((0, 5, 2, 6), (0, 3, 5, 4), (0, 6, 5, 6), (0, 2, 6, 3)),
    "jazz": ((1, 4, 0, 5), (1, 4, 0, 0), (0, 5, 1, 4), (2, 5, 1, 4)),
    "vamp": ((0, 0, 0, 6), (0, 0, 3, 3), (0, 0, 5, 5), (0, 6, 0, 6)),
    "rock": ((0, 3, 4, 3), (0, 6, 3, 0), (0, 2, 3, 5), (0, 4, 3, 3)),
    "riff": ((0, 0, 5, 6), (0, 1, 0, 6), (0, 5, 1, 0), (0, 0, 2, 1)),
    "folk": ((0, 3, 0, 4), (0, 4, 5, 3), (0, 0, 3, 4), (0, 5, 3, 0)),
    "two-chord": ((0, 3, 0, 3), (0, 1, 0, 1), (5, 3, 5, 3), (0, 4, 0, 4)),
    "drift": ((0, 0, 3, 3), (0, 0, 5, 5), (3, 3, 0, 0), (0, 0, 4, 3)),
}
"""Scale degrees from 0, one per bar."""


@dataclass(frozen=True)
class Traits:
    """Continuous character of a song, which both audio and video depend on; each value is in [0, 1].

    Attributes
    ----------
    energy, brightness, acoustic, dirt, space, density : float
        Strength of the trait.
    """

    energy: float
    brightness: float
    acoustic: float
    dirt: float
    space: float
    density: float


@dataclass(frozen=True)
class Genre:
    """Distribution of the songs of a genre.

    Tuples of names are drawn from uniformly; repeated names weigh more.

    Attributes
    ----------
    name : str
        Name of the genre.
    tempo_bpm, years : (float, float)
        Ranges.
    modes, progressions, drums, bass_lines, comp_rhythms, leads, comps, basses, pads : tuple of str
        Names to draw from.
    traits : Traits
        Mean character.
    scene : str
        Scene of the videos.
    swing : float
        Delay of off-beat steps, as a fraction of a step.
    swing_steps : int
        Length of such a step in sixteenths.
    sevenths : bool
        True if chords have a seventh.
    lead_presence : float
        Probability of a phrase of the lead.
    """

    name: str
    tempo_bpm: tuple[float, float]
    modes: tuple[str, ...]
    progressions: tuple[str, ...]
    drums: tuple[str, ...]
    bass_lines: tuple[str, ...]
    comp_rhythms: tuple[str, ...]
    leads: tuple[str, ...]
    comps: tuple[str, ...]
    basses: tuple[str, ...]
    traits: Traits
    years: tuple[int, int]
    scene: str
    pads: tuple[str, ...] = ("none",)
    swing: float = 0.0
    swing_steps: int = 1
    sevenths: bool = False
    lead_presence: float = 0.9


GENRES: tuple[Genre, ...] = (
    Genre(
        name="house",
        tempo_bpm=(118, 128),
        modes=("minor", "dorian", "major"),
        progressions=("pop-minor", "vamp"),
        drums=("four", "four-open"),
        bass_lines=("offbeat", "syncopated"),
        comp_rhythms=("stabs", "charleston"),
        leads=("voice", "synth lead", "voice"),
        comps=("piano", "synth pluck", "organ"),
        basses=("synth bass",),
        pads=("synth pad", "strings"),
        traits=Traits(0.68, 0.65, 0.22, 0.12, 0.4, 0.62),
        years=(1988, 2022),
        scene="dancefloor",
        swing=0.12,
        sevenths=True,
        lead_presence=0.75,
    ),
    Genre(
        name="techno",
        tempo_bpm=(128, 142),
        modes=("minor", "phrygian"),
        progressions=("vamp",),
        drums=("four-hard", "four-broken"),
        bass_lines=("sixteenths", "pulse"),
        comp_rhythms=("sequence", "stabs"),
        leads=("synth lead", "acid"),
        comps=("synth pluck", "acid"),
        basses=("sub bass", "synth bass"),
        pads=("synth pad", "none"),
        traits=Traits(0.82, 0.42, 0.02, 0.45, 0.5, 0.72),
        years=(1992, 2023),
        scene="tunnel",
        lead_presence=0.35,
    ),
    Genre(
        name="hip-hop",
        tempo_bpm=(80, 98),
        modes=("minor", "dorian"),
        progressions=("vamp", "two-chord"),
        drums=("boom-bap", "trap"),
        bass_lines=("eight-oh-eight", "syncopated"),
        comp_rhythms=("stabs", "block"),
        leads=("voice low", "flute", "voice low"),
        comps=("electric piano", "piano", "vibraphone"),
        basses=("sub bass",),
        traits=Traits(0.5, 0.35, 0.28, 0.35, 0.18, 0.45),
        years=(1990, 2023),
        scene="city",
        swing=0.25,
        sevenths=True,
    ),
    Genre(
        name="synth-pop",
        tempo_bpm=(104, 128),
        modes=("minor", "major", "mixolydian"),
        progressions=("pop-minor", "pop-major"),
        drums=("backbeat-electronic", "four"),
        bass_lines=("octaves", "eighths"),
        comp_rhythms=("arpeggio", "block"),
        leads=("voice", "synth lead"),
        comps=("synth pluck", "synth brass"),
        basses=("synth bass",),
        pads=("synth pad",),
        traits=Traits(0.6, 0.78, 0.06, 0.15, 0.58, 0.6),
        years=(1980, 2020),
        scene="grid",
    ),
    Genre(
        name="rock",
        tempo_bpm=(112, 148),
        modes=("mixolydian", "major", "minor"),
        progressions=("rock",),
        drums=("backbeat", "backbeat-driving"),
        bass_lines=("eighths", "root-fifth"),
        comp_rhythms=("power", "strum"),
        leads=("voice", "lead guitar", "voice"),
        comps=("overdriven guitar", "overdriven guitar", "organ"),
        basses=("electric bass",),
        traits=Traits(0.76, 0.6, 0.55, 0.62, 0.28, 0.6),
        years=(1967, 2015),
        scene="stage",
    ),
    Genre(
        name="metal",
        tempo_bpm=(140, 184),
        modes=("phrygian", "minor"),
        progressions=("riff",),
        drums=("double-kick", "backbeat-driving"),
        bass_lines=("gallop", "eighths"),
        comp_rhythms=("gallop", "power"),
        leads=("voice low", "lead guitar", "lead guitar"),
        comps=("distorted guitar",),
        basses=("electric bass",),
        traits=Traits(0.95, 0.5, 0.38, 0.95, 0.22, 0.85),
        years=(1984, 2020),
        scene="inferno",
    ),
    Genre(
        name="ballad",
        tempo_bpm=(62, 78),
        modes=("major", "major", "minor"),
        progressions=("pop-major", "pop-minor"),
        drums=("none", "soft", "waltz-soft"),
        bass_lines=("long", "root-fifth"),
        comp_rhythms=("arpeggio", "block"),
        leads=("voice", "voice", "strings solo"),
        comps=("piano", "piano", "electric piano"),
        basses=("double bass", "electric bass"),
        pads=("strings", "none"),
        traits=Traits(0.25, 0.5, 0.78, 0.06, 0.72, 0.35),
        years=(1965, 2020),
        scene="room",
    ),
    Genre(
        name="folk",
        tempo_bpm=(88, 122),
        modes=("major", "mixolydian", "dorian"),
        progressions=("folk",),
        drums=("none", "shaker", "waltz-soft"),
        bass_lines=("root-fifth", "long"),
        comp_rhythms=("strum", "picking"),
        leads=("voice", "flute", "fiddle"),
        comps=("acoustic guitar", "acoustic guitar", "banjo"),
        basses=("double bass",),
        traits=Traits(0.42, 0.68, 0.97, 0.1, 0.25, 0.42),
        years=(1960, 2018),
        scene="meadow",
    ),
    Genre(
        name="jazz",
        tempo_bpm=(108, 190),
        modes=("major", "dorian", "minor"),
        progressions=("jazz",),
        drums=("swing-ride", "swing-brushes"),
        bass_lines=("walking",),
        comp_rhythms=("charleston", "block"),
        leads=("saxophone", "trumpet", "vibraphone", "saxophone"),
        comps=("piano", "clean guitar"),
        basses=("double bass",),
        traits=Traits(0.46, 0.4, 0.92, 0.18, 0.38, 0.55),
        years=(1952, 2005),
        scene="club",
        swing=0.33,
        swing_steps=2,
        sevenths=True,
    ),
    Genre(
        name="reggae",
        tempo_bpm=(66, 84),
        modes=("major", "mixolydian", "minor"),
        progressions=("two-chord", "folk"),
        drums=("one-drop", "steppers"),
        bass_lines=("dub",),
        comp_rhythms=("skank",),
        leads=("voice", "trumpet", "organ"),
        comps=("clean guitar", "organ"),
        basses=("electric bass",),
        traits=Traits(0.48, 0.58, 0.6, 0.2, 0.6, 0.42),
        years=(1970, 2012),
        scene="beach",
        swing=0.15,
    ),
    Genre(
        name="ambient",
        tempo_bpm=(60, 76),
        modes=("major", "dorian", "minor"),
        progressions=("drift",),
        drums=("none",),
        bass_lines=("drone",),
        comp_rhythms=("bells", "block"),
        leads=("flute", "choir", "vibraphone"),
        comps=("vibraphone", "synth pad", "electric piano"),
        basses=("sub bass",),
        pads=("synth pad", "choir"),
        traits=Traits(0.1, 0.45, 0.2, 0.05, 0.95, 0.15),
        years=(1978, 2022),
        scene="nebula",
        lead_presence=0.5,
    ),
)
