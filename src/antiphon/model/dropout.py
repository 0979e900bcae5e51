"""Dropout whose masks cost little on a processor."""

import torch
from torch import Tensor, nn

_LEVELS = 2**16


class QuickDropout(nn.Dropout):
    """Dropout from one random bit a value where half of them are dropped, and from 16 bits at other rates.

    `torch.nn.Dropout` draws a float64 for each value, one after the other, which takes longer on a processor than the
    layer behind it. This draws from the same global generator, but other masks. Rates are rounded to 1 / 65,536.
    Elsewhere than on a processor this is `torch.nn.Dropout`.

    Parameters
    ----------
    rate : float
        Share of the values to drop, in [0, 1).
    """

    kept: Tensor

    def __init__(self, rate: float) -> None:
        super().__init__(rate)
        bits = torch.arange(256)[:, None] >> torch.arange(8) & 1
        self.register_buffer("kept", 2.0 * bits, persistent=False)

    def forward(self, input: Tensor) -> Tensor:
        if not self.training or not self.p or input.device.type != "cpu":
            return super().forward(input)
        return input * (self._halves(input) if self.p == 0.5 else self._scaled(input))

    def _halves(self, values: Tensor) -> Tensor:
        """Return 0 or 2 for each value, eight at a time from a table."""
        drawn = self.kept.index_select(0, _words(values.numel(), 64).view(torch.uint8).int())
        return drawn.view(-1)[: values.numel()].view(values.shape)

    def _scaled(self, values: Tensor) -> Tensor:
        """Return 0 or 1 / (1 - rate) for each value."""
        levels = _words(values.numel(), 4).view(torch.int16)[: values.numel()].view(values.shape)
        return (levels >= round(self.p * _LEVELS) - _LEVELS // 2) / (1 - self.p)


def head_dropout(rate: float) -> nn.Module:
    """Build a dropout layer of a head.

    Parameters
    ----------
    rate : float
        Share of the values to drop, in [0, 1).

    Returns
    -------
    Module
        `QuickDropout` for a rate of one half; else `torch.nn.Dropout`, so that the paper's heads keep their masks.
    """
    return QuickDropout(rate) if rate == 0.5 else nn.Dropout(rate)


def _words(count: int, per_word: int) -> Tensor:
    """Draw as many words of 64 random bits as `count` values need."""
    return torch.empty(-(-count // per_word), dtype=torch.int64).random_(-(2**63), None)
