"""Basic Pitch in PyTorch: 2 s of audio at 22,050 Hz → how likely each of 88 keys sounds and starts, 86 times a second.

Bittner et al. (2022), https://arxiv.org/abs/2203.09893, in the version that `basic-pitch` 0.4.0 ships: a constant-Q
transform of three bins a semitone in decibels, copies of it shifted by the harmonics, and three short branches of
convolutions. Batch norms are part of the convolutions, as in the published ONNX file.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

RATE_HZ = 22_050
HOP = 256
SAMPLES = 43_844
"""Samples that the network takes at once."""
FRAMES, KEYS = 172, 88
OCTAVES, BINS = 9, 36
"""Of the transform, from 27.5 Hz on."""
USED_BINS = 309
_KERNEL = 256
_PITCHES = 3 * KEYS
_SHIFTS = [round(BINS * math.log2(harmonic)) for harmonic in (0.5, 1, 2, 3, 4, 5, 6, 7)]
_FLOOR = 1e-10


class BasicPitchNetwork(nn.Module):
    """Stacked spectrograms (n, 8, 172, 264) → notes and onsets, (n, 172, 88) each, in [0, 1]."""

    real: Tensor
    imaginary: Tensor
    low_pass: Tensor
    root_lengths: Tensor
    scale: Tensor
    shift: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name, shape in (
            ("real", (BINS, 1, _KERNEL)),
            ("imaginary", (BINS, 1, _KERNEL)),
            ("low_pass", (1, 1, _KERNEL)),
            ("root_lengths", (USED_BINS,)),
            ("scale", (1,)),
            ("shift", (1,)),
        ):
            self.register_buffer(name, torch.zeros(shape))
        self.contour_1 = nn.Conv2d(8, 8, (3, 39), padding=(1, 19))
        self.contour_2 = nn.Conv2d(8, 1, 5, padding=2)
        self.note_1 = nn.Conv2d(1, 32, 7, (1, 3), (3, 2))
        self.note_2 = nn.Conv2d(32, 1, (7, 3), padding=(3, 1))
        self.onset_1 = nn.Conv2d(8, 32, 5, (1, 3), (2, 1))
        self.onset_2 = nn.Conv2d(33, 1, 3, padding=1)

    def stacked(self, waveform: Tensor) -> Tensor:
        """Compute the spectrogram and its copies, shifted so that a pitch's harmonics lie on top of each other.

        Parameters
        ----------
        waveform : Tensor, shape (n, 43844)
            Float32 at 22,050 Hz.

        Returns
        -------
        Tensor, shape (n, 8, 172, 264)
            Input of `forward`.
        """
        decibels = 10 * torch.log10(self._constant_q(waveform).square() + _FLOOR)
        above = decibels - decibels.amin((1, 2), keepdim=True)
        largest = above.amax((1, 2), keepdim=True)
        shares = torch.where(largest > 0, above / largest.clamp(min=_FLOOR), 0.0) * self.scale + self.shift
        copies = [F.pad(shares[:, max(0, by) :], (0, 0, max(0, -by), max(0, by)))[:, :_PITCHES] for by in _SHIFTS]
        return torch.stack(copies, 1).mT

    def _constant_q(self, waveform: Tensor) -> Tensor:
        """Return (n, 309, 172) magnitudes; each octave is taken from a waveform of half the rate of that above it."""
        octave, hop, found = waveform[:, None], HOP, list[Tensor]()
        for number in range(OCTAVES):
            if number:
                padding = (_KERNEL - 1) // 2
                octave, hop = F.conv1d(octave, self.low_pass, stride=2, padding=padding), hop // 2
            padded = F.pad(octave, (_KERNEL // 2, _KERNEL // 2), mode="reflect")
            parts = [F.conv1d(padded, kernel, stride=hop) for kernel in (self.real, self.imaginary)]
            found.insert(0, torch.stack(parts).square().sum(0))
        return torch.cat(found, 1)[:, -USED_BINS:].sqrt() * self.root_lengths[:, None]

    def forward(self, stacked: Tensor) -> tuple[Tensor, Tensor]:
        contours = self.contour_2(self.contour_1(stacked).relu()).sigmoid()
        notes = self.note_2(self.note_1(contours).relu()).sigmoid()
        onsets = self.onset_2(torch.cat([notes, self.onset_1(stacked).relu()], 1)).sigmoid()
        return notes[:, 0], onsets[:, 0]
