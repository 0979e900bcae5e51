"""Tables of a workspace in a store, brought to one on a disk, where models are trained and indexes built."""

import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from antiphon.catalogue import Catalogue
from antiphon.errors import ConfigError
from antiphon.features.named_stores import store_folder, store_names
from antiphon.features.parts import NUMBERED, OF_A_STORE, listed_parts, listing_again, number_of
from antiphon.features.pulled_tables import join_tables, joined_catalogue, refuse_other_sampling
from antiphon.features.store import FeatureStore, videos_of_parts
from antiphon.places import Address, Place
from antiphon.tables import atomic_path
from antiphon.workspace import Workspace

_REQUESTS = 16
_COPIED = 10**18
"""Added to the numbers of copied parts: they come after the parts computed here and before those of a store."""


def pull(source: Workspace, target: Workspace, progress: Callable[[int, int], None] | None = None) -> dict[str, int]:
    """Bring the catalogue, the segments, attributes, failures and features of a workspace to another one.

    Parts of features that are there already are not fetched again, and those that the store has no more are removed.
    What the target has itself stays: its videos, their values and splits, and what it computed. The catalogue comes
    last: interrupted, it is done again.

    Parameters
    ----------
    source : Workspace
        Workspace at an address.
    target : Workspace
        Workspace on a disk.
    progress : callable, optional
        Called with the parts of a backbone that were looked at, and their total.

    Returns
    -------
    dict of str to int
        "videos" of the catalogue, and "parts" fetched.

    Raises
    ------
    ConfigError
        The source is no address or has no catalogue, the target is none of this machine, has another catalogue, or
        drew its segments otherwise; or the source has names that cannot be those of a workspace.
    FeatureStoreError
        The target's features of a backbone were made otherwise.
    """
    if source.is_local:
        raise ConfigError(f"{source.root}: is no address. Name a workspace in a store, such as s3://bucket/work.")
    if not source.catalogue.exists():
        raise ConfigError(f"{source.root}: no catalogue here.")
    folder = target.folder / "features"
    with target.lock():
        theirs = Catalogue.load(source.catalogue)
        catalogue = joined_catalogue(theirs, source, target)
        refuse_other_sampling(source, target)
        names = [store_folder(folder, name).name for name in store_names(source.features)]
        computed = {video for name in names for video in _computed(source.features / name, folder / name)}
        fetched = sum(_bring(source.features / name, folder / name, progress) for name in names)
        join_tables(source, target, theirs.ids, computed)
        catalogue.save(target.catalogue)
    return {"videos": len(catalogue), "parts": fetched}


def _computed(source: Place, target: Path) -> set[str]:
    """List the videos whose features were computed here, after comparing what made them with those of the store."""
    own = [part for part in listed_parts(target) if NUMBERED.fullmatch(part.name)]
    if own:
        there = FeatureStore.existing(source)
        FeatureStore(target, there.made_by, there.arithmetic).done()
    return videos_of_parts(own)


def _bring(source: Place, target: Path, progress: Callable[[int, int], None] | None) -> int:
    """Fetch the parts that are not here, and remove those that the store has no more; return how many were fetched."""
    count = 0

    def fetch_all() -> set[str]:
        nonlocal count
        parts = [part for part in listed_parts(source) if isinstance(part, Address)]
        names: set[str] = set()
        with ThreadPoolExecutor(_REQUESTS) as threads:
            for done, (name, is_new) in enumerate(threads.map(lambda part: _fetch(part, target), parts), start=1):
                names.add(name)
                count += is_new
                if progress is not None:
                    progress(done, len(parts))
        return names

    there = listing_again(source, fetch_all)
    for part in listed_parts(target):
        if OF_A_STORE.fullmatch(part.name) and part.name not in there:
            part.unlink()
    return count


def _fetch(part: Address, folder: Path) -> tuple[str, bool]:
    """Fetch a part unless it is here; return its name here, and whether it was fetched.

    A numbered part, of a workspace that was copied to the store, may be another one than that of the same number here.
    It gets a name of a part of a store, by number and content.
    """
    name = part.name
    if OF_A_STORE.fullmatch(name) and (folder / name).exists():
        return name, False
    content = part.read_bytes()
    if NUMBERED.fullmatch(name):
        if (folder / name).exists() and (folder / name).read_bytes() == content:
            return name, False
        name = f"part-{_COPIED + number_of(part):020d}-{zlib.crc32(content):08x}.parquet"
        if (folder / name).exists():
            return name, False
    with atomic_path(folder / name) as partial:
        partial.write_bytes(content)
    return name, True
