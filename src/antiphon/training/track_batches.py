"""Batches of whole tracks beside those of segments, and whole tracks embedded for validation and use."""

from collections.abc import Callable
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
from antiphon.model.towers import Towers

_CHUNK_TRACKS = 256


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

    def embed(self, towers: Towers, rows: npt.NDArray[Any], generator: np.random.Generator) -> tuple[Tensor, Tensor]:
        """(t, trained_dim) unit rows of sound and of pictures: the tracks that `rows`, of different videos, are from.

        Of a track longer than `most_segments` the generator draws as many, the same for both sides.
        """
        chosen, mask = self.tracks.stacked(self.tracks.numbers[rows], self.config.most_segments, generator)
        return (
            towers.project_tracks("audio", *_batch(self.audio, self.tracks, chosen, mask)),
            towers.project_tracks("video", *_batch(self.video, self.tracks, chosen, mask)),
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


def whole_tracks(embed: Callable[[Tensor, Tensor, Tensor], Tensor], features: Tensor, tracks: Tracks) -> Tensor:
    """What `embed` makes of the tracks of (n, feature_dim) features, a row each; for use without gradients."""
    parts: list[Tensor] = []
    for first in range(0, len(tracks.names), _CHUNK_TRACKS):
        chosen, mask = tracks.stacked(range(first, min(first + _CHUNK_TRACKS, len(tracks.names))))
        parts.append(embed(*_batch(features, tracks, chosen, mask)))
    return torch.cat(parts)


def _batch(
    features: Tensor, tracks: Tracks, rows: npt.NDArray[np.int64], mask: npt.NDArray[np.bool_]
) -> tuple[Tensor, Tensor, Tensor]:
    starts_s = torch.from_numpy(tracks.starts_s[rows]).to(features.device)
    return features[torch.from_numpy(rows).to(features.device)], torch.from_numpy(mask).to(features.device), starts_s
