"""Colours of the map: who has which, in an order that people can read, and told apart by all who see."""

import re
from importlib.resources import files
from itertools import combinations, pairwise

import numpy as np
import pytest

from antiphon.app.clusters import central, clusters, described
from antiphon.app.colouring import NOTHING, OTHERS, UNKNOWN, UnknownColouringError, coloured, colourings
from antiphon.app.library import Library, Video
from antiphon.search.explaining import TrackFacts

from .test_projection import clusters as grouped

# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
SIGHTS = {
    "usual": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def video(number: int, **about: object) -> Video:
    """A music video without a file."""
    usual: dict[str, object] = {
        "file": None,
        "title": f"Song {number}",
        "artist": "",
        "genre": "",
        "tags": (),
        "year": None,
        "start_s": 0.0,
        "duration_s": None,
        "has_audio": True,
        "has_video": True,
    }
    return Video(id=f"v{number:03d}", **(usual | about))  # pyright: ignore[reportArgumentType]


def told(way: str, videos: list[Video], measured: dict[str, TrackFacts] | None = None):
    """The colouring of some music videos."""
    groups = (np.zeros(len(videos), dtype=np.int32), [])
    return coloured(way, Library(videos), videos, measured or {}, groups)


def test_the_most_frequent_have_a_colour_of_their_own_and_the_rest_share_one() -> None:
    genres = [name for number in range(10) for name in [f"genre {number}"] * (20 - number)] + [""] * 3
    found = told("genre", [video(n, genre=genre) for n, genre in enumerate(genres)])
    assert [(one.number, one.name, one.count) for one in found.entries] == [
        *((number, f"genre {number}", 20 - number) for number in range(8)),
        (OTHERS, "other genres", 12 + 11),
        (NOTHING, "no genre", 3),
    ]
    by_name = {f"genre {n}": min(n, OTHERS) for n in range(10)} | {"": NOTHING}
    assert found.numbers.tolist() == [by_name[genre] for genre in genres]


def test_a_tag_is_there_or_not_whatever_it_is_called() -> None:
    hostile = "</script><b>"
    found = told(f"tag:{hostile}", [video(0, tags=(hostile, "live")), video(1, tags=("live",)), video(2)])
    assert found.numbers.tolist() == [0, NOTHING, NOTHING]
    assert [(one.name, one.count) for one in found.entries] == [(hostile, 1), ("without it", 2)]


def test_a_scale_goes_from_low_to_high_and_knows_what_is_unknown() -> None:
    years = [1960, None, *range(1980, 2080), 2200]
    found = told("year", [video(n, year=year) for n, year in enumerate(years)])
    low, high = np.quantile([year for year in years if year is not None], [0.02, 0.98])
    for year, number in zip(years, found.numbers.tolist(), strict=True):
        assert number == (UNKNOWN if year is None else round(250 * np.clip((year - low) / (high - low), 0, 1)))
    assert (found.low, found.high, found.known) == (f"{low:.0f} or less", f"{high:.0f} or more", 102)
    measured = {"v000": TrackFacts(measures={"tempo_bpm": 90.0}), "v001": TrackFacts()}
    alone = told("tempo", [video(0), video(1)], measured)
    assert alone.numbers.tolist() == [125, UNKNOWN]
    assert alone.low == alone.high == "90 beats per minute"
    assert told("year", [video(0)]).known == 0


def test_what_there_is_to_colour_by_is_offered_and_the_rest_is_refused() -> None:
    videos = [video(0, tags=("live",), artist="A"), video(1, year=1999, tags=("live", "calm"))]
    found = colourings(Library(videos), {"v000": TrackFacts(measures={"luma": 0.5})})
    assert list(found) == ["genre", "artist", "cluster", "year", "brightness", "tag:live", "tag:calm"]
    for way in ("", "tag:", "genres", "__class__", "x" * 500):
        with pytest.raises(UnknownColouringError, match="The map has no colours by"):
            told(way, videos)


def test_clusters_are_the_groups_that_there_are() -> None:
    vectors, labels = grouped(160, groups=4)
    found = clusters(vectors.astype(np.float32))
    assert found.max() < 8
    for number in range(found.max() + 1):  # Eight clusters of four groups: each within one.
        assert len(set(labels[found == number].tolist())) == 1
    assert np.bincount(found).tolist() == sorted(np.bincount(found).tolist(), reverse=True)
    middle = central(vectors.astype(np.float32), found)
    for number, row in middle.items():
        mean = vectors[found == number].mean(axis=0)
        assert row == np.flatnonzero(found == number)[np.argmax(vectors[found == number] @ mean)]
    assert clusters(np.eye(1, 3, dtype=np.float32)).tolist() == [0]
    assert clusters(np.zeros((0, 3), dtype=np.float32)).tolist() == []
    assert len(set(clusters(np.tile(np.eye(1, 3, dtype=np.float32), (9, 1))).tolist())) == 1


def test_clusters_are_named_after_what_is_frequent_there_alone() -> None:
    videos = [video(n, genre="jazz" if n < 5 else "rock", tags=("music",), title="T") for n in range(10)]
    numbers = np.array([0] * 5 + [1] * 3 + [2] * 2, dtype=np.int32)
    found = described(Library(videos), videos, numbers, {0: videos[0], 1: videos[5], 2: videos[8]})
    assert [one.name for one in found] == ["jazz", "rock, like T", "rock, like T"]
    assert [one.count for one in found] == [5, 3, 2]
    plain = [video(n, title=f"Title {n}") for n in range(4)]
    assert described(Library(plain), plain, np.zeros(4, dtype=np.int32), {0: plain[2]})[0].name == "like Title 2"


def colours(scheme: str) -> dict[str, np.ndarray]:
    """The colours of a scheme in linear RGB, from the style sheets."""
    style = (files("antiphon.app") / "static" / "app.css").read_text(encoding="utf-8")
    light, dark = style.split("@media (prefers-color-scheme: dark)")[:2]
    found = re.findall(r"--([gs]\d): #(\w{6})", light if scheme == "light" else dark)
    values = {name: np.array([int(code[at : at + 2], 16) for at in (0, 2, 4)]) / 255 for name, code in found}
    return {name: np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4) for name, v in values.items()}


def lab(linear: np.ndarray) -> np.ndarray:
    """CIE L*a*b* (D65)."""
    t = TO_XYZ @ np.clip(linear, 0, 1) / np.array([0.95047, 1.0, 1.08883])
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize(("scheme", "ground"), [("light", 1.0), ("dark", 0.0137)])
def test_colours_differ_for_colour_blind_people_too_and_stand_out(scheme: str, ground: float) -> None:
    found = colours(scheme)
    assert len(found) == 15
    own = [found[f"g{number}"] for number in range(8)]
    for sight, seen in SIGHTS.items():
        for one, other in combinations(own, 2):
            assert np.linalg.norm(lab(seen @ one) - lab(seen @ other)) > 20, sight
        steps = [lab(seen @ found[f"s{number}"])[0] for number in range(5)]
        assert all(abs(a - b) > 5 for a, b in pairwise(steps)), sight
        assert steps in (sorted(steps), sorted(steps, reverse=True))
    for name, colour in found.items():
        light = float(TO_XYZ[1] @ colour)
        contrast = (max(light, ground) + 0.05) / (min(light, ground) + 0.05)
        assert contrast > (3 if name.startswith("g") else 2.3), name
