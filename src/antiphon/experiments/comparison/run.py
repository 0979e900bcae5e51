"""Running of a comparison: every method on the features of every pair of backbones."""

import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from antiphon.errors import ConfigError
from antiphon.experiments.cells import Cell, Outcome
from antiphon.experiments.comparison.common import folder_name, in_common, usual_draws
from antiphon.experiments.comparison.probing import probe_tables
from antiphon.experiments.comparison.result import BackboneComparison
from antiphon.experiments.comparison.table import comparison_rows
from antiphon.experiments.comparison.verdict import verdict
from antiphon.experiments.study import (
    CCA,
    UNTRAINED,
    ZERO_SHOT,
    DrawSettings,
    ResolvedStep,
    Study,
    StudyStep,
    resolved_steps,
)
from antiphon.experiments.study_run import run_study
from antiphon.features.features import Features
from antiphon.model.recipe import recipe_names
from antiphon.shapes import faults_of
from antiphon.spelling import did_you_mean

METHODS = (ZERO_SHOT, CCA, "paper-base", "antiphon-base")
"""Features as they are, the tuned linear analysis, the paper's recipe, and the default recipe."""

Progress = Callable[[int, int, str], None]


def compare(
    features: Features | Mapping[str, Features],
    methods: Sequence[str] = METHODS,
    *,
    draws: int = 5,
    seeds: int = 1,
    seed: int = 0,
    probes: bool = True,
    folder: str | Path | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
) -> BackboneComparison:
    """Find out whether contrastive training is worth it, and on which backbones, on the same test videos.

    This is the question of Veldkamp et al. (2023), RQ1: are pretrained networks without contrastive training better? It
    is answered twice: by the ranks of partners, and by genre and tags predicted from features and embeddings.

    Music videos are dealt into disjoint test sets, artists kept together, and every method is fitted on the remaining
    videos of each. Whole tracks are ranked, so that features with segments and features of whole videos compare.

    Parameters
    ----------
    features : Features or mapping of str to Features
        Features of each pair of backbones, by name. Vectors from anywhere count as a backbone's
        (`Features.from_arrays`). Only music videos that all have are used.
    methods : sequence of str, default `METHODS`
        "zero-shot" (features as they are, for backbones of one joint space), "cca" (linear, in closed form), and names
        of recipes, or TOML files of your own.
    draws : int, default 5
        Number of disjoint test sets, of at most 1,000 music videos each.
    seeds : int, default 1
        Trainings of each recipe on each draw.
    seed : int, default 0
        Seed of the draws.
    probes : bool, default True
        Also predict genre and tags, where the features have any.
    folder : path, optional
        Folder for the results of single trainings, so that a stopped comparison resumes. Default: nothing is kept.
    jobs : int, default 1
        Number of concurrent trainings, of one thread each.
    progress : callable, optional
        Called with the trainings done, the number of all, and a few words.

    Returns
    -------
    BackboneComparison
        A mapping with "rows", one for each pair of backbones and method: "backbones", "audio", "video", "dims" (sizes
        of both features), "method", "trained", "trainings", "failed" (reasons), and after a successful one "n" (the
        pool), "chance", "a2v" and "v2a" (median rank, recall@10 and MRR, each with its 95% interval; "null95"), "gain"
        (the factor by which partners rank higher than with the best method without training, paired by query, with
        "ci95") and "train_s" (processor time of a training); "probes", see
        `antiphon.experiments.comparison.probing.probe_tables`; "verdict", see
        `antiphon.experiments.comparison.verdict.verdict`; "videos", "draws", "seeds".

    Raises
    ------
    ConfigError
        No features, or an unknown method.
    FeatureStoreError
        Too few music videos, or none that all features have.
    """
    _refuse_unknown(methods)
    named = features if isinstance(features, Mapping) else {_name(features): features}
    pairs = in_common(named)
    settings = usual_draws(next(iter(pairs.values())), draws, seed)
    study = _study(methods, settings, seeds)
    trial = _Trial(study, resolved_steps(study, Path()), pairs, jobs, progress)
    with _kept(folder) as root:
        outcomes = {name: trial.outcomes(name, root / folder_name(name)) for name in pairs}
        probed = probe_tables(pairs, settings, root) if probes else []
    rows = comparison_rows(pairs, trial.steps, outcomes)
    values: dict[str, Any] = {
        "videos": len(np.unique(next(iter(pairs.values())).groups)),
        "draws": settings.model_dump(exclude_none=True),
        "seeds": seeds,
        "rows": rows,
        "probes": probed,
    }
    return BackboneComparison(values | {"verdict": verdict(values)})


@dataclass(frozen=True)
class _Trial:
    """What is trained on each pair of backbones."""

    study: Study
    steps: list[ResolvedStep]
    pairs: dict[str, Features]
    jobs: int
    progress: Progress | None

    def outcomes(self, name: str, folder: Path) -> dict[Cell, Outcome]:
        """Run all methods on one pair of backbones."""
        before = list(self.pairs).index(name)

        def show(done: int, total: int, step: str) -> None:
            if self.progress is not None:
                self.progress(before * total + done, len(self.pairs) * total, f"{name} {step}".strip())

        return run_study(
            self.study, self.steps, self.pairs[name], folder, level="tracks", jobs=self.jobs, progress=show
        )


def _study(methods: Sequence[str], draws: DrawSettings, seeds: int) -> Study:
    try:
        steps = [
            StudyStep(name=Path(method).stem, inherits=None if method in UNTRAINED else method, label=method)
            for method in dict.fromkeys(methods)
        ]
        return Study(name="compare", step=tuple(steps), seeds=seeds, draws=draws)
    except ValidationError as error:
        raise ConfigError(f"Nothing was compared: {faults_of(error)}.") from error


def _name(features: Features) -> str:
    return f"{features.audio_name or 'audio'}+{features.video_name or 'video'}"


@contextmanager
def _kept(folder: str | Path | None) -> Generator[Path]:
    if folder is not None:
        yield Path(folder)
        return
    with tempfile.TemporaryDirectory(prefix="antiphon-compare-") as name:
        yield Path(name)


def _refuse_unknown(methods: Sequence[str]) -> None:
    """Refuse a method that does not exist, before anything is computed."""
    known = (ZERO_SHOT, CCA, *recipe_names())
    for method in methods:
        if method not in known and not method.endswith(".toml"):
            raise ConfigError(
                f"methods: there is no '{method}'.{did_you_mean(method, known)} There are {', '.join(known)}, and TOML "
                "files of your own recipes."
            )
