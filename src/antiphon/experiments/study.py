"""A study: recipes, one ingredient apart, trained on several draws of one data set, as data from a TOML file."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from antiphon.errors import ConfigError
from antiphon.model.recipe import Recipe, changed_recipe, load_recipe

CCA = "cca"
"""The step that is no recipe: `antiphon.model.cca_tuning`."""

Size = Literal["all"] | Annotated[int, Field(ge=4)]


class DrawSettings(BaseModel):
    """How videos are dealt, over and over, into those that are tested and those that are trained on.

    Attributes
    ----------
    count : int
        Draws; their test videos are disjoint.
    test : int
        Videos held out in each (a few more where whole artists make it so).
    validation_share : float
        Of the videos that are left, the share that decides when training stops.
    seed : int
        Deals otherwise.
    label : str, optional
        Only held-out videos with this label are asked about and answer. What is trained on stays the same.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int = Field(default=5, ge=1)
    test: int = Field(default=1000, ge=2)
    validation_share: float = Field(default=0.1, gt=0, lt=1)
    seed: int = 0
    label: str | None = None


class Step(BaseModel):
    """One way to train, among others that it is compared with.

    Attributes
    ----------
    name : str
        Of the step, and of its recipe unless it inherits: "cca" is the tuned linear analysis.
    label : str
        What it adds, in a few words for tables and pictures. Default: the name.
    inherits : str, optional
        An earlier step, a recipe by its name, or a TOML file beside the study's.
    changes : dict
        Settings over what is inherited, nested as in a recipe.
    extra : bool, optional
        Also train on the study's extra features. Default: as what it inherits.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    label: str = ""
    inherits: str | None = None
    changes: dict[str, Any] = Field(default_factory=dict)
    extra: bool | None = None


class Study(BaseModel):
    """What is compared, and on how much.

    Attributes
    ----------
    name, description : str
        For the page.
    step : tuple of Step
        In order; each is compared with the one before.
    seeds : int
        Trainings of each step on each draw.
    videos : tuple of Size
        Sizes of the training set, validation included: "all" that a draw leaves, or so many of them. The smaller ones
        are part of the larger ones.
    reference : str
        The step that all are compared with too. Default: the last.
    draws : DrawSettings
        How videos are dealt.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str = ""
    step: tuple[Step, ...] = Field(min_length=1)
    seeds: int = Field(default=3, ge=1)
    videos: tuple[Size, ...] = Field(default=("all",), min_length=1)
    reference: str = ""
    draws: DrawSettings = DrawSettings()

    @model_validator(mode="after")
    def _names_are_clear(self) -> Self:
        names = [step.name for step in self.step]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"two steps are called {repeated[0]}")
        if self.reference and self.reference not in names:
            raise ValueError(f"reference {self.reference} is no step; there are {', '.join(names)}")
        if len(set(self.videos)) < len(self.videos):
            raise ValueError("videos names a size twice")
        return self


class ResolvedStep(BaseModel):
    """A step whose settings are all known.

    Attributes
    ----------
    recipe : Recipe or None
        None for the linear analysis.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    label: str
    recipe: Recipe | None
    extra: bool


def load_study(path: Path) -> Study:
    """Read a study's TOML file.

    Raises
    ------
    ConfigError
        It is missing, is not TOML, or holds a setting that is unknown or out of range.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such study file.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not TOML: {error}.") from error
    try:
        return Study.model_validate(data)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise ConfigError(f"{path}: {faults}.") from error


def resolved_steps(study: Study, folder: Path) -> list[ResolvedStep]:
    """The study's steps with all that they inherit.

    Parameters
    ----------
    folder : Path
        That of the study's file, in which recipe files are looked for.

    Raises
    ------
    ConfigError
        A step inherits what there is not, or changes a setting that is unknown or out of range.
    """
    done: list[ResolvedStep] = []
    for step in study.step:
        done.append(_resolved(step, done, folder))
    return done


def _resolved(step: Step, earlier: Sequence[ResolvedStep], folder: Path) -> ResolvedStep:
    label = step.label or step.name
    if step.name == CCA:
        if step.inherits is not None or step.changes:
            raise ConfigError(f"Step {CCA}: is tuned by itself; it inherits and changes nothing.")
        return ResolvedStep(name=CCA, label=label, recipe=None, extra=bool(step.extra))
    parent = next((other for other in earlier if other.name == step.inherits), None)
    if parent is not None and parent.recipe is None:
        raise ConfigError(f"Step {step.name}: inherits {parent.name}, which is no recipe.")
    base = parent.recipe if parent is not None and parent.recipe is not None else _shelved(step, folder)
    recipe = changed_recipe(base, {"name": step.name, "description": label} | step.changes, f"Step {step.name}")
    inherited = parent is not None and parent.extra
    return ResolvedStep(
        name=step.name, label=label, recipe=recipe, extra=inherited if step.extra is None else step.extra
    )


def _shelved(step: Step, folder: Path) -> Recipe:
    name = step.inherits or step.name
    try:
        return load_recipe(folder / name if name.endswith(".toml") else name)
    except ConfigError as error:
        raise ConfigError(f"Step {step.name}: {error}") from error
