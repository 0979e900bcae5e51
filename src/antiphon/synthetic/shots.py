"""Editing: which stretch of the video shows which setup, how close, and how the camera moves."""

from dataclasses import dataclass

import numpy as np

from antiphon.synthetic.looks import Look

SETUPS = ("verse", "chorus", "bridge", "detail")
"""Places of a video: one for each kind of section, and a detail to cut to."""

_PLACES: dict[str, tuple[str, ...]] = {
    "intro": ("verse", "bridge", "detail"),
    "verse": ("verse", "verse", "detail"),
    "chorus": ("chorus", "chorus", "chorus", "detail"),
    "bridge": ("bridge", "bridge", "detail"),
}


@dataclass(frozen=True)
class Shot:
    """One take.

    Attributes
    ----------
    start_s, end_s : float
        Position in the video.
    setup : str
        Name of the setup.
    close : bool
        True for a close-up.
    act : int
        Number of the performer.
    path : ((float, float), (float, float))
        First and last view of the camera as (row, column) in [0, 1] of its range.
    zoom : float
        How much closer it gets meanwhile.
    """

    start_s: float
    end_s: float
    setup: str
    close: bool
    act: int
    path: tuple[tuple[float, float], tuple[float, float]]
    zoom: float


def plan_shots(look: Look, duration_s: float, random: np.random.Generator) -> list[Shot]:
    """Cut on beats: every 1, 2, 4, 8 or 16 of them, more often in a chorus, and wherever a section starts.

    Parameters
    ----------
    look : Look
        Visual style.
    duration_s : float
        Length of the video in seconds.
    random : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    list of Shot
        Shots in order.
    """
    timeline = look.timeline
    lengths = timeline.beat_s * 2.0 ** np.arange(5)
    usual_s = float(lengths[np.argmin(np.abs(np.log(lengths / look.cut_s)))])
    starts_s = [section.first_bar * timeline.bar_s for section in timeline.sections]
    shots: list[Shot] = []
    now_s = 0.0
    while now_s < duration_s - 1e-6:
        kind = timeline.section_at(now_s).kind
        length_s = usual_s * (0.5 if kind == "chorus" and look.pulse > 0.4 else 1.0)
        length_s = max(length_s, 0.3)
        following_s = min((start for start in starts_s if start > now_s + 1e-3), default=duration_s)
        end_s = min(now_s + length_s, following_s, duration_s)
        shots.append(_shot(look, kind, now_s, end_s, shots[-1] if shots else None, random))
        now_s = end_s
    return shots


def _shot(look: Look, kind: str, start_s: float, end_s: float, last: Shot | None, random: np.random.Generator) -> Shot:
    places = _PLACES[kind]
    setup = places[random.integers(len(places))]
    close = setup == "detail" or bool(random.random() < (0.12 if kind == "intro" else 0.4))
    if last is not None and last.setup == setup and last.close == close and setup != "detail":
        close = not close
    here = random.random(2)
    reach = (0.12 + 0.9 * look.motion) * min((end_s - start_s) / 2.5, 1.0)
    there = np.clip(here + reach * random.choice([-1, 1], 2) * np.array([0.4, 1.0]), 0, 1)
    zoom = float(random.choice([0.0, 0.0, 0.5, 1.0]) * (0.05 + 0.2 * look.motion))
    return Shot(
        start_s,
        end_s,
        setup,
        close,
        act=int(random.random() < 0.35),
        path=((float(here[0]), float(here[1])), (float(there[0]), float(there[1]))),
        zoom=zoom,
    )
