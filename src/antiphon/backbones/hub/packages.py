"""Packages that hub models need, and what to install where they are missing."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from antiphon.errors import WeightsError


def required(package: str, name: str) -> Any:
    """Import a package that a hub model needs.

    Parameters
    ----------
    package : str
        Name of the package.
    name : str
        Name of the model, for messages.

    Returns
    -------
    module
        The package.

    Raises
    ------
    WeightsError
        It is not installed.
    """
    if find_spec(package) is None:
        if package in ("transformers", "huggingface_hub", "PIL"):
            raise WeightsError(f"{name}: needs {package}. Install it: pip install 'antiphon[hub]'")
        raise WeightsError(f"{name}: needs {package}, which is not part of antiphon[hub]: pip install {package}")
    return import_module(package)
