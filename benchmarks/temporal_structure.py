"""Tracks that only the order of their sections tells apart: antiphon-track against the mean of antiphon-base.

    python benchmarks/temporal_structure.py [--tracks 300] [--seeds 3]

Prints a table of the median rank of whole tracks in a pool of 500, both ways together, averaged over the trainings, and
two gains, ratios of geometric mean ranks: over antiphon-base, and over the recipe before, trained and tested alike. All
with 95% intervals from a bootstrap over tracks. antiphon-track-summary has no time course: what statistics of a track
bring, which hardly depend on the order. "Shuffled" tracks have the same segments at other times, sound and pictures
each on their own.
"""

import argparse
from typing import Any

from antiphon.model.recipe import Recipe, changed_recipe, load_recipe
from temporal_tracks import TemporalConfig, compare

TEST_TRACKS = 500


def recipes() -> list[Recipe]:
    """The mean of segments, summaries of tracks, and these with the time course."""
    base, track = load_recipe("antiphon-base"), load_recipe("antiphon-track")
    summary = changed_recipe(track, {"name": "antiphon-track-summary", "track": {"num_curves": 0}}, "summary")
    return [base, summary, track]


def gain(values: dict[str, Any], name: str) -> str:
    """A ratio of ranks with its interval, or nothing for the recipe that none comes before."""
    if name not in values:
        return ""
    low, high = values[f"{name}95"]
    return f"{values[name]:.2f} [{low:.2f}, {high:.2f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tracks", type=int, default=300, help="to train on; a fifth as many validate")
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    sizes = (given.tracks, max(50, given.tracks // 5), TEST_TRACKS)
    found = compare(recipes(), sizes, TemporalConfig(), range(given.seeds))
    print(
        f"| Recipe | Trained and tested | Median rank of {TEST_TRACKS} | Over antiphon-base | Over the recipe before |"
    )
    print("|---|---|---|---|---|")
    for name, ways in found.items():
        for way, values in ways.items():
            low, high = values["ci95"]
            median = f"{values['median_rank']:.1f} [{low:.1f}, {high:.1f}]"
            print(f"| {name} | {way.replace('_', ' ')} | {median} | {gain(values, 'gain')} | {gain(values, 'step')} |")


if __name__ == "__main__":
    main()
