"""Probe representations for genre and tags: the paper's second and third experiment, on any features."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
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
from antiphon.evaluation.probes.scoring import Scored, empty, kept_scores, score, score_table, table, takes
from antiphon.evaluation.probes.targets import Target, Targets, choose_targets
from antiphon.evaluation.representations import (
    Aggregate,
    Representation,
    comparable,
    names_of,
    representations,
)
from antiphon.evaluation.results import ProbeResult
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
    min_positives: int | None = None,
    seed: int = 0,
    scores_to: str | Path | None = None,
    progress: Progress | None = None,
) -> ProbeResult:
    """Train classifiers of genre or tags on representations, and judge them on unseen videos.

    Experiments 2 and 3 of Veldkamp et al. (2023): the backbones' audio features, video features and both, and the
    audio embeddings, video embeddings and both, each given to a perceptron (512, 256) and to a linear classifier, which
    separates what a representation holds from what the classifier adds. They are trained on segments, and judged on
    segments and on tracks, the mean of a track's vectors.

    Two further questions that the paper leaves open: whether embeddings beside the backbones' features tell more than
    these alone ("contrastive + backbones"), and what networks reach that join both features under the labels'
    supervision (kinds "fusion-late", "fusion-gated", "fusion-bilinear" on "both backbones";
    `antiphon.evaluation.probes.fusion`).

    Parameters
    ----------
    model : DualEncoder
        Model whose heads give the embeddings. With `folds` only its recipe and seed count: heads are trained anew for
        each fold.
    features : Features
        Features of all splits; rows without audio or without video are left out. Where no row has both, as in a
        catalogue of songs, the table has the rows of the one side.
    target : {"genre", "tags"}, default "genre"
        Genre, one a video, where rows without are left out; or tags, any number, where rows without are negatives.
    kinds : sequence of str
        Classifiers to train. Fusions need rows with both sides and are left out where there are none.
    seeds : int, default 3
        Trainings of the perceptron and of each fusion. The linear classifier is deterministic and trained once.
    folds : int, optional
        Deal videos (artists, where known) into this many folds, and judge each with heads and classifiers trained
        without it; splits are ignored. Default: train on the training split, stop on validation, judge on test.
    aggregate : {"concatenation", "mean"}, default "concatenation"
        How "contrastive aggregated" joins both embeddings, which the paper does not say.
    most_frequent : int, optional
        Number of tags, the most frequent among the training videos. None takes all of them.
    min_positives : int, optional
        Take instead every tag (or genre) that at least this many training videos have.
    seed : int, default 0
        Seed of folds, classifiers, bootstrap and permutations.
    scores_to : path, optional
        Parquet file to write all scores to, so that the numbers can be recomputed; for its columns see
        `antiphon.evaluation.probes.scoring.score_table`.
    progress : callable, optional
        Called with the steps done, the steps in all, and a few words.

    Returns
    -------
    ProbeResult
        A mapping with "target", "protocol" ("split" or "folds"), "folds", "seeds", "seed", "aggregate", "recipe",
        "audio", "video"; "labels" of the scores, in order; "rows" and "videos" {"train", "validation", "test"} (with
        folds: on average); "without_target", rows left out; "seen", test videos that the heads were trained or stopped
        on, None where unknown; and "table", a list with an entry for each representation, kind of classifier and level
        ("segments", "tracks"; only "tracks" where each video has one row): {"representation", "of", "dim", "kind",
        "level"}, what `antiphon.metrics.classification` returns, and in each metric "validation", its mean on the rows
        that stopped the trainings, and for rows with embeddings "difference" {"baseline", "value", "ci95"}: to the
        backbone row that did best on the validation rows, resampled in pairs. A fusion's is to the perceptron's rows,
        and absent without them.

    Raises
    ------
    ConfigError
        An argument out of range.
    FeatureStoreError
        No genre (no tag), or nothing to tell apart.
    ModelError
        A part with too few videos or no label that tells them apart, a model that is not fitted, or features that are
        not the model's.
    """
    _check_options(kinds, seeds)
    trial = _plan(features, target, folds, most_frequent, min_positives, seed)
    seen = _warn_of_seen(model, trial.labelled.take(trial.parts[0].test)) if folds is None else 0
    stages = levels(trial.labelled, trial.targets)
    steps = _Steps(progress, len(trial.deals) + trial.fits(kinds) * (len(trial.deals) + len(stages)))
    book: dict[tuple[str, Kind], list[Scored]] = {}
    for number, (deal, part) in enumerate(zip(trial.deals, trial.parts, strict=True)):
        steps.start("heads" if folds is None else f"heads of fold {number + 1}")
        heads = model if folds is None else _heads_of_fold(model, trial.rows, deal)
        inputs = representations(heads, trial.labelled, aggregate)
        book = book or empty(inputs.values(), kinds, stages, seeds)
        _score_all(inputs, kinds, part, trial.targets, book, seed, steps)
    scored = [one for places in book.values() for one in places]
    found = table(scored, seed, steps.start)
    steps.end()
    if scores_to is not None:
        write_table(score_table(scored), Path(scores_to))
    options = {"target": target, "protocol": "split" if folds is None else "folds", "folds": folds, "seeds": seeds}
    options |= {"seed": seed, "aggregate": aggregate, "recipe": model.recipe.name}
    values = options | trial.about() | {"seen": seen, "table": found}
    return ProbeResult(values, {(one.representation, one.kind, one.level.name): kept_scores(one) for one in scored})


@dataclass(frozen=True, eq=False)
class _Trial:
    """The rows to train and judge on, and how they are dealt.

    Attributes
    ----------
    rows : Features
        All rows that the representations are compared on.
    labelled : Features
        Those that have the target.
    targets : Targets
        What the labelled rows have.
    deals, parts : list of Deal
        Masks of `rows`, and the same of `labelled`.
    """

    rows: Features
    labelled: Features
    targets: Targets
    deals: list[Deal]
    parts: list[Deal]

    def fits(self, kinds: Sequence[Kind]) -> int:
        """Count the classifiers that a deal trains, and refuse kinds of which none can be."""
        count = sum(takes(kind, name) for name in names_of(self.rows) for kind in kinds)
        if not count:
            raise ModelError(f"No row has both audio and video, which {', '.join(kinds)} would join. Add other kinds.")
        return count

    def about(self) -> dict[str, Any]:
        """Return what a result says of the rows."""
        return {
            "audio": self.rows.audio_name,
            "video": self.rows.video_name,
            "labels": list(self.targets.names),
            "rows": _mean_sizes(self.parts, lambda mask: int(mask.sum())),
            "videos": _mean_sizes(self.parts, lambda mask: len(np.unique(self.labelled.groups[mask]))),
            "without_target": len(self.rows) - len(self.labelled),
        }


def _plan(
    features: Features,
    target: Target,
    folds: int | None,
    most_frequent: int | None,
    min_positives: int | None,
    seed: int,
) -> _Trial:
    """Choose rows, labels and deals, and refuse what cannot be judged."""
    rows = comparable(features)
    if folds is not None and not len(rows.paired):
        raise ModelError("No row has both audio and video, so no heads can be trained for the folds. Leave folds out.")
    deals = [by_split(rows)] if folds is None else list(by_folds(rows, folds, seed))
    trained = np.any([deal.train for deal in deals], axis=0)
    targets = choose_targets(rows, trained, target, most_frequent=most_frequent, min_positives=min_positives)
    known = targets.known
    labelled, kept = rows.take(known), targets.take(np.flatnonzero(known))
    parts = [Deal(deal.train[known], deal.validation[known], deal.test[known]) for deal in deals]
    _refuse_empty_parts(parts, labelled, target)
    _refuse_one_sided(kept.matrix[np.any([part.test for part in parts], axis=0)], target)
    return _Trial(rows, labelled, kept, deals, parts)


class _Steps:
    """Count of the steps, for progress bars."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0

    def start(self, words: str) -> None:
        """Report what begins."""
        if self._progress is not None:
            self._progress(self._done, self._total, words)
        self._done += 1

    def end(self) -> None:
        """Report that all is done."""
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
    """Train heads without the judged videos, on rows with and without a label, as those of `model` were."""
    fresh = DualEncoder(model.recipe, model.seed, str(model.device))
    train, validation = pairs.take(deal.train), pairs.take(deal.validation)
    return fresh.fit(train, validation, verbose=False, falls_back=model.falls_back)


def _check_options(kinds: Sequence[Kind], seeds: int) -> None:
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or not kinds:
        raise ConfigError(f"kinds must be some of {', '.join(KINDS)}, not {list(kinds)}.")
    if seeds < 1:
        raise ConfigError(f"seeds must be at least 1, not {seeds}.")


def _refuse_empty_parts(parts: Sequence[Deal], labelled: Features, target: Target) -> None:
    for part in parts:
        for name, mask in (("train on", part.train), ("stop on", part.validation), ("judge", part.test)):
            if len(np.unique(labelled.groups[mask])) < 2:
                raise ModelError(
                    f"Fewer than two videos to {name}, for {target}. Label more videos, or deal them otherwise "
                    "(splits, folds)."
                )


def _refuse_one_sided(judged: npt.NDArray[np.bool_], target: Target) -> None:
    """Refuse labels of which none can be judged: one can where some videos have it and others have not."""
    if not (judged.any(axis=0) & ~judged.all(axis=0)).any():
        raise ModelError(
            f"None of the labels to judge ({target}) tells the held-out videos apart: all of them have it, or none "
            "has. Hold out more videos, or take other labels (most_frequent, min_positives)."
        )


def _warn_of_seen(model: DualEncoder, test: Features) -> int | None:
    videos, seen = len(np.unique(test.groups)), model.seen_videos(test)
    if seen:
        message = (
            f"{seen} of the {videos} videos were seen in training or early stopping: their embeddings are not a test. "
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
