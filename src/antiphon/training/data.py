"""Training data on the device, and checks of it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from antiphon.errors import ModelError
from antiphon.features.artists import joined_credits
from antiphon.features.features import Features
from antiphon.model.recipe import Recipe
from antiphon.runs import fingerprint


@dataclass(frozen=True)
class TrainingData:
    """Paired rows on the device.

    Attributes
    ----------
    audio, video : Tensor, shape (n, dim)
        Features.
    groups, artists : ndarray of str, shape (n,)
        Video of each row, and the keys of its artists, joined by unit separators; "" for an unknown artist.
    labels : tuple of tuple of str
        Labels of each row.
    """

    audio: Tensor
    video: Tensor
    groups: npt.NDArray[np.str_]
    artists: npt.NDArray[np.str_]
    labels: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, features: Features, device: torch.device) -> "TrainingData":
        """Move features to a device.

        Parameters
        ----------
        features : Features
            Paired rows.
        device : torch.device
            Target device.

        Returns
        -------
        TrainingData
            The rows on the device.
        """
        audio, video = (torch.from_numpy(side).to(device) for side in (features.audio, features.video))
        return cls(audio, video, features.groups, joined_credits(features.artists), features.labels)


def inputs_fingerprint(
    features: Features, validation: Features, recipe: Recipe, pretraining: Features | None = None
) -> str:
    """Hash all inputs that training by a recipe depends on.

    These are the values, the video of each row, and its times, artist and labels where the recipe uses them.

    Parameters
    ----------
    features, validation : Features
        Paired rows.
    recipe : Recipe
        Recipe to train by.
    pretraining : Features, optional
        Paired rows that heads are pretrained on.

    Returns
    -------
    str
        SHA-256, hexadecimal.
    """
    parts = (features, validation) if pretraining is None else (features, validation, pretraining)
    seen = [array for part in parts for array in (part.audio, part.video, part.groups)]
    if recipe.track is not None:
        seen += [part.starts_s for part in parts]
    if recipe.loss.exclude_same_artist or recipe.track is not None:
        seen.append(features.artists)
    if recipe.loss.label_weight or (recipe.closed_form is not None and recipe.closed_form.labels):
        seen.append(np.array(["\x1f".join(row) for row in features.labels], dtype=np.str_))
    return fingerprint(*seen)


def refuse_shared_videos(
    training: npt.NDArray[np.str_], validation: npt.NDArray[np.str_], remedy: str = "Split by video."
) -> None:
    """Raise an error if a video is in both training and validation.

    Parameters
    ----------
    training, validation : ndarray of str, shape (n,)
        Names of videos, with repetitions.
    remedy : str, default 'Split by video.'
        What to do about it, for the message.

    Raises
    ------
    ModelError
        A video is in both.
    """
    shared = np.intersect1d(training, validation)
    if len(shared):
        raise ModelError(
            f"{len(shared)} videos are in both training and validation ('{shared[0]}' is the first), so early stopping "
            f"would be judged on training data. {remedy}"
        )
