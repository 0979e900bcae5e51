"""Both heads with the temperature and bias of their scores: all trained parameters of a model."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from antiphon.errors import ModelError
from antiphon.model.aggregators import aggregator
from antiphon.model.closed_form import ClosedForm, Side
from antiphon.model.heads import Head, Unprojected
from antiphon.model.predicted_labels import MIN_VIDEOS
from antiphon.model.recipe import Recipe


class Towers(nn.Module):
    """Map audio and video features to unit embeddings in the joint space.

    A recipe with `heads = "video"` projects only the video, to the size of the audio feature, which passes unchanged
    (Veldkamp et al. 2023, "single projection head"). A recipe with a `track` table adds an aggregator per modality,
    whose output goes through the same head as a segment's feature, so that tracks and segments share one space. A
    recipe with a `closed_form` table adds closed-form parts to the embeddings once they are fitted; training sees only
    the heads.

    Parameters
    ----------
    audio_dim, video_dim : int
        Size of the audio and of the video features.
    recipe : Recipe
        Architecture, initial temperature and bias.

    Attributes
    ----------
    logit_scale : Parameter
        Scalar, log(1 / temperature) as in CLIP (Radford et al. 2021).
    bias : Parameter or None
        Scalar bias of the sigmoid loss; None for other losses.
    trained_dim : int
        Size of what the heads produce.
    aggregators : ModuleDict or None
        Aggregators by modality; None without a track model.
    closed_form : ClosedForm or None
        Closed-form parts; None where the recipe has none.
    """

    def __init__(self, audio_dim: int, video_dim: int, recipe: Recipe) -> None:
        super().__init__()
        head, loss = recipe.head, recipe.loss
        self.trained_dim = audio_dim if recipe.heads == "video" else head.embedding_dim
        if recipe.heads == "video":
            self.audio: Head | Unprojected = Unprojected(audio_dim, head)
        else:
            self.audio = Head(audio_dim, head)
        self.video = Head(video_dim, head.model_copy(update={"embedding_dim": self.trained_dim}))
        self.logit_scale = nn.Parameter(torch.tensor(-math.log(loss.temperature)), requires_grad=loss.learn_temperature)
        self.aggregators: nn.ModuleDict | None = None
        if recipe.track is not None:
            dims = {"audio": audio_dim, "video": video_dim}
            self.aggregators = nn.ModuleDict({side: aggregator(dim, recipe.track) for side, dim in dims.items()})
        self.bias = nn.Parameter(torch.tensor(loss.bias)) if loss.name == "sigmoid" else None
        self.closed_form = None if recipe.closed_form is None else ClosedForm(recipe.closed_form)
        self._limits = (-math.log(loss.max_temperature), -math.log(loss.min_temperature))

    @property
    def heads(self) -> dict[str, Head]:
        """Trained heads by modality."""
        sides = {"audio": self.audio, "video": self.video}
        return {side: head for side, head in sides.items() if isinstance(head, Head)}

    @property
    def temperature(self) -> Tensor:
        """Current temperature, a positive scalar tensor."""
        return torch.exp(-self.logit_scale)

    def clamp_temperature(self) -> None:
        """Clamp a learned temperature to its bounds; call after each optimizer step."""
        if self.logit_scale.requires_grad:
            with torch.no_grad():
                self.logit_scale.clamp_(*self._limits)

    @property
    def embedding_dim(self) -> int:
        """Size of the embeddings, closed-form parts included."""
        return self.trained_dim + (0 if self.closed_form is None else sum(self.closed_form.dims))

    @property
    def label_dim(self) -> int:
        """Size of the predicted-label part.

        Raises
        ------
        ModelError
            The model predicts no labels.
        """
        return self._predicting.label_dim

    def embed(self, side: Side, features: Tensor) -> Tensor:
        """Embed features of one modality.

        Parameters
        ----------
        side : {'audio', 'video'}
            Modality of the features.
        features : Tensor, shape (n, feature_dim)
            Features as a backbone computed them.

        Returns
        -------
        Tensor, shape (n, embedding_dim)
            Unit rows.
        """
        trained = self.project(side, features)
        fitted = self._fitted
        if fitted is None:
            return trained
        return fitted.joined(trained, *fitted.parts(side, self._standardised(side, features)))

    def embed_tracks(self, side: Side, features: Tensor, mask: Tensor, starts_s: Tensor) -> Tensor:
        """Embed tracks: the output of `project_tracks`, beside the mean closed-form parts of the segments.

        The means keep their length, as in a mean of whole segment embeddings. Where the segments of a track differ,
        their mean is short and contributes less than the trained part.

        Parameters
        ----------
        side : {'audio', 'video'}
            Modality of the features.
        features : Tensor, shape (t, length, feature_dim)
            Features of each track's segments, padded.
        mask : Tensor, shape (t, length)
            True where there is a segment; at least one per track.
        starts_s : Tensor, shape (t, length)
            Start of each window in seconds.

        Returns
        -------
        Tensor, shape (t, embedding_dim)
            Unit rows.

        Raises
        ------
        ModelError
            The recipe has no track model.
        """
        trained = self.project_tracks(side, features, mask, starts_s)
        fitted = self._fitted
        if fitted is None:
            return trained
        present = mask[..., None]
        parts = fitted.parts(side, self._standardised(side, features))
        linear, kernel = ((part * present).sum(dim=1) / present.sum(dim=1) for part in parts)
        return functional.normalize(fitted.joined(trained, linear, kernel), dim=-1)

    def predicted_labels(self, side: Side, features: Tensor) -> Tensor:
        """Predict labels from features of one modality.

        Parameters
        ----------
        side : {'audio', 'video'}
            Modality of the features.
        features : Tensor, shape (n, feature_dim)
            Features as a backbone computed them.

        Returns
        -------
        Tensor, shape (n, label_dim)
            Unit rows; their dot products measure how similar the predicted labels are.

        Raises
        ------
        ModelError
            The model predicts no labels.
        """
        return self._predicting.predicted_labels(side, self._standardised(side, features))

    def project(self, side: Side, features: Tensor) -> Tensor:
        """Project features of one modality by its head, without closed-form parts.

        Parameters
        ----------
        side : {'audio', 'video'}
            Modality of the features.
        features : Tensor, shape (n, feature_dim)
            Features as a backbone computed them.

        Returns
        -------
        Tensor, shape (n, trained_dim)
            Unit rows.
        """
        head: Head | Unprojected = self.audio if side == "audio" else self.video
        return functional.normalize(head(features), dim=-1)

    def project_tracks(self, side: Side, features: Tensor, mask: Tensor, starts_s: Tensor) -> Tensor:
        """Aggregate and project the segments of tracks, without closed-form parts.

        Parameters
        ----------
        side : {'audio', 'video'}
            Modality of the features.
        features : Tensor, shape (t, length, feature_dim)
            Features of each track's segments, padded.
        mask : Tensor, shape (t, length)
            True where there is a segment; at least one per track.
        starts_s : Tensor, shape (t, length)
            Start of each window in seconds.

        Returns
        -------
        Tensor, shape (t, trained_dim)
            Unit rows.

        Raises
        ------
        ModelError
            The recipe has no track model.
        """
        if self.aggregators is None:
            raise ModelError("This model has no track model. Train a recipe with a [track] table.")
        track = self.aggregators[side](self._standardised(side, features), mask, starts_s)
        return functional.normalize(self.heads[side].project(track), dim=-1)

    def forward(self, audio: Tensor, video: Tensor) -> tuple[Tensor, Tensor]:
        return self.project("audio", audio), self.project("video", video)

    @property
    def _predicting(self) -> ClosedForm:
        """Closed form that predicts labels."""
        if self._fitted is None or not self._fitted.label_dim:
            raise ModelError(
                "This model predicts no labels. Train a recipe with labels = true under [closed_form], on features "
                f"with labels that at least {MIN_VIDEOS} videos have."
            )
        return self._fitted

    @property
    def _fitted(self) -> ClosedForm | None:
        """Closed form, once it is fitted."""
        return self.closed_form if self.closed_form is not None and all(self.closed_form.dims) else None

    def _standardised(self, side: Side, features: Tensor) -> Tensor:
        return self.heads[side].standardised(features)
