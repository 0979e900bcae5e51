"""Does a model claim something where nothing is? Ten splits and trainings on a demo whose pictures ignore the song.

antiphon demo --coupling 0
python benchmarks/no_coupling.py antiphon-demo/coupling-0-seed-0-videos-200-sections-3
"""

import sys
from pathlib import Path

import antiphon as ap
from antiphon.cli.demo import FRACTIONS
from antiphon.features.assembly import assemble
from antiphon.workspace import Workspace

SEEDS = 10


def main(folder: str) -> None:
    workspace = Workspace(Path(folder))
    catalogue = ap.Catalogue.load(workspace.catalogue)
    inside: dict[str, int] = {}
    for seed in range(SEEDS):
        split = catalogue.split(fractions=FRACTIONS, seed=seed)
        features = assemble(workspace, split, "musicnn-mtt", "efficientnet_lite0")
        found = ap.evaluate(ap.DualEncoder(seed=seed).fit(features), features["test"], seed=seed)
        for pool, part in (("segments", found), ("tracks", found["tracks"])):
            for way in ("a2v", "v2a"):
                ranks, name = part[way], f"{pool} {way}"
                low, high = ranks["null95"]
                inside[name] = inside.get(name, 0) + (low <= ranks["median_rank"] <= high)
                print(f"seed {seed} {name}: {ranks['median_rank']:g} of {ranks['n']}, null {low:g}-{high:g}")
    for name, count in inside.items():
        print(f"{name}: inside the null in {count} of {SEEDS}")


if __name__ == "__main__":
    main(sys.argv[1])
