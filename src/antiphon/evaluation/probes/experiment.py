"""Genre and tags from representations: the paper's second and third experiment, on anyone's features."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.dual_encoder import DualEncoder
from antiphon.errors import ConfigError, ModelError
from antiphon.evaluation.probes.classifiers import Kind
from antiphon.evaluation.probes.dealing import Deal, by_folds, by_split
from antiphon.evaluation.probes.fusion import FUSIONS
from antiphon.evaluation.probes.levels import levels
from antiphon.evaluation.probes.scoring import Scored, empty, score, takes
from antiphon.evaluation.probes.table import score_table, table
from antiphon.evaluation.probes.targets import Target, Targets, choose_targets
from antiphon.evaluation.representations import (
    Aggregate,
    Representation,
    comparable,
    names_of,
    representations,
)
from antiphon.features.features import Features
from antiphon.tables import write_table

Progress = Callable[[int, int, str], None]
KINDS: tuple[Kind, ...] = ("perceptron", "linear", *FUSIONS)


def probe(
    model: DualEncoder,
    features: Features,
    target: Target = "genre",
    *,
    kinds: Sequence[Kind] = KINDS,
    seeds: int = 3,
    folds: int | None = None,
    aggregate: Aggregate = "concatenation",
    most_frequent: int | None = 10,
    least_positives: int | None = None,
    seed: int = 0,
    scores_to: str | Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Train classifiers of genre or tags on representations, and judge them on videos that they have not seen.

    Experiments 2 and 3 of Veldkamp et al. (2023): the backbones' features of sound, pictures and both, and the
    embeddings of sound, pictures and both, each given to a perceptron (512, 256) and to a linear classifier, which
    separates what a representation holds from what the classifier adds. They are trained on segments, and judged on
    segments and on tracks, the mean of a track's vectors.

    Two questions that the paper leaves open stand below: whether embeddings beside the backbones' features tell more
    than these alone ("contrastive + backbones"), and what networks reach that join both features under the labels'
    supervision (kinds "fusion-late", "fusion-gated", "fusion-bilinear" on "both backbones";
    `antiphon.evaluation.probes.fusion`).

    Parameters
    ----------
    model : its heads give the embeddings. With `folds` only its recipe and seed count: heads are trained anew for
        each fold.
    features : features of all splits; only rows with both sound and pictures count. Where there are none, as in a
        catalogue of songs, the table has the rows of the side that there is.
    target : "genre", one a video; rows without are left out. Or "tags", any number; rows without count as negatives.
    kinds : which classifiers. Fusions need rows with both sides, and are left out where there are none.
    seeds : trainings of the perceptron and of each fusion. The linear classifier comes out the same every time and is
        trained once.
    folds : None: trained on the training split, stopped on validation, judged on test. A number: videos (artists, where
        known) are dealt into so many folds, and each is judged by heads and classifiers that were trained without it;
        splits are ignored.
    aggregate : how "contrastive aggregated" joins both embeddings, which the paper does not say.
    most_frequent : how many tags, the most frequent among the videos to train on. None: all of them.
    least_positives : take instead every tag (or genre) that at least so many of these videos have.
    seed : of folds, classifiers, bootstrap and permutations.
    scores_to : a Parquet file to write all scores to, so that the numbers can be recomputed; columns in
        `antiphon.evaluation.probes.table.score_table`.
    progress : called with the steps done, the steps in all, and a few words.

    Returns
    -------
    dict
        "target", "protocol" ("split" or "folds"), "folds", "seeds", "seed", "aggregate", "recipe", "audio", "video";
        "labels" of the scores, in order; "rows" and "videos" {"train", "validation", "test"} (with folds: on average);
        "without_target", rows left out; "seen", videos of the test that the heads were trained or stopped on, None
        where that is unknown; and "table", a list with one entry for each representation, kind of classifier and level
        ("segments", "tracks"; only "tracks" where each video has one row): {"representation", "of", "dim", "kind",
        "level"}, what `antiphon.metrics.classification` returns, and in each metric "validation", its mean on the rows
        that stopped the trainings, and for rows with embeddings "difference" {"baseline", "value", "ci95"}: to the
        backbone row that did best on the validation rows, resampled in pairs. A fusion's is to the perceptron's rows,
        and absent without them.

    Raises
    ------
    ConfigError
        An argument is out of its range.
    FeatureStoreError
        There is no genre (no tag), or nothing to tell apart.
    ModelError
        A part has too few videos or no label that tells them apart, the model is not fitted, or the features are not
        the model's.
    """
    _check(kinds, seeds)
    pairs = comparable(features)
    if folds is not None and not len(pairs.paired):
        raise ModelError(
            "No row has both sound and pictures, so no heads can be trained for the folds. Leave folds out."
        )
    deals = [by_split(pairs)] if folds is None else list(by_folds(pairs, folds, seed))
    targets = choose_targets(
        pairs,
        np.any([deal.train for deal in deals], axis=0),
        target,
        most_frequent=most_frequent,
        least_positives=least_positives,
    )
    known = targets.known
    labelled, kept = pairs.take(known), targets.take(np.flatnonzero(known))
    parts = [Deal(deal.train[known], deal.validation[known], deal.test[known]) for deal in deals]
    _refuse_empty_parts(parts, labelled, target)
    _refuse_one_sided(kept.matrix[np.any([part.test for part in parts], axis=0)], target)
    seen = _warn_of_seen(model, labelled.take(parts[0].test)) if folds is None else 0
    stages = levels(labelled, kept)
    fits = sum(takes(kind, name) for name in names_of(pairs) for kind in kinds)
    if not fits:
        raise ModelError(f"No row has both sound and pictures, which {', '.join(kinds)} would join. Add other kinds.")
    steps = _Steps(progress, len(deals) * (1 + fits) + fits * len(stages))
    book: dict[tuple[str, Kind], list[Scored]] = {}
    for number, (deal, part) in enumerate(zip(deals, parts, strict=True)):
        steps.start("heads" if folds is None else f"heads of fold {number + 1}")
        heads = model if folds is None else _heads_of_fold(model, pairs, deal)
        inputs = representations(heads, labelled, aggregate)
        book = book or empty(inputs.values(), kinds, stages, seeds)
        _score_all(inputs, kinds, part, kept, book, seed, steps)
    scored = [one for places in book.values() for one in places]
    found = table(scored, seed, steps.start)
    steps.end()
    if scores_to is not None:
        write_table(score_table(scored), Path(scores_to))
    return {
        "target": target,
        "protocol": "split" if folds is None else "folds",
        "folds": folds,
        "seeds": seeds,
        "seed": seed,
        "aggregate": aggregate,
        "recipe": model.recipe.name,
        "audio": pairs.audio_name,
        "video": pairs.video_name,
        "labels": list(kept.names),
        "rows": _mean_sizes(parts, lambda mask: int(mask.sum())),
        "videos": _mean_sizes(parts, lambda mask: len(np.unique(labelled.groups[mask]))),
        "without_target": int((~known).sum()),
        "seen": seen,
        "table": found,
    }


class _Steps:
    """Counts the steps for whoever watches."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0

    def start(self, words: str) -> None:
        """Say what begins."""
        if self._progress is not None:
            self._progress(self._done, self._total, words)
        self._done += 1

    def end(self) -> None:
        """Say that all is done."""
        if self._progress is not None:
            self._progress(self._total, self._total, "")


def _score_all(
    inputs: dict[str, Representation],
    kinds: Sequence[Kind],
    part: Deal,
    targets: Targets,
    book: dict[tuple[str, Kind], list[Scored]],
    seed: int,
    steps: _Steps,
) -> None:
    for name, representation in inputs.items():
        for kind in kinds:
            if takes(kind, name):
                steps.start(f"{kind}, {name}")
                score(representation, kind, part, targets, book[name, kind], seed)


def _heads_of_fold(model: DualEncoder, pairs: Features, deal: Deal) -> DualEncoder:
    """Heads that have not seen the judged videos, trained with or without a label as those of `model`."""
    fresh = DualEncoder(model.recipe, model.seed, str(model.device))
    return fresh.fit(pairs.take(deal.train), pairs.take(deal.validation))


def _check(kinds: Sequence[Kind], seeds: int) -> None:
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or not kinds:
        raise ConfigError(f"kinds: {list(kinds)}; choose from {', '.join(KINDS)}.")
    if seeds < 1:
        raise ConfigError(f"seeds: {seeds} is less than 1.")


def _refuse_empty_parts(parts: Sequence[Deal], labelled: Features, target: Target) -> None:
    for part in parts:
        for name, mask in (("train on", part.train), ("stop on", part.validation), ("judge", part.test)):
            if len(np.unique(labelled.groups[mask])) < 2:
                raise ModelError(
                    f"Fewer than two videos to {name}, for {target}. Label more videos, or deal them otherwise "
                    "(splits, folds)."
                )


def _refuse_one_sided(judged: npt.NDArray[np.bool_], target: Target) -> None:
    """A label can be judged where some videos have it and others have not."""
    if not (judged.any(axis=0) & ~judged.all(axis=0)).any():
        raise ModelError(
            f"None of the labels to judge ({target}) tells the held-out videos apart: all of them have it, or none "
            "has. "
            "Hold out more videos, or take other labels (most_frequent, least_positives)."
        )


def _warn_of_seen(model: DualEncoder, test: Features) -> int | None:
    videos, seen = len(np.unique(test.groups)), model.seen_videos(test)
    if seen:
        message = (
            f"{seen} of the {videos} videos were seen in training or early stopping: their embeddings are no test. "
            "Use folds."
        )
        warnings.warn(message, stacklevel=3)
    return seen


def _mean_sizes(parts: Sequence[Deal], size: Callable[[npt.NDArray[np.bool_]], int]) -> dict[str, float]:
    def mean(masks: Iterator[npt.NDArray[np.bool_]]) -> float:
        return float(np.mean([size(mask) for mask in masks]))

    return {
        "train": mean(part.train for part in parts),
        "validation": mean(part.validation for part in parts),
        "test": mean(part.test for part in parts),
    }
