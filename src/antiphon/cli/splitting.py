"""Splits of small catalogues: whether each has enough to train and to rank with, and the command for better ones."""

import shlex
from typing import Literal

from antiphon.catalogue import Catalogue
from antiphon.catalogue.splits import SPLITS
from antiphon.cli.session import Session
from antiphon.plurals import counted
from antiphon.workspace import Workspace

MIN_VIDEOS = 2
"""Videos with sound and pictures that training, early stopping and ranking each need."""
_FRACTIONS = (0.5, 0.25, 0.25)
_SEEDS, _SMALL = 200, 200


def warn_of_few(session: Session, catalogue: Catalogue) -> None:
    """Warn if a split has too few videos with sound and pictures, while the splits can still be changed.

    Parameters
    ----------
    session : Session
        Session of the command line.
    catalogue : Catalogue
        Probed catalogue with splits.
    """
    usable, counts = usable_counts(catalogue)
    trained = bool(session.workspace.trained())
    if not usable or trained or min(counts.values()) >= MIN_VIDEOS:
        return
    enough = len(usable) >= len(counts) * MIN_VIDEOS
    command = splitting_command(session.workspace, catalogue, usable) if enough else None
    there = ", ".join(f"{count} in {split}" for split, count in counts.items())
    session.warn(
        f"{counted(len(usable), 'music video')} with sound and pictures: {there}; training and ranking need at least "
        f"{MIN_VIDEOS} in each. Add videos"
        + (f", or split all anew before training:\n  {command}" if command else " before training.")
    )


def splitting_command(workspace: Workspace, catalogue: Catalogue, usable: set[str]) -> str | None:
    """Return the command that gives each split enough of the usable videos; None if there is none.

    Parameters
    ----------
    workspace : Workspace
        Workspace of the catalogue.
    catalogue : Catalogue
        The catalogue.
    usable : set of str
        Ids of the videos with both modalities.
    """
    found = workable_split(catalogue, usable)
    if found is None:
        return None
    by, seed = found
    return f"antiphon --workspace {shlex.quote(str(workspace.root))} {shlex.join(splitting_verb(by, seed))}"


def splitting_verb(by: Literal["artist", "video"], seed: int) -> list[str]:
    """Return the arguments of the command for a split that `workable_split` found."""
    return [
        "catalogue",
        "split",
        "--by",
        by,
        "--fractions",
        *(f"{share:g}" for share in _FRACTIONS),
        "--seed",
        str(seed),
    ]


def usable_counts(catalogue: Catalogue) -> tuple[set[str], dict[str, int]]:
    """Return which videos have sound and pictures, and how many of these are in each split."""
    usable = {row["id"]: row["split"] for row in catalogue.records() if row["has_audio"] and row["has_video"]}
    return set(usable), {split: list(usable.values()).count(split) for split in SPLITS}


def workable_split(catalogue: Catalogue, usable: set[str]) -> tuple[Literal["artist", "video"], int] | None:
    """Find a split with two usable videos for training, two for validation, and two or else one for the test.

    Splitting by artist is tried before splitting by video, each with the lowest seeds first.

    Parameters
    ----------
    catalogue : Catalogue
        The catalogue.
    usable : set of str
        Ids of the videos with both modalities.

    Returns
    -------
    tuple of (str, int), optional
        Unit and seed of the split, with half of the videos to train on; None if there is none.
    """
    ways: tuple[Literal["artist", "video"], ...] = ("artist", "video")
    few = Catalogue([row | {"split": None} for row in catalogue.records() if row["id"] in usable])
    # Chance gives a large catalogue such a split soon, or never, if most of it is by one artist.
    seeds = range(_SEEDS if len(few) <= _SMALL else 2)
    for tested in (MIN_VIDEOS, 1):
        for by in ways if len(usable) >= 2 * MIN_VIDEOS + tested else ():
            for seed in seeds:
                splits = [row["split"] for row in few.split(by=by, fractions=_FRACTIONS, seed=seed).records()]
                train, validation, test = map(splits.count, SPLITS)
                if min(train, validation) >= MIN_VIDEOS and test >= tested:
                    return by, seed
    return None
