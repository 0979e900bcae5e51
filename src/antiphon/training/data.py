"""What a training sees of its features, on the device."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from antiphon.errors import ModelError
from antiphon.features.features import Features
from antiphon.model.aggregators import TrackConfig
from antiphon.model.recipe import Recipe
from antiphon.runs import fingerprint
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


def inputs_fingerprint(features: Features, validation: Features, recipe: Recipe) -> str:
    """SHA-256 (hex) of all that a training by this recipe sees of its paired features: values, which video each row is
    of, and its times, artist and labels where the recipe looks at them."""
    parts = (features, validation)
    seen = [array for part in parts for array in (part.audio, part.video, part.groups)]
    if recipe.track is not None:
        seen += [part.starts_s for part in parts]
    if recipe.loss.exclude_same_artist:
        seen.append(features.artists)
    if recipe.loss.label_weight or (recipe.closed_form is not None and recipe.closed_form.labels):
        seen.append(np.array(["\x1f".join(row) for row in features.labels], dtype=np.str_))
    return fingerprint(*seen)


def refuse_shared_videos(
    training: npt.NDArray[np.str_], validation: npt.NDArray[np.str_], remedy: str = "Split by video."
) -> None:
    """Refuse to train on a video that also validates.

    Parameters
    ----------
    training, validation : names of the videos, any number of times.
    remedy : what to do, for the message.

    Raises
    ------
    ModelError
        There is one.
    """
    shared = np.intersect1d(training, validation)
    if len(shared):
        raise ModelError(
            f"{len(shared)} videos stand in both training and validation, the first is '{shared[0]}': early stopping "
            f"would judge by what was learned by heart. {remedy}"
        )
