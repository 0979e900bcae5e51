"""Controls of a model: permuted partners, training on shuffled pairs, a constant head, the published formula."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from antiphon.dual_encoder import DualEncoder
from antiphon.evaluation.auditing.check import Check
from antiphon.evaluation.auditing.metrics import Metric, median_ranks
from antiphon.features.features import Features
from antiphon.metrics import retrieval
from antiphon.metrics.groups import group_numbers, permuted_rows, rows_of_others
from antiphon.metrics.published_formula import published_median_rank
from antiphon.seeding import generator

FloatArray = npt.NDArray[np.floating]

_PERMUTATIONS = 20
_FLAT = 1e-4
"""Mean squared distance of unit embeddings from their mean below which a head says the same of everything."""
_ROUNDING = 1.0
"""Ranks by which another metric may count ties, or the first place, otherwise."""
_NEAR_CHANCE = 0.6
"""Share of chance down to which a model trained on shuffled pairs may come: heads that know nothing keep some of the
features' common structure. On YouTube-8M three of `paper-base` came to 0.92 to 1.02 of it
(results/youtube8m)."""


def permutation_check(
    audio: FloatArray, video: FloatArray, groups: npt.NDArray[np.str_], metric: Metric, seed: int
) -> Check:
    """Check that the metric gives permuted partners the ranks that they have."""
    rows = permuted_rows(group_numbers(groups, len(audio)), _PERMUTATIONS, generator(seed, "audit", "null"))
    found = np.array([metric(audio, video[row]) for row in rows])
    exact = np.array([median_ranks(audio, video[row]) for row in rows])
    worst = float(np.abs(found - exact).max())
    right = worst <= _ROUNDING
    finding = (
        f"With the test videos' partners permuted the metric gives {found[:, 0].mean():.0f} and "
        f"{found[:, 1].mean():.0f} "
        f"on average (of {len(audio)}, {_PERMUTATIONS} permutations); it is at most {worst:g} ranks off."
    )
    numbers = {"found": found.mean(axis=0).tolist(), "exact": exact.mean(axis=0).tolist(), "worst": worst}
    return Check("Model: permuted pairs", "model", "pass" if right else "fail", finding, numbers | {"n": len(audio)})


def null_check(audio: FloatArray, video: FloatArray, groups: npt.NDArray[np.str_], seed: int) -> Check:
    """Check that the model's ranks are better than those of permuted partners."""
    found = retrieval(audio, video, groups=groups, seed=seed)
    below = all(each["median_rank"] < each["null95"][0] for each in found.values())
    said = " and ".join(f"{each['median_rank']:g} (null {_range(each['null95'])})" for each in found.values())
    finding = f"Of {len(audio)} test pairs the median ranks are {said}."
    if not below:
        finding += " That is not better than with permuted partners: the model knows nothing about these pairs."
    numbers = {way: {key: each[key] for key in ("median_rank", "null95", "chance")} for way, each in found.items()}
    return Check("Model: null", "model", "pass" if below else "warn", finding, numbers)


def collapse_check(audio: FloatArray, video: FloatArray) -> Check:
    """Check that neither side gives (nearly) one embedding for all."""
    spread = {side: _spread(rows) for side, rows in (("sound", audio), ("pictures", video))}
    flat = [side for side, value in spread.items() if value < _FLAT]
    said = " and ".join(f"{value:.2g} for {side}" for side, value in spread.items())
    if flat:
        finding = (
            f"The head gives nearly one embedding for all {' and '.join(flat)}: the embeddings' variance is {said}."
        )
        return Check("Model: constant head", "model", "fail", finding, {"variance": spread})
    return Check(
        "Model: constant head",
        "model",
        "pass",
        f"The embeddings differ: their variance is {said}.",
        {"variance": spread},
    )


def _spread(rows: FloatArray) -> float:
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return float(1 - np.sum(unit.mean(axis=0, dtype=np.float64) ** 2))


def shuffled_check(model: DualEncoder, control: DualEncoder, test: Features, groups: npt.NDArray[np.str_]) -> Check:
    """Check that the same recipe, trained on shuffled pairs, is near chance on the true test pairs."""
    found = {way: each["median_rank"] for way, each in retrieval(*control.embed(test), groups=groups).items()}
    trained = {way: each["median_rank"] for way, each in retrieval(*model.embed(test), groups=groups).items()}
    chance = (len(test) + 1) / 2
    near = np.mean(list(found.values())) >= _NEAR_CHANCE * chance
    finding = (
        f"The same recipe trained on shuffled pairs reaches median ranks {found['a2v']:g} and {found['v2a']:g} of "
        f"{len(test)} (chance {chance:g}); trained on the true pairs {trained['a2v']:g} and {trained['v2a']:g}."
    )
    if not near:
        finding += " It should be near chance: something besides the pairs tells test partners apart."
    numbers = {"shuffled": found, "trained": trained, "chance": chance, "n": len(test)}
    return Check("Model: shuffled pairs", "model", "pass" if near else "fail", finding, numbers)


def published_check(audio: FloatArray, video: FloatArray) -> Check:
    """Show the published formula beside the right one, on the same embeddings; only the formula can be at fault."""
    true = {way: each["median_rank"] for way, each in retrieval(audio, video, resamples=1, permutations=1).items()}
    unit = audio / np.maximum(np.linalg.norm(audio, axis=1, keepdims=True), 1e-12)
    n = len(audio)
    numbers = {
        "n": n,
        "median_rank": true,
        "published": published_median_rank(audio, video),
        "published_oracle": published_median_rank(unit, unit),
    }
    finding = (
        f"On the same {n} pairs the formula published with Veldkamp et al. (2023) prints {numbers['published']:g}; "
        f"the true median ranks are {true['a2v']:g} and {true['v2a']:g}. It takes the diagonal of argsort: that is the "
        "item found at place i and not the place of item i; of perfect embeddings it prints "
        f"{numbers['published_oracle']:g} instead of 1."
    )
    return Check("Model: published formula", "model", "pass", finding, numbers)


def _range(edges: list[float]) -> str:
    return f"{edges[0]:.0f}–{edges[1]:.0f}"


def shuffled_control(model: DualEncoder, features: Features) -> DualEncoder:
    """Train the model's recipe and seed on pairs of `features` that do not belong together.

    Parameters
    ----------
    model : DualEncoder
        Model to train the like of.
    features : Features
        Features with training and validation splits.

    Raises
    ------
    ModelError
        Fewer than two videos to train on or to validate with.
    """
    train, validation = (
        shuffled_pairs(features[split].training_pairs, model.seed) for split in ("train", "validation")
    )
    alike = DualEncoder(model.recipe, model.seed, str(model.device))
    return alike.fit(train, validation, verbose=False, falls_back=model.falls_back)


def shuffled_pairs(features: Features, seed: int) -> Features:
    """Return the same rows, each video with the video features of another one: none keeps its own."""
    numbers = group_numbers(features.groups, len(features))
    order = generator(seed, "shuffled pairs").permutation(int(numbers.max()) + 1)
    taken = np.empty_like(order)
    taken[order] = np.roll(order, 1)
    return replace(features, video=features.video[rows_of_others(numbers, taken)])
