"""Learn, measure and search joint audio and video representations of music videos.

>>> import antiphon as ap
>>> ap.metrics.retrieval.__name__
'retrieval'
"""

from typing import TYPE_CHECKING as _TYPE_CHECKING

if _TYPE_CHECKING:
    from antiphon import backbones, metrics
    from antiphon.catalogue import Catalogue
    from antiphon.dual_encoder import DualEncoder
    from antiphon.embeddings import ModalityEmbeddings
    from antiphon.errors import (
        AntiphonError,
        CatalogueError,
        ConfigError,
        DecodeError,
        DivergedError,
        FeatureStoreError,
        ModelError,
        NotIndexedError,
        SearchError,
        StaleIndexError,
        StorageError,
        UnknownBackboneError,
        WeightsError,
    )
    from antiphon.evaluation import audit, evaluate, probe
    from antiphon.experiments.comparison import compare
    from antiphon.features import Features
    from antiphon.features.extraction import extract
    from antiphon.model.cca import CCA
    from antiphon.model.recipe import Recipe
    from antiphon.recommendation import recommend
    from antiphon.search import Hit, Hits, Index, Moment, Query, Where
    from antiphon.segments.sampling import SamplingConfig
    from antiphon.training.fine_tuning import TuningConfig

    __version__: str

__all__ = [
    "CCA",
    "AntiphonError",
    "Catalogue",
    "CatalogueError",
    "ConfigError",
    "DecodeError",
    "DivergedError",
    "DualEncoder",
    "FeatureStoreError",
    "Features",
    "Hit",
    "Hits",
    "Index",
    "ModalityEmbeddings",
    "ModelError",
    "Moment",
    "NotIndexedError",
    "Query",
    "Recipe",
    "SamplingConfig",
    "SearchError",
    "StaleIndexError",
    "StorageError",
    "TuningConfig",
    "UnknownBackboneError",
    "WeightsError",
    "Where",
    "__version__",
    "audit",
    "backbones",
    "compare",
    "evaluate",
    "extract",
    "metrics",
    "probe",
    "recommend",
]

_MODULES = {"backbones", "metrics"}
_HOMES = {
    "antiphon.catalogue": ("Catalogue",),
    "antiphon.dual_encoder": ("DualEncoder",),
    "antiphon.embeddings": ("ModalityEmbeddings",),
    "antiphon.errors": tuple(name for name in __all__ if name.endswith("Error")),
    "antiphon.evaluation": ("audit", "evaluate", "probe"),
    "antiphon.experiments.comparison": ("compare",),
    "antiphon.features": ("Features",),
    "antiphon.features.extraction": ("extract",),
    "antiphon.model.cca": ("CCA",),
    "antiphon.model.recipe": ("Recipe",),
    "antiphon.recommendation": ("recommend",),
    "antiphon.search": ("Hit", "Hits", "Index", "Moment", "Query", "Where"),
    "antiphon.segments.sampling": ("SamplingConfig",),
    "antiphon.training.fine_tuning": ("TuningConfig",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    """Import on first use: `import antiphon` stays fast, and decoding processes never load torch."""
    from importlib import import_module, metadata

    if name == "__version__":
        return metadata.version("antiphon")
    if name in _MODULES:
        return import_module(f"antiphon.{name}")
    if name in _HOME_OF:
        return getattr(import_module(_HOME_OF[name]), name)
    raise AttributeError(f"module 'antiphon' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
