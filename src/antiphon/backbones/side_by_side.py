"""Two audio backbones side by side: the values of both, of the same window."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr

from antiphon.backbones.arithmetic import Precision
from antiphon.backbones.base import AudioBackbone, FloatArray
from antiphon.backbones.weights import Weights, cache_dir
from antiphon.errors import ConfigError


class SideBySide(AudioBackbone):
    """Values of several audio backbones, one after the other.

    Sound is taken at the highest of their rates, and resampled for the others. Values keep their scale: `antiphon-base`
    standardises each, so that a network counts by the number of its values; a linear analysis that does not would hear
    the louder network alone.

    Parameters
    ----------
    name : str
        Name of this backbone.
    parts : sequence of AudioBackbone
        Backbones in the order of their values.
    """

    def __init__(self, name: str, parts: Sequence[AudioBackbone]) -> None:
        self.name = name
        self.parts = tuple(parts)
        self.dim = sum(part.dim for part in parts)
        self.rate_hz = max(part.rate_hz for part in parts)
        self.fingerprint = hashlib.sha256("\0".join(part.fingerprint for part in parts).encode()).hexdigest()
        self.arithmetic = _joined(parts)

    def __call__(self, waveform: npt.ArrayLike, rate_hz: int | None = None) -> FloatArray:
        """Compute the values of each backbone.

        Parameters
        ----------
        waveform : array_like, shape (n, samples) or (samples,)
            Mono floats in [-1, 1].
        rate_hz : int, optional
            Sample rate; must be that of this backbone, which is the default.

        Returns
        -------
        ndarray of float32, shape (n, dim)
            Features.

        Raises
        ------
        ConfigError
            Another rate, or what one of the backbones refuses.
        """
        rate_hz = self.rate_hz if rate_hz is None else rate_hz
        if rate_hz != self.rate_hz:
            raise ConfigError(
                f"rate_hz must be {self.rate_hz} for this backbone, not {rate_hz}. Resample the waveform."
            )
        rows = np.atleast_2d(np.asarray(waveform))
        return np.concatenate([part(_resampled(rows, rate_hz, part.rate_hz), part.rate_hz) for part in self.parts], 1)

    def set_precision(self, precision: Precision) -> None:
        """Compute in another precision from now on; raises as the parts do."""
        for part in self.parts:
            part.set_precision(precision)
        self.arithmetic = _joined(self.parts)


def _joined(parts: Sequence[AudioBackbone]) -> str:
    """Name the arithmetics of all parts: one, where they share it."""
    return " and ".join(sorted({part.arithmetic for part in parts}))


def _resampled(rows: npt.NDArray[np.floating], rate_hz: int, to_hz: int) -> npt.NDArray[np.floating]:
    """Resample each row as decoding does; what is no waveform is left to the backbone that refuses it."""
    if rate_hz == to_hz or not len(rows) or rows.ndim != 2 or not np.issubdtype(rows.dtype, np.floating):
        return rows
    return np.stack([soxr.resample(row, rate_hz, to_hz) for row in rows.astype(np.float32)])


@dataclass(frozen=True)
class SeveralWeights:
    """Weights of several networks.

    Attributes
    ----------
    parts : tuple of Weights
        Weights of each.
    """

    parts: tuple[Weights, ...]

    @property
    def description(self) -> str:
        """Where they are published."""
        return " and ".join(part.description for part in self.parts)

    @property
    def size_bytes(self) -> int:
        """Size of the safetensors files."""
        return sum(part.size_bytes for part in self.parts)

    @property
    def cached(self) -> bool:
        """True if loading needs no network."""
        return all(part.cached for part in self.parts)

    @property
    def path(self) -> Path:
        """Folder of the safetensors files."""
        return cache_dir()

    def fetch(self, tell: Callable[[str], None] | None = None) -> Path:
        """Download what is not there; raises as `Weights.fetch`."""
        for part in self.parts:
            part.fetch(tell)
        return self.path
