"""Studies: recipes that differ by one ingredient, trained on several draws of a data set, from a TOML file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from antiphon.documents import parsed_toml, read_document, reason
from antiphon.errors import ConfigError
from antiphon.model.recipe import Recipe, changed_recipe, load_recipe
from antiphon.shapes import faults_of

CCA = "cca"
"""Name of the step of `antiphon.model.cca_tuning`, which has no recipe."""
ZERO_SHOT = "zero-shot"
"""Name of the step that compares features as they are, without training."""
UNTRAINED = (CCA, ZERO_SHOT)
"""Steps without a recipe. They have nothing random, so they run once on each draw."""

Extra = bool | Literal["pretrain"]
Size = Literal["all"] | Annotated[int, Field(ge=4)]


class DrawSettings(BaseModel):
    """How videos are repeatedly split into test and training videos.

    Attributes
    ----------
    count : int
        Number of draws; their test sets are disjoint.
    test : int
        Test videos of each (some more, to keep artists together).
    validation_share : float
        Fraction of the training videos that decide when training stops.
    seed : int
        Seed of the draws.
    label : str, optional
        Test only videos with this label. Training is not affected.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    count: int = Field(default=5, ge=1)
    test: int = Field(default=1000, ge=2)
    validation_share: float = Field(default=0.1, gt=0, lt=1)
    seed: int = 0
    label: str | None = None


class StudyStep(BaseModel):
    """One recipe, the linear analysis, or the features as they are, in a study.

    Attributes
    ----------
    name : str
        Name of the step, and of its recipe unless it inherits. "cca" is the tuned linear analysis; "zero-shot" compares
        the features themselves, where both backbones share one space.
    label : str
        What it adds, for tables and charts. Default: the name.
    inherits : str, optional
        An earlier step, a recipe by name, or a TOML file beside the study's.
    changes : dict
        Settings that override what is inherited, nested as in a recipe.
    extra : bool or {"pretrain"}, optional
        Also train on the study's extra features (true), or on these first. Default: as in what it inherits.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    label: str = ""
    inherits: str | None = None
    changes: dict[str, Any] = Field(default_factory=dict)
    extra: Extra | None = None


class Study(BaseModel):
    """A comparison of recipes.

    Attributes
    ----------
    name, description : str
        For the page.
    step : tuple of StudyStep
        Steps in order; each is compared with the one before.
    seeds : int
        Number of trainings of each step on each draw.
    videos : tuple of int or {"all"}
        Sizes of the training set, including validation. Smaller ones are part of larger ones.
    reference : str
        Step that all are also compared with. Default: the last.
    draws : DrawSettings
        How videos are drawn.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str = ""
    step: tuple[StudyStep, ...] = Field(min_length=1)
    seeds: int = Field(default=3, ge=1, le=10_000)
    videos: tuple[Size, ...] = Field(default=("all",), min_length=1)
    reference: str = ""
    draws: DrawSettings = DrawSettings()

    @model_validator(mode="after")
    def _names_are_clear(self) -> Self:
        names = [step.name for step in self.step]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"two steps are named {repeated[0]}")
        if self.reference and self.reference not in names:
            raise ValueError(f"reference {self.reference} is not a step; use one of {', '.join(names)}")
        if len(set(self.videos)) < len(self.videos):
            raise ValueError("videos has duplicate sizes")
        return self


class ResolvedStep(BaseModel):
    """A step with all its settings.

    Attributes
    ----------
    recipe : Recipe, optional
        None for the linear analysis and for zero-shot.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    label: str
    recipe: Recipe | None
    extra: Extra


def load_study(path: Path) -> Study:
    """Read a study's TOML file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Study
        The study.

    Raises
    ------
    ConfigError
        It is missing, not TOML, or has a setting that is unknown or out of range.
    """
    try:
        data = parsed_toml(read_document(path))
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such study file.") from error
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: not TOML: {reason(error)}.") from error
    try:
        return Study.model_validate(data)
    except ValidationError as error:
        raise ConfigError(f"{path}: {faults_of(error)}.") from error


def resolved_steps(study: Study, folder: Path) -> list[ResolvedStep]:
    """Resolve what the steps of a study inherit.

    Parameters
    ----------
    study : Study
        The study.
    folder : Path
        Folder of the study's file, for recipe files.

    Returns
    -------
    list of ResolvedStep
        The steps.

    Raises
    ------
    ConfigError
        A step inherits something unknown, or changes a setting that is unknown or out of range.
    """
    done: list[ResolvedStep] = []
    for step in study.step:
        done.append(_resolved(step, done, folder))
    return done


def _resolved(step: StudyStep, earlier: Sequence[ResolvedStep], folder: Path) -> ResolvedStep:
    label = step.label or step.name
    if step.name in UNTRAINED:
        if step.extra == "pretrain":
            raise ConfigError(f"Step {step.name}: has no heads to pretrain. Use extra = true, or another step.")
        if step.inherits is not None or step.changes:
            raise ConfigError(f"Step {step.name}: cannot inherit or change anything; it has no recipe.")
        return ResolvedStep(name=step.name, label=label, recipe=None, extra=bool(step.extra))
    parent = next((other for other in earlier if other.name == step.inherits), None)
    if parent is not None and parent.recipe is None:
        raise ConfigError(f"Step {step.name}: cannot inherit {parent.name}, which has no recipe.")
    base = parent.recipe if parent is not None and parent.recipe is not None else _shelved(step, folder)
    recipe = changed_recipe(base, {"name": step.name, "description": label} | step.changes, f"Step {step.name}")
    inherited: Extra = False if parent is None else parent.extra
    return ResolvedStep(
        name=step.name, label=label, recipe=recipe, extra=inherited if step.extra is None else step.extra
    )


def _shelved(step: StudyStep, folder: Path) -> Recipe:
    name = step.inherits or step.name
    try:
        return load_recipe(folder / name if name.endswith(".toml") else name)
    except ConfigError as error:
        raise ConfigError(f"Step {step.name}: {error}") from error
