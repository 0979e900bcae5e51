"""What words find, by labels that were held out: YouTube-8M, and the synthetic catalogue.

    python benchmarks/words.py yt8m music.parquet labels.csv [--test 3000] [--model DIR] [--out results/words]
    python benchmarks/words.py synthetic DIR [--out results/words]
    python benchmarks/words.py hear FOLDER … --out HEARD.npz
    python benchmarks/words.py tags HEARD.npz [--out results/words]
    python benchmarks/words.py nudges DIR

yt8m trains antiphon-base on the videos that are not tested, without labels. In each of five folds, an index of the test
videos has the labels of the other folds as tags, and is asked for the name of each label of its own. synthetic asks an
index of a rendered catalogue, from which genre and tags were taken, for each of them: what was heard and measured
remains. hear keeps musicnn's tags of the files of some folders; tags takes each of them out of what is known, asks for
its name, and judges the answers by the tenth of the tracks that have most of it. Prints nDCG at 10 and mean average
precision, with 95% intervals by bootstrap over labels. nudges
prints what nudges change among the answers.
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import numpy.typing as npt

import heard_words
from antiphon.dual_encoder import DualEncoder
from antiphon.errors import NotIndexedError
from antiphon.experiments.draws import drawn
from antiphon.experiments.study import DrawSettings
from antiphon.features import Features
from antiphon.features.importing import from_yt8m
from antiphon.model.recipe import load_recipe
from antiphon.search import Index, Query
from antiphon.search import meanings as search_meanings
from antiphon.spelling import plain
from antiphon.words import knowledge
from antiphon.words.lexicon import lexicon
from antiphon.words.nudges import NUDGES

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

FOLDS, FEWEST, RESAMPLES, SHUFFLES = 5, 5, 10_000, 200


class _NotFetched:
    cached = False


@contextmanager
def without(*parts: str):
    """Leave out parts of the search: "encoder" (of sentences), "table" (of our own), "directions"."""
    patches: list[Any] = []
    if "encoder" in parts:
        patches.append(patch.object(search_meanings, "SENTENCE_WEIGHTS", _NotFetched()))
    if "table" in parts:
        empty = replace(lexicon(), concepts={}, by_words={})
        for module in ("evidence", "knowledge", "vocabulary", "matching"):
            patches.append(patch(f"antiphon.words.{module}.lexicon", lambda: empty))
    if "directions" in parts:
        patches.append(patch.object(knowledge, "FEWEST", 10**9))
    for one in patches:
        one.start()
    try:
        yield
    finally:
        for one in patches:
            one.stop()


def ranking(index: Index, text: str, ids: Sequence[str], random: np.random.Generator) -> FloatArray:
    """Scores of all videos for a text, with ties, and what is not found, in random order."""
    places = {id: row for row, id in enumerate(ids)}
    scores = np.zeros(len(ids))
    for hit in index.search(Query.from_text(index, text), k=len(ids)):
        scores[places[hit.id]] = hit.score
    return scores + 1e-9 * random.random(len(ids))


def by_strings(tags: Sequence[Sequence[str]], text: str, random: np.random.Generator) -> FloatArray:
    """Matching of texts as the pages had it: all words stand somewhere in the tags."""
    words = plain(text).split()
    whole = [plain(" ".join(row)) for row in tags]
    return np.array([float(all(word in row for word in words)) for row in whole]) + 1e-9 * random.random(len(tags))


def measures(scores: FloatArray, relevant: BoolArray) -> tuple[float, float]:
    """nDCG at 10, and average precision."""
    gains = relevant[np.argsort(-scores, kind="stable")].astype(float)
    discounts = 1 / np.log2(np.arange(2, 12))
    ideal = discounts[: int(relevant.sum())].sum()
    precision = np.cumsum(gains) / np.arange(1, len(gains) + 1)
    return float((gains[:10] * discounts).sum() / ideal), float((precision * gains).sum() / gains.sum())


def interval(values: FloatArray, random: np.random.Generator) -> list[float]:
    """95% interval of the mean by bootstrap over labels."""
    means = values[random.integers(len(values), size=(RESAMPLES, len(values)))].mean(axis=1)
    return np.quantile(means, [0.025, 0.975]).tolist()


def table(found: dict[str, list[tuple[float, float]]], random: np.random.Generator) -> dict[str, Any]:
    """Means with intervals, and each way's nDCG over chance and above matching of strings."""
    arrays = {name: np.array(rows) for name, rows in found.items()}
    report: dict[str, Any] = {"labels": len(arrays["chance"])}
    chance = arrays["chance"]
    for name, rows in arrays.items():
        drawn_rows = random.integers(len(rows), size=(RESAMPLES, len(rows)))
        ratios = rows[drawn_rows, 0].mean(axis=1) / np.maximum(chance[drawn_rows, 0].mean(axis=1), 1e-9)
        report[name] = {
            "ndcg10": float(rows[:, 0].mean()),
            "ndcg10_ci95": interval(rows[:, 0], random),
            "map": float(rows[:, 1].mean()),
            "map_ci95": interval(rows[:, 1], random),
            "times_chance": float(rows[:, 0].mean() / chance[:, 0].mean()),
            "times_chance_ci95": np.quantile(ratios, [0.025, 0.975]).tolist(),
            "above_strings": float((rows - arrays["strings"])[:, 0].mean()),
            "above_strings_ci95": interval((rows - arrays["strings"])[:, 0], random),
        }
    return report


def shown(report: dict[str, Any]) -> str:
    """The table as Markdown."""
    lines = ["| way | nDCG@10 | MAP | nDCG@10 × chance | above strings |", "|---|---|---|---|---|"]
    for name, row in report.items():
        if name != "labels":
            cells = [
                f"{row[key]:.3f} ({'–'.join(f'{bound:.3f}' for bound in row[f'{key}_ci95'])})"
                for key in ("ndcg10", "map", "times_chance", "above_strings")
            ]
            lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


WAYS: dict[str, tuple[str, ...]] = {
    "table": ("encoder",),
    "encoder": ("table",),
    "both": (),
    "both, without directions": ("directions",),
}


def yt8m(given: argparse.Namespace) -> dict[str, Any]:
    """Held-out label names as queries."""
    dealt = drawn(from_yt8m([given.features], given.names), DrawSettings(test=given.test, count=1), 0, "all")
    test = dealt["test"]
    if given.model and given.model.exists():
        model = DualEncoder.load(given.model, "cpu")
    else:
        model = DualEncoder(load_recipe("antiphon-base"), device="cpu").fit(dealt["train"], dealt["validation"])
    names = sorted({label for row in test.labels for label in row})
    has = np.array([[name in row for name in names] for row in test.labels])
    often = (has.sum(axis=0) >= FEWEST) & (has.sum(axis=0) <= len(has) / 2)
    random = np.random.default_rng(0)
    fold = random.permutation(len(names)) % FOLDS
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ("chance", "strings", *WAYS)}
    queries: list[str] = []
    for number in range(FOLDS):
        asked = np.flatnonzero(often & (fold == number))
        tags = [[name for name in row if fold[names.index(name)] != number] for row in test.labels]
        with tempfile.TemporaryDirectory() as folder:
            _index(model, test, tags, folder)
            for way, left_out in WAYS.items():
                with without(*left_out):
                    fresh = Index.open(folder)
                    found[way] += [
                        measures(ranking(fresh, names[label], index_ids(test), random), has[:, label])
                        for label in asked
                    ]
        queries += [names[label] for label in asked]
        found["chance"] += [measures(random.random(len(has)), has[:, label]) for label in asked]
        found["strings"] += [measures(by_strings(tags, names[label], random), has[:, label]) for label in asked]
    report = {"videos": len(has), "known labels": len(names)} | {"table": table(found, random)}
    report["by label"] = {
        name: {way: round(found[way][row][0], 3) for way in found} for row, name in enumerate(queries)
    }
    return report


def index_ids(test: Features) -> list[str]:
    """Ids of the videos, in the order of the features."""
    return [str(video) for video in test.groups]


def _index(model: DualEncoder, test: Features, tags: Sequence[Sequence[str]], folder: str) -> None:
    labels = tuple(tuple(row) for row in tags)
    Index.build(model, replace(test, labels=labels), folder)


def synthetic(given: argparse.Namespace) -> dict[str, Any]:
    """Genres and tags of a rendered catalogue as queries, none of which the index has."""
    from antiphon.catalogue import Catalogue
    from antiphon.cli.opening import workspace_features
    from antiphon.workspace import Workspace

    space = Workspace(given.workspace)
    records = {row["id"]: row for row in Catalogue.load(space.catalogue).records()}
    model = DualEncoder.load(sorted(path.parent for path in space.runs.glob("*/run.toml"))[-1], "cpu")
    features = workspace_features(space, model.audio_name, model.video_name)
    bare = replace(
        features,
        labels=tuple(() for _ in features.labels),
        genres=np.full(len(features.groups), ""),
        artists=np.full(len(features.groups), ""),
    )
    random = np.random.default_rng(0)
    found: dict[str, list[tuple[float, float]]] = {"chance": [], "strings": [], "table": [], "both": []}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "attributes.parquet").write_bytes(Path(str(space.attributes)).read_bytes())
        index = Index.build(model, bare, Path(folder) / "index")
        ids = index.ids
        said = [{records[id]["genre"], *(records[id]["tags"] or ())} for id in ids]
        names = sorted({name for row in said for name in row if name})
        has = np.array([[name in row for name in names] for row in said])
        often = np.flatnonzero((has.sum(axis=0) >= FEWEST) & (has.sum(axis=0) <= len(ids) / 2))
        for label in often:
            found["chance"].append(measures(random.random(len(ids)), has[:, label]))
            found["strings"].append(measures(random.random(len(ids)), has[:, label]))  # nothing to match
            for way, left_out in (("table", ("encoder",)), ("both", ())):
                with without(*left_out):
                    opened = Index.open(Path(folder) / "index")
                    found[way].append(measures(ranking(opened, names[label], ids, random), has[:, label]))
    report = {"videos": len(ids), "table": table(found, random)}
    report["by label"] = {
        names[label]: {way: round(found[way][row][0], 3) for way in found} for row, label in enumerate(often)
    }
    return report


def tags(given: argparse.Namespace) -> dict[str, Any]:
    """Musicnn's tags as queries, none of which is known; see `heard_words.DESIGNS`."""
    heard, random = heard_words.read(given.heard), np.random.default_rng(0)
    report: dict[str, Any] = {"tracks": len(heard.tracks), "files": heard.tracks, "tables": {}, "by tag": {}}
    for name, design in heard_words.DESIGNS.items():
        found: dict[str, list[tuple[float, float]]] = {}
        with tempfile.TemporaryDirectory() as folder:  # keeps the meanings of names
            for tag in design.asked:
                has = heard_words.relevant(heard_words.column(heard, design.truth, tag))
                shuffled = [measures(random.random(len(has)), has) for _ in range(SHUFFLES)]
                found.setdefault("chance", []).append(tuple(np.mean(shuffled, axis=0)))
                for way, scores in _tag_scores(heard, design, tag, Path(folder), random).items():
                    found.setdefault(way, []).append(measures(scores + 1e-9 * random.random(len(scores)), has))
        report["tables"][name] = table(found, random)
        report["by tag"][name] = {
            tag: {way: round(found[way][row][0], 3) for way in found} for row, tag in enumerate(design.asked)
        }
    return report


def _tag_scores(
    heard: heard_words.Heard, design: heard_words.Design, tag: str, kept: Path, random: np.random.Generator
) -> dict[str, FloatArray]:
    """Scores of all tracks for a tag by each way; "another name" asks for a tag that has nothing to do with it."""
    names = design.kept(tag)
    knowledge = partial(heard_words.known, heard, design.known_by, names, design.written)
    ways = WAYS if design.written else {"table": ("encoder",), "both": ()}
    stranger = str(random.choice(design.strangers(tag)))
    found = {
        "another name": heard_words.by_words(knowledge(), stranger, kept / "both.parquet"),
        "strings": heard_words.by_strings(heard, design.known_by, names, tag),
    }
    for way, left_out in ways.items():
        if "directions" not in left_out:  # nothing is embedded here
            with without(*left_out):
                found[way] = heard_words.by_words(knowledge(), tag, kept / f"{way}.parquet")
    return found


def nudges(workspace: Path) -> str:
    """Return what each nudge does among the ten nearest, as a Markdown table."""
    index = Index.open(workspace / "index")
    lines = ["| nudge | suits, SD | random | tempo, bpm | brightness | cuts a second |", "|---|---|---|---|---|---|"]
    for name in NUDGES:
        try:
            found = index.nudge_effect(name)
        except NotIndexedError as error:
            lines.append(f"| {name} | {error} | | | | |")
            continue
        moved = (f"{found.measures[measure]:+.3f}" for measure in ("tempo_bpm", "luma", "cuts_per_s"))
        low, high = found.random
        lines.append(f"| {name} | {found.suits:+.2f} | {low:+.2f} to {high:+.2f} | {' | '.join(moved)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(required=True)
    videos = verbs.add_parser("yt8m")
    videos.add_argument("features", type=Path)
    videos.add_argument("names", type=Path)
    videos.add_argument("--test", type=int, default=3000)
    videos.add_argument("--model", type=Path)
    videos.set_defaults(measure=yt8m, name="yt8m")
    rendered = verbs.add_parser("synthetic")
    rendered.add_argument("workspace", type=Path)
    rendered.set_defaults(measure=synthetic, name="synthetic")
    for verb in (videos, rendered):
        verb.add_argument("--out", type=Path)
    asked = verbs.add_parser("tags")
    asked.add_argument("heard", type=Path)
    asked.add_argument("--out", type=Path)
    asked.set_defaults(measure=tags, name="tags")
    listening = verbs.add_parser("hear")
    listening.add_argument("folders", type=Path, nargs="+")
    listening.add_argument("--out", type=Path, required=True)
    listening.set_defaults(measure="hear")
    moved = verbs.add_parser("nudges")
    moved.add_argument("workspace", type=Path)
    moved.set_defaults(measure=None)
    given = parser.parse_args()
    if given.measure is None:
        print(nudges(given.workspace))
        return
    if given.measure == "hear":
        heard_words.hear(given.folders, given.out)
        return
    measure: Callable[[argparse.Namespace], dict[str, Any]] = given.measure
    report = measure(given)
    for name, found in report.get("tables", {given.name: report.get("table")}).items():
        print(f"\n{name}: {report.get('videos', report.get('tracks'))} items, {found['labels']} names asked for\n")
        print(shown(found))
    if given.out is not None:
        given.out.mkdir(parents=True, exist_ok=True)
        (given.out / f"{given.name}.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
