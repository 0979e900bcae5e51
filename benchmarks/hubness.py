"""What correcting scores for hubness brings, and for how many neighbours.

    python benchmarks/hubness.py music.parquet [--draws 5] [--sizes 100 300 1000 all] [--out FILE]

On each draw of YouTube-8M's features antiphon-base and the tuned linear analysis are trained, and rank test videos by
plain cosines and corrected ones (`antiphon.model.hubness`), with references from the training videos. Prints typical
(geometric mean) ranks, factors by which partners rank higher with 95% intervals over videos, and the skewness of how
often a video is among the ten first answers (Radovanović et al. 2010, "Hubs in space"): 0 where all are as often.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from antiphon.dual_encoder import DualEncoder
from antiphon.embeddings import within_side
from antiphon.experiments.draws import drawn
from antiphon.experiments.study import DrawSettings
from antiphon.features.importing import from_yt8m
from antiphon.metrics.paired import rank_ratio
from antiphon.metrics.ranks import ranks_both_ways
from antiphon.model.cca_tuning import fit_tuned
from antiphon.model.closed_form import SIDES
from antiphon.model.hubness import HubnessConfig, HubnessCorrection
from antiphon.runs import versions
from antiphon.seeding import generator

NEIGHBOURS = (1, 5, 10, 20, 50, 100, 200)
SHOWN = 20
FIRST = 10

FloatArray = npt.NDArray[np.float32]
Sides = list[FloatArray]


def corrected(known: Sides, asked: Sides, count: int) -> Sides:
    """Correct embeddings by references, with as many neighbours as asked for."""
    config = HubnessConfig(num_neighbours=count)
    correction = HubnessCorrection(config).fit(*(torch.from_numpy(side) for side in known))
    both = zip(SIDES, asked, strict=True)
    return [correction.extended(side, torch.from_numpy(rows)).numpy() for side, rows in both]


def skewness(sides: Sides) -> float:
    """Skewness of how often a video is among the ten first answers, the mean of both ways."""
    found: list[float] = []
    for asking, answering in (sides, sides[::-1]):
        first = np.argpartition(-(asking @ answering.T), FIRST, axis=1)[:, :FIRST]
        counts = np.bincount(first.ravel(), minlength=len(answering)).astype(float)
        apart = counts - counts.mean()
        found.append(float((apart**3).mean() / (apart**2).mean() ** 1.5))
    return float(np.mean(found))


def measured(features: Any, draw: int, size: Any) -> dict[str, Any]:
    """Train both on a draw, and rank its test videos by plain and by corrected scores."""
    dealt = drawn(features, DrawSettings(), draw, size)
    train, validation, test = dealt["train"], dealt["validation"], dealt["test"]
    model = DualEncoder("antiphon-base", 0, "cpu").fit(train, validation, verbose=False)
    kept = np.sort(generator(draw, "references").permutation(len(train))[: HubnessConfig().num_references])
    references = train.take(kept)
    models = {"antiphon-base": (model, model.correction_dim), "tuned CCA": (fit_tuned(train, validation, 0), 0)}
    found: dict[str, Any] = {"groups": test.groups}
    for name, (embedder, extra) in models.items():
        known, asked = ([within_side(rows, extra) for rows in embedder.embed(part)] for part in (references, test))
        found[name] = {"plain": (ranks_both_ways(*asked), skewness(asked))}
        for count in NEIGHBOURS:
            sides = corrected(known, asked, count)
            found[name][count] = (ranks_both_ways(*sides), skewness(sides))
    return found


def summed_up(draws: list[dict[str, Any]]) -> dict[str, Any]:
    """Typical ranks, skewness, and factors by which partners rank higher, over all draws."""
    groups = np.tile(np.concatenate([found["groups"] for found in draws]), 2)

    def of(name: str, way: int | str) -> npt.NDArray[np.float64]:
        return np.concatenate([found[name][way][0] for found in draws], axis=1).reshape(1, -1)

    result: dict[str, Any] = {}
    for name in ("antiphon-base", "tuned CCA"):
        result[name] = {
            str(way): {
                "geometric_mean_rank": float(np.exp(np.log(of(name, way)).mean())),
                "over_plain": rank_ratio(of(name, way), of(name, "plain"), groups),
                "skewness": float(np.mean([found[name][way][1] for found in draws])),
            }
            for way in ("plain", *NEIGHBOURS)
        }
    result["antiphon-base over tuned CCA"] = {
        way: rank_ratio(of("antiphon-base", key), of("tuned CCA", key), groups)
        for way, key in (("both plain", "plain"), ("both corrected", SHOWN))
    }
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("features", type=Path)
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--sizes", nargs="+", default=["100", "300", "1000", "all"])
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    features = from_yt8m([given.features])
    record: dict[str, Any] = {"versions": versions(), "draws": given.draws}
    for size in given.sizes:
        amount = size if size == "all" else int(size)
        record[size] = summed_up([measured(features, draw, amount) for draw in range(given.draws)])
        print(json.dumps({size: record[size]}, indent=1), flush=True)
    if given.out is not None:
        given.out.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
