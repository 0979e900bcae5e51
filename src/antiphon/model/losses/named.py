"""A loss by its name."""

from torch import Tensor

from antiphon.model.losses.sigmoid import sigmoid
from antiphon.model.losses.softmax import decoupled, info_nce


def contrastive_loss(
    name: str,
    audio: Tensor,
    video: Tensor,
    temperature: Tensor | float,
    bias: Tensor | float | None = None,
    chunk_size: int | None = None,
    *,
    targets: Tensor | None = None,
    excluded: Tensor | None = None,
) -> Tensor:
    """The loss called `name`: "info_nce", "sigmoid" (which alone has a bias) or "decoupled" (which has no chunks)."""
    if name == "sigmoid":
        shift = 0.0 if bias is None else bias
        return sigmoid(audio, video, temperature, shift, chunk_size, targets=targets, excluded=excluded)
    if name == "decoupled":
        return decoupled(audio, video, temperature, targets=targets, excluded=excluded)
    return info_nce(audio, video, temperature, chunk_size, targets=targets, excluded=excluded)
