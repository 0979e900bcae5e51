"""What predicted labels do to answers, by the weight that they have in a score.

    python benchmarks/label_weight.py music.parquet labels.csv [--videos 3000] [--test 1000] [--label Concert]

Trains antiphon-base with `labels = true` under `[closed_form]` on one draw of YouTube-8M features, once as it is and
once with `label_weight = 0.3` in the loss, and asks each for the test videos' partners at several weights of the
predicted labels. Prints the median rank of the partner and how many of the ten first answers, the partner left out,
have a label of the query: that of --label, and the mean over all labels that at least 50 test videos have. Both ways
together.
"""

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt

from antiphon.dual_encoder import DualEncoder
from antiphon.experiments.draws import drawn
from antiphon.experiments.study import DrawSettings
from antiphon.features import Features
from antiphon.features.importing import from_yt8m
from antiphon.metrics.ranks import ranks
from antiphon.model.recipe import Recipe, changed_recipe, load_recipe

WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
FEWEST = 50

FloatArray = npt.NDArray[np.float32]


def recipes() -> dict[str, Recipe]:
    """By what they are called: antiphon-base, without and with labels in the loss."""
    base = changed_recipe(load_recipe("antiphon-base"), {"closed_form": {"labels": True}}, "labels")
    return {"": base, "0.3 in the loss": changed_recipe(base, {"loss": {"label_weight": 0.3}}, "label_weight")}


def label_matrix(test: Features) -> tuple[list[str], npt.NDArray[np.bool_]]:
    """The labels of at least 50 test videos, and the (n, labels) matrix of who has them."""
    names = sorted({label for row in test.labels for label in row})
    has = np.array([[name in row for name in names] for row in test.labels])
    often = has.sum(axis=0) >= FEWEST
    return [name for name, kept in zip(names, often, strict=True) if kept], has[:, often]


def precisions(
    sides: tuple[FloatArray, FloatArray], has: npt.NDArray[np.bool_], k: int = 10
) -> npt.NDArray[np.float64]:
    """(labels,) of the k first answers to a video with the label, its partner left out, the share that have it too."""
    found: list[npt.NDArray[np.float64]] = []
    for queries, candidates in (sides, sides[::-1]):
        scores = queries @ candidates.T
        np.fill_diagonal(scores, -np.inf)
        shares = has[np.argpartition(-scores, k, axis=1)[:, :k]].mean(axis=1)
        found.append((shares * has).sum(axis=0) / has.sum(axis=0))
    return np.mean(found, axis=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("features", type=Path)
    parser.add_argument("names", type=Path)
    parser.add_argument("--videos", type=int, default=3000)
    parser.add_argument("--test", type=int, default=1000)
    parser.add_argument("--label", default="Concert")
    given = parser.parse_args()
    dealt = drawn(from_yt8m([given.features], given.names), DrawSettings(test=given.test), 0, given.videos)
    test = dealt["test"]
    names, has = label_matrix(test)
    one = names.index(given.label)
    print(f"{'labels':<18}{'weight':>7}{'median rank':>13}{given.label:>12}{f'mean of {len(names)}':>12}")
    for called, recipe in recipes().items():
        model = DualEncoder(recipe, device="cpu").fit(dealt["train"], dealt["validation"])
        for weight in WEIGHTS:
            sides = model.embed(test, label_weight=weight)
            rank = np.median(np.concatenate([ranks(*sides)[0], ranks(*sides[::-1])[0]]))
            share = precisions(sides, has)
            print(f"{called:<18}{weight:>7g}{rank:>13g}{share[one]:>12.2f}{share.mean():>12.2f}", flush=True)
    chance = (has.sum(axis=0) - 1) / (len(has) - 1)
    print(f"{'chance':<25}{(len(has) + 1) / 2:>13g}{chance[one]:>12.2f}{chance.mean():>12.2f}")


if __name__ == "__main__":
    main()
