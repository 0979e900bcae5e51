"""Importers of known data sets: their ids, tags and splits joined to media files that you provide."""

from antiphon.catalogue.importers.audioset import read_audioset
from antiphon.catalogue.importers.imported import Imported
from antiphon.catalogue.importers.jamendo import read_jamendo
from antiphon.catalogue.importers.msd import read_msd

__all__ = ["Imported", "read_audioset", "read_jamendo", "read_msd"]
