"""The paper's experiments, qualitative analysis and the audit of its evaluation, on one data set."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.dual_encoder import DualEncoder
from antiphon.errors import DivergedError, FeatureStoreError, ModelError
from antiphon.evaluation import audit, probe, qualitative
from antiphon.evaluation.probes.targets import Target
from antiphon.experiments.alignment import CONTROL, Loss, alignment, with_loss
from antiphon.experiments.kept import Kept
from antiphon.experiments.paper import TABLE_2
from antiphon.experiments.trials import Trials
from antiphon.experiments.verdict import alignment_verdict, live_verdict, question_1, question_2
from antiphon.features.features import Features
from antiphon.model.recipe import Recipe, load_recipe, recipe_names
from antiphon.runs import fingerprint, versions

PARTS = ("experiment_1", "experiment_2", "experiment_3", "audit", "qualitative")
_NOT_ASKED = "This part was not requested."

Progress = Callable[[str, int, int, str], None]
"""Takes the part, the number of its steps done, their total, and a short remark."""


@dataclass(frozen=True)
class _Paper:
    """Inputs and methods of the parts."""

    trials: Trials
    base: Recipe
    seeds: int
    loss: Loss
    attributes: npt.NDArray[np.float64] | None
    why_no_attributes: str
    progress: Progress | None

    def make(self, part: str) -> dict[str, Any]:
        """Make a part, or {"reason": …} if the data lack what it needs."""
        try:
            return getattr(self, part)()
        except DivergedError:
            raise
        except (FeatureStoreError, ModelError) as error:
            return {"reason": str(error)}

    def settings(self, part: str) -> dict[str, Any]:
        """Return all that determines a part, except the data."""
        recipes = [load_recipe(name).model_dump(mode="json") for name in recipe_names()]
        found: dict[str, Any] = {"seeds": self.seeds, "loss": self.loss, "recipes": recipes}
        if part == "qualitative" and self.attributes is not None:
            found["attributes"] = fingerprint(self.attributes)
        return found

    def experiment_1(self) -> dict[str, Any]:
        return alignment(self.trials, seeds=self.seeds, loss=self.loss, progress=self._tell("experiment_1"))

    def experiment_2(self) -> dict[str, Any]:
        return self._probed("genre", "experiment_2")

    def experiment_3(self) -> dict[str, Any]:
        return self._probed("tags", "experiment_3")

    def audit(self) -> dict[str, Any]:
        self._tell("audit")(0, 1, "")
        control = self.trials.fitted(self.base, 0, shuffled=True)
        return audit(self._model(), self.trials.features, control=control).to_dict()

    def qualitative(self) -> dict[str, Any]:
        self._tell("qualitative")(0, 1, "")
        why = self.why_no_attributes
        return qualitative(self._model(), self.trials.features, self.attributes, why_no_attributes=why)

    def _probed(self, target: Target, part: str) -> dict[str, Any]:
        found = probe(self._model(), self.trials.features, target, seeds=self.seeds, progress=self._tell(part))
        return found.to_dict()

    def _model(self) -> DualEncoder:
        return self.trials.fitted(self.base, 0)

    def _tell(self, part: str) -> Callable[[int, int, str], None]:
        def tell(done: int, total: int, words: str) -> None:
            if self.progress is not None:
                self.progress(part, done, total, words)

        return tell


def reproduce(
    trials: Trials,
    kept: Kept,
    *,
    parts: Collection[str] = PARTS,
    seeds: int = 3,
    loss: Loss = "info_nce",
    attributes: npt.NDArray[np.float64] | None = None,
    why_no_attributes: str = "",
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Run the experiments of Veldkamp et al. (2023) and answer the paper's questions.

    Parameters
    ----------
    trials : Trials
        The data set, and where trained models are kept.
    kept : Kept
        Where finished parts are kept.
    parts : collection of str
        Parts to run, of `PARTS`; for others, stored results of the same data and settings are used.
    seeds : int
        Number of trainings of each configuration and classifier.
    loss : {"info_nce", "decoupled"}
        As in the authors' code, or as in their equations 3 and 4.
    attributes : ndarray of float64, optional
        As in `antiphon.evaluation.qualitative`; None omits what they explain.
    why_no_attributes : str
        Reason for None.
    progress : callable, optional
        Called before each step.

    Returns
    -------
    dict
        "experiment_1" (`alignment`), "experiment_2" and "experiment_3" (`antiphon.probe` of genre and of the ten most
        frequent tags), "audit", "qualitative"; {"reason": …} instead if the data lack what they need. "run", the base
        configuration that all but the first are about; "probe_paper"; "verdict": "alignment", "rq1", "rq2" and "live"
        in words; "data", "loss", "seeds", "seconds" per part and "versions".

    Raises
    ------
    DivergedError
        A training diverged.
    """
    base = with_loss(load_recipe(CONTROL), loss)
    paper = _Paper(trials, base, seeds, loss, attributes, why_no_attributes, progress)
    found: dict[str, dict[str, Any]] = {}
    seconds: dict[str, float] = {}
    for part in PARTS:
        started = time.monotonic()
        settings = paper.settings(part)
        if part in parts:
            found[part] = kept.get(part, settings, partial(paper.make, part))
        else:
            found[part] = kept.find(part, settings) or {"reason": _NOT_ASKED}
        seconds[part] = round(time.monotonic() - started, 1)
    return found | {
        "run": trials.name(base, 0),
        "probe_paper": TABLE_2,
        "verdict": {
            "alignment": alignment_verdict(found["experiment_1"]),
            "rq1": question_1({"genre": found["experiment_2"], "tags": found["experiment_3"]}),
            "rq2": question_2(found["qualitative"]),
            "live": live_verdict(found["qualitative"]),
        },
        "data": _data(trials.features),
        "loss": loss,
        "seeds": seeds,
        "seconds": seconds,
        "versions": versions(),
    }


def _data(features: Features) -> dict[str, Any]:
    pairs = features.paired
    return {
        "audio": features.audio_name,
        "video": features.video_name,
        "pairs": len(pairs),
        "videos": len(np.unique(pairs.groups)),
        "splits": {
            name: len(np.unique(pairs.groups[pairs.splits == name])) for name in ("train", "validation", "test")
        },
    }
