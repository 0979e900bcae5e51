"""The coupling: what the pictures take from the song, measured over many drawn videos."""

from dataclasses import fields
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from antiphon.synthetic import SyntheticConfig
from antiphon.synthetic.looks import Look, look_of
from antiphon.synthetic.rendering import SyntheticVideo, draw_video
from antiphon.synthetic.setups import build_setup
from antiphon.synthetic.timeline import lay_out

COUNT = 440
NUMBERS = [
    "warmth",
    "saturation",
    "lightness",
    "contrast",
    "cut_s",
    "motion",
    "pulse",
    "grain",
    "scanlines",
    "softness",
    "crowd",
    "beat_s",
]
WORDS = ["scene", "acts", "particles", "tone", "framing"]


@lru_cache(maxsize=8)
def videos(coupling: float) -> list[SyntheticVideo]:
    config = SyntheticConfig(videos=COUNT, coupling=coupling)
    return [draw_video(config, index) for index in range(COUNT)]


@lru_cache(maxsize=1)
def followed() -> list[Look]:
    """What each video would look like if it followed its song in everything."""
    return [look_of(video.style, lay_out(video.style, video.duration_s)) for video in videos(0.0)]


def attribute(look: Look, name: str) -> Any:
    """An attribute of the look; `beat_s` stands for its timeline."""
    return look.timeline.beat_s if name == "beat_s" else getattr(look, name)


def agreement(name: str, coupling: float) -> float:
    """Correlation, or for words the share of agreement above chance, of the look with the song's own."""
    seen = [attribute(video.look, name) for video in videos(coupling)]
    own = [attribute(look, name) for look in followed()]
    if name in NUMBERS:
        return float(np.corrcoef(seen, own)[0, 1])
    chance = np.mean([one == other for i, one in enumerate(seen) for j, other in enumerate(own) if (i - j) % 7 == 3])
    return float((np.mean([one == other for one, other in zip(seen, own, strict=True)]) - chance) / (1 - chance))


@pytest.mark.parametrize("name", NUMBERS + WORDS)
def test_nothing_follows_the_song_at_zero(name: str) -> None:
    # Three standard errors of a correlation over independent artists, of whom there are COUNT / 4.
    assert abs(agreement(name, 0.0)) < 3 / np.sqrt(COUNT / 4)


@pytest.mark.parametrize("name", NUMBERS + WORDS)
def test_the_association_grows_with_the_coupling(name: str) -> None:
    levels = [agreement(name, coupling) for coupling in (0.0, 0.5, 0.85, 1.0)]
    assert levels[0] + 0.15 < levels[1] < levels[2] < levels[3]
    assert levels[1] == pytest.approx(0.5, abs=0.25)
    assert levels[3] == pytest.approx(1)


@pytest.mark.parametrize("name", NUMBERS)
def test_the_distribution_is_the_same_at_any_coupling(name: str) -> None:
    uncoupled, coupled = (
        np.sort([attribute(video.look, name) for video in videos(coupling)]) for coupling in (0.0, 1.0)
    )
    every = np.concatenate([uncoupled, coupled])
    steps = [np.searchsorted(values, every, "right") / COUNT for values in (uncoupled, coupled)]
    # The Kolmogorov-Smirnov distance that 110 artists against 440 strangers stay under in 99 of 100 cases.
    assert np.abs(steps[0] - steps[1]).max() < 1.63 * np.sqrt(1 / 110 + 1 / 440)


@pytest.mark.parametrize("name", WORDS)
def test_words_are_as_frequent_at_any_coupling(name: str) -> None:
    uncoupled, coupled = ([attribute(video.look, name) for video in videos(coupling)] for coupling in (0.0, 1.0))
    for word in set(uncoupled) | set(coupled):
        share = (uncoupled.count(word) + coupled.count(word)) / (2 * COUNT)
        error = np.sqrt(share * (1 - share) * (1 / 110 + 1 / 440))
        assert abs(uncoupled.count(word) - coupled.count(word)) / COUNT < 3.3 * error + 0.01, word


def test_all_of_a_look_follows_the_song_at_one_and_the_beats_too() -> None:
    for video, own in zip(videos(1.0), followed(), strict=True):
        assert video.look == own


def test_at_zero_artists_have_no_visual_identity() -> None:
    for name in ("warmth", "lightness", "softness"):
        values = np.array([attribute(video.look, name) for video in videos(0.0)]).reshape(-1, 4)
        between = values.mean(1).var() * 4 / values.var()
        # Expected 1 without identity; the songs' own looks have much more.
        assert between < 1.45
        own = np.array([attribute(look, name) for look in followed()]).reshape(-1, 4)
        assert own.mean(1).var() * 4 / own.var() > 2


def test_a_higher_coupling_keeps_what_followed_already() -> None:
    for lower, higher, own in zip(videos(0.5), videos(0.85), followed(), strict=True):
        for field in fields(Look):
            if getattr(lower.look, field.name) == getattr(own, field.name):
                assert getattr(higher.look, field.name) == getattr(own, field.name)


def test_duration_tells_nothing_of_the_song_or_the_look() -> None:
    durations = [video.duration_s for video in videos(1.0)]
    tempos = [video.style.tempo_bpm for video in videos(1.0)]
    assert abs(np.corrcoef(durations, tempos)[0, 1]) < 3 / np.sqrt(COUNT)
    assert durations == [video.duration_s for video in videos(0.0)]


def test_warm_songs_are_warm_to_see() -> None:
    looks = sorted((look for look in followed() if look.tone == "colour"), key=lambda look: look.warmth)
    reds = []
    for group in (looks[:6], looks[-6:]):
        backgrounds = [build_setup("verse", look, (96, 64), np.random.default_rng(0)).background for look in group]
        reds.append(np.mean([float(red.mean()) - float(blue.mean()) for _, blue, red in backgrounds]))
    assert reds[1] > reds[0] + 20
