"""Paired features in memory: row i of the audio belongs to row i of the video."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from antiphon.catalogue.splits import SPLITS, assign_splits
from antiphon.errors import FeatureStoreError
from antiphon.features.artists import artists_of_videos
from antiphon.features.columns import (
    group_names,
    known_names,
    matrix,
    row_names,
    seconds,
    side_of,
    split_names,
    text_lists,
)
from antiphon.plurals import counted
from antiphon.presentation.flag_words import flag_words
from antiphon.presentation.tables import facts_html, facts_text
from antiphon.runs import fingerprint
from antiphon.segments.sampling import SamplingConfig

FloatArray = npt.NDArray[np.float32]
NameArray = npt.NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class Features:
    """Features of segments, or of whole tracks, as a backbone computed them.

    Attributes
    ----------
    ids : ndarray of str, shape (n,)
        Unique names of the rows.
    audio, video : ndarray of float32, shape (n, dim)
        Features. A row of NaN marks an item without audio (video).
    groups : ndarray of str, shape (n,)
        Video of each row. Rows of one video never share a batch, and are resampled together.
    splits : ndarray of str, shape (n,)
        "train", "validation", "test" or "" for none.
    labels : tuple of tuple of str
        Labels (tags) of each row, possibly none.
    genres, artists : ndarray of str, shape (n,)
        Genre and artist of each row, "" where unknown.
    starts_s : ndarray of float64, shape (n,)
        Start of each row's window on its track's time line, in seconds; NaN where unknown.
    flags : tuple of tuple of str
        What is wrong with the sound or pictures of each row, such as "audio silent" or "video black"; see
        `antiphon.media.quality`. Empty where nothing is, or where it is not known.
    audio_name, video_name : str
        Names of the backbones; "" for unnamed features.
    sampling : SamplingConfig or None
        Position of the segments, where known, so that files encoded later are sampled alike.
    """

    ids: NameArray
    audio: FloatArray
    video: FloatArray
    groups: NameArray
    splits: NameArray
    labels: tuple[tuple[str, ...], ...]
    genres: NameArray
    artists: NameArray
    starts_s: npt.NDArray[np.float64]
    flags: tuple[tuple[str, ...], ...]
    audio_name: str = ""
    video_name: str = ""
    sampling: SamplingConfig | None = None

    @classmethod
    def from_arrays(
        cls,
        audio: npt.ArrayLike | None = None,
        video: npt.ArrayLike | None = None,
        ids: Sequence[Any] | npt.NDArray[Any] | None = None,
        groups: Sequence[Any] | npt.NDArray[Any] | None = None,
        labels: Sequence[Any] | npt.NDArray[Any] | None = None,
        splits: Sequence[str] | npt.NDArray[Any] | None = None,
        genres: Sequence[Any] | npt.NDArray[Any] | None = None,
        artists: Sequence[Any] | npt.NDArray[Any] | None = None,
        starts_s: Sequence[Any] | npt.NDArray[Any] | None = None,
        flags: Sequence[Sequence[str]] | None = None,
        audio_name: str = "",
        video_name: str = "",
    ) -> Self:
        """Build features from arrays computed elsewhere.

        Parameters
        ----------
        audio, video : array_like, shape (n, dim), optional
            Numbers; row i of both is one pair. None for a modality that is missing throughout, a row of NaN for one
            that this item lacks.
        ids : sequence of object or ndarray, shape (n,), optional
            Unique names of the rows. Default: "0", "1", …
        groups : sequence of object or ndarray, shape (n,), optional
            Video of each row. Default: each row is a video of its own.
        labels : sequence of object or ndarray, optional
            For each row a label or a list of labels; or a matrix of 0 and 1, shape (n, labels).
        splits : sequence of str or ndarray, shape (n,), optional
            "train", "validation" or "test". Default: none; see `split`.
        genres, artists : sequence of object or ndarray, shape (n,), optional
            Genre and artist of each row; None, NaN, "" or a word such as "N/A" or "Various Artists" where unknown. A
            row may list several artists.
        starts_s : sequence of object or ndarray, shape (n,), optional
            Start of each row's window on its track's time line, in seconds; None or NaN where unknown. Track models
            read a track in this order, and in the order of its rows where any start is unknown.
        flags : sequence of sequence of str, optional
            What is wrong with each row's sound or pictures; training leaves rows with flags out. Default: nothing.
        audio_name, video_name : str, default ''
            What computed the features. Models keep the names and refuse features of other names.

        Returns
        -------
        Features
            The features.

        Raises
        ------
        FeatureStoreError
            An argument has a wrong shape, type or value; the message names it, and the row.
        """
        given = (("audio", audio), ("video", video))
        sides = {name: matrix(values, name) for name, values in given if values is not None}
        count = next((len(side) for side in sides.values()), 0)
        if not count:
            raise FeatureStoreError("audio and video are both missing or empty. Give at least one row of one of them.")
        names = row_names(ids, count, "ids") if ids is not None else np.arange(count).astype(np.str_)
        repeated = np.flatnonzero(np.bincount(np.unique(names, return_inverse=True)[1]) > 1)
        if len(repeated):
            raise FeatureStoreError(f"ids: '{np.unique(names)[repeated[0]]}' occurs more than once. Make ids unique.")
        return cls(
            ids=names,
            audio=side_of(sides.get("audio"), count, "audio"),
            video=side_of(sides.get("video"), count, "video"),
            groups=names if groups is None else group_names(groups, count),
            splits=np.full(count, "") if splits is None else split_names(splits, count),
            labels=text_lists(labels, count, "labels"),
            genres=known_names(genres, count, "genres"),
            artists=known_names(artists, count, "artists"),
            starts_s=seconds(starts_s, count),
            flags=text_lists(flags, count, "flags"),
            audio_name=audio_name,
            video_name=video_name,
        )

    @classmethod
    def from_parquet(
        cls,
        paths: str | Path | Sequence[str | Path],
        audio: str | None = None,
        video: str | None = None,
        ids: str = "id",
        groups: str | None = None,
        labels: str | None = None,
        splits: str | None = None,
        genres: str | None = None,
        artists: str | None = None,
        starts_s: str | None = None,
    ) -> Self:
        """Read features from Parquet tables with one row per segment (or video).

        Parameters
        ----------
        paths : str, Path or sequence of str or Path
            One table, or several with the same columns.
        audio, video : str, optional
            Columns with the vectors, lists of one length; one of them may be left out. A null marks an item without
            that modality. The names of the columns become `audio_name` and `video_name`.
        ids, groups, labels, splits, genres, artists, starts_s : str, default 'id'
            Names of further columns; see `from_arrays`.

        Returns
        -------
        Features
            The features.

        Raises
        ------
        FeatureStoreError
            A file cannot be read, lacks a column, or has vectors of different lengths; or audio and video are both
            missing, or the same column.
        """
        if audio is None and video is None:
            raise FeatureStoreError(
                "audio and video are both missing. Name the column with the vectors of at least one of them."
            )
        if audio == video:
            raise FeatureStoreError(f"audio and video are both the column '{audio}'. Name a different column for each.")
        from antiphon.features.parquet import name_column, read_columns, vector_column

        several = [paths] if isinstance(paths, str | Path) else list(paths)
        further = (groups, labels, splits, genres, artists, starts_s)
        frame = read_columns(several, [name for name in (ids, audio, video, *further) if name])
        return cls.from_arrays(
            audio=vector_column(frame, audio) if audio else None,
            video=vector_column(frame, video) if video else None,
            ids=name_column(frame, ids),
            groups=name_column(frame, groups) if groups else None,
            labels=frame[labels].to_list() if labels else None,
            splits=frame[splits].to_list() if splits else None,
            genres=frame[genres].to_list() if genres else None,
            artists=frame[artists].to_list() if artists else None,
            starts_s=frame[starts_s].to_list() if starts_s else None,
            audio_name=audio or "",
            video_name=video or "",
        )

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return facts_text(*self._facts())

    def _repr_html_(self) -> str:
        from antiphon.presentation.tables import notebook_html

        return notebook_html(facts_html(*self._facts()))

    def _facts(self) -> tuple[str, dict[str, str]]:
        """Return a title and what there is to know of the features, for people."""
        videos = len(np.unique(self.groups))
        sides = {
            "audio": (self.audio, self.has_audio, self.audio_name),
            "video": (self.video, self.has_video, self.video_name),
        }
        facts: dict[str, str] = {}
        for side, (values, present, name) in sides.items():
            missing = f", missing in {(~present).sum():,} segments" if present.any() and not present.all() else ""
            named = f" of {name}" if name else ""
            facts[side] = f"{values.shape[1]:,} values{named}{missing}" if values.shape[1] else "none"
        counts = [(name, int((self.splits == name).sum())) for name in SPLITS]
        if self.flagged.any():
            by_flag = "; ".join(f"{flag_words(flag)}: {n['segments']:,}" for flag, n in self.flag_counts().items())
            facts["flagged"] = f"{counted(int(self.flagged.sum()), 'segment')}. {by_flag}"
        facts["splits"] = ", ".join(f"{count:,} {name}" for name, count in counts if count) or "none"
        return f"Features of {len(self):,} segments of {videos:,} music videos", facts

    def __getitem__(self, split: str) -> Self:
        """Return the rows of one split; raise FeatureStoreError if there is no such split."""
        if split not in SPLITS:
            raise FeatureStoreError(f"split must be one of {', '.join(SPLITS)}, not '{split}'.")
        rows = np.flatnonzero(self.splits == split)
        if not len(rows) and not (self.splits != "").any():
            raise FeatureStoreError("These features have no splits. Assign them with features.split().")
        return self.take(rows)

    def take(self, rows: npt.NDArray[np.integer] | npt.NDArray[np.bool_]) -> Self:
        """Select rows.

        Parameters
        ----------
        rows : ndarray of int or ndarray of bool, shape (k,)
            Indices, or a mask of shape (n,).

        Returns
        -------
        Features
            The rows in that order.
        """
        chosen = np.flatnonzero(rows) if rows.dtype == bool else rows
        return replace(
            self,
            ids=self.ids[chosen],
            audio=self.audio[chosen],
            video=self.video[chosen],
            groups=self.groups[chosen],
            splits=self.splits[chosen],
            labels=tuple(self.labels[row] for row in chosen),
            genres=self.genres[chosen],
            artists=self.artists[chosen],
            starts_s=self.starts_s[chosen],
            flags=tuple(self.flags[row] for row in chosen),
        )

    def split(self, fractions: Sequence[float] = (0.8, 0.1, 0.1), seed: int = 0) -> Self:
        """Assign whole artists (whole videos, where unknown) to train, validation and test, as `Catalogue.split` does.

        Artists with works in common share a split, as do all that a video's rows name.

        Parameters
        ----------
        fractions : sequence of float, default (0.8, 0.1, 0.1)
            Shares of train, validation and test, which sum to 1.
        seed : int, default 0
            Seed of the hash.

        Returns
        -------
        Features
            The features with new splits.
        """
        artists = artists_of_videos(self.groups, self.artists)
        splits = assign_splits(list(artists), list(artists.values()), fractions, seed)
        chosen = dict(zip(artists, splits, strict=True))
        return replace(self, splits=np.array([chosen[group] for group in self.groups.tolist()], dtype=np.str_))

    @cached_property
    def has_audio(self) -> npt.NDArray[np.bool_]:
        """(n,) mask of the rows with audio."""
        return _present(self.audio)

    @cached_property
    def has_video(self) -> npt.NDArray[np.bool_]:
        """(n,) mask of the rows with video."""
        return _present(self.video)

    @property
    def paired(self) -> Self:
        """Rows with both audio and video, which evaluation uses."""
        both = self.has_audio & self.has_video
        return self if both.all() else self.take(both)

    @cached_property
    def flagged(self) -> npt.NDArray[np.bool_]:
        """(n,) mask of the rows with flags."""
        return np.array([bool(flags) for flags in self.flags], dtype=bool)

    @property
    def training_pairs(self) -> Self:
        """Rows with both audio and video and without flags, which training uses."""
        usable = self.has_audio & self.has_video & ~self.flagged
        return self if usable.all() else self.take(usable)

    def without_flags(self) -> Self:
        """Return the same rows with no flags, so that training uses them all."""
        return replace(self, flags=((),) * len(self))

    def flag_counts(self) -> dict[str, dict[str, int]]:
        """Count what is wrong with the rows.

        Returns
        -------
        dict of str to dict
            "segments" and "videos" of each flag, the most frequent flag first.
        """
        found: dict[str, list[str]] = {}
        for group, flags in zip(self.groups.tolist(), self.flags, strict=True):
            for flag in flags:
                found.setdefault(flag, []).append(group)
        ordered = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
        return {flag: {"segments": len(groups), "videos": len(set(groups))} for flag, groups in ordered}

    def first_flagged(self) -> dict[str, str]:
        """Return the first video with each flag."""
        found: dict[str, str] = {}
        for group, flags in zip(self.groups.tolist(), self.flags, strict=True):
            for flag in flags:
                found.setdefault(flag, group)
        return found

    @property
    def first_segments(self) -> Self:
        """First row of each group."""
        return self.take(np.sort(np.unique(self.groups, return_index=True)[1]))

    def fingerprint(self) -> str:
        """Hash everything: vectors, names, splits, labels, times and flags.

        Returns
        -------
        str
            SHA-256, hexadecimal.
        """
        labels = np.array(["\x1f".join(row) for row in self.labels], dtype=np.str_)
        names = np.array([self.audio_name, self.video_name], dtype=np.str_)
        about = (self.ids, self.groups, self.splits, self.genres, self.artists, labels, names)
        if self.flagged.any():
            about += (np.array(["\x1f".join(row) for row in self.flags], dtype=np.str_),)
        return fingerprint(self.audio, self.video, self.starts_s, *about)


def _present(side: FloatArray) -> npt.NDArray[np.bool_]:
    return ~np.isnan(side[:, 0]) if side.shape[1] else np.zeros(len(side), dtype=bool)
