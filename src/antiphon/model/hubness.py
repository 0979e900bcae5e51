"""Correction of hubness: some songs lie near the pictures of all videos, and would crowd out the right answers."""

from typing import Self

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from antiphon.errors import ModelError
from antiphon.model.closed_form import SIDES, Side
from antiphon.shapes import MAX_DIM

EXTRA = 4
"""Values that a correction appends to an embedding."""
_NEIGHBOURS_OF = 10
"""References are at least this many times the neighbours that are averaged."""


class HubnessConfig(BaseModel):
    """Correction of the scores of audio with video by how near each lies to everything on the other side.

    Attributes
    ----------
    num_neighbours : int
        Nearest references whose cosines are averaged; a tenth of the references at most.
    num_references : int
        Maximum training pairs that embeddings are compared with, one of each video; 0 for no correction.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    num_neighbours: int = Field(default=20, ge=1, le=MAX_DIM)
    num_references: int = Field(default=3000, ge=0, le=MAX_DIM)


class HubnessCorrection(nn.Module):
    """Cross-domain similarity local scaling of audio and video embeddings, as part of the embeddings.

    The score of audio a and video v is a·v − (r(a) + r(v)) / 2, where r is the mean cosine with the nearest references
    of the other side. References are embeddings of training pairs, so scores do not depend on what else is compared.
    With β the centred r / 2 of a row, limited to ±b, its embedding is extended to

        audio: (a, −β / √b, √b, √(b − β² / b), 0) / √(1 + 2b)
        video: (v, √b, −β / √b, 0, √(b − β² / b)) / √(1 + 2b)

    so that rows have length 1 and a dot product of audio with video is the score, centred and divided by 1 + 2b. Within
    one side the appended values mean nothing; leave them out there.

    Parameters
    ----------
    config : HubnessConfig
        Sizes.

    References
    ----------
    Conneau et al. (2018), "Word translation without parallel data", section 2.3; Bogolin et al. (2022), "Cross modal
    retrieval with querybank normalisation", for references that are training queries.
    """

    centre: Tensor
    bound: Tensor

    def __init__(self, config: HubnessConfig) -> None:
        super().__init__()
        self.config = config
        for side in SIDES:
            self.register_buffer(f"{side}_references", torch.empty(0, 0))
        self.register_buffer("centre", torch.zeros(()))
        self.register_buffer("bound", torch.ones(()))

    @property
    def is_fitted(self) -> bool:
        """Whether there are references."""
        return len(self.references("audio")) > 0

    @property
    def num_neighbours(self) -> int:
        """Number of neighbours that are averaged."""
        return min(self.config.num_neighbours, len(self.references("audio")) // _NEIGHBOURS_OF)

    def references(self, side: Side) -> Tensor:
        """Return the (references, dim) embeddings of one modality."""
        return self.get_buffer(f"{side}_references")

    def fit(self, audio: Tensor, video: Tensor) -> Self:
        """Take embeddings as references; with fewer than ten, nothing is corrected.

        Parameters
        ----------
        audio, video : Tensor, shape (n, dim)
            Unit rows, n at most `num_references`.

        Returns
        -------
        HubnessCorrection
            This object.
        """
        self.clear()
        if len(audio) < _NEIGHBOURS_OF:
            return self
        for side, rows in zip(SIDES, (audio, video), strict=True):
            setattr(self, f"{side}_references", rows.detach().to(self.centre).contiguous())
        hubness = torch.cat([self.hubness("audio", audio), self.hubness("video", video)])
        self.centre = hubness.mean()
        # A bound of 0 would divide by it where all rows are alike.
        self.bound = (hubness - self.centre).abs().max().clamp(min=1e-3)
        return self

    def clear(self) -> None:
        """Correct nothing any more."""
        for side in SIDES:
            setattr(self, f"{side}_references", self.centre.new_empty(0, 0))

    def hubness(self, side: Side, rows: Tensor) -> Tensor:
        """Return half the mean cosine of rows with their nearest references of the other side.

        Parameters
        ----------
        side : {'audio', 'video'}
            Modality of the rows.
        rows : Tensor, shape (n, dim)
            Unit rows.

        Returns
        -------
        Tensor, shape (n,)
            Values from -0.5 to 0.5.
        """
        others = self.references("video" if side == "audio" else "audio")
        return (rows @ others.T).topk(self.num_neighbours, dim=1).values.mean(dim=1) / 2

    def extended(self, side: Side, rows: Tensor) -> Tensor:
        """Append what corrects the dot products of audio with video.

        Parameters
        ----------
        side : {'audio', 'video'}
            Modality of the rows.
        rows : Tensor, shape (n, dim)
            Unit rows.

        Returns
        -------
        Tensor, shape (n, dim + 4)
            Unit rows.
        """
        bound = self.bound
        own = (self.hubness(side, rows) - self.centre).clamp(-bound, bound)
        value, constant = -own / bound.sqrt(), bound.sqrt().expand_as(own)
        filling, nothing = (bound - own.square() / bound).clamp(min=0).sqrt(), torch.zeros_like(own)
        audio = side == "audio"
        columns = (value, constant, filling, nothing) if audio else (constant, value, nothing, filling)
        return torch.cat([rows, torch.stack(columns, dim=1)], dim=1) / (1 + 2 * bound).sqrt()

    def take_shapes(self, state: dict[str, Tensor], prefix: str, dim: int) -> None:
        """Resize the references to a state dict.

        Parameters
        ----------
        state : dict of str to Tensor
            Parameters and buffers by name.
        prefix : str
            Prefix of this module's names in `state`.
        dim : int
            Size of the embeddings that are corrected.

        Raises
        ------
        ModelError
            The references do not fit each other or the embeddings, or the bound is not positive.
        """
        bound = state.get(prefix + "bound", self.bound)
        if not (bound > 0).all():
            raise ModelError("the bound of its hubness correction is not positive")
        names = [f"{prefix}{side}_references" for side in SIDES]
        shapes = {tuple(state[name].shape) for name in names if name in state}
        for shape in shapes:
            count = shape[0] if len(shapes) == 1 and len(shape) == 2 else -1
            if shape != (0, 0) and (count < _NEIGHBOURS_OF or shape[1] != dim):
                raise ModelError("the references of its hubness correction match neither each other nor the embeddings")
            for side in SIDES:
                setattr(self, f"{side}_references", self.centre.new_empty(shape))
