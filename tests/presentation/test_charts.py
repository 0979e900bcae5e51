"""Pictures of ranks: what is drawn where."""

import re
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.metrics import retrieval
from antiphon.model.recipe import load_recipe
from antiphon.presentation.charts import WIDTH, intervals, rank_bins
from antiphon.presentation.svg import Scale, rank_ticks, spaced, ticks
from antiphon.report.recipe_sentences import recipe_sentences


@given(st.integers(1, 400), st.integers(0, 2**32 - 1))
@settings(max_examples=60)
def test_histogram_counts_every_rank_once(pool: int, seed: int) -> None:
    ranks = np.random.default_rng(seed).integers(2, 2 * pool + 1, pool) / 2
    bins = rank_bins(ranks)
    naive = [
        sum(first <= int(rank) <= last for rank in ranks) for first, last in zip(bins.first, bins.last, strict=True)
    ]
    assert bins.counts == naive
    assert sum(bins.counts) == pool
    assert sum(bins.expected) == pytest.approx(pool)
    assert bins.expected == [last - first + 1 for first, last in zip(bins.first, bins.last, strict=True)]
    assert bins.first == [1, *[last + 1 for last in bins.last[:-1]]]


def test_bins_are_even_where_the_pool_allows() -> None:
    assert set(rank_bins(np.arange(1.0, 97)).expected) == {6.0}
    assert len(rank_bins(np.arange(1.0, 1001)).expected) == 20


def _both(pool: int, low: float, high: float) -> dict[str, Any]:
    ranks = {"median_rank": (low + high) / 2, "n": pool, "chance": (pool + 1) / 2, "ci95": [low, high]}
    return dict.fromkeys(("a2v", "v2a"), ranks | {"null95": [0.4 * pool, 0.6 * pool]})


def test_interval_is_drawn_where_it_lies() -> None:
    drawn = str(intervals(_both(101, 11.0, 31.0)))
    scale = Scale(1, 101, 4, WIDTH - 4)
    bar = re.search(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"[^>]*class="bar sound"', drawn)
    dot = re.search(r'<circle cx="([\d.]+)"[^>]*class="dot sound"', drawn)
    assert bar
    assert dot
    assert float(bar[1]) == pytest.approx(scale(11), abs=0.01)
    assert float(bar[1]) + float(bar[2]) == pytest.approx(scale(31), abs=0.02)
    assert float(dot[1]) == pytest.approx(scale(21), abs=0.01)
    assert "logarithmic" not in drawn


def test_small_intervals_get_a_logarithmic_axis() -> None:
    assert "logarithmic" in str(intervals(_both(1000, 11.0, 31.0)))


def test_label_says_it_all() -> None:
    random = np.random.default_rng(0)
    sound = random.normal(size=(40, 4))
    found = retrieval(sound, sound + random.normal(size=(40, 4)))
    label = str(intervals(found))
    for way in ("a2v", "v2a"):
        assert f"median rank {found[way]['median_rank']:g} of 40" in label
    assert "chance 20.5" in label


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_lie_inside(low: float, extent: float) -> None:
    found = ticks(low, low + extent)
    assert 1 <= len(found) <= 6
    assert all(low - 1e-6 * extent <= tick <= low + extent * (1 + 1e-6) for tick in found)


@given(st.integers(1, 100_000), st.booleans())
def test_rank_ticks_ascend_from_best_to_worst(pool: int, log: bool) -> None:
    found = rank_ticks(pool, log=log)
    assert found == sorted(set(found))
    assert (found[0], found[-1]) == (1, pool)


@given(st.lists(st.floats(0, 200), min_size=1, max_size=3))
def test_labels_do_not_overlap(places: list[float]) -> None:
    moved = sorted(spaced(places, 13))
    assert all(below - above > 12.5 for above, below in pairwise(moved))


def test_recipe_in_words() -> None:
    said = " ".join(recipe_sentences(load_recipe("paper-base")))
    for fact in (
        "a hidden layer of 512 values",
        "ReLU, dropout 0.3",
        "256 dimensions",
        "a sigmoid",
        "temperature 1 ",
        "Adam,",
        "learning rate 0.01 times 0.95",
        "at most 1,000 pairs",
        "after 3 epochs without",
        "validation loss",
    ):
        assert fact in said
    assert "learned" not in said


def test_a_recipe_says_its_own_schedule() -> None:
    recipe = load_recipe("antiphon-base")
    said = " ".join(recipe_sentences(recipe))
    assert "learning rate 0.002 falling to 0 along a cosine, " in said
    assert "0.95" not in said
    assert "20 epochs, fewer where that puts a video in more than 120 batches, or as many as 12 " in said
    constant = recipe.training.model_copy(update={"schedule_not_stepped": True})
    assert "0.002 throughout" in " ".join(recipe_sentences(recipe.model_copy(update={"training": constant})))


@pytest.mark.parametrize(
    ("epochs", "patience", "min_steps", "done", "said"),
    [
        (20, 3, 0, None, "At most 20 epochs; stops earlier after 3 epochs without better validation loss."),
        (20, 100, 0, None, "Trained for 20 epochs."),
        (20, 100, 0, 20, "Trained for 20 epochs."),
        (20, 20, 0, 20, "Trained for 20 epochs."),
        (20, 100, 900, 33, "Trained for 20 epochs, or as many as 900 batches take if that is more."),
        (
            20,
            100,
            900,
            450,
            "if that is more; stops earlier after 100 epochs without better validation loss and at least 900 batches.",
        ),
        (9, 1, 0, None, "At most 9 epochs; stops earlier after 1 epoch without better validation loss."),
    ],
)
def test_early_stopping_is_said_where_it_can_happen(
    epochs: int, patience: int, min_steps: int, done: int | None, said: str
) -> None:
    recipe = load_recipe("paper-base")
    changes = {"epochs": epochs, "patience": patience, "min_steps": min_steps}
    changed = recipe.model_copy(update={"training": recipe.training.model_copy(update=changes)})
    stopping = recipe_sentences(changed, done)[-1]
    assert said in stopping
    assert stopping.endswith("The epoch with the best validation loss is kept.")
