"""What an importer hands back: the catalogue, and what it had to leave out."""

from dataclasses import dataclass

from antiphon.catalogue.catalogue import Catalogue


@dataclass(frozen=True)
class Imported:
    """A data set as far as its files are here.

    Attributes
    ----------
    catalogue : the items that have a file.
    missing : ids that a list of the data set names and that have no file.
    unlisted : ids of the catalogue that no list names: they have neither split nor tags.
    """

    catalogue: Catalogue
    missing: tuple[str, ...]
    unlisted: tuple[str, ...]
