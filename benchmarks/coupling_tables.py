"""The tables and the page of `coupling.py`, from nothing but the numbers that it measured."""

import csv
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from antiphon.experiments.alignment import CONTROL, REFERENCE, WAYS
from antiphon.experiments.paper import CONFIGURATIONS
from coupled_catalogues import AUDIO, VIDEO

COUPLINGS = (0.0, 0.5, 1.0)
STEPS = [*pairwise(COUPLINGS), (COUPLINGS[0], COUPLINGS[-1])]
TARGETS = ("genre", "tags")
PROBE_METRICS = ("roc_auc", "pr_auc", "f1")
JUDGED = (*CONFIGURATIONS, REFERENCE)
"""Recipes that are held to the criteria; the deviations of the authors' code are shown beside them."""

_TABLE_1_HEADER = (
    *("Configuration", "Sound → pictures", "by training", "Pictures → sound", "by training"),
    *("Null, both ways", "Recall@10", "Published", "Epochs", "Loss below chance"),
)

_FLAT_NATS = 0.01
"""A training whose validation loss is not even so far below that of knowing nothing has learned nothing."""

Found = dict[str, Any]


def write_tables(found: Found, out: Path) -> None:
    """The three CSV tables and coupling.md, from nothing but what `measure` returned."""
    _write_csv(table_1_rows(found), out / "table-1.csv")
    paired = [
        {"data": "synthetic", **row, "ci95_low": row["ci95"][0], "ci95_high": row["ci95"][1]} for row in found["paired"]
    ]
    _write_csv([{key: value for key, value in row.items() if key != "ci95"} for row in paired], out / "paired.csv")
    _write_csv(table_2_rows(found), out / "table-2.csv")
    (out / "coupling.md").write_text("\n".join(_page(found)) + "\n", encoding="utf-8")


def table_1_rows(found: Found) -> list[Found]:
    """One row for each coupling, configuration and way."""
    rows: list[Found] = []
    for coupling, table in found["table_1"].items():
        for row in _configurations(table):
            for way in WAYS:
                part = row["pool"][way]
                rows.append(
                    {
                        "data": "synthetic",
                        "coupling": coupling,
                        "recipe": row["recipe"],
                        "name": row["name"],
                        "way": way,
                        "n": part["n"],
                        "chance": part["chance"],
                        "median_rank": part["median_rank"],
                        "ci95_low": part["ci95"][0],
                        "ci95_high": part["ci95"][1],
                        "null95_low": part["null95"][0],
                        "null95_high": part["null95"][1],
                        "recall@10": part["recall@10"],
                        "median_rank_by_seed": _joined(part["by_seed"]),
                        "published_formula_by_seed": _joined(row["published"]),
                        "epochs_by_seed": _joined(row["epochs"]),
                        "validation_loss_by_seed": _joined(row["validation_loss"]),
                        "validation_loss_at_chance": row["validation_chance"][0],
                    }
                )
    return rows


def table_2_rows(found: Found) -> list[Found]:
    """One row for each coupling, target, representation, classifier, level and metric."""
    rows: list[Found] = []
    for coupling, targets in found["table_2"].items():
        for target, result in targets.items():
            for row in result["table"]:
                for metric in PROBE_METRICS:
                    part = row[metric]
                    gap = part.get("difference", {"baseline": "", "value": "", "ci95": ("", "")})
                    rows.append(
                        {
                            "data": "synthetic",
                            "coupling": coupling,
                            "target": target,
                            "representation": row["representation"],
                            "classifier": row["kind"],
                            "level": row["level"],
                            "metric": metric,
                            "n": row["n"],
                            "videos": row["groups"],
                            "value": part["value"],
                            "chance": part["chance"],
                            "ci95_low": part["ci95"][0],
                            "ci95_high": part["ci95"][1],
                            "null95_low": part["null95"][0],
                            "null95_high": part["null95"][1],
                            "baseline": gap["baseline"],
                            "difference": gap["value"],
                            "difference_ci95_low": gap["ci95"][0],
                            "difference_ci95_high": gap["ci95"][1],
                        }
                    )
    return rows


def outside_null(found: Found, coupling: str, recipe: str) -> list[str]:
    """Ways in which a recipe's median rank at this coupling is outside the permutation null, in words."""
    row = _configuration(found, coupling, recipe, shuffled=False)
    words: list[str] = []
    for way in WAYS:
        part = row["pool"][way]
        low, high = part["null95"]
        if not low <= part["median_rank"] <= high:
            side = "better" if part["median_rank"] < low else "worse"
            words.append(f"{recipe} {way} ({part['median_rank']:.1f}, {side} than {low:g}–{high:g})")
    return words


def is_below_null(found: Found, coupling: float, recipe: str, *, shuffled: bool = False) -> bool:
    """Whether a recipe's median rank at this coupling is better than the permutation null, one way at least."""
    row = _configuration(found, f"{coupling:g}", recipe, shuffled=shuffled)
    return any(row["pool"][way]["median_rank"] < row["pool"][way]["null95"][0] for way in WAYS)


def is_better(found: Found, recipe: str, low: float, high: float, *, shuffled: bool = False) -> bool:
    """Whether ranks at the higher coupling are lower: interval of the ratio above 1, and below the null there.

    Heads that put everything in one place tie all candidates, and the geometric mean of ranks that are all tied is up
    to e / 2 times that of ranks at random. So the ratio alone can be above 1 where nothing was learned.
    """
    edge = _step(found, recipe, low, high, "both", shuffled=shuffled)["ci95"][0]
    return edge > 1 and is_below_null(found, high, recipe, shuffled=shuffled)


def _page(found: Found) -> Iterable[str]:
    given, splits = found["arguments"], found["splits"]
    pool = found["table_1"]["0"]["pool"]
    command = " ".join(f"--{name} {value}" for name, value in given.items())
    yield "# Synthetic catalogue: both tables for coupling 0, 0.5 and 1"
    yield ""
    yield f"    python benchmarks/coupling.py {command}"
    yield ""
    yield (
        f"All music videos here are **synthetic**: Antiphon composed, synthesised and painted them. There are "
        f"{given['videos']} at each coupling, with the same songs by the same artists; only the pictures differ. The "
        f"coupling is the probability with which each attribute of the pictures follows the song instead of another "
        f"song that nobody plays. Features: {AUDIO} and {VIDEO}, {given['sections']} segments a video. By artist: "
        + ", ".join(f"{name} {part['videos']} videos ({part['pairs']} pairs)" for name, part in splits.items())
        + f". Ranks are among {pool} test pairs, so chance is {(pool + 1) / 2:g}."
    )
    yield ""
    yield "## What holds"
    yield ""
    yield from _verdicts(found)
    yield ""
    yield "## Table 1, synthetic"
    yield ""
    yield (
        f"Median ranks, mean of {given['seeds']} trainings, with 95% bootstrap interval over videos; the null is the "
        "middle 95% of the same models' median rank when the test videos' partners are permuted, the widest of all "
        "trainings. “Published” is what the paper's published formula prints for the same embeddings, and “Loss below "
        "chance” how many nats the validation loss of the epoch kept is below that of a model that knows nothing, both "
        "by training."
    )
    for coupling, table in found["table_1"].items():
        yield from ("", f"### Coupling {coupling}", "")
        yield from _line(_TABLE_1_HEADER, header=True)
        for row in _configurations(table):
            yield from _line(_table_1_cells(row))
    yield from ("", "## Ranks at one coupling against the next, synthetic", "")
    yield (
        "The factor by which ranks at the higher coupling are lower (ratio of geometric means, both ways together), "
        "paired by test segment, resampled by video, trainings averaged; with 95% interval. Above 1 ranks are better "
        "where the pictures follow the song more. Heads that put everything in one place tie all candidates, which "
        "alone can move the ratio by a factor of up to 1.36 (e / 2), so a step counts only if the median rank at the "
        "higher coupling is also below the null, one way at least. Each way alone: paired.csv."
    )
    yield ""
    yield from _line(["Configuration", *(f"{low:g} → {high:g}" for low, high in STEPS), "Monotone"], header=True)
    for row in _configurations(found["table_1"]["0"]):
        steps = [_step(found, row["recipe"], *step, "both", shuffled=row["shuffled"]) for step in STEPS]
        holds = _is_monotone(found, row["recipe"], shuffled=row["shuffled"])
        yield from _line([row["name"], *(_ratio(step) for step in steps), "yes" if holds else "no"])
    yield from ("", "## Table 2, synthetic", "")
    yield (
        "Heads of the base (`paper-base`, seed 0), perceptron, judged on the test split's segments: macro mean with "
        "95% bootstrap interval over videos, and in brackets the middle 95% under permuted targets. PR-AUC, the linear "
        "classifier, whole tracks and the difference to the best backbone: table-2.csv."
    )
    for target in TARGETS:
        for metric, words in (("roc_auc", "ROC-AUC"), ("f1", "F1")):
            yield from ("", f"### {target.capitalize()}, {words}", "")
            yield from _line(["Representation", *(f"Coupling {coupling:g}" for coupling in COUPLINGS)], header=True)
            yield from _table_2_lines(found, target, metric)


def _verdicts(found: Found) -> Iterable[str]:
    outside = [words for name in JUDGED for words in outside_null(found, "0", name)]
    checks = len(WAYS) * len(JUDGED)
    yield (
        f"- **At coupling 0 inside the permutation null**: {checks - len(outside)} of {checks} (configurations and "
        f"ways){''.join(f'; outside: {words}' for words in outside)}."
    )
    monotone = [name for name in JUDGED if _is_monotone(found, name)]
    yield f"- **Monotone, both steps**: {len(monotone)} of {len(JUDGED)}: {', '.join(monotone) or 'none'}."
    for name in JUDGED:
        steps = [
            f"{low:g} → {high:g}: {_ratio(_step(found, name, low, high, 'both'))}"
            + ("" if is_below_null(found, high, name) else f", not below the null at {high:g}")
            for low, high in STEPS
            if not is_better(found, name, low, high)
        ]
        if steps:
            yield f"- **Not shown for {name}**: {'; '.join(steps)}."
    ends = [name for name in JUDGED if is_better(found, name, *STEPS[-1])]
    yield f"- Better at coupling 1 than at 0: {len(ends)} of {len(JUDGED)}."
    yield from _flat_trainings(found)
    control = "yes" if _is_monotone(found, CONTROL, shuffled=True) else "no"
    yield f"- The control, trained on shuffled pairs, monotone: {control}."


def _flat_trainings(found: Found) -> Iterable[str]:
    """Says which trainings learn nothing where most can be learned, and which recipes learn it from the same pairs."""
    gains = {
        row["recipe"]: [gain >= _FLAT_NATS for gain in _loss_gains(row)]
        for row in _configurations(found["table_1"]["1"])
        if not row["shuffled"]
    }
    flat = [f"{name} ({learned.count(False)} of {len(learned)})" for name, learned in gains.items() if not all(learned)]
    able = [name for name, learned in gains.items() if all(learned)]
    if flat:
        pairs = found["splits"]["train"]["pairs"]
        yield (
            "- **Trainings that learn nothing even at coupling 1** (best validation loss less than "
            f"{_FLAT_NATS} nats below chance): {', '.join(flat)}. That is not for want of something to learn: from the "
            f"same {pairs} pairs every training of {', '.join(able) or 'no recipe'} learns. These recipes are kept as "
            "the paper prints them: sigmoid outputs, nothing normalised, learning rate 0.01, a patience of 3 epochs."
        )


def _is_monotone(found: Found, recipe: str, *, shuffled: bool = False) -> bool:
    return all(is_better(found, recipe, low, high, shuffled=shuffled) for low, high in pairwise(COUPLINGS))


def _configurations(table: Found) -> list[Found]:
    plain = [*table["rows"], table["reference"], *table["deviations"]]
    return [row | {"shuffled": False} for row in plain] + [table["shuffled"] | {"shuffled": True}]


def _configuration(found: Found, coupling: str, recipe: str, *, shuffled: bool) -> Found:
    rows = _configurations(found["table_1"][coupling])
    return next(row for row in rows if (row["recipe"], row["shuffled"]) == (recipe, shuffled))


def _step(found: Found, recipe: str, low: float, high: float, way: str, *, shuffled: bool = False) -> Found:
    wanted = {"recipe": recipe, "shuffled": shuffled, "from": low, "to": high, "way": way}
    return next(row for row in found["paired"] if wanted.items() <= row.items())


def _table_1_cells(row: Found) -> list[str]:
    parts = [row["pool"][way] for way in WAYS]
    cells = [row["name"]]
    for part in parts:
        low, high = part["ci95"]
        cells += [f"{part['median_rank']:.1f} [{low:.1f}, {high:.1f}]", _joined(part["by_seed"], ", ")]
    nulls = (f"{part['null95'][0]:.1f}–{part['null95'][1]:.1f}" for part in parts)
    recall = (f"{part['recall@10']:.3f}" for part in parts)
    gains = ", ".join(f"{gain:z.3f}" for gain in _loss_gains(row))
    cells += [", ".join(nulls), ", ".join(recall), _joined(row["published"], ", ")]
    return [*cells, _joined(row["epochs"], ", "), gains]


def _loss_gains(row: Found) -> list[float]:
    """For each training by how many nats the best validation loss is below chance."""
    return [known - loss for known, loss in zip(row["validation_chance"], row["validation_loss"], strict=True)]


def _table_2_lines(found: Found, target: str, metric: str) -> Iterable[str]:
    by_coupling = [
        [row for row in found["table_2"][f"{coupling:g}"][target]["table"] if _is_shown(row)] for coupling in COUPLINGS
    ]
    for same in zip(*by_coupling, strict=True):
        yield from _line([same[0]["representation"], *(_probe_cell(row[metric]) for row in same)])


def _is_shown(row: Found) -> bool:
    return row["kind"] == "perceptron" and row["level"] == "segments"


def _probe_cell(part: Found) -> str:
    (low, high), (null_low, null_high) = part["ci95"], part["null95"]
    return f"{part['value']:.3f} [{low:.3f}, {high:.3f}] ({null_low:.3f}–{null_high:.3f})"


def _ratio(step: Found) -> str:
    return f"{step['rank_ratio']:.3f} [{step['ci95'][0]:.3f}, {step['ci95'][1]:.3f}]"


def _line(cells: Sequence[str], *, header: bool = False) -> Iterable[str]:
    yield f"| {' | '.join(cells)} |"
    if header:
        yield "|" + "---|" * len(cells)


def _joined(values: Sequence[float], by: str = ";") -> str:
    return by.join(f"{value:g}" for value in values)


def _write_csv(rows: Sequence[Found], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
