"""Recipes: everything that decides how a model is trained, as named data."""

from importlib import resources
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from antiphon.documents import parsed_toml, read_document, reason
from antiphon.errors import ConfigError
from antiphon.model.closed_form import ClosedFormConfig
from antiphon.model.heads import HeadConfig
from antiphon.model.hubness import HubnessConfig
from antiphon.model.losses import LossConfig
from antiphon.model.renamed_keys import with_current_keys
from antiphon.model.track_model import TrackConfig
from antiphon.shapes import faults_of


class TrainingConfig(BaseModel):
    """Optimizer, batches and early stopping.

    Attributes
    ----------
    optimizer : {'adam', 'adamw'}
        "adamw" decouples weight decay from the gradient.
    learning_rate : float
        Initial learning rate.
    weight_decay : float
        Weight decay of weight matrices; biases, norms and the logit scale have none.
    schedule : {'exponential', 'cosine'}
        "exponential" multiplies the learning rate by `learning_rate_decay` after each epoch; "cosine" anneals it to 0
        over all epochs.
    learning_rate_decay : float
        Factor per epoch of the exponential schedule, in (0, 1].
    batch_size : int
        Maximum pairs per batch. No two pairs of a batch come from the same video.
    embed_batch_size : int or None
        Embed a batch in parts of this many pairs, where the activations of a whole batch do not fit in memory.
        Gradients are those of the whole batch. Incompatible with batch norm, which depends on all pairs embedded
        together.
    epochs : int
        Maximum epochs, unless `min_steps` asks for more.
    max_visits : int or None
        Maximum number of batches that a video is in, on average; with many segments per video there are fewer epochs,
        unless `min_steps` asks for more. None for no limit.
    min_steps : int
        Minimum optimizer steps before training ends, early or not; it adds epochs where an epoch is short.
    patience : int
        Epochs without improvement of `stop_on` before training stops. The best epoch is kept.
    stop_on : {'loss', 'rank'}
        "loss" of the validation pairs, as in the paper, or their "rank" (mean log rank over both directions).
    schedule_not_stepped : bool
        Keep the learning rate constant, as the authors' code does: it builds a schedule and never steps it.
    first_segment_only : bool
        Train on the first segment of each video only, as the authors' code does.
    min_pairs : int
        Training warns below this number of training videos.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    optimizer: Literal["adam", "adamw"] = "adam"
    learning_rate: float = Field(default=0.01, gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    schedule: Literal["exponential", "cosine"] = "exponential"
    learning_rate_decay: float = Field(default=0.95, gt=0, le=1)
    batch_size: int = Field(default=1000, ge=2, le=10**9)
    embed_batch_size: int | None = Field(default=None, ge=1, le=10**9)
    epochs: int = Field(default=100, ge=1, le=10**9)
    max_visits: int | None = Field(default=None, ge=1, le=10**9)
    min_steps: int = Field(default=0, ge=0, le=10**12)
    patience: int = Field(default=3, ge=1, le=10**9)
    stop_on: Literal["loss", "rank"] = "loss"
    schedule_not_stepped: bool = False
    first_segment_only: bool = False
    min_pairs: int = Field(default=100, ge=2, le=10**12)


class AutoencoderConfig(BaseModel):
    """Training of the autoencoders whose encoders initialise the heads.

    The paper names no settings. The loss is the fraction of the features' variance left unexplained: the squared error
    of each value divided by its variance in the training set, so that predicting the mean scores 1.

    Attributes
    ----------
    epochs : int
        Maximum epochs; 0 disables autoencoders and initialises the heads at random.
    learning_rate : float
        Learning rate of Adam.
    batch_size : int
        Maximum features per batch.
    patience : int
        Epochs without a lower validation loss before training stops. The best epoch is kept.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    epochs: int = Field(default=0, ge=0, le=10**9)
    learning_rate: float = Field(default=0.002, gt=0)
    batch_size: int = Field(default=512, ge=2, le=10**9)
    patience: int = Field(default=3, ge=1, le=10**9)


class Recipe(BaseModel):
    """Heads, loss and training of a dual encoder.

    Attributes
    ----------
    name : str
        Name of the recipe; runs record it.
    description : str
        One line for listings and reports.
    heads : {'both', 'video'}
        "both" modalities have a head, or only the "video", which then projects to the size of the audio feature;
        `head.embedding_dim` is ignored in that case.
    head : HeadConfig
        Layers of each head.
    autoencoder : AutoencoderConfig
        Initialisation of the heads by autoencoders.
    loss : LossConfig
        Loss and its temperature.
    training : TrainingConfig
        Optimizer, batches and early stopping.
    closed_form : ClosedFormConfig or None
        Closed-form embeddings beside those of the heads; None for the heads only.
    track : TrackConfig or None
        Track model; None embeds a track as the normalised mean of its segments' embeddings.
    hubness : HubnessConfig or None
        Correction of the scores of audio with video; None for cosines as they are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str
    description: str
    heads: Literal["both", "video"] = "both"
    head: HeadConfig
    autoencoder: AutoencoderConfig = AutoencoderConfig()
    loss: LossConfig
    training: TrainingConfig
    closed_form: ClosedFormConfig | None = None
    track: TrackConfig | None = None
    hubness: HubnessConfig | None = None

    @model_validator(mode="after")
    def _check_tables_that_need_both_heads(self) -> Self:
        for table in ("track", "closed_form"):
            if getattr(self, table) is not None and self.heads != "both":
                raise ValueError(f'[{table}] needs heads for both modalities; leave it out, or set heads = "both"')
        return self

    @model_validator(mode="after")
    def _check_segments_of_tracks(self) -> Self:
        if self.track is not None and self.training.first_segment_only:
            raise ValueError("[track] needs all segments of a track: leave it out, or first_segment_only")
        return self

    @model_validator(mode="after")
    def _check_embed_batch_size(self) -> Self:
        if self.training.embed_batch_size is not None and self.head.normalisation == "batch":
            raise ValueError(
                'batch norm needs the whole batch: leave embed_batch_size out, or use "layer" normalisation'
            )
        return self

    @property
    def of_tracks(self) -> "Recipe":
        """Recipe of the heads that a track model has for its summaries."""
        closed_form = None if self.closed_form is None else self.closed_form.model_copy(update={"labels": False})
        return self.model_copy(update={"track": None, "closed_form": closed_form, "hubness": None})

    @property
    def hashed(self) -> str:
        """JSON that a hash is made of: runs from before there was a table have the same without it."""
        return self.model_dump_json(exclude={"hubness"} if self.hubness is None else None)

    @property
    def non_negative(self) -> bool:
        """True where embeddings have no negative values: no two are more than a right angle apart."""
        return self.head.output == "sigmoid" and self.heads == "both"


def recipe_names() -> list[str]:
    """Return the names of the built-in recipes.

    Returns
    -------
    list of str
        Sorted names.
    """
    return sorted(entry.name.removesuffix(".toml") for entry in _shelf().iterdir() if entry.name.endswith(".toml"))


def load_recipe(name: str | Path) -> Recipe:
    """Load a recipe by name, or from a TOML file: a recipe of your own, or the `run.toml` of an earlier run.

    A recipe with an `inherits` key states only what it changes in the built-in recipe of that name.

    Parameters
    ----------
    name : str or Path
        Name of a built-in recipe, or path to a file that ends in `.toml`.

    Returns
    -------
    Recipe
        The validated recipe.

    Raises
    ------
    ConfigError
        There is no such recipe, or it has an unknown setting or a value out of range.
    """
    text = str(name)
    return recipe_from(_resolved(_read(text), text), text)


def _read(name: str) -> dict[str, Any]:
    if name.endswith(".toml"):
        path = Path(name)
        try:
            return _parsed(read_document(path), name)
        except FileNotFoundError:
            raise ConfigError(f"{path}: no such recipe file.") from None
        except ConfigError:
            raise
        except (OSError, ValueError) as error:
            raise ConfigError(f"{path}: cannot be read as a recipe ({reason(error)}).") from error
    if name not in recipe_names():
        raise ConfigError(f"Unknown recipe '{name}'. Use one of {', '.join(recipe_names())}, or a .toml file.")
    return _parsed((_shelf() / f"{name}.toml").read_text(encoding="utf-8"), name)


def _parsed(text: str, where: str) -> dict[str, Any]:
    try:
        data = parsed_toml(text)
    except ValueError as error:
        raise ConfigError(f"{where}: is not valid TOML: {reason(error)}.") from error
    recipe = data.get("recipe", data)
    if not isinstance(recipe, dict):
        raise ConfigError(f"{where}: recipe is {type(recipe).__name__}, not a table.")
    return with_current_keys(recipe, where)


def _resolved(data: dict[str, Any], where: str) -> dict[str, Any]:
    """Merge `data` over the recipe that it inherits from."""
    if "inherits" not in data:
        return data
    parent = data["inherits"]
    if not isinstance(parent, str) or parent not in recipe_names():
        raise ConfigError(f"{where}: inherits {parent!r}; it must be one of {', '.join(recipe_names())}.")
    base = _resolved(_read(parent), parent)
    return _over(base, {key: value for key, value in data.items() if key != "inherits"})


def _over(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Merge `changes` over `base`, table by table."""
    joined = dict(base)
    for key, value in changes.items():
        below = joined.get(key)
        joined[key] = _over(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return joined


def recipe_from(data: dict[str, Any], where: str) -> Recipe:
    """Build a recipe from a dictionary.

    Parameters
    ----------
    data : dict of str to object
        Tables and values as in a recipe's TOML, with all inheritance resolved.
    where : str
        Name or file of the recipe, for messages.

    Returns
    -------
    Recipe
        The validated recipe.

    Raises
    ------
    ConfigError
        A setting is unknown or out of range; the message lists all of them.
    """
    try:
        return Recipe.model_validate(with_current_keys(data, where))
    except ValidationError as error:
        raise ConfigError(f"{where}: {faults_of(error)}.") from error


def changed_recipe(base: Recipe, changes: dict[str, Any], where: str) -> Recipe:
    """Return a recipe with some settings changed.

    Parameters
    ----------
    base : Recipe
        Recipe to start from; it is left unchanged.
    changes : dict of str to object
        Settings to change, nested as in a recipe's TOML.
    where : str
        Origin of the changes, for messages.

    Returns
    -------
    Recipe
        The changed recipe.

    Raises
    ------
    ConfigError
        A setting is unknown or out of range; the message lists all of them.
    """
    return recipe_from(_over(base.model_dump(), with_current_keys(changes, where)), where)


def _shelf() -> Any:
    return resources.files("antiphon.model") / "recipes"
