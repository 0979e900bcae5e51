"""The table of music videos."""

import os
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal, Self

import pyarrow as pa

from antiphon.catalogue.file_tags import file_tags
from antiphon.catalogue.reading import read_folder, read_metadata
from antiphon.catalogue.splits import SPLITS, artist_key, assign_split
from antiphon.catalogue.validation import CatalogueRow
from antiphon.errors import CatalogueError, DecodeError, FeatureStoreError
from antiphon.media.probing import probe_media
from antiphon.presentation.tables import facts_html, facts_text
from antiphon.tables import CATALOGUE, read_table, write_table

FRACTIONS = (0.8, 0.1, 0.1)
_THREADS = 4


class Catalogue:
    """Music videos: id, path, artist, title, genre, tags, year, split, and whatever other columns you bring.

    Make one with `from_folder`, `from_csv` or `from_parquet`. A catalogue is not changed in place: `split`, `probe` and
    `extended` return another one. Items with sound only or pictures only are welcome.

    Attributes
    ----------
    table : the Arrow table, with the columns of `antiphon.tables.CATALOGUE` first.
    """

    def __init__(self, records: Sequence[CatalogueRow]) -> None:
        if not records:
            raise CatalogueError("The catalogue has no rows. Add at least one music video.")
        _refuse_duplicates(records)
        self.table = _to_table(records)

    @classmethod
    def from_folder(cls, folder: str | Path, metadata: str | Path | None = None) -> Self:
        """Every media file in `folder` and below; `metadata` (CSV or Parquet) says more about them.

        The id of a video is its path inside the folder. Rows of `metadata` are matched by a column `id`, `path` or
        `filename` that holds that path, the absolute one, or else the file's name, with its ending or without; rows
        that fit several files so are left out with a warning. What is left open is taken from the files' own tags
        (`with_file_tags`).

        Hidden files (names that begin with a dot) and links to folders are left out. Links to files are followed
        wherever they lead, also out of the folder: a collection may be a folder of links. One that leads nowhere is a
        row that cannot be read, as `probe` tells.

        Raises
        ------
        CatalogueError
            The folder is missing or holds no media, or the metadata is not usable.
        """
        return cls(read_folder(Path(folder), None if metadata is None else Path(metadata))).with_file_tags()

    @classmethod
    def from_csv(cls, path: str | Path) -> Self:
        """A CSV with a header; columns id and/or path, and any of artist, title, genre, tags, year, split.

        Tags are separated by semicolons (or given as a JSON list). Relative paths start at the CSV's folder; other
        columns are kept.

        Raises
        ------
        CatalogueError
            Naming file, row and column.
        """
        return cls(read_metadata(Path(path)))

    @classmethod
    def from_parquet(cls, path: str | Path) -> Self:
        """As `from_csv`, from a Parquet table (tags may be a list column)."""
        return cls(read_metadata(Path(path)))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        CatalogueError
            The file is missing or damaged.
        """
        try:
            return cls(read_table(Path(path), CATALOGUE).to_pylist())
        except FeatureStoreError as error:
            raise CatalogueError(
                f"{path}: is missing or no longer readable as a catalogue ({error.__cause__ or error})."
            ) from error

    def save(self, path: str | Path) -> None:
        """Write the catalogue as Parquet, atomically."""
        write_table(self.table, Path(path))

    def __len__(self) -> int:
        return self.table.num_rows

    def __repr__(self) -> str:
        return facts_text(*self._facts())

    def _repr_html_(self) -> str:
        from antiphon.presentation.notebook import notebook_html

        return notebook_html(facts_html(*self._facts()))

    def _facts(self) -> tuple[str, dict[str, str]]:
        """Return a title and what there is to know of the catalogue, for people."""
        artists = {artist_key(name) for name in self.table["artist"].to_pylist() if name}
        genres = {name for name in self.table["genre"].to_pylist() if name}
        splits = ", ".join(f"{count:,} {name}" for name, count in self.split_counts().items())
        facts = {"splits": splits, "artists": f"{len(artists):,}", "genres": f"{len(genres):,}"}
        return f"Catalogue of {len(self):,} music videos", facts

    @property
    def ids(self) -> list[str]:
        """Ids of the videos, in the table's order."""
        return self.table["id"].to_pylist()

    def records(self) -> list[CatalogueRow]:
        """The rows as dictionaries."""
        return self.table.to_pylist()

    def split_counts(self) -> dict[str, int]:
        """Videos in each split; those without one count as "unsplit"."""
        values = self.table["split"].to_pylist()
        counts = {name: values.count(name) for name in SPLITS} | {"unsplit": values.count(None)}
        return {name: count for name, count in counts.items() if count}

    def split(
        self, by: Literal["artist", "video"] = "artist", fractions: Sequence[float] = FRACTIONS, seed: int = 0
    ) -> Self:
        """Assign every video to train, validation or test.

        Parameters
        ----------
        by : "artist" keeps all videos of an artist in one split (a video without an artist goes by its id); "video"
            looks at the id alone.
        fractions : shares of train, validation and test. They hold on average: the hash of a name decides, so that
            the videos of tomorrow never move those of today.
        seed : draws another assignment.

        Raises
        ------
        ConfigError
            The fractions do not sum to 1.
        """
        return type(self)(
            [
                row | {"split": assign_split(row["id"], row["artist"] if by == "artist" else None, fractions, seed)}
                for row in self.records()
            ]
        )

    def split_missing(
        self, by: Literal["artist", "video"] = "artist", fractions: Sequence[float] = FRACTIONS, seed: int = 0
    ) -> Self:
        """Assign the videos that stand in no split yet, and move no other.

        By artist, a video joins the split in which its artist stands already; otherwise as `split`.
        """
        rows = self.records()
        known: dict[str, str] = {}
        for row in rows:
            if by == "artist" and row["artist"] and row["split"]:
                known.setdefault(artist_key(row["artist"]), row["split"])
        for row in rows:
            if row["split"] is None:
                artist = row["artist"] if by == "artist" else None
                row["split"] = known.get(artist_key(artist)) if artist else None
                row["split"] = row["split"] or assign_split(row["id"], artist, fractions, seed)
        return type(self)(rows)

    def artists_in_two_splits(self) -> list[str]:
        """Artists that stand in more than one split: empty unless splits were given from outside."""
        splits: dict[str, set[str]] = {}
        for row in self.records():
            if row["artist"] and row["split"]:
                splits.setdefault(artist_key(row["artist"]), set()).add(row["split"])
        return sorted(artist for artist, found in splits.items() if len(found) > 1)

    def extended(self, other: "Catalogue") -> Self:
        """This catalogue with the rows of `other` joined; what `other` knows of a common row replaces what was known.

        A split stays what it is in this catalogue, and a file its id: rows of `other` that give it another are left out
        with a warning.

        Raises
        ------
        CatalogueError
            An id stands for another file in `other`.
        """
        rows = {row["id"]: row for row in self.records()}
        names = {row["path"]: row["id"] for row in rows.values() if row["path"]}
        again: list[str] = []
        for row in other.records():
            if names.get(row["path"], row["id"]) != row["id"]:
                again.append(f"'{row['id']}' is '{names[row['path']]}'")
                continue
            known = rows.get(row["id"])
            if known is not None and not _same_file(known["path"], row["path"]):
                raise CatalogueError(
                    f"id '{row['id']}' is {known['path']} in this catalogue and {row['path']} in the other. "
                    "Rename one of them, or use another workspace for another catalogue."
                )
            if known is None:
                rows[row["id"]] = row
                continue
            kept = {"split"} if known["split"] else set[str]()
            rows[row["id"]] = known | {key: item for key, item in row.items() if item is not None and key not in kept}
        if again:
            warnings.warn(f"{len(again)} files are there under another id and are left out: {again[0]}.", stacklevel=2)
        return type(self)(list(rows.values()))

    def with_file_tags(self, progress: Callable[[int, int], None] | None = None) -> Self:
        """Artist, title, genre and year from the tags of files not looked at yet, where the catalogue has none.

        Call it before `split`, which goes by artist, and before `probe`, after which a file has been looked at.
        """
        rows = self.records()
        waiting = [row for row in rows if row["path"] and row["has_audio"] is None]
        with ThreadPoolExecutor(max_workers=_THREADS) as threads:
            tags = threads.map(file_tags, [row["path"] for row in waiting])
            for done, (row, found) in enumerate(zip(waiting, tags, strict=True), start=1):
                row.update({column: value for column, value in found.items() if row[column] is None})
                if progress is not None:
                    progress(done, len(waiting))
        return type(self)(rows)

    def probe(self, progress: Callable[[int, int], None] | None = None) -> tuple[Self, dict[str, str]]:
        """Read the headers of files not looked at yet: duration, and whether there is sound and picture.

        Returns
        -------
        The catalogue with `duration_s`, `has_audio` and `has_video` filled in, and the reason for each file that
        could not be read, by id. Such a file stays in the catalogue: it may be mended, or its place may come back.
        """
        rows = self.records()
        waiting = [row for row in rows if row["path"] and (row["has_audio"] is None or row["duration_s"] is None)]
        reasons: dict[str, str] = {}
        with ThreadPoolExecutor(max_workers=_THREADS) as threads:
            for done, (row, found) in enumerate(zip(waiting, threads.map(_probe_row, waiting), strict=True), start=1):
                if isinstance(found, DecodeError):
                    reasons[row["id"]] = str(found)
                else:
                    row.update(found)
                if progress is not None:
                    progress(done, len(waiting))
        return type(self)(rows), reasons


def _same_file(one: str | None, other: str | None) -> bool:
    """Whether two paths are of one file; one may be a link that leads to the other, or that led nowhere before."""
    if one is None or other is None or "://" in one or "://" in other:
        return one == other
    return one == other or os.path.realpath(one) == os.path.realpath(other)


def _probe_row(row: CatalogueRow) -> dict[str, Any] | DecodeError:
    try:
        info = probe_media(row["path"])
    except DecodeError as error:
        return error
    return {
        "start_s": info.start_s,
        "duration_s": info.duration_s,
        "has_audio": info.has_audio,
        "has_video": info.has_video,
    }


def _refuse_duplicates(records: Sequence[CatalogueRow]) -> None:
    seen: dict[str, int] = {}
    for number, record in enumerate(records, start=1):
        first = seen.setdefault(record["id"], number)
        if first != number:
            raise CatalogueError(
                f"id '{record['id']}' stands in rows {first} and {number}. Every video needs an id of its own."
            )
    files: dict[str, str] = {}
    for record in records:
        path = record.get("path")
        if path and files.setdefault(path, record["id"]) != record["id"]:
            raise CatalogueError(
                f"{path}: is the file of both '{files[path]}' and '{record['id']}', which could stand in two splits. "
                "Keep one of them."
            )


def _to_table(records: Sequence[CatalogueRow]) -> pa.Table:
    names = dict.fromkeys(name for record in records for name in record)
    further = [name for name in names if name not in CATALOGUE.names]
    columns = {field.name: pa.array([row.get(field.name) for row in records], field.type) for field in CATALOGUE}
    for name in further:
        values = [row.get(name) for row in records]
        try:
            columns[name] = pa.array(values)
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            columns[name] = pa.array([None if value is None else str(value) for value in values])
    return pa.table(columns)
