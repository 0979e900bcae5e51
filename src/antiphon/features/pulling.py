"""Tables of a workspace in a store, brought to one on a disk, where models are trained and indexes built."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from antiphon.catalogue import Catalogue
from antiphon.errors import ConfigError
from antiphon.features.store import PART_OF_A_STORE, store_names
from antiphon.places import Address, Place
from antiphon.tables import atomic_path, read_table, write_table
from antiphon.workspace import Workspace

_REQUESTS = 16


def pull(source: Workspace, target: Workspace, progress: Callable[[int, int], None] | None = None) -> dict[str, int]:
    """Bring the catalogue, the segments, attributes, failures and features of a workspace to another one.

    Parts of features that are there already are not fetched again, and those that the store has no more are removed.
    What the target computed itself stays. The catalogue comes last: interrupted, it is done again.

    Parameters
    ----------
    source : Workspace
        Workspace at an address.
    target : Workspace
        Workspace on a disk.
    progress : callable, optional
        Called with parts fetched and their total.

    Returns
    -------
    dict of str to int
        "videos" of the catalogue, and "parts" fetched.

    Raises
    ------
    ConfigError
        The source is no address or has no catalogue, the target is none of this machine, or has another catalogue.
    """
    if source.is_local:
        raise ConfigError(f"{source.root}: is no address. Name a workspace in a store, such as s3://bucket/work.")
    if not source.catalogue.exists():
        raise ConfigError(f"{source.root}: no catalogue here.")
    folder = target.folder
    catalogue = Catalogue.load(source.catalogue)
    with target.lock():
        _refuse_another(target, catalogue)
        wanted: list[tuple[Address, Path]] = []
        for name in store_names(source.features):
            wanted += _parts(source.features / name, folder / "features" / name)
        with ThreadPoolExecutor(_REQUESTS) as threads:
            for done, _ in enumerate(threads.map(_fetch, wanted), start=1):
                if progress is not None:
                    progress(done, len(wanted))
        for there, here in (
            (source.segments, target.segments),
            (source.attributes, target.attributes),
            (source.failures, target.failures),
        ):
            if there.exists():
                write_table(read_table(there), here)
        catalogue.save(target.catalogue)
    return {"videos": len(catalogue), "parts": len(wanted)}


def _refuse_another(target: Workspace, catalogue: Catalogue) -> None:
    if target.catalogue.exists():
        own = Catalogue.load(target.catalogue)
        if not set(own.ids) & set(catalogue.ids):
            raise ConfigError(
                f"{target.root}: has another catalogue ({len(own)} videos from '{own.ids[0]}' on). Use another folder."
            )


def _parts(source: Place, target: Path) -> list[tuple[Address, Path]]:
    """Return the parts that are to be fetched, with their places, and remove those that the store has no more."""
    there = {
        part.name: part for part in source.iterdir() if isinstance(part, Address) and part.name.endswith(".parquet")
    }
    for part in target.glob("part-*.parquet"):
        if PART_OF_A_STORE.fullmatch(part.name) and part.name not in there:
            part.unlink()
    return [(part, target / name) for name, part in there.items() if not (target / name).exists()]


def _fetch(job: tuple[Address, Path]) -> None:
    source, target = job
    content = source.read_bytes()
    with atomic_path(target) as partial:
        partial.write_bytes(content)
