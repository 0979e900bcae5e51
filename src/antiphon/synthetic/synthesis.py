"""Synthesis: from an arrangement to a stereo waveform, through stems, mix, reverb and levelling."""

import numpy as np

from antiphon.synthetic.composition import Arrangement, Note
from antiphon.synthetic.instruments import RATE_HZ, TIMBRES, Waveform, render_note
from antiphon.synthetic.percussion import PANS, make_kit
from antiphon.synthetic.styles import SongStyle
from antiphon.synthetic.timeline import Timeline

PEAK = 0.89
"""Maximum of the samples, with headroom for overshoots of the lossy codec."""

_GAINS = {"lead": 0.34, "comp": 0.24, "bass": 0.25, "pad": 0.12}
_SENDS = {"lead": 0.9, "comp": 0.7, "bass": 0.05, "pad": 1.0}
_PANS = {"lead": 0.05, "comp": -0.3, "bass": 0.0, "pad": 0.0}
_WIDTH_S = {"pad": 0.013, "comp": 0.0, "lead": 0.0, "bass": 0.0}
_ROOM_BLOCK = 1 << 16
_PIECE = 1 << 14
_FADE_S = 1.4


def synthesise(style: SongStyle, timeline: Timeline, arrangement: Arrangement, random: np.random.Generator) -> Waveform:
    """Synthesise a song.

    Parameters
    ----------
    style : SongStyle
        Style of the song.
    timeline : Timeline
        Beats and sections.
    arrangement : Arrangement
        Notes and drum hits.
    random : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray of float32, shape (2, n)
        Stereo at 44.1 kHz, at most `PEAK` in absolute value, of `timeline.duration_s`.
    """
    length = round(timeline.duration_s * RATE_HZ)
    mix = np.zeros((2, length), np.float32)
    send = np.zeros(length, np.float32)
    ducked = style.drums.startswith("four")
    duck = _ducking(timeline, length) if ducked else None
    for part, notes in arrangement.parts.items():
        instrument = {"lead": style.lead, "comp": style.comp, "bass": style.bass, "pad": style.pad}[part]
        if not notes:
            continue
        stem = _stem(notes, instrument, style.traits.brightness, length)
        stem *= _GAINS[part]
        if duck is not None and part != "lead":
            stem *= duck
        doubled = instrument in ("overdriven guitar", "distorted guitar", "choir", "strings")
        _place(mix, stem, _PANS[part], 0.019 if doubled else _WIDTH_S[part])
        _add(send, stem, _SENDS[part])
    _add_drums(mix, send, style, arrangement, random)
    _add_room(mix, send, style.traits.space, random)
    return _levelled(mix, style, timeline)


def _stem(notes: list[Note], instrument: str, brightness: float, length: int) -> Waveform:
    """Render all notes of a part on one channel; repeated notes are rendered once."""
    timbre = TIMBRES[instrument]
    rendered: dict[tuple[tuple[int, ...], int], Waveform] = {}
    stem = np.zeros(length, np.float32)
    for note in notes:
        start = round(note.start_s * RATE_HZ)
        if start >= length:
            continue
        milliseconds = max(round(min(note.duration_s, 5.0) * 1000), 30)
        key = (note.pitches, milliseconds)
        if key not in rendered:
            rendered[key] = render_note(timbre, note.pitches, milliseconds / 1000, brightness)
        wave = rendered[key][: length - start]
        stem[start : start + len(wave)] += wave * np.float32(note.velocity)
    return stem


def _place(mix: Waveform, stem: Waveform, pan: float, width_s: float) -> None:
    """Add a stem at `pan` in [-1, 1] (equal power); a width delays the right channel and makes both equally loud."""
    angle = (0.0 if width_s else pan) * np.pi / 4 + np.pi / 4
    late = round(width_s * RATE_HZ)
    _add(mix[0], stem, np.cos(angle))
    _add(mix[1, late:], stem[: len(stem) - late], np.sin(angle))


def _add(target: Waveform, wave: Waveform, gain: float) -> None:
    """Add a wave, piece by piece: what stays in the processor's cache is faster than a second wave in memory."""
    for start in range(0, len(wave), _PIECE):
        piece = slice(start, start + _PIECE)
        target[piece] += wave[piece] * np.float32(gain)


def _add_drums(
    mix: Waveform, send: Waveform, style: SongStyle, arrangement: Arrangement, random: np.random.Generator
) -> None:
    kit = make_kit(style.traits, random)
    level = 0.6 + 0.75 * style.traits.energy
    length = mix.shape[1]
    for hit in arrangement.drums:
        start = round(hit.start_s * RATE_HZ)
        wave = kit[hit.drum][: max(length - start, 0)] * np.float32(level * hit.velocity)
        if not len(wave):
            continue
        angle = (PANS.get(hit.drum, 0.0) + 1) * np.pi / 4
        mix[0, start : start + len(wave)] += wave * np.float32(np.cos(angle))
        mix[1, start : start + len(wave)] += wave * np.float32(np.sin(angle))
        if hit.drum != "kick":
            send[start : start + len(wave)] += wave * np.float32(0.35)


def _ducking(timeline: Timeline, length: int) -> Waveform:
    """Return the gain that makes room for the kick on each beat, as in dance music."""
    beat = timeline.beat_s * RATE_HZ
    place = np.arange(length, dtype=np.float32) % np.float32(beat) / np.float32(beat)
    return np.minimum(0.35 + place * 1.6, 1).astype(np.float32)


def _add_room(mix: Waveform, send: Waveform, space: float, random: np.random.Generator) -> None:
    """Convolve the sends with decaying noise, one per ear, at half the rate, since a room absorbs treble anyway."""
    half = send[: len(send) // 2 * 2].reshape(-1, 2).mean(1)
    fade_s = 0.12 + 0.75 * space
    size = min(int(4.5 * fade_s * RATE_HZ / 2), _ROOM_BLOCK)
    decay = np.exp(-np.arange(size, dtype=np.float32) / np.float32(fade_s * RATE_HZ / 2))
    # Smoothed noise: the room is darker than the instruments.
    noise = random.standard_normal((2, size + 1), dtype=np.float32)
    answer = (noise[:, 1:] + noise[:, :-1]) * decay
    answer[:, : int(0.012 * RATE_HZ / 2)] = 0
    answer *= np.float32((0.06 + 0.5 * space) / np.sqrt((answer**2).sum() / 2))
    blocks = -(-len(half) // _ROOM_BLOCK)
    padded = np.zeros(blocks * _ROOM_BLOCK, np.float32)
    padded[: len(half)] = half
    spectra = np.fft.rfft(padded.reshape(blocks, _ROOM_BLOCK), 2 * _ROOM_BLOCK)
    for channel in range(2):
        heard = np.fft.irfft(spectra * np.fft.rfft(answer[channel], 2 * _ROOM_BLOCK), 2 * _ROOM_BLOCK)
        # The second half of each block sounds while the next one begins.
        heard[1:, :_ROOM_BLOCK] += heard[:-1, _ROOM_BLOCK:]
        wet = heard[:, :_ROOM_BLOCK].ravel()[: len(half)]
        mix[channel, 0 : 2 * len(half) : 2] += wet
        between = wet[:-1] + wet[1:]
        between /= 2
        mix[channel, 1 : 2 * len(half) - 1 : 2] += between


def _levelled(mix: Waveform, style: SongStyle, timeline: Timeline) -> Waveform:
    """Set the loudness (about -19 dB RMS for a calm song, -13 dB for a fierce one) and limit the peaks softly."""
    target = 10 ** ((-19 + 6 * style.traits.energy) / 20)
    rms = float(np.sqrt(np.mean(mix * mix)))
    mix *= np.float32(target / max(rms, 1e-6) / PEAK)
    np.tanh(mix, out=mix)
    mix *= np.float32(PEAK)
    fade = round(min(_FADE_S, timeline.duration_s / 4) * RATE_HZ)
    mix[:, -fade:] *= np.linspace(1, 0, fade, dtype=np.float32) ** 2
    return mix
