"""The heads, and the temperature (and bias) of their scores: everything that is trained."""

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
    """Audio and video features → unit embeddings in the joint space, of `embedding_dim` values.

    A recipe with `heads = "video"` projects the pictures alone: to the size of the audio feature, which passes as it
    is (Veldkamp et al. 2023, "single projection head"). A recipe with a `track` table has an aggregator for each side,
    whose output passes through the same head as a segment's feature: tracks and segments share one space. A recipe with
    a `closed_form` table sets parts beside what the heads make, once they are fitted; training sees the heads alone.
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
        """The heads there are, by side."""
        sides = {"audio": self.audio, "video": self.video}
        return {side: head for side, head in sides.items() if isinstance(head, Head)}

    @property
    def temperature(self) -> Tensor:
        """The temperature in force, a positive scalar."""
        return torch.exp(-self.logit_scale)

    def clamp_temperature(self) -> None:
        """Bring a learned temperature back inside its limits; called after each step."""
        if self.logit_scale.requires_grad:
            with torch.no_grad():
                self.logit_scale.clamp_(*self._limits)

    @property
    def embedding_dim(self) -> int:
        """Size of the embeddings."""
        return self.trained_dim + (0 if self.closed_form is None else sum(self.closed_form.dims))

    @property
    def label_dim(self) -> int:
        """Values that stand for the predicted labels.

        Raises
        ------
        ModelError
            No labels are predicted.
        """
        return self._predicting.label_dim

    def embed(self, side: Side, features: Tensor) -> Tensor:
        """(n, feature_dim) features of one side → (n, dim) unit rows."""
        trained = self.project(side, features)
        fitted = self._fitted
        if fitted is None:
            return trained
        return fitted.joined(trained, *fitted.parts(side, self._standardised(side, features)))

    def embed_tracks(self, side: Side, features: Tensor, mask: Tensor, starts_s: Tensor) -> Tensor:
        """As `project_tracks`, beside the mean of the segments' other parts where there are such: (t, dim) unit rows.

        The means keep their length, as in a mean of whole segments. Where segments differ theirs says little of the
        track, is short, and counts for less than what was trained.
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
        """(n, feature_dim) features of one side → (n, label_dim) unit rows: the labels that are predicted from them."""
        return self._predicting.predicted_labels(side, self._standardised(side, features))

    def project(self, side: Side, features: Tensor) -> Tensor:
        """(n, feature_dim) features of one side → (n, trained_dim) unit rows: what the head makes of them."""
        head: Head | Unprojected = self.audio if side == "audio" else self.video
        return functional.normalize(head(features), dim=-1)

    def project_tracks(self, side: Side, features: Tensor, mask: Tensor, starts_s: Tensor) -> Tensor:
        """(t, length, feature_dim) features of tracks' segments → (t, trained_dim) unit rows.

        Parameters
        ----------
        mask : (t, length) whether there is a segment; at least one a track.
        starts_s : (t, length) where the segments' windows start, in seconds.

        Raises
        ------
        ModelError
            The recipe has no track model.
        """
        if self.aggregators is None:
            raise ModelError("This model has no track model: its recipe has no [track] table.")
        track = self.aggregators[side](self._standardised(side, features), mask, starts_s)
        return functional.normalize(self.heads[side].project(track), dim=-1)

    def forward(self, audio: Tensor, video: Tensor) -> tuple[Tensor, Tensor]:
        return self.project("audio", audio), self.project("video", video)

    @property
    def _predicting(self) -> ClosedForm:
        """The closed form, where it predicts labels."""
        if self._fitted is None or not self._fitted.label_dim:
            raise ModelError(
                "This model predicts no labels: train a recipe with labels = true under [closed_form], on features "
                f"with labels that at least {MIN_VIDEOS} videos have."
            )
        return self._fitted

    @property
    def _fitted(self) -> ClosedForm | None:
        """The closed form, where there is one and it is fitted."""
        return self.closed_form if self.closed_form is not None and all(self.closed_form.dims) else None

    def _standardised(self, side: Side, features: Tensor) -> Tensor:
        return self.heads[side].standardised(features)
