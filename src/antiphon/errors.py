"""Errors raised by Antiphon.

Each message names the object at fault, states the problem, and suggests a fix. Errors about arguments and settings are
also `ValueError`s; a lookup of something that is absent is also a `LookupError`.
"""

from antiphon.credentials import without_credentials


class AntiphonError(Exception):
    """Base class of all errors that Antiphon raises on purpose; messages never hold what gives access to an address."""

    def __init__(self, *args: object) -> None:
        super().__init__(*(without_credentials(one) if isinstance(one, str) else one for one in args))


class ConfigError(AntiphonError, ValueError):
    """An unknown setting, option or recipe, or a value out of range."""


class CatalogueError(AntiphonError, ValueError):
    """An unusable catalogue or metadata table; the message names file, row and column."""


class DecodeError(AntiphonError):
    """An unreadable media file, or one without the requested stream or time span."""


class WeightsError(AntiphonError):
    """Missing, damaged or mismatched weights of a backbone, or a broken plug-in."""


class UnknownBackboneError(WeightsError, ValueError):
    """A backbone name that is not registered."""


class FeatureStoreError(AntiphonError, ValueError):
    """Missing or malformed features, or features of another origin than requested."""


class StorageError(AntiphonError, OSError):
    """A file that cannot be written: the disk is full, failing or read-only."""


class ModelError(AntiphonError, ValueError):
    """Data that a model cannot be trained on, loaded from or applied to."""


class DivergedError(ModelError):
    """A training run whose loss diverged on otherwise usable data."""


class SearchError(AntiphonError, ValueError):
    """A missing or damaged index, or a query that it cannot answer."""


class NotIndexedError(SearchError, LookupError):
    """A music video, or its requested side, that is not in an index."""


class StaleIndexError(SearchError):
    """An index built with another model or other features."""
