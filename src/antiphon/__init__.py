"""Antiphon learns, measures and searches joint audio and video representations of music videos.

>>> import antiphon as ap
>>> ap.metrics.retrieval.__name__
'retrieval'
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from antiphon import backbones, metrics
    from antiphon.catalogue import Catalogue
    from antiphon.dual_encoder import DualEncoder
    from antiphon.embeddings import ModalityEmbeddings
    from antiphon.evaluation import evaluate, probe
    from antiphon.evaluation.audit import audit
    from antiphon.features import Features
    from antiphon.features.extraction import extract
    from antiphon.recommendation import recommend
    from antiphon.search import Hit, Hits, Index, Moment, Query, Where

__all__ = [
    "Catalogue",
    "DualEncoder",
    "Features",
    "Hit",
    "Hits",
    "Index",
    "ModalityEmbeddings",
    "Moment",
    "Query",
    "Where",
    "audit",
    "backbones",
    "evaluate",
    "extract",
    "metrics",
    "probe",
    "recommend",
]

_HOMES = {
    "Catalogue": "antiphon.catalogue",
    "DualEncoder": "antiphon.dual_encoder",
    "Features": "antiphon.features",
    "Hit": "antiphon.search",
    "Hits": "antiphon.search",
    "Index": "antiphon.search",
    "ModalityEmbeddings": "antiphon.embeddings",
    "Moment": "antiphon.search",
    "Query": "antiphon.search",
    "Where": "antiphon.search",
    "audit": "antiphon.evaluation.audit",
    "evaluate": "antiphon.evaluation",
    "extract": "antiphon.features.extraction",
    "probe": "antiphon.evaluation",
    "recommend": "antiphon.recommendation",
}


def __getattr__(name: str) -> Any:
    """Import on first use: `import antiphon` stays fast, and decoding processes never load torch."""
    if name in {"backbones", "metrics"}:
        return import_module(f"antiphon.{name}")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'antiphon' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
