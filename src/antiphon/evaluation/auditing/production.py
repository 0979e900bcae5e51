"""When and how the music videos of a test were produced, by the catalogue and by their files."""

from collections.abc import Callable, Collection
from dataclasses import fields

from antiphon.catalogue import Catalogue
from antiphon.catalogue.inspection import inspect_files
from antiphon.catalogue.validation import CatalogueRow
from antiphon.errors import AntiphonError
from antiphon.media.opening import CataloguedFile
from antiphon.media.production import Production, production_of
from antiphon.seeding import generator

Shared = dict[str, dict[str, str]]
"""Variable that sound and pictures may share → video → its value; videos whose value is not known are left out."""

_MAX_FILES = 500
"""Maximum files that are examined."""


def shared_variables(
    catalogue: Catalogue, videos: Collection[str], seed: int, progress: Callable[[int, int], None] | None = None
) -> Shared:
    """Find the decade of music videos in the catalogue, and in their files how they were produced.

    Parameters
    ----------
    catalogue : Catalogue
        The catalogue.
    videos : collection of str
        Ids of the videos.
    seed : int
        Seed of the choice of 500 files, where there are more.
    progress : callable, optional
        Called with files done and their total.

    Returns
    -------
    dict
        "decade", "picture size", "frame rate", "bars", "encoder" and "loudness", each with the values by video. A file
        that cannot be read has none.
    """
    asked = set(videos)
    rows = [row for row in catalogue.records() if row["id"] in asked]
    found: Shared = {"decade": {row["id"]: f"{row['year'] // 10}0s" for row in rows if row["year"]}}
    found |= {_words(field.name): {} for field in fields(Production)}
    readable = [row for row in rows if row["path"] and row["duration_s"]]
    chosen = generator(seed, "audit", "production").permutation(len(readable))[:_MAX_FILES]
    for row, produced in inspect_files(_examine, [readable[number] for number in sorted(chosen)], progress):
        if isinstance(produced, AntiphonError):
            continue
        for field in fields(Production):
            value = getattr(produced, field.name)
            if value:
                found[_words(field.name)][row["id"]] = value
    return found


def _examine(row: CatalogueRow) -> Production:
    return production_of(CataloguedFile.of(row), row["start_s"] or 0.0, row["duration_s"])


def _words(name: str) -> str:
    return name.replace("_", " ")
