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
    ("track", "layers"): "num_layers",
    ("track", "heads"): "num_heads",
    ("track", "most_segments"): "max_segments",
}
_PARAMETERS = {"log_scale": "logit_scale"}


def with_current_keys(recipe: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Return a recipe's settings under their current names, and warn about each old one.

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
        A setting is given under both its old and its current name.

    Examples
    --------
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     print(with_current_keys({"head": {"dim": 256}}, "my.toml"))
    {'head': {'embedding_dim': 256}}
    >>> print(caught[0].message)
    my.toml: [head] dim is now called embedding_dim; rename it.
    """
    current = dict(recipe)
    for (table, old), new in _RECIPE_KEYS.items():
        settings = current.get(table)
        if not isinstance(settings, Mapping) or old not in settings:
            continue
        if new in settings:
            raise ConfigError(f"{source}: [{table}] has both {old} and {new}, its new name. Remove {old}.")
        warnings.warn(f"{source}: [{table}] {old} is now called {new}; rename it.", UserWarning, stacklevel=2)
        current[table] = {new if key == old else key: value for key, value in settings.items()}
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
