"""How often an outlook holds: from small parts of YouTube-8M's features to larger ones, whose ranks are known.

    python benchmarks/outlook.py music.parquet [--draws 5]

On each draw closed forms of antiphon-base are fitted to nested parts of the training videos, and rank the validation
videos. From each part but the first, the ranks of all larger ones are told as `antiphon train`
tells those of 20,000 and 100,000 videos. Prints what was told and what came, and how often it was in the interval.
"""

import argparse
from pathlib import Path

import numpy as np

from antiphon.dual_encoder import DualEncoder
from antiphon.evaluation.outlook import outlook
from antiphon.experiments.draws import drawn
from antiphon.experiments.study import DrawSettings
from antiphon.features.importing import from_yt8m
from antiphon.metrics.ranks import ranks_both_ways
from antiphon.model.recipe import changed_recipe, load_recipe
from antiphon.seeding import generator

PARTS = (125, 250, 500, 1000, 2000, 4000, 7336)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("features", type=Path)
    parser.add_argument("--draws", type=int, default=5)
    arguments = parser.parse_args()
    features = from_yt8m([arguments.features])
    quick = {"head": {"hidden": [8], "embedding_dim": 4}, "training": {"epochs": 1, "min_steps": 0}}
    recipe = changed_recipe(load_recipe("antiphon-base"), quick, "quick")
    held: list[bool] = []
    for draw in range(arguments.draws):
        dealt = drawn(features, DrawSettings(), draw, "all")
        train, validation = dealt["train"], dealt["validation"]
        order = generator(draw, "outlook parts").permutation(len(train))
        model = DualEncoder(recipe, 0, "cpu").fit(train.take(order[:99]), validation.take(np.arange(50)), verbose=False)
        found: list[np.ndarray] = []
        for count in PARTS:
            alone = model.closed_form_alone(train.take(np.sort(order[:count])))
            audio, video = (model if alone is None else alone).embed(validation)
            found.append(np.log(ranks_both_ways(audio, video)).mean(axis=0))
        print(
            f"draw {draw}: " + ", ".join(f"{n}: {np.exp(row.mean()):.1f}" for n, row in zip(PARTS, found, strict=True))
        )
        for last in range(2, len(PARTS)):
            told = outlook(PARTS[:last], found[:last], validation.groups, draw, PARTS[last:])["points"]
            for point, row in zip(told, found[last:], strict=True):
                came = float(np.exp(row.mean()))
                if "interval" in point:
                    low, high = point["interval"]
                    held.append(low <= came <= high)
                    words = f"{point['geometric_mean_rank']:.1f} ({low:.1f}–{high:.1f})"
                else:
                    words = f"nothing: {point['refused']}"
                print(f"  from {PARTS[last - 1]} to {point['videos']}: told {words}, came {came:.1f}", flush=True)
    print(f"{sum(held)} of {len(held)} in the interval")


if __name__ == "__main__":
    main()
