"""Catalogue: the music videos, their metadata, and their splits."""

from antiphon.catalogue.catalogue import Catalogue
from antiphon.catalogue.splits import SPLITS

__all__ = ["SPLITS", "Catalogue"]
