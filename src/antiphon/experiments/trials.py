"""Trainings of experiments, each stored as a run and done only once."""

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
from antiphon.training.epochs import Progress


@dataclass(frozen=True)
class Trials:
    """A data set with its splits, and where trained models are stored.

    Attributes
    ----------
    features : Features
        Train, validation and test rows; those without a partner are not used.
    run : callable
        Returns the folder of a run by its name.
    device : str
        As in `DualEncoder`.
    """

    features: Features
    run: Callable[[str], Path]
    device: str = "auto"

    def fitted(
        self, recipe: Recipe, seed: int, *, shuffled: bool = False, progress: Progress | None = None
    ) -> DualEncoder:
        """Return the model of a recipe and seed, trained now or earlier on the same features.

        Parameters
        ----------
        recipe : Recipe
            The recipe.
        seed : int
            The seed.
        shuffled : bool
            Train on shuffled pairs, as a control that has nothing to learn.
        progress : callable, optional
            As in `DualEncoder.fit`.

        Returns
        -------
        DualEncoder
            The model.
        """
        pairs, validation = self.features["train"].training_pairs, self.features["validation"].training_pairs
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
        """Return the name of the run of `fitted`."""
        return f"{recipe.name}{'-shuffled' if shuffled else ''}-seed-{seed}"


def is_trained(
    folder: Path, model: DualEncoder, pairs: Features, validation: Features, pretraining: Features | None = None
) -> bool:
    """Return whether `folder` has a run of the model's recipe and seed, on these features and versions."""
    if not (folder / RUN_FILE).exists():
        return False
    record = read_run(folder)
    return (
        record.get("recipe") == model.recipe.model_dump(mode="json", exclude_none=True)
        and record.get("seed") == model.seed
        and record.get("versions") == versions()
        and record.get("inputs", {}).get("sha256") == inputs_fingerprint(pairs, validation, model.recipe, pretraining)
    )
