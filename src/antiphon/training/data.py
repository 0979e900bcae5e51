"""What a training sees of its features, on the device."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from antiphon.features.features import Features


@dataclass(frozen=True)
class TrainingData:
    """Paired rows.

    Attributes
    ----------
    audio, video : (n, dim) features.
    groups, artists : (n,) the video and the artist of each row.
    labels : for each row its labels.
    """

    audio: Tensor
    video: Tensor
    groups: npt.NDArray[np.str_]
    artists: npt.NDArray[np.str_]
    labels: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, features: Features, device: torch.device) -> "TrainingData":
        """The rows of `features`, which are paired."""
        audio, video = (torch.from_numpy(side).to(device) for side in (features.audio, features.video))
        return cls(audio, video, features.groups, features.artists, features.labels)
