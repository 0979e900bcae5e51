"""Table of the music videos."""

import logging
import warnings
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, Self

import pyarrow as pa

from antiphon.catalogue.artists import credited
from antiphon.catalogue.copies import content_of
from antiphon.catalogue.identity import Examination, examine
from antiphon.catalogue.inspection import inspect_files
from antiphon.catalogue.joining import join
from antiphon.catalogue.reading import read_folder, read_metadata
from antiphon.catalogue.splits import SPLITS, fill_splits
from antiphon.catalogue.tagging import Progress, fill_in_tags, renew_tags
from antiphon.catalogue.validation import CatalogueRow, shown, typed, without_unknown
from antiphon.errors import AntiphonError, CatalogueError, FeatureStoreError
from antiphon.identifiers import first_fault
from antiphon.media.identity import identify, is_identified
from antiphon.media.probing import probe_media
from antiphon.places import Address, Place, SharedTable, place
from antiphon.plurals import counted
from antiphon.presentation.tables import facts_html, facts_text
from antiphon.tables import CATALOGUE, read_table, write_table
from antiphon.workers.limits import JobError, WorkerLimits
from antiphon.workers.reasons import reason

FRACTIONS = (0.8, 0.1, 0.1)
_MAX_NOTES = 5
_log = logging.getLogger(__name__)


class Catalogue:
    """Music videos: id, path, artist, title, genre, tags, year, split, and any further columns.

    Build one with `from_folder`, `from_csv` or `from_parquet`. A catalogue is never changed in place: `split`, `probe`
    and `extended` return another one. Items with only audio or only video are accepted.

    Parameters
    ----------
    records : iterable of CatalogueRow
        Rows, each with an id.

    Attributes
    ----------
    table : pyarrow.Table
        Rows, with the columns of `antiphon.tables.CATALOGUE` first.

    Raises
    ------
    CatalogueError
        There are no rows, an id is missing or unusable, an id or a file occurs twice, or a value does not fit its
        column.
    """

    def __init__(self, records: Iterable[CatalogueRow]) -> None:
        given = list(records)
        if not given:
            raise CatalogueError("The catalogue has no rows. Add at least one music video.")
        _refuse_ids(given)
        records = typed(given)
        _refuse_duplicates(records)
        self.table = _to_table(records)

    @classmethod
    def from_folder(cls, folder: str | Path, metadata: str | Path | None = None) -> Self:
        """List every media file in a folder and below.

        The id of a video is its path inside the folder. Hidden files (names that start with a dot) and links to folders
        are skipped. Links to files are followed wherever they lead, also out of the folder: a collection may be a
        folder of links. A dangling link is a row that cannot be read, as `probe` reports.

        Parameters
        ----------
        folder : str or Path
            Folder with media files, also in a store: s3://bucket/folder.
        metadata : str or Path, optional
            CSV or Parquet table with more about them; see `from_csv`. Its rows are matched by a column `id`, `path` or
            `filename` with the path inside the folder, absolute, or from the table's folder, or else the file's name,
            with its ending or without; rows that match several files by name, or none, are skipped with a warning.
            Missing values are read from the files' own tags (`with_file_tags`).

        Returns
        -------
        Catalogue
            The catalogue.

        Raises
        ------
        CatalogueError
            The folder is missing or has no media, or the metadata is not usable.
        """
        return cls(read_folder(place(folder), None if metadata is None else Path(metadata))).with_file_tags()

    @classmethod
    def from_csv(cls, path: str | Path) -> Self:
        """Read a CSV with a header, or text that is separated by semicolons, tabs or vertical bars.

        Case, spaces, hyphens and underscores in a header make no difference. A header that seems to be misspelt is
        asked about in an error. Text is UTF-8, UTF-16 or, with a warning, Latin-1.

        Parameters
        ----------
        path : str or Path
            CSV with the columns id and/or path, and any of artist, title, genre, tags, year, split. Tags are separated
            by semicolons, vertical bars or commas, or are a list in brackets. A date stands for its year. Relative
            paths start at the CSV's folder. Names such as "N/A" or "Various Artists" mean that the artist, genre or tag
            is not known. Other columns are kept.

        Returns
        -------
        Catalogue
            The catalogue.

        Raises
        ------
        CatalogueError
            The file or a value is not usable; the message names file, row and column.
        """
        return cls(read_metadata(Path(path)))

    @classmethod
    def from_parquet(cls, path: str | Path) -> Self:
        """Read a Parquet table, as `from_csv` reads a CSV; tags may be a list column.

        Parameters
        ----------
        path : str or Path
            Parquet table.

        Returns
        -------
        Catalogue
            The catalogue.

        Raises
        ------
        CatalogueError
            The file or a value is not usable; the message names file, row and column.
        """
        return cls(read_metadata(Path(path)))

    @classmethod
    def load(cls, path: str | Place) -> Self:
        """Read what `save` wrote.

        Parameters
        ----------
        path : str, Path or Address
            Parquet file, also at an address such as s3://bucket/catalogue.parquet.

        Returns
        -------
        Catalogue
            The catalogue.

        Raises
        ------
        CatalogueError
            The file is missing or damaged.
        """
        where = _table_at(path)
        if not where.exists():
            raise CatalogueError(f"{path}: no such file. Run antiphon catalogue add.")
        try:
            return cls(read_table(where, CATALOGUE).to_pylist())
        except FeatureStoreError as error:
            raise CatalogueError(
                f"{path}: is not readable as a catalogue ({error.__cause__ or error}). Restore it from a copy: it "
                "has the splits. Without one, move it away and run antiphon catalogue add and train again."
            ) from error

    def save(self, path: str | Place) -> None:
        """Write the catalogue as Parquet, atomically.

        Parameters
        ----------
        path : str, Path or Address
            Parquet file, also at an address such as s3://bucket/catalogue.parquet.
        """
        write_table(self.table, _table_at(path))

    def __len__(self) -> int:
        return self.table.num_rows

    def __repr__(self) -> str:
        return facts_text(*self._facts())

    def _repr_html_(self) -> str:
        from antiphon.presentation.tables import notebook_html

        return notebook_html(facts_html(*self._facts()))

    def _facts(self) -> tuple[str, dict[str, str]]:
        """Return a title and what there is to know of the catalogue, for people."""
        artists = {key for keys in credited(self.artists) for key in keys}
        genres = {name for name in self.table["genre"].to_pylist() if name}
        splits = ", ".join(f"{count:,} {name}" for name, count in self.split_counts().items())
        facts = {"splits": splits, "artists": f"{len(artists):,}", "genres": f"{len(genres):,}"}
        return f"Catalogue of {len(self):,} music videos", facts

    @property
    def ids(self) -> list[str]:
        """Ids of the videos, in the table's order."""
        return self.table["id"].to_pylist()

    @property
    def artists(self) -> list[str | None]:
        """Artists of the videos, in the table's order; None where unknown."""
        return self.table["artist"].to_pylist()

    def records(self) -> list[CatalogueRow]:
        """Return the rows as dictionaries.

        Returns
        -------
        list of CatalogueRow
            One dictionary per video.
        """
        return self.table.to_pylist()

    def split_counts(self) -> dict[str, int]:
        """Count the videos of each split.

        Returns
        -------
        dict of str to int
            Counts above 0 by split; "unsplit" counts the videos without one.
        """
        values = self.table["split"].to_pylist()
        counts = {name: values.count(name) for name in SPLITS} | {"unsplit": values.count(None)}
        return {name: count for name, count in counts.items() if count}

    def split(
        self, by: Literal["artist", "video"] = "artist", fractions: Sequence[float] = FRACTIONS, seed: int = 0
    ) -> Self:
        """Assign every video to train, validation or test. Byte-identical copies are always in one split.

        Parameters
        ----------
        by : {'artist', 'video'}, default 'artist'
            "artist" keeps all videos of an artist in one split, and of artists with works in common (a video without an
            artist is assigned by its id); "video" uses only the id.
        fractions : sequence of float, default FRACTIONS
            Shares of train, validation and test. They hold on average: a hash of the name decides, so that later
            additions never move earlier videos.
        seed : int, default 0
            Seed of the hash.

        Returns
        -------
        Catalogue
            The catalogue with new splits.

        Raises
        ------
        ConfigError
            The fractions do not sum to 1.
        """
        return type(self)([row | {"split": None} for row in self.records()]).split_missing(by, fractions, seed)

    def split_missing(
        self, by: Literal["artist", "video"] = "artist", fractions: Sequence[float] = FRACTIONS, seed: int = 0
    ) -> Self:
        """Assign the videos without a split, and move no other.

        A video joins the split of a byte-identical copy, or else, by artist, that in which its artist stands already,
        of several artists the one named first that does; otherwise it is assigned as by `split`. Where its artists
        stand in several splits, that is a warning.

        Parameters
        ----------
        by : {'artist', 'video'}, default 'artist'
            "artist" or "video"; see `split`.
        fractions : sequence of float, default FRACTIONS
            Shares of train, validation and test.
        seed : int, default 0
            Seed of the hash.

        Returns
        -------
        Catalogue
            The catalogue with all splits.

        Raises
        ------
        ConfigError
            The fractions do not sum to 1.
        """
        rows = self.records()
        artists = [row["artist"] if by == "artist" else None for row in rows]
        contents, given = [content_of(row) for row in rows], [row["split"] for row in rows]
        splits, straddling = fill_splits(self.ids, artists, given, fractions, seed, contents)
        if straddling:
            videos = counted(len(straddling), "video is", "videos are")
            known = "so what is learnt of one may be tested"
            warnings.warn(f"{videos} by artists of several splits, {known}: {straddling[0]}.", stacklevel=2)
        return type(self)([row | {"split": split} for row, split in zip(rows, splits, strict=True)])

    def artists_in_two_splits(self) -> list[str]:
        """List artists with videos in more than one split; empty unless splits were given from outside.

        Returns
        -------
        list of str
            Sorted keys of the artists; see `artist_key`.
        """
        splits: dict[str, set[str]] = {}
        for keys, split in zip(credited(self.artists), self.table["split"].to_pylist(), strict=True):
            for key in keys if split else ():
                splits.setdefault(key, set()).add(split)
        return sorted(artist for artist, found in splits.items() if len(found) > 1)

    def extended(self, other: "Catalogue") -> Self:
        """Merge the rows of another catalogue into this one; its values take precedence.

        Splits of this catalogue stay, and so do ids: files are found again under another path by their content, and a
        file whose id is that of another file gets folders of its path before it, such as `day-2/clip.mp4`. Values of a
        table take precedence over those of files' own tags.

        Parameters
        ----------
        other : Catalogue
            Catalogue to merge.

        Returns
        -------
        Catalogue
            The merged catalogue.
        """
        joined = join(self.records(), other.records())
        if joined.again:
            came_with, name = next(iter(joined.again.items()))
            message = (
                f"{counted(len(joined.again), 'file has', 'files have')} another id already: '{came_with}' is '{name}'."
            )
            warnings.warn(message, stacklevel=2)
        return type(self)(joined.rows)

    def examined(self, *, read_all: bool = False) -> tuple[Self, Examination]:
        """Compare the files with what they were when they were catalogued.

        Files that were merely touched, or exchanged their names, are known again by their content. What was known of
        replaced files is removed, so that `probe` reads them again; features made of them are not touched.

        Parameters
        ----------
        read_all : bool, default False
            Read files too whose size and modification time are as they were.

        Returns
        -------
        catalogue : Catalogue
            The catalogue with the identities that the files have now.
        found : Examination
            What became of the files.
        """
        rows = self.records()
        found = examine(rows, read_all=read_all)
        return type(self)(rows), found

    def with_file_tags(
        self,
        videos: Collection[str] | None = None,
        progress: Progress | None = None,
        limits: WorkerLimits | None = None,
    ) -> Self:
        """Fill in missing artist, title, genre and year from the tags of files that have not been read yet.

        Call it before `split`, which assigns by artist, and before `probe`, which marks files as read.

        Parameters
        ----------
        videos : collection of str, optional
            Ids of the videos whose files to read. Default: all that have not been read.
        progress : callable, optional
            Called with files done and their total.
        limits : WorkerLimits, optional
            Limits of each file. Default: 60 s and 2 GB.

        Returns
        -------
        Catalogue
            The completed catalogue.
        """
        rows = self.records()
        waiting = [row for row in rows if row["path"] and row["has_audio"] is None]
        fill_in_tags([row for row in waiting if videos is None or row["id"] in videos], progress, limits)
        return type(self)(rows)

    def refreshed(
        self,
        without: Collection[str] = (),
        progress: Progress | None = None,
        limits: WorkerLimits | None = None,
    ) -> tuple[Self, list[str]]:
        """Read artist, title, genre and year from the files' own tags again.

        Values that came from such tags follow them, and missing ones are filled in; those of tables stay. A catalogue
        of an earlier version does not know where its values come from: those that agree with the tags follow them from
        now on.

        Parameters
        ----------
        without : collection of str
            Ids of videos whose files cannot be read, and whose values stay.
        progress : callable, optional
            Called with files done and their total.
        limits : WorkerLimits, optional
            Limits of each file. Default: 60 s and 2 GB.

        Returns
        -------
        catalogue : Catalogue
            The catalogue with the values of today.
        changed : list of str
            Ids of the videos whose values changed.
        """
        rows, left_out = self.records(), set(without)
        readable = [row for row in rows if row["path"] and _is_probed(row) and row["id"] not in left_out]
        changed = renew_tags(readable, progress, limits)
        return type(self)(rows), changed

    def probe(
        self, progress: Progress | None = None, limits: WorkerLimits | None = None
    ) -> tuple[Self, dict[str, str]]:
        """Read the headers of files that have not been read yet: duration, and whether there is audio and video.

        Files get their identity too, also those of catalogues of earlier versions.

        Parameters
        ----------
        progress : callable, optional
            Called with files done and their total.
        limits : WorkerLimits, optional
            Limits of each file. Default: 60 s and 2 GB.

        Returns
        -------
        catalogue : Catalogue
            The catalogue with `start_s`, `duration_s`, `has_audio`, `has_video`, the extents of both and the identities
            filled in.
        reasons : dict of str to str
            Reason for each file that could not be read, by id. Such files stay in the catalogue, since they may be
            repaired or come back.
        """
        rows = self.records()
        waiting = [row for row in rows if row["path"] and not (_is_probed(row) and is_identified(row))]
        reasons: dict[str, str] = {}
        notes: list[str] = []
        for row, found in inspect_files(_look_at, waiting, progress, limits):
            if isinstance(found, AntiphonError):
                reasons[row["id"]] = reason(row["path"], found)
                if isinstance(found, JobError):
                    _log.error("%s", found.traceback)
            else:
                note = found.pop("note", None)
                notes += [f"{row['id']} {note}"] if note else []
                row.update(found)
        if notes:
            shown = "; ".join(sorted(notes)[:_MAX_NOTES]) + ("; …" if len(notes) > _MAX_NOTES else "")
            warnings.warn(
                f"{counted(len(notes), 'file has', 'files have')} several tracks of a kind: {shown}.", stacklevel=2
            )
        return type(self)(rows), {row["id"]: reasons[row["id"]] for row in waiting if row["id"] in reasons}


def _table_at(path: str | Place) -> Place:
    """Return the place of a table; that of a workspace in a store is a folder."""
    where = place(path)
    shared = isinstance(where, Address) and not isinstance(where, SharedTable) and where.is_dir()
    return SharedTable(where.text) if shared and isinstance(where, Address) else where


def _is_probed(row: CatalogueRow) -> bool:
    return row["has_audio"] is not None and row["duration_s"] is not None


def _look_at(row: CatalogueRow) -> dict[str, Any]:
    """Identify and probe a file, in this order: one that is replaced in between is then noticed the next time."""
    identity = identify(row["path"])
    known = {} if identity is None else vars(identity)
    return known if _is_probed(row) else known | _probe_row(row)


def _probe_row(row: CatalogueRow) -> dict[str, Any]:
    info = probe_media(row["path"])
    return {
        "start_s": info.start_s,
        "duration_s": info.duration_s,
        "has_audio": info.has_audio,
        "has_video": info.has_video,
        "audio_start_s": info.audio_start_s,
        "audio_end_s": info.audio_end_s,
        "video_start_s": info.video_start_s,
        "video_end_s": info.video_end_s,
        "note": info.note,
    }


def _refuse_ids(records: Sequence[CatalogueRow]) -> None:
    fault = first_fault(record.get("id") for record in records)
    if fault is not None:
        raise CatalogueError(f"row {fault[0] + 1}: the id {fault[1]}. Name every music video by plain text.")


def _refuse_duplicates(records: Sequence[CatalogueRow]) -> None:
    seen: dict[str, int] = {}
    for number, record in enumerate(records, start=1):
        first = seen.setdefault(record["id"], number)
        if first != number:
            raise CatalogueError(f"id '{record['id']}' is in rows {first} and {number}. Give every video a unique id.")
    files: dict[str, str] = {}
    for record in records:
        path = record.get("path")
        if path and files.setdefault(path, record["id"]) != record["id"]:
            raise CatalogueError(
                f"{path}: is the file of both '{files[path]}' and '{record['id']}', which may get different splits. "
                "Keep one of them."
            )


def _to_table(given: Sequence[CatalogueRow]) -> pa.Table:
    records = [without_unknown(row) for row in given]
    names = dict.fromkeys(name for record in records for name in record)
    further = [name for name in names if name not in CATALOGUE.names]
    columns = {field.name: _column(field, records) for field in CATALOGUE}
    for name in further:
        values = [row.get(name) for row in records]
        try:
            columns[name] = pa.array(values)
        except (pa.ArrowException, ValueError, OverflowError):
            texts = [{name: _as_text(name, value, number)} for number, value in enumerate(values, start=1)]
            columns[name] = _column(pa.field(name, pa.string()), texts)
    return pa.table(columns)


def _as_text(column: str, value: Any, number: int) -> str | None:
    try:
        return None if value is None else str(value)
    except (ValueError, RecursionError) as error:  # An integer of thousands of digits.
        raise CatalogueError(f"row {number}, column '{column}': {shown(value)} cannot be kept as text.") from error


def _column(field: pa.Field, records: Sequence[CatalogueRow]) -> pa.Array:
    try:
        return pa.array([row.get(field.name) for row in records], field.type)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise CatalogueError(f"column '{field.name}': a value is not {field.type}: {error}.") from error
