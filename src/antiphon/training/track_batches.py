"""Batches of whole tracks, beside those of segments."""

from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from antiphon.features.features import Features
from antiphon.features.tracks import Tracks
from antiphon.model.aggregators import TrackConfig
from antiphon.model.embedding import track_batch, whole_tracks
from antiphon.model.towers import Towers


@dataclass(frozen=True)
class TrackBatches:
    """Tracks of paired features, whose rows are the segments that training sees.

    Attributes
    ----------
    audio, video : Tensor, shape (n, dim)
        Features of the segments.
    tracks : Tracks
        Rows and times of each track.
    config : TrackConfig
        Track model.
    """

    audio: Tensor
    video: Tensor
    tracks: Tracks
    config: TrackConfig

    @classmethod
    def of(cls, features: Features, config: TrackConfig | None, device: torch.device) -> Self | None:
        """Group paired rows into tracks.

        Parameters
        ----------
        features : Features
            Paired rows.
        config : TrackConfig or None
            Track model of the recipe.
        device : torch.device
            Target device.

        Returns
        -------
        TrackBatches or None
            None where the recipe trains no track model.
        """
        if config is None or not config.track_weight:
            return None
        audio, video = (torch.from_numpy(side).to(device) for side in (features.audio, features.video))
        return cls(audio, video, Tracks.of(features.groups, features.starts_s), config)

    def drawn(
        self, rows: npt.NDArray[Any], generator: np.random.Generator
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Draw segments of the tracks that some rows belong to, at most `max_segments` of each.

        Parameters
        ----------
        rows : ndarray, shape (b,)
            Rows of different videos.
        generator : numpy.random.Generator
            Subsamples longer tracks.

        Returns
        -------
        rows : ndarray of int64, shape (b, length)
            Rows of each track, padded.
        mask : ndarray of bool, shape (b, length)
            True where a row is not padding.
        """
        return self.tracks.stacked(self.tracks.numbers[rows], self.config.max_segments, generator)

    def embed(
        self, towers: Towers, chosen: npt.NDArray[np.int64], mask: npt.NDArray[np.bool_]
    ) -> tuple[Tensor, Tensor]:
        """Embed tracks from the segments that `drawn` has chosen.

        Parameters
        ----------
        towers : Towers
            Towers with a track model.
        chosen, mask : ndarray of int64, shape (t, length)
            Rows of each track and their mask; see `drawn`.

        Returns
        -------
        audio, video : Tensor, shape (t, trained_dim)
            Unit rows.
        """
        return (
            towers.project_tracks("audio", *track_batch(self.audio, self.tracks, chosen, mask)),
            towers.project_tracks("video", *track_batch(self.video, self.tracks, chosen, mask)),
        )

    def joint(self, segments: Tensor | float, tracks: Tensor | float) -> Any:
        """Combine a value of segments and one of tracks by the recipe's weights.

        Parameters
        ----------
        segments, tracks : Tensor or float
            Losses or ranks.

        Returns
        -------
        float or Tensor
            Weighted sum.
        """
        return self.config.segment_weight * segments + self.config.track_weight * tracks

    def whole(self, towers: Towers) -> tuple[Tensor, Tensor]:
        """Embed all tracks, sorted by video, with all their segments.

        Parameters
        ----------
        towers : Towers
            Towers with a track model.

        Returns
        -------
        audio, video : Tensor, shape (t, trained_dim)
            Unit rows.
        """
        of_tracks = towers.project_tracks
        return (
            whole_tracks(partial(of_tracks, "audio"), self.audio, self.tracks),
            whole_tracks(partial(of_tracks, "video"), self.video, self.tracks),
        )
