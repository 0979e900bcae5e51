"""Beats of a track, by dynamic programming over its onsets.

Source: D. P. W. Ellis, "Beat Tracking by Dynamic Programming", Journal of New Music Research 36 (2007), section 2: the
beats are those times whose onsets are strongest together while their distances stay near the period of the tempo.
"""

import numpy as np
import numpy.typing as npt

from antiphon.media.tempo import HOP, RATE_HZ, WINDOW, estimate_tempo, onset_strength

FloatArray = npt.NDArray[np.floating]

_TIGHTNESS = 100.0
"""Cost of a squared octave between the distance of two beats and the period, in deviations of the onset strength."""
_STRETCH_FRAMES = 3_750
"""30 s, measured at a time, so that memory does not grow with the track."""
_MARGIN_FRAMES = 125
_SILENT = 0.05
"""Share of the strongest onset below which the first and last beats are not kept."""
MAX_BEATS = 10_000


def find_beats(waveform: FloatArray) -> list[float]:
    """Find the beats of a track.

    Parameters
    ----------
    waveform : ndarray of float, shape (samples,)
        Mono at 16 kHz.

    Returns
    -------
    list of float
        Times in seconds, ascending; none where no beat is clear.
    """
    stretches = [waveform[first : first + _STRETCH_FRAMES * HOP] for first in _firsts(waveform)]
    tempo = estimate_tempo(stretches)
    if tempo is None or not tempo.is_clear:
        return []
    strength = _strengths(waveform)
    places = _best_places(strength / max(float(strength.std()), 1e-9), 60 / tempo.bpm * RATE_HZ / HOP)
    loud = np.flatnonzero(strength[places] > _SILENT * strength.max())
    if not loud.size:
        return []
    # An onset is where the next frame is louder, and counts where it reaches the middle of that frame's window.
    times_s = ((places[loud[0] : loud[-1] + 1] + 1) * HOP + WINDOW / 2) / RATE_HZ
    return [round(float(time_s), 3) for time_s in times_s[:MAX_BEATS]]


def _firsts(waveform: FloatArray) -> range:
    return range(0, len(waveform), _STRETCH_FRAMES * HOP)


def _strengths(waveform: FloatArray) -> npt.NDArray[np.float64]:
    """Return the onset strength of the whole track, from stretches that overlap."""
    found: list[npt.NDArray[np.float64]] = []
    margin = _MARGIN_FRAMES * HOP
    for first in _firsts(waveform):
        before = min(first, margin)
        stretch = waveform[first - before : first + _STRETCH_FRAMES * HOP + margin]
        if len(stretch) < 2 * WINDOW:
            break
        found.append(onset_strength(stretch)[before // HOP :][:_STRETCH_FRAMES])
    return np.maximum(np.concatenate(found), 0)


def _best_places(strength: npt.NDArray[np.float64], period: float) -> npt.NDArray[np.intp]:
    """Return the frames of the beats: the chain with the greatest sum of strengths less the cost of its distances."""
    lags = np.arange(max(round(period / 2), 1), round(2 * period) + 1)
    cost = _TIGHTNESS * np.log2(lags / period) ** 2
    score, before = strength.copy(), np.full(len(strength), -1, np.intp)
    for place in range(lags[0], len(strength)):
        reach = lags[: np.searchsorted(lags, place, side="right")]
        earlier = score[place - reach] - cost[: len(reach)]
        best = int(np.argmax(earlier))
        if earlier[best] > 0:
            score[place] += earlier[best]
            before[place] = place - reach[best]
    last = len(score) - 1 - int(np.argmax(score[::-1][: lags[-1]]))
    chain: list[int] = []
    while last >= 0:
        chain.append(last)
        last = int(before[last])
    return np.array(chain[::-1], np.intp)
