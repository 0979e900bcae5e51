"""A recipe: everything that decides how a model is trained, as data with a name."""

import tomllib
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from antiphon.errors import ConfigError
from antiphon.model.aggregators import TrackConfig
from antiphon.model.closed_form import ClosedFormConfig
from antiphon.model.heads import HeadConfig
from antiphon.model.losses import LossConfig
from antiphon.model.renamed_keys import with_current_keys


class TrainingConfig(BaseModel):
    """The optimiser and when to stop.

    Attributes
    ----------
    batch_size : pairs in a batch at the most; no two of one video.
    embed_batch_size : pairs to embed at a time, where the activations of a whole batch would not fit in memory; the
        gradients are the batch's all the same. Not with batch norm, which looks at all that is embedded together.
    schedule : "exponential" multiplies the learning rate by `learning_rate_decay` after each epoch; "cosine" brings it
        down to 0 along half a cosine over all epochs.
    epochs : at the most.
    min_steps : batches that training has at least, should it not stop early: more epochs where an epoch has few.
    patience : epochs without improvement of what `stop_on` names before training stops; the best epoch is kept.
    stop_on : "loss" of the validation pairs, as the paper, or their "rank" (mean log rank both ways).
    schedule_not_stepped : keep the learning rate as it is at first, whatever its decay. So it was in the authors' code.
    first_segment_only : train on the first segment of each video alone. So it was in the authors' code.
    min_pairs : with fewer training videos than this the recipe warns that it has too few to learn from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    optimizer: Literal["adam", "adamw"] = "adam"
    learning_rate: float = Field(default=0.01, gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    schedule: Literal["exponential", "cosine"] = "exponential"
    learning_rate_decay: float = Field(default=0.95, gt=0, le=1)
    batch_size: int = Field(default=1000, ge=2)
    embed_batch_size: int | None = Field(default=None, ge=1)
    epochs: int = Field(default=100, ge=1)
    min_steps: int = Field(default=0, ge=0)
    patience: int = Field(default=3, ge=1)
    stop_on: Literal["loss", "rank"] = "loss"
    schedule_not_stepped: bool = False
    first_segment_only: bool = False
    min_pairs: int = Field(default=100, ge=2)


class AutoencoderConfig(BaseModel):
    """The autoencoders whose encoders the heads start from, where they do.

    The paper names no settings. Their loss is the share of the feature's variance that is not rebuilt: each value's
    squared error over its variance in the training set, so that 1 is what the mean of all would score.

    Attributes
    ----------
    epochs : at the most; 0 for no autoencoders: the heads start at random.
    patience : epochs without a better validation loss before they stop; the best epoch is kept.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = Field(default=0, ge=0)
    learning_rate: float = Field(default=0.002, gt=0)
    batch_size: int = Field(default=512, ge=2)
    patience: int = Field(default=3, ge=1)


class Recipe(BaseModel):
    """Heads, loss and training of a dual encoder.

    Attributes
    ----------
    heads : "both" sides have one, or the "video" alone, which then projects to the audio feature's size: `head.embedding_dim`
        does not count.
    closed_form : embeddings that are not trained, beside the heads'; None: the heads' alone.
    track : the track model; None: a track is the normalised mean of its segments' embeddings.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str
    heads: Literal["both", "video"] = "both"
    head: HeadConfig
    autoencoder: AutoencoderConfig = AutoencoderConfig()
    loss: LossConfig
    training: TrainingConfig
    closed_form: ClosedFormConfig | None = None
    track: TrackConfig | None = None

    @model_validator(mode="after")
    def _some_need_both_heads(self) -> Self:
        for table in ("track", "closed_form"):
            if getattr(self, table) is not None and self.heads != "both":
                raise ValueError(f'[{table}] needs heads on both sides; leave it out, or set heads = "both"')
        return self

    @model_validator(mode="after")
    def _embeds_in_parts(self) -> Self:
        if self.training.embed_batch_size is not None and self.head.normalisation == "batch":
            raise ValueError("batch norm looks at a whole batch: leave embed_batch_size out, or normalise by layer")
        return self

    @property
    def non_negative(self) -> bool:
        """Whether no embedding can have a negative value, so that no two are further apart than a right angle."""
        return self.head.output == "sigmoid" and self.heads == "both"


def recipe_names() -> list[str]:
    """Names of the recipes that come with Antiphon."""
    return sorted(entry.name.removesuffix(".toml") for entry in _shelf().iterdir() if entry.name.endswith(".toml"))


def load_recipe(name: str | Path) -> Recipe:
    """A recipe by its name, or from a TOML file: your own, or the run.toml of an earlier run.

    A recipe that names another one under `inherits` says only what it changes.

    Raises
    ------
    ConfigError
        There is no such recipe, or it holds a setting that is unknown or out of range.
    """
    text = str(name)
    return recipe_from(_resolved(_read(text), text), text)


def _read(name: str) -> dict[str, Any]:
    if name.endswith(".toml"):
        path = Path(name)
        if not path.is_file():
            raise ConfigError(f"{path}: no such recipe file.")
        try:
            return _parsed(path.read_text(encoding="utf-8"), name)
        except UnicodeDecodeError as error:
            raise ConfigError(f"{path}: is not UTF-8 text ({error.reason}).") from error
    if name not in recipe_names():
        raise ConfigError(f"'{name}' is no recipe. There are {', '.join(recipe_names())}, or give a .toml file.")
    return _parsed((_shelf() / f"{name}.toml").read_text(encoding="utf-8"), name)


def _parsed(text: str, where: str) -> dict[str, Any]:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where}: is not TOML: {error}.") from error
    return with_current_keys(data.get("recipe", data), where)


def _resolved(data: dict[str, Any], where: str) -> dict[str, Any]:
    """`data` over what it inherits."""
    if "inherits" not in data:
        return data
    parent = data["inherits"]
    if not isinstance(parent, str) or parent not in recipe_names():
        raise ConfigError(f"{where}: inherits {parent!r}, which is no recipe. There are {', '.join(recipe_names())}.")
    base = _resolved(_read(parent), parent)
    return _over(base, {key: value for key, value in data.items() if key != "inherits"})


def _over(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`base` with `changes`, tables joined key by key."""
    joined = dict(base)
    for key, value in changes.items():
        below = joined.get(key)
        joined[key] = _over(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return joined


def recipe_from(data: dict[str, Any], where: str) -> Recipe:
    """A recipe from a dictionary; `where` names it in messages.

    Raises
    ------
    ConfigError
        Naming each setting that is wrong.
    """
    try:
        return Recipe.model_validate(with_current_keys(data, where))
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise ConfigError(f"{where}: {faults}.") from error


def changed_recipe(base: Recipe, changes: dict[str, Any], where: str) -> Recipe:
    """`base` with `changes`, nested as in a recipe's TOML; `where` names them in messages.

    Raises
    ------
    ConfigError
        Naming each setting that is wrong.
    """
    return recipe_from(_over(base.model_dump(), with_current_keys(changes, where)), where)


def _shelf() -> Any:
    return resources.files("antiphon.model") / "recipes"
