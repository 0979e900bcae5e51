"""Joining of a workspace's tables to those of another one: what stands here already stays."""

import warnings
from collections.abc import Collection

import pyarrow as pa

from antiphon.catalogue import Catalogue
from antiphon.catalogue.joining import join
from antiphon.errors import ConfigError
from antiphon.features.planning import stored_sampling
from antiphon.features.store import is_of_others
from antiphon.places import Place
from antiphon.plurals import counted
from antiphon.tables import ATTRIBUTES, FAILURES, SEGMENTS, read_table, write_table
from antiphon.workspace import Workspace


def joined_catalogue(theirs: Catalogue, source: Workspace, target: Workspace) -> Catalogue:
    """Join the catalogue of a workspace to that of another one, whose values and splits take precedence.

    Parameters
    ----------
    theirs : Catalogue
        Catalogue of the source.
    source, target : Workspace
        Workspaces; the second one may have no catalogue yet. Nothing is written.

    Returns
    -------
    Catalogue
        The videos of the source, and after them those that the target alone has.

    Raises
    ------
    ConfigError
        The target has other videos, or names one otherwise.
    """
    if not target.catalogue.exists():
        return theirs
    own = Catalogue.load(target.catalogue)
    if not set(own.ids) & set(theirs.ids):
        raise ConfigError(
            f"{target.root}: has another catalogue ({len(own)} videos from '{own.ids[0]}' on). Use another folder."
        )
    joined = join(theirs.records(), own.records())
    renamed = next((name for name, becomes in joined.names.items() if name != becomes), None)
    if renamed is not None:
        other = joined.names[renamed]
        why = "is another file there" if other in joined.prefixed else f"is '{other}' there"
        raise ConfigError(f"{target.root}: has another catalogue than {source.root}: '{renamed}' {why}.")
    splits = {row["id"]: row["split"] for row in own.records() if row["split"]}
    rows = [row | {"split": splits.get(row["id"], row.get("split"))} for row in joined.rows]
    found = Catalogue(rows)
    _tell_of_splits(splits, source, theirs)
    _tell_of_artists(found, {*own.artists_in_two_splits(), *theirs.artists_in_two_splits()})
    return found


def _tell_of_splits(splits: dict[str, str], source: Workspace, theirs: Catalogue) -> None:
    other = [
        f"'{row['id']}' is {splits[row['id']]}, there {row['split']}"
        for row in theirs.records()
        if row["split"] and splits.get(row["id"], row["split"]) != row["split"]
    ]
    if other:
        videos = counted(len(other), "video has", "videos have")
        warnings.warn(f"{videos} another split in {source.root}; those here stay: {other[0]}.", stacklevel=4)


def _tell_of_artists(catalogue: Catalogue, known: Collection[str]) -> None:
    straddling = [artist for artist in catalogue.artists_in_two_splits() if artist not in known]
    if straddling:
        artists = counted(len(straddling), "artist has", "artists have")
        warnings.warn(
            f"{artists} videos in several splits now, so what is learnt of one may be tested: {straddling[0]}.",
            stacklevel=4,
        )


def refuse_other_sampling(source: Workspace, target: Workspace) -> None:
    """Refuse segments that were drawn otherwise than those of the target.

    Parameters
    ----------
    source, target : Workspace
        Workspaces.

    Raises
    ------
    ConfigError
        Both have segments, with different settings.
    """
    theirs, own = stored_sampling(source), stored_sampling(target)
    if theirs is not None and own is not None and theirs != own:
        raise ConfigError(
            f"{target.root}: its segments were drawn with {own}, and those of {source.root} with {theirs}. "
            "Use another folder."
        )


def join_tables(source: Workspace, target: Workspace, videos: Collection[str], computed: Collection[str]) -> None:
    """Join the segments, attributes and failures of a workspace to those of another one, video by video.

    All rows of a video come from one side: from the target for videos that it computed itself or that the source lacks.

    Parameters
    ----------
    source, target : Workspace
        Workspaces.
    videos : collection of str
        Ids of the videos of the source.
    computed : collection of str
        Ids of the videos whose features the target computed.
    """
    for there, here, schema in (
        (source.segments, target.segments, SEGMENTS),
        (source.attributes, target.attributes, ATTRIBUTES),
    ):
        if there.exists():
            theirs = read_table(there, schema)
            _join(here, schema, theirs, set(theirs["video_id"].to_pylist()), computed)
    if source.failures.exists():
        theirs = read_table(source.failures, FAILURES)
        theirs = theirs.filter(pa.array(is_of_others(theirs, computed)))
        # A failure that the source lists no more is none any more.
        _join(target.failures, FAILURES, theirs, set(videos), computed)


def _join(here: Place, schema: pa.Schema, theirs: pa.Table, videos: set[str], computed: Collection[str]) -> None:
    """Replace the rows of videos in a table, except of those computed here."""
    if not here.exists():
        write_table(theirs, here)
        return
    own = read_table(here, schema)
    if own.schema.metadata != theirs.schema.metadata:  # Attributes by another definition are measured again here.
        return
    taken = videos - (set(computed) & set(own["video_id"].to_pylist()))
    kept, added = own.filter(pa.array(is_of_others(own, taken))), theirs.filter(pa.array(~is_of_others(theirs, taken)))
    joined = pa.concat_tables([kept, added], promote_options="permissive")
    if not joined.equals(own, check_metadata=True):
        write_table(joined, here)
