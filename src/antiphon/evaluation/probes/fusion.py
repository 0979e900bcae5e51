"""Supervised fusion: networks that join audio and video while they learn the labels, with no contrast before.

Each takes (n, audio + video) rows, a row's audio features beside its video features (widths: `Widths`), and
gives (n, labels) logits. They differ from the perceptron on the same rows in where the two sides meet.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from antiphon.evaluation.probes.perceptron import PerceptronConfig, perceptron, rest_of_perceptron

Fusion = Literal["fusion-late", "fusion-gated", "fusion-bilinear"]
Widths = tuple[int, int]
"""Number of values of a row that are audio, and number that are video."""


class LateFusion(nn.Module):
    """A perceptron for each side; the two meet in the mean of their logits.

    y = (f(a) + g(v)) / 2, with a (n, audio), v (n, video), y (n, labels). No product of audio and video can be
    told. Late fusion as in Snoek, Worring and Smeulders, *Early versus late fusion in semantic video analysis* (2005),
    but trained at once, on the loss of the mean.
    """

    def __init__(self, widths: Widths, bias: Tensor, settings: PerceptronConfig) -> None:
        super().__init__()
        self.widths = widths
        self.audio, self.video = (perceptron(width, bias, settings) for width in widths)

    def forward(self, rows: Tensor) -> Tensor:
        """(n, audio + video) → (n, labels)."""
        audio, video = rows.split(self.widths, dim=1)
        return (self.audio(audio) + self.video(video)) / 2


class GatedFusion(nn.Module):
    """A gated multimodal unit in the place of the perceptron's first layer: for each value, which side to trust.

    h = z ∘ tanh(A a + b) + (1 − z) ∘ tanh(V v + c), with the gate z = σ(Z [a, v] + d); a (n, audio), v (n, video), and
    h, z (n, hidden). Arevalo, Solorio, Montes-y-Gómez and González, *Gated multimodal units for information fusion*
    (2017); their equations have no b, c and d.
    """

    def __init__(self, widths: Widths, bias: Tensor, settings: PerceptronConfig) -> None:
        super().__init__()
        self.widths = widths
        self.drop = nn.Dropout(settings.input_dropout)
        self.audio, self.video, self.gate = (nn.Linear(width, settings.hidden[0]) for width in (*widths, sum(widths)))
        self.rest = rest_of_perceptron(bias, settings)

    def forward(self, rows: Tensor) -> Tensor:
        """(n, audio + video) → (n, labels)."""
        rows = self.drop(rows)
        audio, video = rows.split(self.widths, dim=1)
        gate = torch.sigmoid(self.gate(rows))
        return self.rest(gate * torch.tanh(self.audio(audio)) + (1 - gate) * torch.tanh(self.video(video)))


class BilinearFusion(nn.Module):
    """Low-rank bilinear pooling in the place of the first layer: every product of an audio and a video feature.

    h = tanh(A a + b) ∘ tanh(V v + c), with a (n, audio), v (n, video), h (n, hidden); the rank is the width of h, and
    the pooling matrix is the next layer. Kim, On, Lim, Kim, Ha and Zhang, *Hadamard product for low-rank bilinear
    pooling* (2017).
    """

    def __init__(self, widths: Widths, bias: Tensor, settings: PerceptronConfig) -> None:
        super().__init__()
        self.widths = widths
        self.drop = nn.Dropout(settings.input_dropout)
        self.audio, self.video = (nn.Linear(width, settings.hidden[0]) for width in widths)
        self.rest = rest_of_perceptron(bias, settings)

    def forward(self, rows: Tensor) -> Tensor:
        """(n, audio + video) → (n, labels)."""
        audio, video = self.drop(rows).split(self.widths, dim=1)
        return self.rest(torch.tanh(self.audio(audio)) * torch.tanh(self.video(video)))


FUSIONS: dict[Fusion, type[LateFusion] | type[GatedFusion] | type[BilinearFusion]] = {
    "fusion-late": LateFusion,
    "fusion-gated": GatedFusion,
    "fusion-bilinear": BilinearFusion,
}
