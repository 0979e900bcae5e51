"""Result of an importer."""

from dataclasses import dataclass

from antiphon.catalogue.catalogue import Catalogue


@dataclass(frozen=True)
class Imported:
    """Data set as far as its files are available.

    Attributes
    ----------
    catalogue : Catalogue
        Items with a file.
    missing : tuple of str
        Ids that a list of the data set names and that have no file.
    unlisted : tuple of str
        Ids of the catalogue that no list names, so that they have neither split nor tags.
    """

    catalogue: Catalogue
    missing: tuple[str, ...]
    unlisted: tuple[str, ...]
