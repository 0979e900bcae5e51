"""The paper, whole: its experiments, its qualitative analysis and the audit of its evaluation, on one data set."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.errors import AntiphonError
from antiphon.evaluation import probe, qualitative
from antiphon.evaluation.audit import audit
from antiphon.experiments.alignment import CONTROL, Loss, alignment, with_loss
from antiphon.experiments.kept import Kept
from antiphon.experiments.paper import TABLE_2
from antiphon.experiments.trials import Trials
from antiphon.experiments.verdict import alignment_verdict, question_1, question_2
from antiphon.features.features import Features
from antiphon.model.recipe import load_recipe
from antiphon.runs import fingerprint, versions

PARTS = ("experiment_1", "experiment_2", "experiment_3", "audit", "qualitative")
_NOT_ASKED = "This part was not asked for."

Progress = Callable[[str, int, int, str], None]
"""Takes the part, how many steps of it are done, of how many, and a few words."""


@dataclass
class _Clock:
    seconds: dict[str, float] = field(default_factory=dict[str, float])

    def timed(self, part: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What `make` returns, or {"reason": …} where the data lack what it needs."""
        started = time.monotonic()
        try:
            return make()
        except AntiphonError as error:
            return {"reason": str(error)}
        finally:
            self.seconds[part] = round(time.monotonic() - started, 1)


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
    """Run the experiments of Veldkamp et al. (2023) and answer its questions.

    Parameters
    ----------
    trials : the data set, and where trained models are kept.
    kept : where finished parts are kept.
    parts : of `PARTS`; others are left out, with that as the reason.
    seeds : trainings of each configuration and classifier.
    loss : "info_nce" as in the authors' code, or "decoupled" as in their equations 3 and 4.
    attributes : as for `antiphon.evaluation.qualitative`; None leaves out what they explain, for `why_no_attributes`.
    progress : called before each step.

    Returns
    -------
    dict
        "experiment_1" (`alignment`), "experiment_2" and "experiment_3" (`antiphon.probe` of genre and of the ten most
        frequent tags), "audit", "qualitative"; in their place {"reason": …} where the data lack what they need.
        "run", the base configuration that all but the first are about; "probe_paper"; "verdict": "alignment", "rq1"
        and "rq2" in words; "data", "loss", "seconds" a part and "versions".
    """
    features, clock = trials.features, _Clock()
    base = with_loss(load_recipe(CONTROL), loss)

    def tell(part: str) -> Callable[[int, int, str], None]:
        return lambda done, total, note="": progress(part, done, total, note) if progress is not None else None

    def aligned() -> dict[str, Any]:
        return alignment(trials, seeds=seeds, loss=loss, progress=tell("experiment_1"))

    def probed(target: str, part: str) -> dict[str, Any]:
        return probe(trials.fitted(base, 0), features, target, seeds=seeds, progress=tell(part))  # pyright: ignore[reportArgumentType]

    def audited() -> dict[str, Any]:
        tell("audit")(0, 1, "")
        return audit(trials.fitted(base, 0), features, control=trials.fitted(base, 0, shuffled=True))

    def compared() -> dict[str, Any]:
        tell("qualitative")(0, 1, "")
        return qualitative(trials.fitted(base, 0), features, attributes, why_no_attributes=why_no_attributes)

    makers = dict(
        zip(
            PARTS,
            (aligned, lambda: probed("genre", PARTS[1]), lambda: probed("tags", PARTS[2]), audited, compared),
            strict=True,
        )
    )
    settings = {"seeds": seeds, "loss": loss, "attributes": None if attributes is None else fingerprint(attributes)}
    found = {
        part: clock.timed(part, lambda part=part, make=make: kept.get(part, settings, make))
        if part in parts
        else {"reason": _NOT_ASKED}
        for part, make in makers.items()
    }
    return found | {
        "run": trials.name(base, 0),
        "probe_paper": TABLE_2,
        "verdict": {
            "alignment": alignment_verdict(found["experiment_1"]),
            "rq1": question_1({"genre": found["experiment_2"], "tags": found["experiment_3"]}),
            "rq2": question_2(found["qualitative"]),
        },
        "data": _data(features),
        "loss": loss,
        "seeds": seeds,
        "seconds": clock.seconds,
        "versions": versions(),
    }


def features_fingerprint(features: Features) -> str:
    """SHA-256 (hex) of all of the features that the experiments look at."""
    labels = np.array(["\x1f".join(row) for row in features.labels])
    about = (features.ids, features.groups, features.splits, features.genres, features.artists, labels)
    return fingerprint(features.audio, features.video, *about)


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
