"""Old names of settings and parameters, which are read for one version more."""

import warnings
from collections.abc import Mapping
from typing import Any, TypeVar

from antiphon.errors import ConfigError

Value = TypeVar("Value")

_RECIPE_KEYS = {
    ("head", "dim"): "embedding_dim",
    ("closed_form", "landmarks"): "num_landmarks",
    ("closed_form", "dim"): "num_components",
    ("loss", "least_temperature"): "min_temperature",
    ("loss", "most_temperature"): "max_temperature",
    ("training", "least_steps"): "min_steps",
    ("training", "least_pairs"): "min_pairs",
}
_REPLACED_TRACK_MODEL = (
    *("aggregator", "num_layers", "layers", "width", "num_heads", "heads", "dropout"),
    *("max_segments", "most_segments", "segment_weight", "track_weight"),
)
"""Settings of the aggregators that track models had before summaries and time courses."""
_PARAMETERS = {"log_scale": "logit_scale"}


def with_current_keys(recipe: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Return a recipe's settings under their current names, and warn once if there are old ones.

    Old names are accepted for one version.

    Parameters
    ----------
    recipe : mapping of str to object
        The tables of a recipe, as in its TOML; it may be a part of one.
    source : str
        The recipe's name or file, for messages.

    Returns
    -------
    dict of str to Any
        The same settings. Tables without old names are passed on as they are.

    Raises
    ------
    ConfigError
        A setting is given under both its old and its current name, or is one of the track model of an earlier version.

    Examples
    --------
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     print(with_current_keys({"head": {"dim": 256}}, "my.toml"))
    {'head': {'embedding_dim': 256}}
    >>> print(caught[0].message)
    my.toml: has settings under old names, which the next version will refuse: [head] dim is now embedding_dim.
    """
    current = dict(recipe)
    replaced = [
        key for key in _REPLACED_TRACK_MODEL if isinstance(table := recipe.get("track"), Mapping) and key in table
    ]
    if replaced:
        raise ConfigError(
            f"{source}: [track] {', '.join(replaced)}: settings of a track model that this version no longer has. "
            "Remove them, and train again: tracks are now embedded by their statistics and their time course."
        )
    renamed: list[str] = []
    for (table, old), new in _RECIPE_KEYS.items():
        settings = current.get(table)
        if not isinstance(settings, Mapping) or old not in settings:
            continue
        if new in settings:
            raise ConfigError(f"{source}: [{table}] has both {old} and {new}, its new name. Remove {old}.")
        renamed.append(f"[{table}] {old} is now {new}")
        current[table] = {new if key == old else key: value for key, value in settings.items()}
    if renamed:
        message = f"{source}: has settings under old names, which the next version will refuse: {', '.join(renamed)}."
        warnings.warn(message, UserWarning, stacklevel=2)
    return current


def with_current_parameters(weights: Mapping[str, Value]) -> dict[str, Value]:
    """Return a model's weights under the current names of its parameters.

    Parameters
    ----------
    weights : mapping of str to Tensor
        Parameters by name, as an earlier or the current version saved them.

    Returns
    -------
    dict of str to Tensor
        The same tensors in the same order.
    """
    return {_PARAMETERS.get(name, name): tensor for name, tensor in weights.items()}
