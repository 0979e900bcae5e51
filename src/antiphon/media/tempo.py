"""Tempo of music in beats per minute, by the autocorrelation of its onsets.

Source: D. P. W. Ellis, "Beat Tracking by Dynamic Programming", Journal of New Music Research 36 (2007), section 3: the
autocorrelation of an onset strength, weighted by how likely people are to tap at each period.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]

RATE_HZ = 16_000
WINDOW, HOP = 512, 128
_STRENGTHS_PER_S = RATE_HZ / HOP
_BANDS, _MIN_HZ = 36, 60.0
_SMOOTHED_S = 0.4
_BLUR_FRAMES = 4
"""Standard deviation of the smoothing, 32 ms, which removes fluctuations faster than beats."""
_TYPICAL_BPM, _SPREAD_OCTAVES = 120.0, 0.9
_MIN_BPM, _MAX_BPM = 40.0, 240.0
_MIN_S = 2.5
"""Minimum length of a stretch: shorter ones have too few beats of slow music."""


CLEAR_ABOVE = 0.2
"""Minimum clarity of a beat: noise and sustained chords stay below it."""


@dataclass(frozen=True)
class Tempo:
    """Tempo, and how clear the beat is.

    Attributes
    ----------
    bpm : float
        Beats per minute, from 40 to 240; half or twice as many may be just as right.
    clarity : float
        Autocorrelation of the onsets at that period, from 0 (nothing repeats) to 1 (everything does).
    """

    bpm: float
    clarity: float

    @property
    def is_clear(self) -> bool:
        """True if there is a beat."""
        return self.clarity > CLEAR_ABOVE


def estimate_tempo(stretches: Iterable[FloatArray]) -> Tempo | None:
    """Estimate the tempo that the stretches of one track share.

    The autocorrelations of the stretches' onset strengths are averaged and weighted by a normal distribution over log2
    of the tempo around 120 bpm; the peak is the beat. Half of the value at two or three times the period is added, up
    to that of the period itself, since beats make bars.

    Parameters
    ----------
    stretches : iterable of ndarray of float, each of shape (samples,)
        Mono waveforms at 16 kHz; those shorter than 2.5 s are ignored.

    Returns
    -------
    Tempo or None
        None if no stretch is long enough or all are silent.
    """
    min_samples = round(_MIN_S * RATE_HZ)
    found = [_autocorrelation(onset_strength(stretch)) for stretch in stretches if len(stretch) >= min_samples]
    not_silent = [line for line in found if line is not None]
    if not not_silent:
        return None
    mean = np.mean(not_silent, axis=0)
    lags = np.arange(int(np.ceil(60 * _STRENGTHS_PER_S / _MAX_BPM)), int(60 * _STRENGTHS_PER_S / _MIN_BPM) + 1)
    octaves = np.log2(60 * _STRENGTHS_PER_S / lags / _TYPICAL_BPM)
    likely = np.exp(-0.5 * (octaves / _SPREAD_OCTAVES) ** 2)
    best = int(lags[np.argmax((mean[lags] + _metre(mean, lags)) * likely)])
    return Tempo(bpm=60 * _STRENGTHS_PER_S / _peak(mean, best), clarity=float(np.clip(mean[best], 0, 1)))


def onset_strength(waveform: FloatArray) -> npt.NDArray[np.float64]:
    """Compute how much louder the audio gets, summed over 36 bands of the spectrum.

    It is the positive flux of log power in bands of equal width in octaves, smoothed, minus its running mean over 0.4
    s.

    Parameters
    ----------
    waveform : ndarray of float, shape (samples,)
        Mono at 16 kHz.

    Returns
    -------
    ndarray of float64, shape (frames,)
        125 values per second.
    """
    frames = np.lib.stride_tricks.sliding_window_view(np.asarray(waveform, dtype=np.float32), WINDOW)[::HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(WINDOW).astype(np.float32), axis=1)) ** 2
    edges_hz = np.geomspace(_MIN_HZ, RATE_HZ / 2, _BANDS + 1)
    places = np.unique(np.searchsorted(np.fft.rfftfreq(WINDOW, 1 / RATE_HZ), edges_hz))[:-1]
    bands = np.log1p(1e3 * np.add.reduceat(power, places, axis=1) / WINDOW)
    flux = np.maximum(np.diff(bands, axis=0), 0).sum(axis=1)
    width = round(_SMOOTHED_S * _STRENGTHS_PER_S)
    reach = np.arange(-4 * _BLUR_FRAMES, 4 * _BLUR_FRAMES + 1)
    bell = np.exp(-0.5 * (reach / _BLUR_FRAMES) ** 2)
    smooth = np.convolve(flux, bell / bell.sum(), mode="same")
    return smooth - np.convolve(smooth, np.full(width, 1 / width), mode="same")


def _autocorrelation(strength: npt.NDArray[np.float64]) -> npt.NDArray[np.float64] | None:
    """Return the autocorrelation up to three times the longest period, 1 at lag 0; None for silence."""
    count = int(3 * 60 * _STRENGTHS_PER_S / _MIN_BPM) + 2
    size = 2 ** int(np.ceil(np.log2(2 * len(strength))))
    sums = np.fft.irfft(np.abs(np.fft.rfft(strength, size)) ** 2, size)[: len(strength)]
    if sums[0] <= 1e-9:
        return None
    terms = len(strength) - np.arange(len(strength))
    line = np.where(terms > len(strength) // 4, sums / sums[0] * len(strength) / terms, 0)
    return np.pad(line, (0, max(count - len(line), 0)))[:count]


def _metre(mean: npt.NDArray[np.float64], lags: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return half of the larger value at two or three periods, capped by half of the value at one."""
    around = np.maximum(np.maximum(mean[:-2], mean[1:-1]), mean[2:])  # at a lag's place the largest about lag + 1
    return 0.5 * np.minimum(mean[lags], np.maximum(around[2 * lags - 1], around[3 * lags - 1]))


def _peak(line: npt.NDArray[np.float64], best: int) -> float:
    """Return the position of the maximum of the parabola through three points."""
    before, top, after = line[best - 1 : best + 2]
    bend = before - 2 * top + after
    return best + float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5)) if bend < 0 else float(best)
