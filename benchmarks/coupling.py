"""Do ranks follow the coupling? Tables 1 and 2 on synthetic catalogues of couplings 0, 0.5 and 1.

    python benchmarks/coupling.py [--videos N] [--sections N] [--seeds N] [--work FOLDER] [--out FOLDER]

The three catalogues hold the same songs by the same artists, and differ in how far the pictures follow the song. So the
same queries are asked at each coupling, and ranks are compared in pairs. Videos, features and trained runs stay in
`--work`, and the same command goes on from there. `--out` gets coupling.md, table-1.csv, paired.csv, table-2.csv and
coupling.json.
"""

import argparse
import json
from pathlib import Path

import numpy as np

import antiphon as ap
from antiphon.cli.demo import FRACTIONS
from antiphon.experiments.alignment import CONTROL, WAYS, alignment
from antiphon.experiments.paper import DEVIATIONS
from antiphon.experiments.trials import Trials
from antiphon.metrics.paired import rank_ratio
from antiphon.metrics.ranks import ranks
from antiphon.model.recipe import load_recipe
from antiphon.synthetic import SyntheticConfig
from coupled_catalogues import coupled_workspace, every, refuse_unlike, rendered_features
from coupling_tables import COUPLINGS, JUDGED, STEPS, TARGETS, Found, write_tables


def query_ranks(trials: Trials, recipe: str, seeds: int, *, shuffled: bool) -> dict[str, np.ndarray]:
    """For each way the (seeds, n) ranks of all test pairs."""
    test = trials.features["test"].paired
    found: dict[str, list[np.ndarray]] = {way: [] for way in WAYS}
    for seed in range(seeds):
        audio, video = trials.fitted(load_recipe(recipe), seed, shuffled=shuffled).embed(test)
        found["a2v"].append(ranks(audio, video)[0])
        found["v2a"].append(ranks(video, audio)[0])
    return {way: np.stack(rows) for way, rows in found.items()}


def compared(trials: dict[float, Trials], seeds: int) -> list[Found]:
    """By what factor ranks are lower at the higher of two couplings, for each configuration, both ways and each."""
    groups = trials[COUPLINGS[0]].features["test"].paired.groups
    rows: list[Found] = []
    for recipe, shuffled in [*((name, False) for name in (*JUDGED, *DEVIATIONS)), (CONTROL, True)]:
        by_coupling = {
            coupling: query_ranks(trial, recipe, seeds, shuffled=shuffled) for coupling, trial in trials.items()
        }
        for low, high in STEPS:
            for label, ways in (("both", WAYS), *((way, (way,)) for way in WAYS)):
                ours, theirs = (np.concatenate([by_coupling[at][way] for way in ways]) for at in (high, low))
                ratio, ci95 = rank_ratio(ours, theirs, groups)
                about = {"recipe": recipe, "shuffled": shuffled, "from": low, "to": high, "way": label}
                rows.append(about | {"rank_ratio": ratio, "ci95": ci95})
    return rows


def probed(trials: Trials) -> Found:
    """Table 2: genre and tags from the backbones and from the heads of the base, without the numbers of each label."""
    model = trials.fitted(load_recipe(CONTROL), 0)
    found: Found = {}
    for target in TARGETS:
        result = ap.probe(model, trials.features, target).to_dict()
        for row in result["table"]:
            del row["by_label"], row["labels"]
        found[target] = result
    return found


def measure(work: Path, videos: int, sections: int, seeds: int, seed: int) -> Found:
    """All numbers; couplings are keyed as they are written ("0", "0.5", "1")."""
    configs = [SyntheticConfig(videos=videos, coupling=coupling, seed=seed) for coupling in COUPLINGS]
    features = {config.coupling: rendered_features(work, config, sections) for config in configs}
    refuse_unlike(features)
    trials = {
        coupling: Trials(features[coupling], coupled_workspace(work, coupling, sections).run) for coupling in COUPLINGS
    }
    table_1: Found = {}
    for coupling, trial in trials.items():
        shown = every(1, f"coupling {coupling:g}: trained")
        table_1[f"{coupling:g}"] = alignment(
            trial, seeds=seeds, progress=lambda done, total, words, shown=shown: shown(done, total, words)
        )
    paired = compared(trials, seeds)
    table_2: Found = {}
    for coupling, trial in trials.items():
        print(f"coupling {coupling:g}: probing", flush=True)
        table_2[f"{coupling:g}"] = probed(trial)
    any_features = features[COUPLINGS[0]]
    return {
        "data": "synthetic",
        "arguments": {"videos": videos, "sections": sections, "seeds": seeds, "seed": seed},
        "fractions": FRACTIONS,
        "splits": {
            name: {"videos": len(np.unique(part.groups)), "artists": len(np.unique(part.artists)), "pairs": len(part)}
            for name in ("train", "validation", "test")
            for part in [any_features[name].paired]
        },
        "table_1": table_1,
        "paired": paired,
        "table_2": table_2,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=int, default=320)
    parser.add_argument("--sections", type=int, default=3, help="segments a video")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each configuration")
    parser.add_argument("--seed", type=int, default=0, help="of the catalogues, splits and segments")
    parser.add_argument("--work", type=Path, default=Path("antiphon-demo/coupling"))
    parser.add_argument("--out", type=Path, help="default: results/synthetic-coupling/sections-N")
    given = parser.parse_args()
    found = measure(given.work, given.videos, given.sections, given.seeds, given.seed)
    out = given.out or Path("results/synthetic-coupling") / f"sections-{given.sections}"
    out.mkdir(parents=True, exist_ok=True)
    rounded = json.loads(json.dumps(found), parse_float=lambda text: round(float(text), 5))
    (out / "coupling.json").write_text(json.dumps(rounded, ensure_ascii=False), encoding="utf-8")
    write_tables(rounded, out)
    print((out / "coupling.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
