"""A recipe: everything that decides how a model is trained, as data with a name."""

import tomllib
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from antiphon.errors import ConfigError
from antiphon.model.heads import HeadConfig
from antiphon.model.losses import LossConfig


class TrainingConfig(BaseModel):
    """The optimiser and when to stop.

    Attributes
    ----------
    batch_size : pairs in a batch at the most; no two of one video.
    learning_rate_decay : factor on the learning rate after each epoch.
    epochs : at the most.
    patience : epochs without improvement of what `stop_on` names before training stops; the best epoch is kept.
    stop_on : "loss" of the validation pairs, as the paper, or their "rank" (mean log rank both ways).
    least_pairs : with fewer training videos than this the recipe warns that it has too few to learn from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    optimizer: Literal["adam", "adamw"] = "adam"
    learning_rate: float = Field(default=0.01, gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    learning_rate_decay: float = Field(default=0.95, gt=0, le=1)
    batch_size: int = Field(default=1000, ge=2)
    epochs: int = Field(default=100, ge=1)
    patience: int = Field(default=3, ge=1)
    stop_on: Literal["loss", "rank"] = "loss"
    least_pairs: int = Field(default=100, ge=2)


class Recipe(BaseModel):
    """Heads, loss and training of a dual encoder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str
    head: HeadConfig
    loss: LossConfig
    training: TrainingConfig


def recipe_names() -> list[str]:
    """Names of the recipes that come with Antiphon."""
    return sorted(entry.name.removesuffix(".toml") for entry in _shelf().iterdir() if entry.name.endswith(".toml"))


def load_recipe(name: str | Path) -> Recipe:
    """A recipe by its name, or from a TOML file: your own, or the run.toml of an earlier run.

    Raises
    ------
    ConfigError
        There is no such recipe, or it holds a setting that is unknown or out of range.
    """
    text = str(name)
    if text.endswith(".toml"):
        path = Path(text)
        if not path.is_file():
            raise ConfigError(f"{path}: no such recipe file.")
        try:
            return parse_recipe(path.read_text(encoding="utf-8"), text)
        except UnicodeDecodeError as error:
            raise ConfigError(f"{path}: is not UTF-8 text ({error.reason}).") from error
    if text not in recipe_names():
        raise ConfigError(f"'{text}' is no recipe. There are {', '.join(recipe_names())}, or give a .toml file.")
    return parse_recipe((_shelf() / f"{text}.toml").read_text(encoding="utf-8"), text)


def parse_recipe(text: str, where: str) -> Recipe:
    """A recipe from TOML text, its own or the record of a run; `where` names it in messages."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where}: is not TOML: {error}.") from error
    return recipe_from(data.get("recipe", data), where)


def recipe_from(data: dict[str, Any], where: str) -> Recipe:
    """A recipe from a dictionary; `where` names it in messages.

    Raises
    ------
    ConfigError
        Naming each setting that is wrong.
    """
    try:
        return Recipe.model_validate(data)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise ConfigError(f"{where}: {faults}.") from error


def _shelf() -> Any:
    return resources.files("antiphon.model") / "recipes"
