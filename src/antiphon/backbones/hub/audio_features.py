"""Feature extractors of sound: transformers' own, in numpy, with the values of the model's configuration."""

from typing import Any

from antiphon.backbones.hub.files import HubFiles
from antiphon.backbones.hub.packages import required
from antiphon.documents import reason
from antiphon.errors import WeightsError


def extractor_of(files: HubFiles, class_name: str) -> Any:
    """Build the feature extractor of a model.

    Parameters
    ----------
    files : HubFiles
        Files of the model.
    class_name : str
        Class of transformers.

    Returns
    -------
    FeatureExtractionMixin
        The extractor.

    Raises
    ------
    WeightsError
        The configuration is missing, or does not suit the class.
    """
    stated = files.processor("feature_extractor", "preprocessor_config.json")
    transformers = required("transformers", files.name)
    try:
        found = getattr(transformers, class_name).from_dict(stated)
        if not 1_000 <= int(found.sampling_rate) <= 384_000:
            raise ValueError(f"sampling_rate {found.sampling_rate}")
    except Exception as error:
        # Whatever a library raises on values that do not suit it.
        raise WeightsError(
            f"{files.name}: the configuration of its feature extractor does not suit {class_name} "
            f"({type(error).__name__}: {reason(error)}). Save the model's processor beside it."
        ) from error
    return found
