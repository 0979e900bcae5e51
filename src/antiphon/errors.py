"""The errors that Antiphon raises: each names the thing, says what is wrong, and says what to do."""


class AntiphonError(Exception):
    """Base of every error that a user can cause and mend."""


class CatalogueError(AntiphonError):
    """A catalogue or its metadata is not usable: the message names file, row and column."""


class DecodeError(AntiphonError):
    """A media file cannot be read, or not where it was asked for."""


class WeightsError(AntiphonError):
    """A backbone is unknown, or its weights are missing, damaged or of another network."""


class FeatureStoreError(AntiphonError):
    """Features are missing, malformed, or were made by something else than what is asked for."""


class ConfigError(AntiphonError):
    """A setting or a recipe is unknown or out of its range."""


class ModelError(AntiphonError):
    """A model cannot be trained on, loaded from, or applied to what it was given."""


class DivergedError(ModelError):
    """A training went wrong, on data that would have done."""


class SearchError(AntiphonError):
    """An index is missing or damaged, or cannot answer what it is asked."""


class NotIndexedError(SearchError):
    """A music video, or the side of it that is asked about, is not in an index."""


class StaleIndexError(SearchError):
    """An index holds embeddings of another model, or of other features."""
