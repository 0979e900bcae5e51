"""Two runs that do not agree, on videos of twenty artists, and judgements of their own for each test."""

from pathlib import Path

import numpy as np
import pytest

from antiphon.judging import Judgements, RoundConfig, RunEmbeddings, prepare_round

VIDEOS, DIM = 60, 6
IDS = tuple(f"video {number:02d}" for number in range(VIDEOS))
ARTISTS = {name: f"artist {number // 3}" for number, name in enumerate(IDS)}


def random_run(name: str, seed: int) -> RunEmbeddings:
    """A run whose sound and pictures have nothing to do with each other or with another run's."""
    random = np.random.default_rng(seed)
    sound, pictures = random.normal(size=(2, VIDEOS, DIM)).astype(np.float32)
    return RunEmbeddings(name, f"model of {name}", IDS, sound, pictures)


@pytest.fixture(scope="session")
def runs() -> list[RunEmbeddings]:
    """Two of them."""
    return [random_run("one", 1), random_run("two", 2)]


@pytest.fixture
def judgements(tmp_path: Path, runs: list[RunEmbeddings]) -> Judgements:
    """A round of 36 questions, 18 a judge."""
    found = Judgements(tmp_path / "judgements.sqlite")
    prepare_round(found, runs, ARTISTS, RoundConfig(questions=36, per_judge=18))
    return found
