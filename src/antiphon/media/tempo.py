"""How fast music goes: beats per minute, from how its onsets repeat.

Source: D. P. W. Ellis, "Beat Tracking by Dynamic Programming", Journal of New Music Research 36 (2007), section 3:
the autocorrelation of an onset strength, weighted by how likely people are to tap at each period.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]

RATE_HZ = 16_000
_WINDOW, _HOP = 512, 128
_STRENGTHS_PER_S = RATE_HZ / _HOP
_BANDS, _LOWEST_HZ = 36, 60.0
_SMOOTHED_S = 0.4
_BLUR_FRAMES = 4
"""Standard deviation of the smoothing, 32 ms: what trembles faster than beats must not pass for one."""
_USUAL_BPM, _SPREAD_OCTAVES = 120.0, 0.9
_SLOWEST_BPM, _FASTEST_BPM = 40.0, 240.0
_LEAST_S = 2.5
"""Shorter stretches hold too few beats of slow music to count."""


CLEAR_ABOVE = 0.2
"""Clarity of what counts as a beat: noise and held chords stay below it."""


@dataclass(frozen=True)
class Tempo:
    """How fast, and how plain the beat is.

    Attributes
    ----------
    bpm : beats per minute, from 40 to 240; music may as well be counted at half or twice as many.
    clarity : autocorrelation of the onsets at that period, 0 (none repeats) to 1 (they repeat exactly).
    """

    bpm: float
    clarity: float

    @property
    def is_clear(self) -> bool:
        """Whether there is a beat to speak of."""
        return self.clarity > CLEAR_ABOVE


def estimate_tempo(stretches: Sequence[FloatArray]) -> Tempo | None:
    """The tempo that the stretches of one track have in common.

    Each stretch gives the autocorrelation of its onset strength; their mean, weighted by a normal distribution over
    log2 of the tempo around 120 bpm, has its peak at the beat. Half of what twice or thrice the period has counts too,
    as far as the period has as much itself, since beats make bars.

    Parameters
    ----------
    stretches : (samples,) mono waveforms at 16 kHz, of 2.5 s or more each; shorter ones are passed over.

    Returns
    -------
    None where no stretch is long enough or all are silent.
    """
    least = round(_LEAST_S * RATE_HZ)
    found = [_autocorrelation(onset_strength(stretch)) for stretch in stretches if len(stretch) >= least]
    heard = [line for line in found if line is not None]
    if not heard:
        return None
    mean = np.mean(heard, axis=0)
    lags = np.arange(int(np.ceil(60 * _STRENGTHS_PER_S / _FASTEST_BPM)), int(60 * _STRENGTHS_PER_S / _SLOWEST_BPM) + 1)
    octaves = np.log2(60 * _STRENGTHS_PER_S / lags / _USUAL_BPM)
    likely = np.exp(-0.5 * (octaves / _SPREAD_OCTAVES) ** 2)
    best = int(lags[np.argmax((mean[lags] + _metre(mean, lags)) * likely)])
    return Tempo(bpm=60 * _STRENGTHS_PER_S / _peak(mean, best), clarity=float(np.clip(mean[best], 0, 1)))


def onset_strength(waveform: FloatArray) -> npt.NDArray[np.float64]:
    """(frames,) how much louder the sound gets, 125 times a second, summed over 36 bands of the spectrum.

    The flux of log power in bands of equal width in octaves, rises only, smoothed; its running mean over 0.4 s is taken
    off.
    """
    frames = np.lib.stride_tricks.sliding_window_view(np.asarray(waveform, dtype=np.float32), _WINDOW)[::_HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(_WINDOW).astype(np.float32), axis=1)) ** 2
    edges_hz = np.geomspace(_LOWEST_HZ, RATE_HZ / 2, _BANDS + 1)
    places = np.unique(np.searchsorted(np.fft.rfftfreq(_WINDOW, 1 / RATE_HZ), edges_hz))[:-1]
    bands = np.log1p(1e3 * np.add.reduceat(power, places, axis=1) / _WINDOW)
    flux = np.maximum(np.diff(bands, axis=0), 0).sum(axis=1)
    width = round(_SMOOTHED_S * _STRENGTHS_PER_S)
    reach = np.arange(-4 * _BLUR_FRAMES, 4 * _BLUR_FRAMES + 1)
    bell = np.exp(-0.5 * (reach / _BLUR_FRAMES) ** 2)
    smooth = np.convolve(flux, bell / bell.sum(), mode="same")
    return smooth - np.convolve(smooth, np.full(width, 1 / width), mode="same")


def _autocorrelation(strength: npt.NDArray[np.float64]) -> npt.NDArray[np.float64] | None:
    """(lags,) from 0 to three of the longest periods, 1 at 0, each lag's sum set in relation to its number of terms."""
    count = int(3 * 60 * _STRENGTHS_PER_S / _SLOWEST_BPM) + 2
    size = 2 ** int(np.ceil(np.log2(2 * len(strength))))
    sums = np.fft.irfft(np.abs(np.fft.rfft(strength, size)) ** 2, size)[: len(strength)]
    if sums[0] <= 1e-9:
        return None
    terms = len(strength) - np.arange(len(strength))
    line = np.where(terms > len(strength) // 4, sums / sums[0] * len(strength) / terms, 0)
    return np.pad(line, (0, max(count - len(line), 0)))[:count]


def _metre(mean: npt.NDArray[np.float64], lags: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """(lags,) half of the larger of what two and three periods have, or of what one has where that is less."""
    around = np.maximum(np.maximum(mean[:-2], mean[1:-1]), mean[2:])  # at a lag's place the largest about lag + 1
    return 0.5 * np.minimum(mean[lags], np.maximum(around[2 * lags - 1], around[3 * lags - 1]))


def _peak(line: npt.NDArray[np.float64], best: int) -> float:
    """Where the parabola through three points has its top."""
    before, top, after = line[best - 1 : best + 2]
    bend = before - 2 * top + after
    return best + float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5)) if bend < 0 else float(best)
