"""Batches of whole tracks beside those of segments."""

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
    """The tracks of paired features, whose rows are the segments that training sees."""

    audio: Tensor
    video: Tensor
    tracks: Tracks
    config: TrackConfig

    @classmethod
    def of(cls, features: Features, config: TrackConfig | None, device: torch.device) -> Self | None:
        """Tracks of (n,) paired rows; None where the recipe trains no track model."""
        if config is None or not config.track_weight:
            return None
        audio, video = (torch.from_numpy(side).to(device) for side in (features.audio, features.video))
        return cls(audio, video, Tracks.of(features.groups, features.starts_s), config)

    def drawn(
        self, rows: npt.NDArray[Any], generator: np.random.Generator
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """The segments of the tracks that (b,) `rows`, of different videos, are from: (b, length) rows and mask.

        Of a track longer than `max_segments` the generator draws as many.
        """
        return self.tracks.stacked(self.tracks.numbers[rows], self.config.max_segments, generator)

    def embed(
        self, towers: Towers, chosen: npt.NDArray[np.int64], mask: npt.NDArray[np.bool_]
    ) -> tuple[Tensor, Tensor]:
        """(t, trained_dim) unit rows of sound and of pictures, of tracks whose segments `drawn` has chosen."""
        return (
            towers.project_tracks("audio", *track_batch(self.audio, self.tracks, chosen, mask)),
            towers.project_tracks("video", *track_batch(self.video, self.tracks, chosen, mask)),
        )

    def joint(self, segments: Tensor | float, tracks: Tensor | float) -> Any:
        """The weighted sum of what was measured on segments and on tracks."""
        return self.config.segment_weight * segments + self.config.track_weight * tracks

    def whole(self, towers: Towers) -> tuple[Tensor, Tensor]:
        """(t, trained_dim) unit rows of all tracks, sorted by video, with all their segments."""
        of_tracks = towers.project_tracks
        return (
            whole_tracks(partial(of_tracks, "audio"), self.audio, self.tracks),
            whole_tracks(partial(of_tracks, "video"), self.video, self.tracks),
        )
