"""Both heads with the temperature and bias of their scores: all trained parameters of a model."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from antiphon.errors import ModelError
from antiphon.model.cca import Projection
from antiphon.model.closed_form import ClosedForm, Side
from antiphon.model.heads import Head, Unprojected
from antiphon.model.hubness import EXTRA, HubnessCorrection
from antiphon.model.predicted_labels import MIN_VIDEOS
from antiphon.model.recipe import Recipe
from antiphon.model.track_model import TrackModel
from antiphon.model.track_summary import summary_dim


class Towers(nn.Module):
    """Map audio and video features to unit embeddings in the joint space.

    A recipe with `heads = "video"` projects only the video, to the size of the audio feature, which passes unchanged
    (Veldkamp et al. 2023, "single projection head"). A recipe with a `track` table adds a track model with towers of
    its own. A recipe with a `closed_form` table adds closed-form parts to the embeddings once they are fitted; training
    sees only the heads. A recipe with a `hubness` table corrects scores of audio with video by values at the end of
    the embeddings, once the correction is fitted.

    Segments and tracks of a model with a track model live in two spaces of the same size: the smaller one is padded
    with zeros.

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
    tracks : TrackModel or None
        Track model; None where the recipe has none.
    closed_form : ClosedForm or None
        Closed-form parts; None where the recipe has none.
    hubness, track_hubness : HubnessCorrection or None
        Corrections of the scores of segments and of tracks; None where the recipe has none.
    """

    def __init__(self, audio_dim: int, video_dim: int, recipe: Recipe) -> None:
        super().__init__()
        self._dims: dict[Side, int] = {"audio": audio_dim, "video": video_dim}
        head, loss = recipe.head, recipe.loss
        self.trained_dim = audio_dim if recipe.heads == "video" else head.embedding_dim
        if recipe.heads == "video":
            self.audio: Head | Unprojected = Unprojected(audio_dim, head)
        else:
            self.audio = Head(audio_dim, head)
        self.video = Head(video_dim, head.model_copy(update={"embedding_dim": self.trained_dim}))
        self.logit_scale = nn.Parameter(torch.tensor(-math.log(loss.temperature)), requires_grad=loss.learn_temperature)
        self.tracks: TrackModel | None = None
        if recipe.track is not None:
            sizes = [summary_dim(dim, recipe.track.num_axes) for dim in (audio_dim, video_dim)]
            # The heads of segments are trained alike with and without a track model.
            with torch.random.fork_rng(devices=[]):
                towers = Towers(sizes[0], sizes[1], recipe.of_tracks)
            self.tracks = TrackModel(self._dims, recipe.track, towers)
        self.bias = nn.Parameter(torch.tensor(loss.bias)) if loss.name == "sigmoid" else None
        self.closed_form = None if recipe.closed_form is None else ClosedForm(recipe.closed_form)
        self.hubness = self.track_hubness = None
        if recipe.hubness is not None:
            self.hubness = HubnessCorrection(recipe.hubness)
            self.track_hubness = HubnessCorrection(recipe.hubness)
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
        """Size of the embeddings, closed-form parts and what corrects scores included."""
        return self.uncorrected_dim + self.correction_dim

    @property
    def uncorrected_dim(self) -> int:
        """Size of the embeddings without what corrects scores of audio with video."""
        return max(self._segment_dim, 0 if self.tracks is None else self.tracks.embedding_dim)

    @property
    def correction_dim(self) -> int:
        """Number of values at the end of an embedding that correct scores of audio with video; 0 for none."""
        corrections = (self.hubness, self.track_hubness)
        return EXTRA if any(one is not None and one.is_fitted for one in corrections) else 0

    @property
    def _segment_dim(self) -> int:
        return self.trained_dim + (0 if self.closed_form is None else sum(self.closed_form.dims))

    def clear_hubness(self) -> None:
        """Correct no scores any more, until the corrections are fitted anew."""
        for correction in (self.hubness, self.track_hubness):
            if correction is not None:
                correction.clear()

    def corrected_tracks(self, side: Side, means: Tensor) -> Tensor:
        """Append what corrects the scores of tracks to the means of their segments.

        Parameters
        ----------
        side : {'audio', 'video'}
            Modality.
        means : Tensor, shape (t, uncorrected_dim)
            Unit rows.

        Returns
        -------
        Tensor, shape (t, embedding_dim)
            Unit rows.
        """
        return self._whole(side, means, self.track_hubness)

    def _whole(self, side: Side, embedded: Tensor, hubness: HubnessCorrection | None) -> Tensor:
        """Pad embeddings to the size that segments and tracks share, and append what corrects their scores."""
        padded = functional.pad(embedded, (0, self.uncorrected_dim - embedded.shape[1]))
        if hubness is None or not hubness.is_fitted:
            return functional.pad(padded, (0, self.correction_dim))
        return hubness.extended(side, padded)

    @property
    def fitted_closed_form(self) -> ClosedForm | None:
        """Closed form, once it is fitted; None where the recipe has none."""
        return self.closed_form if self.closed_form is not None and all(self.closed_form.dims) else None

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
        parts, fitted = self.parts(side, features), self.fitted_closed_form
        return self._whole(side, parts[0] if fitted is None else fitted.joined(*parts), self.hubness)

    def parts(self, side: Side, features: Tensor) -> list[Tensor]:
        """Compute the parts of the embeddings, each by itself.

        Parameters
        ----------
        side : {'audio', 'video'}
            Modality of the features.
        features : Tensor, shape (n, feature_dim)
            Features as a backbone computed them.

        Returns
        -------
        list of Tensor, shape (n, part_dim)
            Unit rows of the heads and, once a closed form is fitted, of its linear and its kernel part.
        """
        trained = self.project(side, features)
        if self.fitted_closed_form is None:
            return [trained]
        return [trained, *self.fitted_closed_form.parts(side, self._standardised(side, features))]

    def embed_tracks(self, side: Side, features: Tensor, mask: Tensor, starts_s: Tensor) -> Tensor:
        """Embed tracks by the track model.

        Parameters
        ----------
        side : {'audio', 'video'}
            Modality of the features.
        features : Tensor, shape (t, length, feature_dim)
            Features of each track's segments in order of time, padded at the end.
        mask : Tensor, shape (t, length)
            True where there is a segment; at least one per track.
        starts_s : Tensor, shape (t, length)
            Start of each segment in seconds.

        Returns
        -------
        Tensor, shape (t, embedding_dim)
            Unit rows.

        Raises
        ------
        ModelError
            The recipe has no track model.
        """
        if self.tracks is None:
            raise ModelError("This model has no track model. Train a recipe with a [track] table.")
        return self._whole(side, self.tracks.embed(side, features, mask, starts_s), self.track_hubness)

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

    def use_linear(self, projections: Mapping[Side, Projection]) -> None:
        """Embed by linear maps of the features alone; the closed form must be fitted.

        Parameters
        ----------
        projections : mapping of {'audio', 'video'} to Projection
            Maps of features as a backbone computed them.
        """
        if self.closed_form is None:
            raise ModelError("This model has no closed form. Train a recipe with a [closed_form] table.")
        standardised: dict[Side, tuple[Tensor, Tensor]] = {}
        for side, projection in projections.items():
            head, device = self.heads[side], self.logit_scale.device
            mean = head.standardised(torch.from_numpy(projection.mean).to(device))
            directions = (torch.from_numpy(projection.weights.T).to(device) * head.input_scale).T
            standardised[side] = (mean, directions)
        self.closed_form.use_linear(standardised)

    def take_shapes(self, state: dict[str, Tensor], prefix: str = "") -> None:
        """Resize closed forms to a state dict whose sizes depend on the data that they were fitted on.

        Parameters
        ----------
        state : dict of str to Tensor
            Parameters and buffers by name.
        prefix : str, default ''
            Prefix of this module's names in `state`.

        Raises
        ------
        ModelError
            The sizes do not fit each other or the features; see `ClosedForm.take_shapes`.
        """
        if self.closed_form is not None:
            self.closed_form.take_shapes(state, f"{prefix}closed_form.", self._dims)
        if self.tracks is not None:
            self.tracks.refuse_broken(state, f"{prefix}tracks.")
            self.tracks.towers.take_shapes(state, f"{prefix}tracks.towers.")
        for name, correction in (("hubness", self.hubness), ("track_hubness", self.track_hubness)):
            if correction is not None:
                correction.take_shapes(state, f"{prefix}{name}.", self.uncorrected_dim)

    def forward(self, audio: Tensor, video: Tensor) -> tuple[Tensor, Tensor]:
        return self.project("audio", audio), self.project("video", video)

    @property
    def _predicting(self) -> ClosedForm:
        """Closed form that predicts labels."""
        if self.fitted_closed_form is None or not self.fitted_closed_form.label_dim:
            raise ModelError(
                "This model predicts no labels. Train a recipe with labels = true under [closed_form], on features "
                f"with labels that at least {MIN_VIDEOS} videos have."
            )
        return self.fitted_closed_form

    def _standardised(self, side: Side, features: Tensor) -> Tensor:
        return self.heads[side].standardised(features)
