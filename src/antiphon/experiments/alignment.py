"""Experiment 1 of Veldkamp et al. (2023): alignment of audio and video in six configurations."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from antiphon.dual_encoder import DualEncoder
from antiphon.errors import ModelError
from antiphon.experiments.paper import CONFIGURATIONS, DEVIATIONS, POOL, TABLE_1
from antiphon.experiments.trials import Trials
from antiphon.features.features import Features
from antiphon.metrics import retrieval
from antiphon.metrics.paired import median_over_seeds, rank_ratio
from antiphon.metrics.published_formula import published_median_rank
from antiphon.metrics.ranks import ranks
from antiphon.model.losses import LossConfig
from antiphon.model.recipe import Recipe, load_recipe
from antiphon.runs import Epoch
from antiphon.seeding import generator

WAYS = ("a2v", "v2a")
CONTROL, REFERENCE = "paper-base", "antiphon-base"
_DRAWS, _DRAWN_DIM = 5, 64
FIRST_SEGMENT_ONLY, UNSCALED = "coded-first-segment-only", "r2plus1d_18-unscaled"

Loss = Literal["info_nce", "decoupled"]
Progress = Callable[[int, int, str], None]
Ranks = dict[str, npt.NDArray[np.float64]]


def alignment(
    trials: Trials, *, seeds: int = 3, loss: Loss = "info_nce", progress: Progress | None = None
) -> dict[str, Any]:
    """Measure table 1: true median ranks of six configurations, and what the published formula prints for them.

    Parameters
    ----------
    trials : Trials
        The data set.
    seeds : int
        Number of trainings of each configuration, with seeds from 0.
    loss : {"info_nce", "decoupled"}
        As in the authors' code, or as in their equations 3 and 4.
    progress : callable, optional
        Called with the number of models done, the total, and the next one.

    Returns
    -------
    dict
        "rows", one per configuration; "deviations" of the authors' code, and in "deviations_left_out" why one is
        missing; "reference", Antiphon's default recipe; "shuffled", the base trained on shuffled pairs; each as
        `_Table.row` describes. "oracle" and "random": what both formulas give for perfect and random embeddings.
        "pool": number of pairs that a query is ranked among, min(1000, test pairs). "test": number of all test pairs.

    Raises
    ------
    ModelError
        The test split has fewer than two videos.
    """
    test = trials.features["test"].paired
    if len(np.unique(test.groups)) < 2:
        raise ModelError("The test split has fewer than two videos with both audio and video; ranking needs two.")
    pool = paper_pool(test)
    single = len(np.unique(trials.features["train"].groups)) == len(trials.features["train"])
    deviations = {name: words for name, words in DEVIATIONS.items() if not (single and name == FIRST_SEGMENT_ONLY)}
    names = [*CONFIGURATIONS, *deviations, REFERENCE]
    recipes = {name: with_loss(load_recipe(name), loss) for name in names}
    recipes[REFERENCE] = load_recipe(REFERENCE)
    wanted = [(name, False) for name in names] + [(CONTROL, True)]
    measured: dict[tuple[str, bool], list[_Trial]] = {}
    for number, (name, shuffled) in enumerate(wanted):
        for seed in range(seeds):
            if progress is not None:
                words = f"{name}{' on shuffled pairs' if shuffled else ''}, seed {seed}"
                progress(number * seeds + seed, len(wanted) * seeds, words)
            model = trials.fitted(recipes[name], seed, shuffled=shuffled)
            measured.setdefault((name, shuffled), []).append(_measured(model, test, pool))
    base, coded, reference = (measured[name, False] for name in (CONTROL, "coded-batch-norm", REFERENCE))
    table = _Table(test.groups, pool)
    result: dict[str, Any] = {
        "loss": loss,
        "seeds": seeds,
        "pool": len(pool),
        "test": len(test),
        "test_videos": len(np.unique(test.groups)),
        "train": len(trials.features["train"].paired),
        "audio": test.audio_name,
        "video": test.video_name,
        "rows": [
            table.row(name, CONFIGURATIONS[name], measured[name, False], base) | {"paper": TABLE_1[name]}
            for name in CONFIGURATIONS
        ],
        "deviations": [table.row(name, words, measured[name, False], coded) for name, words in deviations.items()],
        "deviations_left_out": _left_out(single),
        "reference": table.row(REFERENCE, "Antiphon's default", reference, base),
        "shuffled": table.row(CONTROL, "Base, trained on shuffled pairs", measured[CONTROL, True], base),
    }
    return result | _extremes(len(pool))


def paper_pool(test: Features) -> npt.NDArray[np.intp]:
    """Draw the paper's pool: min(1000, all) test pairs, the same for all models.

    Parameters
    ----------
    test : Features
        Test pairs.

    Returns
    -------
    ndarray of int
        Rows, sorted.
    """
    return np.sort(generator(0, "paper pool").permutation(len(test))[:POOL])


def with_loss(recipe: Recipe, loss: Loss) -> Recipe:
    """Return a recipe with another loss, and its name changed accordingly.

    Parameters
    ----------
    recipe : Recipe
        The recipe.
    loss : {"info_nce", "decoupled"}
        The loss.

    Returns
    -------
    Recipe
        The changed recipe.
    """
    if loss == recipe.loss.name:
        return recipe
    changed = LossConfig.model_validate(recipe.loss.model_dump() | {"name": loss})
    return recipe.model_copy(update={"loss": changed, "name": f"{recipe.name}-{loss}"})


def _left_out(single: bool) -> dict[str, str]:
    unscaled = {
        UNSCALED: "Unscaled frames are a separate backbone: extract with --video r2plus1d_18-unscaled into "
        "another workspace, and reproduce there."
    }
    return unscaled | ({FIRST_SEGMENT_ONLY: "Each video has one row."} if single else {})


@dataclass(frozen=True)
class _Trial:
    """Results of one trained model on the test pairs."""

    full: Ranks
    pool: Ranks
    null95: dict[str, list[float]]
    recall: dict[str, float]
    published: float
    epochs: int
    best: Epoch


def _measured(model: DualEncoder, test: Features, pool: npt.NDArray[np.intp]) -> _Trial:
    audio, video = model.embed(test)
    found = retrieval(audio[pool], video[pool], groups=test.groups[pool])
    return _Trial(
        full=_both_ways(audio, video),
        pool=_both_ways(audio[pool], video[pool]),
        null95={way: found[way]["null95"] for way in WAYS},
        recall={way: found[way]["recall@10"] for way in WAYS},
        published=published_median_rank(audio[pool], video[pool]),
        epochs=len(model.history),
        best=[epoch for epoch in model.history if epoch.best][-1],
    )


def _both_ways(audio: npt.NDArray[np.floating], video: npt.NDArray[np.floating]) -> Ranks:
    return {"a2v": ranks(audio, video)[0], "v2a": ranks(video, audio)[0]}


@dataclass(frozen=True)
class _Table:
    """Summaries of the trainings of each configuration.

    Attributes
    ----------
    groups : ndarray of str, shape (test,)
        Video of each test pair.
    pool : ndarray of int, shape (n,)
        Rows of the paper's pool.
    """

    groups: npt.NDArray[np.str_]
    pool: npt.NDArray[np.intp]

    def row(self, name: str, words: str, found: list[_Trial], base: list[_Trial]) -> dict[str, Any]:
        """Return one row of the table.

        "pool" and "full" (all test pairs) have for each direction the "median_rank" averaged over seeds with "ci95",
        "by_seed", "n" and "chance"; "pool" also the "null95" that encloses those of all seeds, and "recall@10".
        "published" is what the published formula prints, by seed. "gain" is the factor by which partners among all
        test pairs rank higher than with `base`, with "ci95".
        """
        return {
            "recipe": name,
            "name": words,
            "pool": {way: self._in_pool(found, way) for way in WAYS},
            "full": {way: _summary([trial.full[way] for trial in found], self.groups) for way in WAYS},
            "published": [trial.published for trial in found],
            "gain": self._gain(found, base),
            "epochs": [trial.epochs for trial in found],
            "validation_loss": [trial.best.validation_loss for trial in found],
            "validation_chance": [trial.best.validation_chance for trial in found],
            "validation_least": [trial.best.validation_lower_bound for trial in found],
        }

    def _in_pool(self, found: list[_Trial], way: str) -> dict[str, Any]:
        nulls = np.array([trial.null95[way] for trial in found])
        return _summary([trial.pool[way] for trial in found], self.groups[self.pool]) | {
            "null95": [float(nulls[:, 0].min()), float(nulls[:, 1].max())],
            "recall@10": float(np.mean([trial.recall[way] for trial in found])),
        }

    def _gain(self, found: list[_Trial], base: list[_Trial]) -> dict[str, Any]:
        ours, theirs = (np.array([trial.full[way] for trial in trials for way in WAYS]) for trials in (found, base))
        value, ci95 = rank_ratio(ours, theirs, self.groups)
        return {"value": value, "ci95": ci95}


def _summary(by_seed: list[npt.NDArray[np.float64]], groups: npt.NDArray[np.str_]) -> dict[str, Any]:
    value, ci95 = median_over_seeds(np.stack(by_seed), groups)
    n = len(groups)
    medians = [float(np.median(row)) for row in by_seed]
    return {"median_rank": value, "ci95": ci95, "by_seed": medians, "n": n, "chance": (n + 1) / 2}


def _extremes(n: int) -> dict[str, Any]:
    """Return what both formulas give for perfect and for random embeddings, averaged over draws."""
    random = generator(0, "extremes")
    true: dict[str, list[Ranks]] = {"oracle": [], "random": []}
    printed: dict[str, list[float]] = {"oracle": [], "random": []}
    for _ in range(_DRAWS):
        drawn = random.normal(size=(3, n, _DRAWN_DIM))
        one, same, other = drawn / np.linalg.norm(drawn, axis=2, keepdims=True)
        for name, audio, video in (("oracle", one, one), ("random", same, other)):
            true[name].append(_both_ways(audio, video))
            printed[name].append(published_median_rank(audio, video))
    return {
        name: {
            "median_rank": {way: float(np.mean([np.median(found[way]) for found in true[name]])) for way in WAYS},
            "published": float(np.mean(printed[name])),
        }
        for name in true
    }


def configurations_beating_chance(rows: Sequence[dict[str, Any]]) -> list[str]:
    """List the recipes whose median rank is below the null in both directions, by interval and in every training.

    Ties can make an interval as narrow as a point, so all trainings must agree as well.

    Parameters
    ----------
    rows : sequence of dict
        "rows" of `alignment`.

    Returns
    -------
    list of str
        Names of recipes.
    """
    return [row["recipe"] for row in rows if all(_below_null(row["pool"][way]) for way in WAYS)]


def _below_null(ranks: dict[str, Any]) -> bool:
    return max(ranks["ci95"][1], *ranks["by_seed"]) < ranks["null95"][0]
