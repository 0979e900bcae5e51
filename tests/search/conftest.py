"""What the tests of search share: a model made of two matrices, and music videos with segments."""

import hashlib

import numpy as np
import pytest

from antiphon.features import Features
from antiphon.features.tracks import track_embeddings
from antiphon.search import lists

DIM = 16


def unit(rows):
    """Rows brought to length 1."""
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class Matrices:
    """A model that embeds by one matrix a side."""

    correction_dim = 0

    def __init__(self, seed=0):
        generator = np.random.default_rng(seed)
        self.sides = [generator.normal(size=(size, DIM)).astype(np.float32) for size in (12, 20)]
        self.dim = DIM

    @property
    def fingerprint(self):
        return hashlib.sha256(b"".join(side.tobytes() for side in self.sides)).hexdigest()

    def embed(self, features, per="segment"):
        both = []
        for rows, matrix in zip((features.audio, features.video), self.sides, strict=True):
            embedded = unit(rows @ matrix)
            if per == "track":
                videos = np.unique(features.groups)
                there = ~np.isnan(embedded).any(axis=1)
                result = np.full((len(videos), DIM), np.nan, dtype=np.float32)
                names, tracks = track_embeddings(embedded[there], features.groups[there])
                result[np.searchsorted(videos, names)] = tracks
                embedded = result
            both.append(embedded)
        return tuple(both)


def make_features(numbers, segments=3, seed=0):
    """Features of some music videos, by number: number 3 has no pictures, number 4 no sound."""
    rows = [(number, segment) for number in numbers for segment in range(segments)]
    audio = np.array([np.random.default_rng([seed, 0, *row]).normal(size=12) for row in rows], dtype=np.float32)
    video = np.array([np.random.default_rng([seed, 1, *row]).normal(size=20) for row in rows], dtype=np.float32)
    audio[[number == 4 for number, _ in rows]] = np.nan
    video[[number == 3 for number, _ in rows]] = np.nan
    return Features.from_arrays(
        audio=audio,
        video=video,
        ids=[f"v{number:03d}/{segment}" for number, segment in rows],
        groups=[f"v{number:03d}" for number, _ in rows],
        genres=[("rock", "jazz", "")[number % 3] for number, _ in rows],
        artists=[f"artist {number // 4}" for number, _ in rows],
        labels=[["live"] if number % 2 else [] for number, _ in rows],
        starts_s=[10.0 * segment for _, segment in rows],
        audio_name="ears",
        video_name="eyes",
    )


@pytest.fixture
def music_videos():
    """Makes features of some music videos."""
    return make_features


@pytest.fixture
def model():
    """A model of random matrices."""
    return Matrices()


@pytest.fixture
def other_model():
    """Another one."""
    return Matrices(seed=1)


@pytest.fixture(params=["in order", "in lists"])
def layout(request, monkeypatch):
    """How the rows of parts lie; with lists, enough of them are looked at to miss nothing."""
    if request.param == "in lists":
        monkeypatch.setattr(lists, "MIN_ROWS", 1)
        monkeypatch.setattr(lists, "_MIN_COMPARED", 10**9)
    return request.param
