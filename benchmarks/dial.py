"""The coupling dial: how weak an association each recipe still finds, and from how many videos.

    python benchmarks/dial.py [--couplings C …] [--videos N] [--jobs N] [--work FOLDER] [--out FOLDER]

Synthetic catalogues of the same songs by the same artists differ in how far the pictures follow the song. The study
`results/synthetic-coupling/dial.toml` is run on each. Videos, features and trainings stay in `--work`, and the same
command goes on from there. `--out` gets dial.csv, dial.md and dial.svg.
"""

import argparse
import csv
import io
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from antiphon.experiments.cells import WAYS
from antiphon.experiments.study import Study, load_study, resolved_steps
from antiphon.experiments.study_run import run_study
from antiphon.experiments.study_table import study_table
from antiphon.presentation.numbers import brief, whole
from antiphon.report.study_tables import interval
from antiphon.synthetic import SyntheticConfig
from antiphon.tables import write_text
from coupled_catalogues import AUDIO, VIDEO, coupled_workspace, every, refuse_unlike, rendered_features
from dial_criteria import fewest_pairs, is_found, weakest_coupling
from dial_picture import dial_picture

STUDY = Path("results/synthetic-coupling/dial.toml")
SECTIONS = 3

Row = dict[str, Any]


def measure(study: Study, folder: Path, configs: Sequence[SyntheticConfig], work: Path, jobs: int) -> list[Row]:
    """The rows of the study at each coupling, lowest first."""
    features = {config.coupling: rendered_features(work, config, SECTIONS, jobs) for config in configs}
    refuse_unlike(features)
    steps = resolved_steps(study, folder)
    rows: list[Row] = []
    for coupling, pairs in sorted(features.items()):
        outcomes = run_study(
            study,
            steps,
            pairs,
            coupled_workspace(work, coupling, SECTIONS).root / "study",
            jobs=jobs,
            progress=every(1, f"coupling {coupling:g}: trained"),
        )
        rows += [row | {"coupling": coupling} for row in study_table(study, steps, outcomes)["rows"]]
    return rows


def dial_csv(rows: Sequence[Row]) -> str:
    """One line for each coupling, step, size and way."""
    text = io.StringIO()
    fields = ("coupling", "step", "size", "train_pairs", "trainings", "way", "n", "chance", "median_rank")
    fields += ("ci95_low", "ci95_high", "null95_low", "null95_high", "recall@10", "found_both_ways")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(fields)
    for row in rows:
        for way in WAYS if row["trainings"] else ():
            found = row[way]
            numbers = (row["n"], row["chance"], found["median_rank"]["value"], *found["median_rank"]["ci95"])
            numbers += (*found["null95"], found["recall@10"]["value"])
            about = (row["coupling"], row["step"], row["size"], row["train_pairs"], row["trainings"], way)
            writer.writerow([*about, *(f"{number:.6g}" for number in numbers), is_found(row)])
    return text.getvalue()


def dial_markdown(study: Study, rows: Sequence[Row], about: str) -> str:
    """What each recipe finds, and all median ranks."""
    labels = {row["step"]: row["label"] for row in rows}
    couplings = sorted({row["coupling"] for row in rows})
    parts = [
        f"# {study.name}",
        f"    python benchmarks/dial.py --couplings {' '.join(f'{coupling:g}' for coupling in couplings)}",
        about,
        "A recipe finds a coupling where the 95% interval of its median rank lies below the null, both ways.",
        "## What each recipe finds",
        "\n".join(_found_lines(study, rows, labels, couplings[-1])),
    ]
    for size in study.videos:
        part = [row for row in rows if row["size"] == size]
        pairs = next(row["train_pairs"] for row in part if row["trainings"])
        parts += [f"## Trained on {whole(pairs)} pairs", "\n".join(_rank_lines(part, labels))]
    parts += [
        f"## Against {labels[study.reference]}",
        "By what factor ranks are lower than its own, both ways together (geometric means; below 1 where they are "
        "higher), with 95% interval, paired by query.",
        "\n".join(_against_lines(study, rows, labels)),
    ]
    outside = [
        f"{labels[row['step']]} ({row['size']}, {way})"
        for row in rows
        if row["coupling"] == 0 and row["trainings"]
        for way in WAYS
        if not row[way]["null95"][0] <= row[way]["median_rank"]["value"] <= row[way]["null95"][1]
    ]
    parts.append(f"At coupling 0 outside the null: {', '.join(outside) or 'none'}.")
    return "\n\n".join(parts) + "\n"


def _found_lines(study: Study, rows: Sequence[Row], labels: dict[str, str], strongest: float) -> Iterator[str]:
    sizes = [f"Weakest coupling found, {size} videos" for size in study.videos]
    header = ["Recipe", *sizes, f"Fewest training pairs at coupling {strongest:g}"]
    yield f"| {' | '.join(header)} |"
    yield "|" + "---|" * len(header)
    for step, label in labels.items():
        values = [*(weakest_coupling(rows, step, size) for size in study.videos), fewest_pairs(rows, step, strongest)]
        yield f"| {' | '.join([label, *('none' if value is None else f'{value:g}' for value in values)])} |"


def _rank_lines(rows: Sequence[Row], labels: dict[str, str]) -> Iterator[str]:
    couplings = sorted({row["coupling"] for row in rows})
    header = ["Recipe", "Asks", *(f"Coupling {coupling:g}" for coupling in couplings)]
    yield f"| {' | '.join(header)} |"
    yield "|" + "---|" * len(header)
    for step, label in labels.items():
        for way, name in zip(WAYS, ("sound", "pictures"), strict=True):
            mine = [row for row in rows if row["step"] == step]
            yield f"| {' | '.join([label, name, *(_rank(row, way) for row in mine)])} |"


def _against_lines(study: Study, rows: Sequence[Row], labels: dict[str, str]) -> Iterator[str]:
    couplings = sorted({row["coupling"] for row in rows})
    yield f"| Recipe | Videos | {' | '.join(f'Coupling {coupling:g}' for coupling in couplings)} |"
    yield "|" + "---|" * (2 + len(couplings))
    for step, size in product(labels, study.videos):
        if step != study.reference:
            mine = [row for row in rows if (row["step"], row["size"]) == (step, size)]
            yield f"| {' | '.join([labels[step], str(size), *(_against(row) for row in mine)])} |"


def _against(row: Row) -> str:
    if "reference" not in row.get("against", {}):
        return "failed"
    found = row["against"]["reference"]["both"]
    low, high = found["ci95"]
    return f"{found['ratio']:.2f} [{low:.2f}, {high:.2f}]"


def _rank(row: Row, way: str) -> str:
    if not row["trainings"]:
        return "failed"
    low, high = row[way]["null95"]
    return f"{interval(row[way]['median_rank'], brief)} ({brief(low)}–{brief(high)})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--couplings", type=float, nargs="+", default=[0, 0.25, 0.5, 0.75, 1])
    parser.add_argument("--videos", type=int, default=400)
    parser.add_argument("--duration", type=float, default=16, help="mean length of a video in seconds")
    parser.add_argument("--seed", type=int, default=0, help="of the catalogues and segments")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--work", type=Path, default=Path("antiphon-demo/dial"))
    parser.add_argument("--out", type=Path, default=STUDY.parent)
    given = parser.parse_args()
    configs = [
        SyntheticConfig(
            videos=given.videos, coupling=coupling, seed=given.seed, duration_s=given.duration, duration_spread_s=1
        )
        for coupling in given.couplings
    ]
    study = load_study(STUDY)
    rows = measure(study, STUDY.parent, configs, given.work, given.jobs)
    pool = next(row["n"] for row in rows if row["trainings"])
    about = (
        f"All music videos here are **synthetic**: {given.videos} of about {given.duration:g} s at each coupling, with "
        f"the same songs by the same artists. Features: {AUDIO} and {VIDEO}, {SECTIONS} segments a video. Held out: "
        f"{study.draws.count} disjoint draws of {study.draws.test} videos (pools of {whole(pool)} segments), no artist "
        f"on two sides; trainings on each: {study.seeds}. Median ranks with 95% interval over videos; in brackets the "
        "null."
    )
    texts = {"dial.csv": dial_csv(rows), "dial.md": dial_markdown(study, rows, about), "dial.svg": dial_picture(rows)}
    for name, text in texts.items():
        write_text(text, given.out / name)
    print(texts["dial.md"])


if __name__ == "__main__":
    main()
