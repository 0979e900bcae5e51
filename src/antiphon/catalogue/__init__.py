"""The catalogue: which music videos there are, what is known about them, and which split each stands in."""

from antiphon.catalogue.catalogue import Catalogue
from antiphon.catalogue.splits import SPLITS

__all__ = ["SPLITS", "Catalogue"]
