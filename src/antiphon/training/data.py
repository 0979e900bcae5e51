"""What a training sees of its features, on the device."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from antiphon.features.features import Features
from antiphon.model.aggregators import TrackConfig
from antiphon.training.track_batches import TrackBatches


@dataclass(frozen=True)
class TrainingData:
    """Paired rows.

    Attributes
    ----------
    audio, video : (n, dim) features.
    groups, artists : (n,) the video and the artist of each row.
    labels : for each row its labels.
    tracks : the rows as whole tracks, where the recipe trains a track model.
    """

    audio: Tensor
    video: Tensor
    groups: npt.NDArray[np.str_]
    artists: npt.NDArray[np.str_]
    labels: tuple[tuple[str, ...], ...]
    tracks: TrackBatches | None

    @classmethod
    def of(cls, features: Features, device: torch.device, track: TrackConfig | None = None) -> "TrainingData":
        """The rows of `features`, which are paired; `track` is the recipe's."""
        audio, video = (torch.from_numpy(side).to(device) for side in (features.audio, features.video))
        tracks = TrackBatches.of(features, track, device)
        return cls(audio, video, features.groups, features.artists, features.labels, tracks)
