"""True median ranks on YouTube-8M's video-level features of music: both recipes, and training on shuffled pairs.

python benchmarks/youtube8m.py PATH/music.parquet [shuffles]
"""

import sys

import numpy as np

import antiphon as ap
from antiphon.evaluation.audit import shuffled_pairs
from antiphon.metrics.published import published_median_rank

HELD_OUT, VALIDATION = 1000, 800


def main(path: str, shuffles: int) -> None:
    features = ap.Features.from_parquet(path, audio="mean_audio", video="mean_rgb")
    rows = np.random.default_rng(0).permutation(len(features))
    test, validation = features.take(rows[:HELD_OUT]), features.take(rows[HELD_OUT : HELD_OUT + VALIDATION])
    train = features.take(rows[HELD_OUT + VALIDATION :])
    for recipe in ("paper-base", "antiphon-base"):
        model = ap.DualEncoder(recipe).fit(train, validation)
        show(recipe, ap.evaluate(model, test))
        print(f"  the published formula for the same embeddings: {published_median_rank(*model.embed(test)):g}")
    perfect = np.eye(HELD_OUT)
    print(f"perfect embeddings: true rank 1, published formula {published_median_rank(perfect, perfect):g}")
    medians = [shuffled_median(train, validation, test, seed) for seed in range(shuffles)]
    print(f"paper-base trained on shuffled pairs, mean median rank of {shuffles}: {np.mean(medians):.0f}")


def show(name: str, found: dict) -> None:
    for way in ("a2v", "v2a"):
        ranks = found[way]
        print(
            f"{name} {way}: median rank {ranks['median_rank']:g} of {ranks['n']}, 95% {ranks['ci95']}, null "
            f"{ranks['null95']}, chance {ranks['chance']}, recall@10 {ranks['recall@10']:.3f}"
        )


def shuffled_median(train: ap.Features, validation: ap.Features, test: ap.Features, seed: int) -> float:
    parts = [shuffled_pairs(part, seed) for part in (train, validation)]
    found = ap.evaluate(ap.DualEncoder("paper-base", seed=seed).fit(*parts), test)
    print(f"  shuffle {seed}: {found['a2v']['median_rank']:g} and {found['v2a']['median_rank']:g}")
    return (found["a2v"]["median_rank"] + found["v2a"]["median_rank"]) / 2


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5)
