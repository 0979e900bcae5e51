"""Heads that are trained, with what they were trained on: features of others are refused."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from antiphon.embeddings import within_side
from antiphon.errors import ModelError
from antiphon.features.tracks import Tracks, track_embeddings
from antiphon.model.closed_form import Side
from antiphon.model.embedding import embed_rows, embed_tracks, segment_curves
from antiphon.model.recipe import Recipe
from antiphon.model.towers import Towers

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class SideRows:
    """One side of some features.

    Attributes
    ----------
    side : {'audio', 'video'}
        Modality.
    values : ndarray of float32, shape (n, features)
        Features.
    present : ndarray of bool, shape (n,)
        Which rows have this side.
    name : str
        The backbone, or "".
    """

    side: Side
    values: FloatArray
    present: npt.NDArray[np.bool_]
    name: str

    @classmethod
    def whole(cls, side: Side, values: FloatArray, name: str) -> "SideRows":
        """Rows that all have this side."""
        return cls(side, values, np.ones(len(values), dtype=bool), name)


@dataclass(frozen=True)
class FittedHeads:
    """Trained heads.

    Attributes
    ----------
    towers : Towers
        The heads.
    recipe : Recipe
        Their recipe.
    names : dict of str to str
        Backbone of the features of each side that they were trained on, or "".
    dims : dict of str to int
        Size of these features.
    is_published : bool
        Whether others trained and published them; such heads take no features but those that are named.
    device : torch.device
        Where they compute.
    """

    towers: Towers
    recipe: Recipe
    names: dict[Side, str]
    dims: dict[Side, int]
    is_published: bool
    device: torch.device

    def embed(self, rows: SideRows, labels: bool = False) -> FloatArray:
        """Embed rows.

        Parameters
        ----------
        rows : SideRows
            Features of n rows.
        labels : bool, default False
            Return what is predicted of the labels instead.

        Returns
        -------
        ndarray of float32, shape (n, dim)
            Unit rows; NaN where the side is missing.

        Raises
        ------
        ModelError
            The features are of another backbone or size.
        """
        result = self._nothing(len(rows.values), labels)
        if rows.present.any():
            self._refuse_others(rows)
            there = rows.values[rows.present]
            result[rows.present] = embed_rows(self.towers, rows.side, there, self.device, labels=labels)
        return result

    def curves(self, rows: SideRows, groups: npt.NDArray[Any], starts_s: npt.NDArray[np.float64]) -> FloatArray | None:
        """Project segments onto the curves of the time course; None where the model has none.

        Parameters
        ----------
        rows, groups, starts_s
            As in `embed_tracks`; all rows have this side.

        Returns
        -------
        ndarray of float32, shape (n, curves), or None
            Values of the curves at each segment, without their mean over the track.
        """
        course = None if self.towers.tracks is None else self.towers.tracks.course
        if course is None:
            return None
        self._refuse_others(rows)
        return segment_curves(course, rows.side, rows.values, groups, starts_s, self.device)

    def embed_tracks(
        self, rows: SideRows, groups: npt.NDArray[Any], starts_s: npt.NDArray[np.float64], labels: bool = False
    ) -> FloatArray:
        """Embed tracks from the rows of their segments.

        Parameters
        ----------
        rows : SideRows
            Features of n segments.
        groups : ndarray, shape (n,)
            Track of each.
        starts_s : ndarray of float64, shape (n,)
            Start of each, in seconds.
        labels : bool, default False
            Return what is predicted of the labels instead.

        Returns
        -------
        ndarray of float32, shape (tracks, dim)
            Unit rows in the sorted order of the unique groups; NaN where the side is missing.

        Raises
        ------
        ModelError
            The features are of another backbone or size.
        """
        there = rows.present
        videos = np.unique(groups)
        result = self._nothing(len(videos), labels)
        if not there.any():
            return result
        if labels or self.recipe.track is None:
            segments = self.embed(rows, labels)[there]
            if labels:
                names, found = track_embeddings(segments, groups[there])
            else:
                names, means = track_embeddings(within_side(segments, self.towers.correction_dim), groups[there])
                found = self._corrected(rows.side, means)
        else:
            self._refuse_others(rows)
            # Both sides of a track have all its segments, so that their parts are of the same times.
            source = Tracks.of(groups, starts_s).nearest(there)
            kept = source >= 0
            timed = (groups[kept], starts_s[kept])
            names, found = embed_tracks(self.towers, rows.side, rows.values[source[kept]], *timed, self.device)
        result[np.searchsorted(videos, names)] = found
        return result

    def _corrected(self, side: Side, means: FloatArray) -> FloatArray:
        with torch.inference_mode():
            return self.towers.corrected_tracks(side, torch.from_numpy(means).to(self.device)).cpu().numpy()

    def _nothing(self, count: int, labels: bool) -> FloatArray:
        dim = self.towers.label_dim if labels else self.towers.embedding_dim
        return np.full((count, dim), np.nan, dtype=np.float32)

    def _refuse_others(self, rows: SideRows) -> None:
        """Refuse features that are not of the backbone and size that the model was trained on."""
        side, name, wanted = rows.side, rows.name, self.names[rows.side]
        if self.is_published and name != wanted:
            given, expected = name or "a network not named", wanted or "a network not named"
            raise ModelError(
                f"The {side} features are of {given}; this published model was read for those of {expected}. "
                "Features of the same size from another network are other values. To measure it on them all the same, "
                f"name them when it is read: from_published(…, {side}_name={name!r}), or antiphon published --{side}."
            )
        if name and wanted and name != wanted:
            raise ModelError(f"The {side} features are of {name}; this model was trained on {wanted}.")
        dim = self.dims[side]
        if rows.values.shape[1] != dim:
            raise ModelError(
                f"The {side} features have {rows.values.shape[1]} values; this model takes {self.dims[side]}."
            )
