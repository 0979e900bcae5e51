"""Trains what an experiment asks for, and only once: what is trained is kept as a run of the workspace."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from antiphon.dual_encoder import DualEncoder
from antiphon.errors import ModelError
from antiphon.evaluation.auditing import shuffled_pairs
from antiphon.features.features import Features
from antiphon.model.recipe import Recipe
from antiphon.runs import RUN_FILE, read_run, versions
from antiphon.training.data import inputs_fingerprint
from antiphon.training.loop import Progress


@dataclass(frozen=True)
class Trials:
    """A data set with its splits, and where the models trained on it are kept.

    Attributes
    ----------
    features : Features
        With train, validation and test rows; those without a partner are left out.
    run : callable
        Gives the folder of a run by its name.
    device : str
        As for `DualEncoder`.
    """

    features: Features
    run: Callable[[str], Path]
    device: str = "auto"

    def fitted(
        self, recipe: Recipe, seed: int, *, shuffled: bool = False, progress: Progress | None = None
    ) -> DualEncoder:
        """The model of this recipe and seed: trained now, or read where it was trained before on the same features.

        Parameters
        ----------
        shuffled : bool
            Train on pictures of other videos, as a control: there is nothing to learn then.
        """
        pairs, validation = self.features["train"].paired, self.features["validation"].paired
        if shuffled:
            pairs, validation = shuffled_pairs(pairs, seed), shuffled_pairs(validation, seed)
        folder = self.run(self.name(recipe, seed, shuffled=shuffled))
        model = DualEncoder(recipe, seed, self.device)
        if is_trained(folder, model, pairs, validation):
            with suppress(ModelError):  # A damaged run is trained again.
                return DualEncoder.load(folder, self.device)
        model.fit(pairs, validation, progress, verbose=False)
        model.save(folder)
        return model

    def name(self, recipe: Recipe, seed: int, *, shuffled: bool = False) -> str:
        """What `fitted` calls the run."""
        return f"{recipe.name}{'-shuffled' if shuffled else ''}-seed-{seed}"


def is_trained(folder: Path, model: DualEncoder, pairs: Features, validation: Features) -> bool:
    """Whether `folder` holds a run of the model's recipe and seed, by these versions, on these very features."""
    if not (folder / RUN_FILE).exists():
        return False
    record = read_run(folder)
    return (
        record.get("recipe") == model.recipe.model_dump(mode="json", exclude_none=True)
        and record.get("seed") == model.seed
        and record.get("versions") == versions()
        and record.get("inputs", {}).get("sha256") == inputs_fingerprint(pairs, validation, model.recipe)
    )
