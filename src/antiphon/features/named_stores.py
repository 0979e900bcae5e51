"""Feature stores of a workspace by the names of their backbones."""

from pathlib import Path
from urllib.parse import unquote

from antiphon.backbones.hub.names import is_hub_name, parsed
from antiphon.embeddings import Modality
from antiphon.features.parts import listed_parts
from antiphon.places import Place
from antiphon.workspace import safe_name


def store_folder(features: Place, name: str) -> Place:
    """Return the folder of a backbone's features: its name, in which slashes of a hub model's are "%2F".

    Parameters
    ----------
    features : Path or Address
        The workspace's `features` folder.
    name : str
        Name of the backbone.

    Returns
    -------
    Path or Address
        The folder, which need not exist.

    Raises
    ------
    ConfigError
        The name cannot be that of a folder.
    """
    if is_hub_name(name):
        name = name.replace("%", "%25").replace("/", "%2F")
    return features / safe_name(name, "backbone")


def stored_name(features: Place, name: str, modality: Modality) -> str:
    """Return the name of a store as it is: that of a hub model may be written with less, or as a relative folder.

    Parameters
    ----------
    features : Path or Address
        The workspace's `features` folder.
    name : str
        Name as somebody wrote it.
    modality : {'audio', 'video'}
        What it is wanted for.

    Returns
    -------
    str
        The name of the store; `name` itself where there is none.
    """
    if not is_hub_name(name):
        return name
    there = store_names(features)
    model = parsed(name)
    return next((one for one in (name, str(model), str(model.of(modality))) if one in there), name)


def store_names(features: Place) -> list[str]:
    """List the stores of a workspace.

    Parameters
    ----------
    features : Path or Address
        The workspace's `features` folder.

    Returns
    -------
    list of str
        Sorted names.
    """
    if isinstance(features, Path) and not features.is_dir():
        return []
    names = (folder.name for folder in features.iterdir() if listed_parts(folder))
    return sorted(unquote(name) if is_hub_name(name) else name for name in names)
